# SPDX-License-Identifier: Apache-2.0
"""File systems by the API of EFS, and what they are set to."""
import concurrent.futures
import datetime
import json
import unittest

import botocore.exceptions

from lib import Case, client, hawser, send, signed

EFS = client()


def ids(reply):
    return [fs["FileSystemId"] for fs in reply["FileSystems"]]


class FileSystems(Case):
    def setUp(self):
        self.fs = EFS.create_file_system(CreationToken=self.id()[-60:])
        self.name = self.fs["FileSystemId"]

    def tearDown(self):
        for fs in EFS.describe_file_systems()["FileSystems"]:
            EFS.delete_file_system(FileSystemId=fs["FileSystemId"])

    def described(self, **by):
        found = EFS.describe_file_systems(
            **(by or {"FileSystemId": self.name}))["FileSystems"]
        self.assertEqual(len(found), 1)
        return found[0]

    def test_by_default(self):
        fs = self.described()
        self.assertEqual(fs["LifeCycleState"], "available")
        self.assertRegex(fs["FileSystemId"], "^fs-[0-9a-f]{17}$")
        self.assertRegex(fs["FileSystemArn"],
                         r"^arn:aws:elasticfilesystem:us-east-1:\d{12}:"
                         "file-system/" + self.name + "$")
        self.assertIsInstance(fs["CreationTime"], datetime.datetime)
        self.assertEqual(fs["PerformanceMode"], "generalPurpose")
        self.assertEqual(fs["ThroughputMode"], "bursting")
        self.assertIs(fs["Encrypted"], False)
        self.assertEqual(fs["Tags"], [])
        self.assertEqual(fs["NumberOfMountTargets"], 0)
        self.assertEqual(fs["SizeInBytes"]["Value"], 0)
        self.assertEqual(fs["Name"], "")
        del self.fs["ResponseMetadata"]
        for description in (fs, self.fs):
            del description["SizeInBytes"]["Timestamp"]
        self.assertEqual(fs, self.fs)

    def test_everything_that_can_be_said(self):
        fs = EFS.create_file_system(
            CreationToken="all", PerformanceMode="generalPurpose",
            Encrypted=True, ThroughputMode="provisioned",
            ProvisionedThroughputInMibps=12.5, AvailabilityZoneName="us-east-1b",
            Tags=[{"Key": "Name", "Value": "Größe 1"},
                  {"Key": "a", "Value": ""}])
        fs = self.described(FileSystemId=fs["FileSystemArn"])
        self.assertEqual(fs["ProvisionedThroughputInMibps"], 12.5)
        self.assertEqual(fs["AvailabilityZoneName"], "us-east-1b")
        self.assertEqual(fs["AvailabilityZoneId"], "use1-az2")
        self.assertEqual(fs["Name"], "Größe 1")
        self.assertRegex(fs["KmsKeyId"], "^arn:aws:kms:us-east-1:")
        # One Zone file systems are backed up unless told otherwise.
        policy = EFS.describe_backup_policy(FileSystemId=fs["FileSystemId"])
        self.assertEqual(policy["BackupPolicy"], {"Status": "ENABLED"})

    def test_the_command_line_shows_the_same(self):
        EFS.tag_resource(ResourceId=self.name,
                         Tags=[{"Key": "Name", "Value": "music"}])
        shown = json.loads(hawser("fs", "show", self.name, "--json"))
        self.assertEqual(shown["name"], "music")
        made = hawser("fs", "create", "--name", "by hand").strip()
        fs = self.described(FileSystemId=made)
        self.assertEqual((fs["Name"], fs["CreationToken"]), ("by hand", made))

    def test_a_creation_token_is_used_once(self):
        token = self.fs["CreationToken"]
        with self.assertRaises(EFS.exceptions.FileSystemAlreadyExists) as e:
            EFS.create_file_system(CreationToken=token, Encrypted=True)
        self.assertEqual(e.exception.response["FileSystemId"], self.name)
        self.assertEqual(self.described(CreationToken=token)["FileSystemId"],
                         self.name)
        self.assertEqual(ids(EFS.describe_file_systems(CreationToken="x")), [])
        EFS.delete_file_system(FileSystemId=self.name)
        EFS.create_file_system(CreationToken=token)

    def test_what_does_not_go_together(self):
        for wrong in ({"ThroughputMode": "provisioned"},
                      {"ProvisionedThroughputInMibps": 5},
                      {"KmsKeyId": "alias/a"},
                      {"PerformanceMode": "maxIO", "ThroughputMode": "elastic"},
                      {"PerformanceMode": "fast"}, {"Encrypted": "yes"},
                      {"ThroughputMode": "provisioned",
                       "ProvisionedThroughputInMibps": 0.5},
                      {"PerformanceMode": "maxIO",
                       "AvailabilityZoneName": "us-east-1a"},
                      {"Tags": [{"Key": "AWS:x", "Value": ""}]},
                      {"Tags": [{"Key": "a", "Value": ""}] * 2},
                      {"Tags": [{"Key": "hawser:quota-bytes", "Value": "1G"}]},
                      {"Tags": [{"Key": "hawser:quote", "Value": "1"}]},
                      {"Tags": [{"Key": "a?", "Value": ""}]},
                      {"Tags": [{"Key": "a" * 129, "Value": ""}]},
                      {"Tags": [{"Key": str(i), "Value": ""}
                                for i in range(51)]},
                      {"CreationToken": "x" * 65}, {"CreationToken": 5}):
            wrong.setdefault("CreationToken", "wrong")
            self.refused("BadRequest", 400, EFS.create_file_system, **wrong)
        self.refused("ThroughputLimitExceeded", 400, EFS.create_file_system,
                     CreationToken="w", ThroughputMode="provisioned",
                     ProvisionedThroughputInMibps=100000)
        self.refused("UnsupportedAvailabilityZone", 400,
                     EFS.create_file_system, CreationToken="w",
                     AvailabilityZoneName="us-east-1z")
        self.assertEqual(ids(EFS.describe_file_systems()), [self.name])

    def test_messages_name_the_member(self):
        said = self.refused("BadRequest", 400, EFS.create_file_system,
                            CreationToken="w",
                            Tags=[{"Key": "a", "Value": "v" * 257}])
        self.assertIn("at 'tags.1.member.value' failed to satisfy constraint: "
                      "Member must have length less than or equal to 256", said)

    def test_pages(self):
        made = [self.name] + [
            EFS.create_file_system(CreationToken=str(i))["FileSystemId"]
            for i in range(6)]
        first = EFS.describe_file_systems(MaxItems=3)
        self.assertEqual(ids(first), made[:3])
        EFS.delete_file_system(FileSystemId=made[2])
        second = EFS.describe_file_systems(Marker=first["NextMarker"])
        self.assertEqual(ids(second), made[3:])
        self.assertEqual(second["Marker"], first["NextMarker"])
        self.assertNotIn("NextMarker", second)
        pages = EFS.get_paginator("describe_file_systems").paginate(
            PaginationConfig={"PageSize": 1})
        self.assertEqual([i for page in pages for i in ids(page)],
                         made[:2] + made[3:])
        self.refused("BadRequest", 400, EFS.describe_file_systems, Marker="x")
        self.refused("BadRequest", 400, EFS.describe_file_systems, MaxItems=0)

    def test_update(self):
        fs = EFS.update_file_system(FileSystemId=self.name,
                                    ThroughputMode="provisioned",
                                    ProvisionedThroughputInMibps=5)
        self.assertEqual(fs["ResponseMetadata"]["HTTPStatusCode"], 202)
        self.assertEqual(self.described()["ProvisionedThroughputInMibps"], 5)
        EFS.update_file_system(FileSystemId=self.name,
                               ThroughputMode="elastic")
        self.assertEqual(self.described()["ThroughputMode"], "elastic")
        self.assertNotIn("ProvisionedThroughputInMibps", self.described())
        for wrong in ({}, {"ProvisionedThroughputInMibps": 5},
                      {"ThroughputMode": "provisioned"}):
            self.refused("BadRequest", 400, EFS.update_file_system,
                         FileSystemId=self.name, **wrong)

    def test_there_is_none(self):
        for call in (EFS.delete_file_system, EFS.describe_tags,
                     EFS.describe_backup_policy, EFS.describe_file_systems,
                     EFS.describe_lifecycle_configuration,
                     EFS.describe_file_system_policy,
                     EFS.delete_file_system_policy,
                     EFS.describe_replication_configurations):
            self.refused("FileSystemNotFound", 404, call,
                         FileSystemId="fs-12345678")
        # Verified against AWS by moto's authors: not "BadRequest".
        for odd in ("fs-123", "unknown"):
            said = self.refused("FileSystemNotFound", 404,
                                EFS.delete_file_system, FileSystemId=odd)
            self.assertEqual(said, f"File system '{odd}' does not exist.")
        said = self.refused("FileSystemNotFound", 404,
                            EFS.describe_file_systems,
                            FileSystemId="fs-12345678")
        self.assertEqual(said, "File system 'fs-12345678' does not exist.")
        self.refused("BadRequest", 400, EFS.describe_file_systems,
                     FileSystemId=self.name, CreationToken="x")

    def test_lifecycle(self):
        put = EFS.put_lifecycle_configuration
        get = EFS.describe_lifecycle_configuration
        self.assertEqual(get(FileSystemId=self.name)["LifecyclePolicies"], [])
        policies = [{"TransitionToIA": "AFTER_30_DAYS"},
                    {"TransitionToPrimaryStorageClass": "AFTER_1_ACCESS"}]
        self.assertEqual(put(FileSystemId=self.name,
                             LifecyclePolicies=policies)["LifecyclePolicies"],
                         policies)
        self.assertEqual(get(FileSystemId=self.name)["LifecyclePolicies"],
                         policies)
        for wrong in ([{}], [policies[0]] * 2, [{**policies[0], **policies[1]}],
                      [{"TransitionToIA": "AFTER_31_DAYS"}],
                      policies * 2):
            self.refused("BadRequest", 400, put, FileSystemId=self.name,
                         LifecyclePolicies=wrong)
        put(FileSystemId=self.name, LifecyclePolicies=[])
        self.assertEqual(get(FileSystemId=self.name)["LifecyclePolicies"], [])

    def test_backup_policy(self):
        self.refused("PolicyNotFound", 404, EFS.describe_backup_policy,
                     FileSystemId=self.name)
        for status in ("ENABLED", "DISABLED"):
            put = EFS.put_backup_policy(FileSystemId=self.name,
                                        BackupPolicy={"Status": status})
            got = EFS.describe_backup_policy(FileSystemId=self.name)
            self.assertEqual(put["BackupPolicy"], {"Status": status})
            self.assertEqual(got["BackupPolicy"], {"Status": status})
        self.refused("BadRequest", 400, EFS.put_backup_policy,
                     FileSystemId=self.name, BackupPolicy={"Status": "ON"})

    def test_resource_policy(self):
        self.refused("PolicyNotFound", 404, EFS.describe_file_system_policy,
                     FileSystemId=self.name)
        policy = json.dumps({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"},
                           "Action": ["elasticfilesystem:ClientMount"],
                           "Condition": {"Bool": {"aws:SecureTransport":
                                                  "true"}}}]})
        EFS.put_file_system_policy(FileSystemId=self.name, Policy=policy)
        got = EFS.describe_file_system_policy(FileSystemId=self.name)
        self.assertEqual((got["FileSystemId"], got["Policy"]),
                         (self.name, policy))
        EFS.delete_file_system_policy(FileSystemId=self.name)
        self.refused("PolicyNotFound", 404, EFS.describe_file_system_policy,
                     FileSystemId=self.name)
        for wrong in ("x", "[]", "{}", '{"Statement": []}', "{" * 3000,
                      '{"Statement": [{"Effect": "Allow"}]}',
                      policy.replace("Allow", "Maybe"),
                      policy.replace("Principal", "Principle"),
                      policy.replace("2012", "2013"),
                      policy.replace("elasticfilesystem:", "s3:")):
            self.refused("InvalidPolicyException", 400,
                         EFS.put_file_system_policy, FileSystemId=self.name,
                         Policy=wrong)

    def test_protection(self):
        self.assertEqual(self.described().get("FileSystemProtection", {}).get(
            "ReplicationOverwriteProtection", "ENABLED"), "ENABLED")
        if hasattr(EFS, "update_file_system_protection"):
            EFS.update_file_system_protection(
                FileSystemId=self.name,
                ReplicationOverwriteProtection="DISABLED")
            self.assertEqual(self.described()["FileSystemProtection"],
                             {"ReplicationOverwriteProtection": "DISABLED"})

    def test_replication_says_that_it_copies_nothing(self):
        made = EFS.create_replication_configuration(
            SourceFileSystemId=self.name,
            Destinations=[{"Region": "us-east-1"}])
        to = made["Destinations"][0]
        self.assertEqual(to["Status"], "ERROR")
        for fs in (self.name, to["FileSystemId"]):
            found = EFS.describe_replication_configurations(FileSystemId=fs)
            self.assertEqual(found["Replications"][0]["SourceFileSystemId"],
                             self.name)
        self.refused("ConflictException", 409,
                     EFS.create_replication_configuration,
                     SourceFileSystemId=self.name,
                     Destinations=[{"Region": "us-east-1"}])
        self.refused("FileSystemInUse", 409, EFS.delete_file_system,
                     FileSystemId=self.name)
        EFS.delete_replication_configuration(SourceFileSystemId=self.name)
        path = f"/2015-02-01/file-systems/{self.name}/" \
            "replication-configuration"
        body = json.dumps(
            {"Destinations": [{"FileSystemId": self.name}]}).encode()
        status, headers, _ = send("POST", path, signed("POST", path, body),
                                  body)
        self.assertEqual((status, headers["x-amzn-ErrorType"]),
                         (400, "ValidationException"))
        self.refused("ReplicationNotFound", 404,
                     EFS.describe_replication_configurations,
                     FileSystemId=self.name)

    def test_replications_that_are_asked_for_at_once(self):
        def create(_):
            try:
                EFS.create_replication_configuration(
                    SourceFileSystemId=self.name,
                    Destinations=[{"Region": "us-east-1"}])
                return 1
            except botocore.exceptions.ClientError as e:
                self.assertEqual(e.response["Error"]["Code"],
                                 "ConflictException")
                return 0
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            self.assertEqual(sum(pool.map(create, range(16))), 1)
        # Nothing is left of the others.
        self.assertEqual(len(ids(EFS.describe_file_systems())), 2)
        EFS.delete_replication_configuration(SourceFileSystemId=self.name)

    def test_account_preferences(self):
        put = EFS.put_account_preferences(ResourceIdType="LONG_ID")
        got = EFS.describe_account_preferences(MaxResults=5)
        for reply in (put, got):
            self.assertEqual(reply["ResourceIdPreference"]["ResourceIdType"],
                             "LONG_ID")
        self.refused("BadRequest", 400, EFS.put_account_preferences,
                     ResourceIdType="SHORT_ID")


