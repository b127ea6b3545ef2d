# SPDX-License-Identifier: Apache-2.0
"""Stands in for the package `moto` when moto's tests are run: its mock_aws
mocks nothing, but gives a test a hawserd (HAWSER_API_URL) that is as empty as
a new one."""
import functools
import os
import sys
import types

import boto3

URL = os.environ["HAWSER_API_URL"]
_client = boto3.client


def client(service, *arguments, **more):
    more.setdefault("endpoint_url", URL)
    return _client(service, *arguments, **more)


boto3.client = client


def _clean_efs(efs):
    for fs in efs.describe_file_systems()["FileSystems"]:
        name = fs["FileSystemId"]
        for target in efs.describe_mount_targets(
                FileSystemId=name)["MountTargets"]:
            efs.delete_mount_target(MountTargetId=target["MountTargetId"])
        efs.delete_file_system(FileSystemId=name)


def _clean_ec2(ec2):
    for subnet in ec2.describe_subnets()["Subnets"]:
        if not subnet["DefaultForAz"]:
            ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    for group in ec2.describe_security_groups()["SecurityGroups"]:
        if group["GroupName"] != "default":
            ec2.delete_security_group(GroupId=group["GroupId"])
    for vpc in ec2.describe_vpcs()["Vpcs"]:
        if not vpc["IsDefault"]:
            ec2.delete_vpc(VpcId=vpc["VpcId"])


class mock_aws:
    depth = 0

    def __init__(self, function=None):
        self.function = function
        if function is not None:
            functools.update_wrapper(self, function)

    def __call__(self, *arguments, **more):
        with self:
            return self.function(*arguments, **more)

    def __enter__(self):
        if mock_aws.depth == 0:
            _clean_efs(client("efs", "us-east-1"))
            _clean_ec2(client("ec2", "us-east-1"))
        mock_aws.depth += 1
        return self

    def __exit__(self, *what):
        mock_aws.depth -= 1


core = types.SimpleNamespace(
    DEFAULT_ACCOUNT_ID=client("sts", "us-east-1").get_caller_identity()[
        "Account"])
sys.modules["moto.core"] = core
