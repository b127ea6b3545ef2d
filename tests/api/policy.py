# SPDX-License-Identifier: Apache-2.0
"""What a key's policy and a file system's let a caller do."""
import json
import unittest

from lib import Case, client, hawser

ADMIN = client()


def statement(effect, action, **more):
    return {"Effect": effect, "Action": action, **more}


def key_for(user, *statements):
    """A client of EFS (and of EC2) with a key that has this policy."""
    words = hawser("key", "create", user, "--policy",
                   json.dumps({"Version": "2012-10-17",
                               "Statement": list(statements)})).split()
    key = {"aws_access_key_id": words[3], "aws_secret_access_key": words[6]}
    return client(**key), client("ec2", **key), client("sts", **key)


class Policies(Case):
    def setUp(self):
        self.fs = ADMIN.create_file_system(
            CreationToken="p", Tags=[{"Key": "team", "Value": "red"}])
        self.fs = self.fs["FileSystemId"]

    def tearDown(self):
        ADMIN.delete_file_system_policy(FileSystemId=self.fs)
        ADMIN.delete_file_system(FileSystemId=self.fs)

    def denied(self, call, **arguments):
        return self.refused("AccessDeniedException", 403, call, **arguments)

    def test_actions(self):
        efs, ec2, sts = key_for("look", statement(
            "Allow", "elasticfilesystem:Describe*", Resource="*"))
        efs.describe_file_systems()
        efs.describe_file_systems(FileSystemId=self.fs)
        said = self.denied(efs.delete_file_system, FileSystemId=self.fs)
        self.assertIn("user/look is not authorized to perform: "
                      "elasticfilesystem:DeleteFileSystem", said)
        self.refused("UnauthorizedOperation", 403, ec2.describe_vpcs)
        self.assertIn("user/look", sts.get_caller_identity()["Arn"])

    def test_resources(self):
        other = ADMIN.create_file_system(CreationToken="o")["FileSystemId"]
        efs, _, _ = key_for("one", statement(
            "Allow", "*", Resource="arn:aws:elasticfilesystem:*:*:"
            "file-system/" + self.fs))
        efs.put_backup_policy(FileSystemId=self.fs,
                              BackupPolicy={"Status": "ENABLED"})
        self.denied(efs.put_backup_policy, FileSystemId=other,
                    BackupPolicy={"Status": "ENABLED"})
        self.denied(efs.describe_file_systems)
        ADMIN.delete_file_system(FileSystemId=other)

    def test_the_policy_of_the_csi_driver(self):
        tag = "efs.csi.aws.com/cluster"
        efs, _, _ = key_for(
            "csi",
            statement("Allow", ["elasticfilesystem:DescribeAccessPoints",
                                "elasticfilesystem:TagResource"],
                      Resource="*"),
            statement("Allow", ["elasticfilesystem:CreateAccessPoint"],
                      Resource="*", Condition={"StringLike": {
                          "aws:RequestTag/" + tag: "true"}}),
            statement("Allow", "elasticfilesystem:DeleteAccessPoint",
                      Resource="*", Condition={"StringEquals": {
                          "aws:ResourceTag/" + tag: "true"}}))
        self.denied(efs.create_access_point, FileSystemId=self.fs,
                    ClientToken="1")
        mine = efs.create_access_point(
            FileSystemId=self.fs, ClientToken="1",
            Tags=[{"Key": tag, "Value": "true"}])["AccessPointId"]
        others = ADMIN.create_access_point(FileSystemId=self.fs,
                                           ClientToken="2")["AccessPointId"]
        self.denied(efs.delete_access_point, AccessPointId=others)
        efs.delete_access_point(AccessPointId=mine)

    def test_conditions(self):
        efs, _, _ = key_for(
            "red", statement("Allow", "*", Resource="*", Condition={
                "StringEquals": {"aws:ResourceTag/team": "red",
                                 "aws:username": "red"},
                "IpAddress": {"aws:SourceIp": "127.0.0.0/8"},
                "Bool": {"aws:SecureTransport": "false"},
                "DateGreaterThan": {"aws:CurrentTime": "2020-01-01"}}))
        efs.describe_tags(FileSystemId=self.fs)
        ADMIN.untag_resource(ResourceId=self.fs, TagKeys=["team"])
        self.denied(efs.describe_tags, FileSystemId=self.fs)

    def test_tags_that_may_be_given(self):
        efs, _, _ = key_for(
            "tagger", statement("Allow", "*", Resource="*", Condition={
                "ForAllValues:StringEquals": {"aws:TagKeys": ["team", "n"]},
                "StringEqualsIfExists": {"aws:RequestTag/team":
                                         "${aws:username}"}}))
        efs.tag_resource(ResourceId=self.fs, Tags=[
            {"Key": "team", "Value": "tagger"}, {"Key": "n", "Value": "1"}])
        self.denied(efs.tag_resource, ResourceId=self.fs, Tags=[
            {"Key": "team", "Value": "red"}])
        self.denied(efs.untag_resource, ResourceId=self.fs,
                    TagKeys=["n", "cost"])
        efs.untag_resource(ResourceId=self.fs, TagKeys=["n"])

    def test_nothing_in_clear(self):
        efs, _, _ = key_for(
            "careful", statement("Allow", "*", Resource="*"),
            statement("Deny", "elasticfilesystem:CreateFileSystem",
                      Resource="*", Condition={
                          "Bool": {"elasticfilesystem:Encrypted": "false"}}))
        self.denied(efs.create_file_system, CreationToken="c")
        fs = efs.create_file_system(CreationToken="c", Encrypted=True)
        efs.delete_file_system(FileSystemId=fs["FileSystemId"])

    def test_a_deny_is_final_and_the_file_system_may_allow(self):
        efs, _, _ = key_for("joe", statement("Deny", "*:DeleteFileSystem",
                                             Resource="*"))
        self.denied(efs.describe_tags, FileSystemId=self.fs)
        ADMIN.put_file_system_policy(FileSystemId=self.fs, Policy=json.dumps(
            {"Statement": [
                {"Effect": "Allow", "Action": "elasticfilesystem:*",
                 "Principal": {"AWS": "arn:aws:iam::000000000000:user/joe"}},
                {"Effect": "Deny", "Action":
                 "elasticfilesystem:DescribeBackupPolicy",
                 "Principal": "*"}]}))
        efs.describe_tags(FileSystemId=self.fs)
        self.denied(efs.delete_file_system, FileSystemId=self.fs)
        self.denied(efs.describe_backup_policy, FileSystemId=self.fs)
        self.denied(ADMIN.describe_backup_policy, FileSystemId=self.fs)
        other, _, _ = key_for("jim", statement("Deny", "x:y", Resource="*"))
        self.denied(other.describe_tags, FileSystemId=self.fs)


unittest.main(verbosity=2)