class Tags(Case):
    def setUp(self):
        self.fs = EFS.create_file_system(CreationToken="tags")["FileSystemId"]
        self.point = EFS.create_access_point(
            ClientToken="tags", FileSystemId=self.fs)["AccessPointId"]

    def tearDown(self):
        EFS.delete_access_point(AccessPointId=self.point)
        EFS.delete_file_system(FileSystemId=self.fs)

    def test_new_operations(self):
        for resource in (self.fs, self.point):
            EFS.tag_resource(ResourceId=resource, Tags=[
                {"Key": "a b", "Value": "1"}, {"Key": "é=+/", "Value": "2"}])
            EFS.tag_resource(ResourceId=resource, Tags=[
                {"Key": "a b", "Value": "3"}, {"Key": "c", "Value": ""}])
            self.assertEqual(
                EFS.list_tags_for_resource(ResourceId=resource)["Tags"],
                [{"Key": "a b", "Value": "3"}, {"Key": "é=+/", "Value": "2"},
                 {"Key": "c", "Value": ""}])
            EFS.untag_resource(ResourceId=resource,
                               TagKeys=["a b", "é=+/", "none"])
            self.assertEqual(
                EFS.list_tags_for_resource(ResourceId=resource)["Tags"],
                [{"Key": "c", "Value": ""}])

    def test_old_operations(self):
        EFS.create_tags(FileSystemId=self.fs, Tags=[
            {"Key": str(i), "Value": "v"} for i in range(5)])
        EFS.delete_tags(FileSystemId=self.fs, TagKeys=["2"])
        pages = EFS.get_paginator("describe_tags").paginate(
            FileSystemId=self.fs, PaginationConfig={"PageSize": 3})
        self.assertEqual([t["Key"] for page in pages for t in page["Tags"]],
                         ["0", "1", "3", "4"])

    def test_there_are_at_most_fifty(self):
        tags = [{"Key": str(i), "Value": "v"} for i in range(50)]
        EFS.tag_resource(ResourceId=self.fs, Tags=tags)
        EFS.tag_resource(ResourceId=self.fs, Tags=tags)
        self.refused("BadRequest", 400, EFS.tag_resource, ResourceId=self.fs,
                     Tags=[{"Key": "x", "Value": ""}])
        got = EFS.list_tags_for_resource(ResourceId=self.fs, MaxResults=20)
        self.assertEqual(len(got["Tags"]), 20)
        self.assertIn("NextToken", got)

    def test_of_nothing(self):
        for resource, code in (("fs-12345678", "FileSystemNotFound"),
                               ("fsap-12345678", "AccessPointNotFound")):
            self.refused(code, 404, EFS.list_tags_for_resource,
                         ResourceId=resource)
            self.refused(code, 404, EFS.tag_resource, ResourceId=resource,
                         Tags=[])
        self.refused("BadRequest", 400, EFS.list_tags_for_resource,
                     ResourceId="fsmt-12345678")


unittest.main(verbosity=2)
