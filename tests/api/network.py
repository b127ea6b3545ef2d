# SPDX-License-Identifier: Apache-2.0
"""What stands around mount targets: EC2's VPCs, subnets, zones, security groups
and interfaces; STS."""
import http.client
import re
import socket
import struct
import unittest
import urllib.parse

from lib import Case, URL, client, send, signed

EFS, EC2, STS = client(), client("ec2"), client("sts")


def may_connect(address, source="0.0.0.0"):
    """Does the NFS server there answer the NULL procedure?"""
    call = struct.pack(">IIIIIIIIII", 7, 0, 2, 100003, 4, 0, 0, 0, 0, 0)
    with socket.create_connection((address, 2049), 30, (source, 0)) as s:
        try:
            s.sendall(struct.pack(">I", 0x80000000 | len(call)) + call)
            return len(s.recv(8)) == 8
        except OSError:
            return False


class Network(Case):
    def test_who_calls(self):
        me = STS.get_caller_identity()
        self.assertRegex(me["Arn"], r"^arn:aws:iam::\d{12}:user/admin$")
        self.assertEqual(send("GET", "/?Action=GetCallerIdentity"
                              "&Version=2011-06-15")[0], 403)

    def test_zones(self):
        zones = EC2.describe_availability_zones()["AvailabilityZones"]
        self.assertEqual([z["ZoneName"] for z in zones],
                         ["us-east-1" + c for c in "abcdef"])
        self.assertEqual(zones[5]["ZoneId"], "use1-az6")
        one = EC2.describe_availability_zones(ZoneNames=["us-east-1c"])
        self.assertEqual(len(one["AvailabilityZones"]), 1)
        self.refused("InvalidParameterValue", 400,
                     EC2.describe_availability_zones, ZoneNames=["x"])
        self.refused("DryRunOperation", 412, EC2.describe_availability_zones,
                     DryRun=True)
        elsewhere = client("ec2", "ap-northeast-1")
        self.assertEqual(elsewhere.describe_availability_zones()
                         ["AvailabilityZones"][0]["ZoneId"], "apne1-az1")

    def test_the_default_vpc(self):
        vpc, = EC2.describe_vpcs(Filters=[
            {"Name": "is-default", "Values": ["true"]}])["Vpcs"]
        pages = EC2.get_paginator("describe_subnets").paginate(
            Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}],
            PaginationConfig={"PageSize": 4})
        subnets = [s for p in pages for s in p["Subnets"]]
        self.assertEqual(len(subnets), 6)
        self.refused("InvalidSubnetID.NotFound", 400, EC2.describe_subnets,
                     SubnetIds=["subnet-12345678"])
        self.refused("InvalidParameterValue", 400, EC2.describe_subnets,
                     Filters=[{"Name": "colour", "Values": ["red"]}])
        self.refused("DependencyViolation", 400, EC2.delete_vpc,
                     VpcId=vpc["VpcId"])

    def test_a_vpc_of_ones_own(self):
        vpc = EC2.create_vpc(CidrBlock="10.9.0.0/16", TagSpecifications=[
            {"ResourceType": "vpc", "Tags": [
                {"Key": "a<b", "Value": "&\""},
                {"Key": "odd", "Value": "\t\n\r\x07\uffff\ufffd"}]}
        ])["Vpc"]["VpcId"]
        self.assertEqual(EC2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Tags"],
                         [{"Key": "a<b", "Value": "&\""},
                          {"Key": "odd", "Value": "\t\n\r ?\ufffd"}])
        subnet = EC2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24",
                                   AvailabilityZone="us-east-1b")["Subnet"]
        self.assertEqual(subnet["AvailabilityZoneId"], "use1-az2")
        self.refused("InvalidSubnet.Conflict", 400, EC2.create_subnet,
                     VpcId=vpc, CidrBlock="10.9.1.128/25")
        self.refused("InvalidSubnet.Range", 400, EC2.create_subnet,
                     VpcId=vpc, CidrBlock="10.8.1.0/24")
        self.refused("InvalidParameterValue", 400, EC2.create_subnet,
                     VpcId=vpc, CidrBlock="10.9.2.0")
        self.refused("InvalidVpcID.NotFound", 400, EC2.create_subnet,
                     VpcId="vpc-12345678", CidrBlock="10.9.1.0/24")

        # This host has no such address, yet: it will be served when it has.
        fs = EFS.create_file_system(CreationToken="vpc")["FileSystemId"]
        t = EFS.create_mount_target(FileSystemId=fs,
                                    SubnetId=subnet["SubnetId"])
        self.assertEqual((t["VpcId"], t["IpAddress"], t["LifeCycleState"]),
                         (vpc, "10.9.1.4", "available"))
        eni, = EC2.describe_network_interfaces(NetworkInterfaceIds=[
            t["NetworkInterfaceId"]])["NetworkInterfaces"]
        other = EC2.describe_subnets()["Subnets"][0]["SubnetId"]
        said = self.refused("MountTargetConflict", 409,
                            EFS.create_mount_target, FileSystemId=fs,
                            SubnetId=other)
        self.assertIn("VPC", said)
        default = EC2.describe_security_groups(Filters=[
            {"Name": "vpc-id", "Values": [EC2.describe_vpcs(Filters=[
                {"Name": "is-default", "Values": ["true"]}])["Vpcs"][0][
                    "VpcId"]]}])["SecurityGroups"][0]["GroupId"]
        self.refused("SecurityGroupNotFound", 400,
                     EFS.modify_mount_target_security_groups,
                     MountTargetId=t["MountTargetId"],
                     SecurityGroups=[default])
        self.assertEqual((eni["PrivateIpAddress"], eni["SubnetId"]),
                         ("10.9.1.4", subnet["SubnetId"]))
        self.assertEqual([g["GroupId"] for g in eni["Groups"]],
                         EFS.describe_mount_target_security_groups(
                             MountTargetId=t["MountTargetId"])
                         ["SecurityGroups"])
        self.refused("DependencyViolation", 400, EC2.delete_subnet,
                     SubnetId=subnet["SubnetId"])
        EFS.delete_mount_target(MountTargetId=t["MountTargetId"])
        EFS.delete_file_system(FileSystemId=fs)
        self.refused("DependencyViolation", 400, EC2.delete_vpc, VpcId=vpc)
        EC2.delete_subnet(SubnetId=subnet["SubnetId"])
        EC2.delete_vpc(VpcId=vpc)
        self.refused("InvalidVpcID.NotFound", 400, EC2.describe_vpcs,
                     VpcIds=[vpc])

    def test_of_two_at_once_one_is_a_duplicate(self):
        vpc = EC2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]

        def at_once(action, **arguments):
            """What eight requests are told that are sent in one go."""
            body = urllib.parse.urlencode({
                "Action": action, "Version": "2016-11-15", **arguments})
            connections = []
            for i in range(8):
                c = http.client.HTTPConnection(
                    urllib.parse.urlsplit(URL).netloc, timeout=30)
                c.connect()
                connections.append(c)
            headers = signed("POST", "/", body.encode(), "ec2")
            for c in connections:
                c.request("POST", "/", body, headers)
            replies = [c.getresponse().read().decode() for c in connections]
            for c in connections:
                c.close()
            return sorted((re.findall("<Code>(.*)</Code>", r) or ["made"])[0]
                          for r in replies)

        for i in range(10):
            self.assertEqual(at_once("CreateSubnet", VpcId=vpc,
                                     CidrBlock=f"10.8.{i}.0/24"),
                             ["InvalidSubnet.Conflict"] * 7 + ["made"])
            self.assertEqual(at_once("CreateSecurityGroup", VpcId=vpc,
                                     GroupName=f"g{i}", GroupDescription="d"),
                             ["InvalidGroup.Duplicate"] * 7 + ["made"])

    def test_too_many_tags(self):
        tags = [{"ResourceType": "vpc", "Tags": [
            {"Key": f"{i}-{k}", "Value": ""} for i in range(20)]}
            for k in range(3)]
        self.refused("TagLimitExceeded", 400, EC2.create_vpc,
                     CidrBlock="10.7.0.0/16", TagSpecifications=tags)

    def test_security_groups_are_obeyed(self):
        group = EC2.create_security_group(GroupName="nfs", Description="d")
        group = group["GroupId"]
        self.refused("InvalidGroup.Duplicate", 400, EC2.create_security_group,
                     GroupName="nfs", Description="d")
        fs = EFS.create_file_system(CreationToken="sg")["FileSystemId"]
        subnet = EC2.describe_subnets()["Subnets"][0]["SubnetId"]
        t = EFS.create_mount_target(FileSystemId=fs, SubnetId=subnet,
                                    SecurityGroups=[group])
        at = t["IpAddress"]
        self.assertFalse(may_connect(at))

        def rule(cidr, low=2049, high=2049, protocol="tcp"):
            return {"GroupId": group, "IpPermissions": [
                {"IpProtocol": protocol, "FromPort": low, "ToPort": high,
                 "IpRanges": [{"CidrIp": cidr}]}]}
        for useless in (rule("10.0.0.0/8"), rule("127.0.0.0/8", 1, 2048),
                        rule("127.0.0.0/8", protocol="udp")):
            EC2.authorize_security_group_ingress(**useless)
            self.assertFalse(may_connect(at))
        EC2.authorize_security_group_ingress(**rule("127.0.0.0/8"))
        self.assertTrue(may_connect(at))
        self.refused("InvalidPermission.Duplicate", 400,
                     EC2.authorize_security_group_ingress,
                     **rule("127.0.0.0/8"))
        shown, = EC2.describe_security_groups(GroupIds=[group])[
            "SecurityGroups"]
        self.assertEqual(shown["IpPermissions"][3]["IpRanges"],
                         [{"CidrIp": "127.0.0.0/8"}])
        EC2.revoke_security_group_ingress(**rule("127.0.0.0/8"))
        self.assertFalse(may_connect(at))
        self.refused("InvalidPermission.NotFound", 400,
                     EC2.revoke_security_group_ingress, **rule("127.0.0.0/8"))

        # Of another group: its members are who its tag says, or everybody in
        # its VPC, which in the default one is everybody.
        nodes = EC2.create_security_group(GroupName="nodes",
                                          Description="d")["GroupId"]
        EC2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 2049, "ToPort": 2049,
             "UserIdGroupPairs": [{"GroupId": nodes}]}])
        self.assertTrue(may_connect(at))
        EC2.create_tags(Resources=[nodes], Tags=[
            {"Key": "hawser:members", "Value": "10.1.0.0/16, 10.2.0.0/16"}])
        self.assertFalse(may_connect(at))
        EC2.delete_tags(Resources=[nodes], Tags=[{"Key": "hawser:members"}])
        self.assertTrue(may_connect(at))

        for used in (group, nodes):
            self.refused("DependencyViolation", 400,
                         EC2.delete_security_group, GroupId=used)
        EFS.modify_mount_target_security_groups(
            MountTargetId=t["MountTargetId"], SecurityGroups=[])
        self.assertTrue(may_connect(at))
        EC2.delete_security_group(GroupId=group)
        EC2.delete_security_group(GroupId=nodes)
        self.refused("InvalidGroup.NotFound", 400,
                     EC2.describe_security_groups, GroupIds=[group])
        EFS.delete_mount_target(MountTargetId=t["MountTargetId"])
        EFS.delete_file_system(FileSystemId=fs)

    def test_members_of_a_group_are_in_its_vpc(self):
        octet = EC2.describe_subnets()["Subnets"][0]["CidrBlock"].split(".")[1]
        vpc = EC2.create_vpc(
            CidrBlock=f"127.{octet}.128.0/17")["Vpc"]["VpcId"]
        subnet = EC2.create_subnet(
            VpcId=vpc, CidrBlock=f"127.{octet}.128.0/24")["Subnet"]["SubnetId"]
        nodes, nfs = (EC2.create_security_group(
            GroupName=name, Description="d", VpcId=vpc)["GroupId"]
            for name in ("nodes", "n[f]s"))
        EC2.authorize_security_group_ingress(GroupId=nfs, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 2049, "ToPort": 2049,
             "UserIdGroupPairs": [{"GroupId": nodes}]}])
        # Of a filter's characters only * and ? mean something.
        found = EC2.describe_security_groups(Filters=[
            {"Name": "group-name", "Values": ["n[f]s"]}])["SecurityGroups"]
        self.assertEqual([g["GroupId"] for g in found], [nfs])
        fs = EFS.create_file_system(CreationToken="m")["FileSystemId"]
        at = EFS.create_mount_target(
            FileSystemId=fs, SubnetId=subnet, SecurityGroups=[nfs])
        self.assertFalse(may_connect(at["IpAddress"]))
        self.assertTrue(may_connect(at["IpAddress"], f"127.{octet}.130.1"))
        EFS.delete_mount_target(MountTargetId=at["MountTargetId"])
        EFS.delete_file_system(FileSystemId=fs)
        for group in (nfs, nodes):
            EC2.delete_security_group(GroupId=group)

    def test_what_leaves(self):
        """Rules for it are kept (Terraform's provider revokes the one that is
        there), and shown."""
        vpc = EC2.describe_vpcs()["Vpcs"][0]["VpcId"]
        group = EC2.create_security_group(
            GroupName="leaves", Description="x", VpcId=vpc)["GroupId"]

        def egress():
            return EC2.describe_security_groups(
                GroupIds=[group])["SecurityGroups"][0]["IpPermissionsEgress"]

        def everything(**where):
            return [{"IpProtocol": "-1", "FromPort": 0, "ToPort": 0, **where}]

        self.assertEqual([(r["IpProtocol"], r["IpRanges"]) for r in egress()],
                         [("-1", [{"CidrIp": "0.0.0.0/0"}])])
        EC2.revoke_security_group_egress(
            GroupId=group, IpPermissions=everything(
                IpRanges=[{"CidrIp": "0.0.0.0/0"}]))
        self.assertEqual(egress(), [])
        self.refused("InvalidPermission.NotFound", 400,
                     EC2.revoke_security_group_egress, GroupId=group,
                     IpPermissions=everything(
                         Ipv6Ranges=[{"CidrIpv6": "::/0"}]))
        EC2.authorize_security_group_egress(
            GroupId=group, IpPermissions=[{
                "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
                "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}])
        self.assertEqual(egress()[0]["FromPort"], 443)
        self.assertEqual(EC2.describe_security_groups(
            GroupIds=[group])["SecurityGroups"][0]["IpPermissions"], [])
        EC2.delete_security_group(GroupId=group)

    def test_actions_that_are_not_there(self):
        self.refused("InvalidAction", 400, EC2.describe_volumes)
        self.refused("InvalidAction", 400, STS.get_session_token)


unittest.main(verbosity=2)
