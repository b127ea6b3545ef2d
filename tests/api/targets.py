# SPDX-License-Identifier: Apache-2.0
"""Mount targets and access points by the API of EFS."""
import concurrent.futures
import json
import unittest

from lib import Case, client, hawser

EFS = client()
SUBNETS = [s["id"] for s in json.loads(hawser("subnet", "list", "--json"))]
RANGES = [s["cidr"] for s in json.loads(hawser("subnet", "list", "--json"))]


class Targets(Case):
    def setUp(self):
        self.fs = EFS.create_file_system(CreationToken="t")["FileSystemId"]

    def tearDown(self):
        for fs in EFS.describe_file_systems()["FileSystems"]:
            for t in EFS.describe_mount_targets(
                    FileSystemId=fs["FileSystemId"])["MountTargets"]:
                EFS.delete_mount_target(MountTargetId=t["MountTargetId"])
            EFS.delete_file_system(FileSystemId=fs["FileSystemId"])

    def create(self, i=0, **more):
        return EFS.create_mount_target(FileSystemId=self.fs,
                                       SubnetId=SUBNETS[i], **more)

    def test_one_in_each_zone(self):
        made = [self.create(i) for i in range(3)]
        for i, t in enumerate(made):
            del t["ResponseMetadata"]
            self.assertRegex(t["MountTargetId"], "^fsmt-[0-9a-f]{17}$")
            self.assertRegex(t["NetworkInterfaceId"], "^eni-[0-9a-f]{17}$")
            self.assertRegex(t["VpcId"], "^vpc-[0-9a-f]{17}$")
            self.assertEqual(t["LifeCycleState"], "available")
            self.assertEqual(t["SubnetId"], SUBNETS[i])
            self.assertEqual(t["AvailabilityZoneName"], "us-east-1" + "abc"[i])
            self.assertEqual(t["AvailabilityZoneId"], "use1-az%d" % (i + 1))
            self.assertTrue(t["IpAddress"].startswith(
                RANGES[i].rsplit(".", 1)[0]))
        got = EFS.describe_mount_targets(FileSystemId=self.fs)["MountTargets"]
        self.assertEqual(got, made)
        pages = EFS.get_paginator("describe_mount_targets").paginate(
            FileSystemId=self.fs, PaginationConfig={"PageSize": 2})
        self.assertEqual([t for p in pages for t in p["MountTargets"]], made)
        fs = EFS.describe_file_systems(FileSystemId=self.fs)["FileSystems"][0]
        self.assertEqual(fs["NumberOfMountTargets"], 3)
        said = self.refused("MountTargetConflict", 409, self.create)
        self.assertEqual(said, "mount target already exists in this AZ")
        self.refused("FileSystemInUse", 409, EFS.delete_file_system,
                     FileSystemId=self.fs)

    def test_the_command_line_shows_the_same(self):
        t = self.create()
        shown = json.loads(hawser("mount-target", "list", "--json"))
        self.assertEqual([(s["id"], s["address"]) for s in shown],
                         [(t["MountTargetId"], t["IpAddress"])])

    def test_addresses(self):
        inside = RANGES[0].rsplit(".", 1)[0] + ".77"
        t = self.create(IpAddress=inside)
        self.assertEqual(t["IpAddress"], inside)
        self.refused("BadRequest", 400, self.create, i=1, IpAddress=inside)
        other = EFS.create_file_system(CreationToken="o")["FileSystemId"]
        self.refused("IpAddressInUse", 409, EFS.create_mount_target,
                     FileSystemId=other, SubnetId=SUBNETS[0], IpAddress=inside)
        self.refused("SubnetNotFound", 400, EFS.create_mount_target,
                     FileSystemId=other, SubnetId="subnet-12345678")
        self.refused("FileSystemNotFound", 404, EFS.create_mount_target,
                     FileSystemId="fs-12345678", SubnetId=SUBNETS[0])

    def test_one_zone(self):
        one = EFS.create_file_system(CreationToken="1",
                                     AvailabilityZoneName="us-east-1b")
        self.refused("AvailabilityZonesMismatch", 400, EFS.create_mount_target,
                     FileSystemId=one["FileSystemId"], SubnetId=SUBNETS[0])
        t = EFS.create_mount_target(FileSystemId=one["FileSystemId"],
                                    SubnetId=SUBNETS[1])
        self.assertEqual(t["AvailabilityZoneName"], "us-east-1b")

    def test_exactly_one_thing_is_asked_for(self):
        t = self.create()["MountTargetId"]
        point = EFS.create_access_point(FileSystemId=self.fs,
                                        ClientToken="x")["AccessPointId"]
        for by in ({"MountTargetId": t}, {"AccessPointId": point}):
            got = EFS.describe_mount_targets(**by)["MountTargets"]
            self.assertEqual([g["MountTargetId"] for g in got], [t])
        self.refused("BadRequest", 400, EFS.describe_mount_targets)
        self.refused("BadRequest", 400, EFS.describe_mount_targets,
                     FileSystemId=self.fs, MountTargetId=t)
        self.refused("AccessPointNotFound", 404, EFS.describe_mount_targets,
                     AccessPointId="fsap-12345678")
        for call in (EFS.describe_mount_targets, EFS.delete_mount_target,
                     EFS.describe_mount_target_security_groups,
                     EFS.modify_mount_target_security_groups):
            self.refused("MountTargetNotFound", 404, call,
                         MountTargetId="fsmt-12345678")

    def test_security_groups(self):
        t = self.create()["MountTargetId"]
        get = EFS.describe_mount_target_security_groups
        groups = get(MountTargetId=t)["SecurityGroups"]
        self.assertEqual(len(groups), 1)
        EFS.modify_mount_target_security_groups(MountTargetId=t,
                                                SecurityGroups=groups)
        self.assertEqual(get(MountTargetId=t)["SecurityGroups"], groups)
        self.refused("SecurityGroupNotFound", 400,
                     EFS.modify_mount_target_security_groups, MountTargetId=t,
                     SecurityGroups=["sg-12345678"])
        self.refused("SecurityGroupLimitExceeded", 400, self.create, i=1,
                     SecurityGroups=groups * 6)


class Points(Case):
    def setUp(self):
        self.fs = EFS.create_file_system(CreationToken="p")["FileSystemId"]

    def tearDown(self):
        EFS.delete_file_system(FileSystemId=self.fs)

    def create(self, token="x", **more):
        return EFS.create_access_point(FileSystemId=self.fs, ClientToken=token,
                                       **more)

    def test_by_default(self):
        p = self.create()
        self.assertRegex(p["AccessPointId"], "^fsap-[0-9a-f]{17}$")
        self.assertRegex(p["AccessPointArn"],
                         r"^arn:aws:elasticfilesystem:us-east-1:\d{12}:"
                         "access-point/" + p["AccessPointId"] + "$")
        self.assertEqual(p["LifeCycleState"], "available")
        self.assertEqual(p["RootDirectory"], {"Path": "/"})
        self.assertNotIn("PosixUser", p)

    def test_everything_that_can_be_said(self):
        said = {
            "PosixUser": {"Uid": 1000, "Gid": 4294967295,
                          "SecondaryGids": [1, 2]},
            "RootDirectory": {"Path": "/a/b", "CreationInfo": {
                "OwnerUid": 0, "OwnerGid": 5, "Permissions": "0755"}},
            "Tags": [{"Key": "Name", "Value": "mine"}],
        }
        p = self.create(**said)
        got = EFS.describe_access_points(
            AccessPointId=p["AccessPointArn"])["AccessPoints"][0]
        self.assertEqual(got["Name"], "mine")
        for member in said:
            self.assertEqual(got[member], said[member])

    def test_what_is_refused(self):
        for path in ("a", "/a/../b", "/.a", "/a/b/c/d/e", "/a*", "//", "/a/",
                     "/" + "a" * 100, ""):
            self.refused("BadRequest", 400, self.create,
                         RootDirectory={"Path": path})
        for user in ({"Uid": 1}, {"Uid": -1, "Gid": 1},
                     {"Uid": 4294967296, "Gid": 1}, {"Uid": "1", "Gid": 1},
                     {"Uid": 1, "Gid": 1, "SecondaryGids": [1] * 17}):
            self.refused("BadRequest", 400, self.create, PosixUser=user)
        for info in ({}, {"OwnerUid": 1, "OwnerGid": 1},
                     {"OwnerUid": 1, "OwnerGid": 1, "Permissions": "888"},
                     {"OwnerUid": 1, "OwnerGid": 1, "Permissions": "77777"}):
            self.refused("BadRequest", 400, self.create, RootDirectory={
                "Path": "/x", "CreationInfo": info})

    def test_a_client_token_is_used_once(self):
        p = self.create("once")["AccessPointId"]
        with self.assertRaises(EFS.exceptions.AccessPointAlreadyExists) as e:
            self.create("once")
        self.assertEqual(e.exception.response["AccessPointId"], p)
        other = EFS.create_file_system(CreationToken="q")["FileSystemId"]
        EFS.create_access_point(FileSystemId=other, ClientToken="once")
        EFS.delete_file_system(FileSystemId=other)
        EFS.delete_access_point(AccessPointId=p)
        self.create("once")

    def test_pages(self):
        made = [self.create(str(i))["AccessPointId"] for i in range(7)]
        pages = EFS.get_paginator("describe_access_points").paginate(
            FileSystemId=self.fs, PaginationConfig={"PageSize": 2}) \
            if EFS.can_paginate("describe_access_points") else []
        got = [p["AccessPointId"] for page in pages
               for p in page["AccessPoints"]]
        if pages:
            self.assertEqual(got, made)
        one = EFS.describe_access_points(FileSystemId=self.fs, MaxResults=7)
        self.assertNotIn("NextToken", one)
        first = EFS.describe_access_points(FileSystemId=self.fs, MaxResults=4)
        EFS.delete_access_point(AccessPointId=made[3])
        second = EFS.describe_access_points(NextToken=first["NextToken"])
        self.assertEqual([p["AccessPointId"] for p in second["AccessPoints"]],
                         made[4:])

    def test_many(self):
        # By hand with 10,000, a load on another file system beside it.
        count = 400

        def create(i):
            return EFS.create_access_point(
                FileSystemId=self.fs, ClientToken=str(i),
                PosixUser={"Uid": i, "Gid": i}, RootDirectory={
                    "Path": f"/{i}", "CreationInfo": {
                        "OwnerUid": i, "OwnerGid": i, "Permissions": "0700"}}
            )["AccessPointId"]

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            made = list(pool.map(create, range(count)))
        got, more = [], {}
        while more is not None:
            page = EFS.describe_access_points(FileSystemId=self.fs,
                                              MaxResults=70, **more)
            got += [p["AccessPointId"] for p in page["AccessPoints"]]
            more = {"NextToken": page["NextToken"]} \
                if "NextToken" in page else None
        self.assertEqual((sorted(got), len(set(got))), (sorted(made), count))
        at = EFS.create_mount_target(FileSystemId=self.fs,
                                     SubnetId=SUBNETS[0])
        hawser("perf", "nfs", f"{at['IpAddress']}:/{made[count // 2]}", "-w",
               "write", "-b", "4k", "-s", "64k", "-n", "16")
        EFS.delete_mount_target(MountTargetId=at["MountTargetId"])
        for p in made[:count // 4]:
            EFS.delete_access_point(AccessPointId=p)

    def test_there_is_none(self):
        for call in (EFS.delete_access_point, EFS.describe_access_points):
            self.refused("AccessPointNotFound", 404, call,
                         AccessPointId="fsap-12345678")
        self.refused("FileSystemNotFound", 404, EFS.describe_access_points,
                     FileSystemId="fs-12345678")
        p = self.create()["AccessPointId"]
        self.refused("BadRequest", 400, EFS.describe_access_points,
                     FileSystemId=self.fs, AccessPointId=p)


unittest.main(verbosity=2)
