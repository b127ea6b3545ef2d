# SPDX-License-Identifier: Apache-2.0
"""Every operation of the installed botocore's model of EFS is there, its errors
come with the model's statuses, and input that the model does not allow is
refused with one of them."""
import copy
import unittest

import botocore.exceptions

import botocore
import botocore.session

from lib import Case, client, send, signed

MODEL = botocore.session.get_session().get_service_model("efs")


IDS = {"FileSystemId": "fs-12345678", "SourceFileSystemId": "fs-12345678",
       "MountTargetId": "fsmt-12345678", "AccessPointId": "fsap-12345678",
       "ResourceId": "fs-12345678", "SubnetId": "subnet-12345678",
       "Path": "/a", "Permissions": "755", "Policy": "{}",
       "SecurityGroup": "sg-12345678", "IpAddress": "127.0.0.9",
       "Ipv6Address": "::1", "KmsKeyId": "alias/a", "RegionName": "us-east-1",
       "Region": "us-east-1"}


def sample(shape, name):
    """Something that fits."""
    if shape.type_name == "structure":
        return {n: sample(s, n) for n, s in shape.members.items()}
    if shape.type_name == "list":
        return [sample(shape.member, shape.member.name)]
    if shape.type_name == "string":
        return IDS.get(name) or (shape.enum or ["a"])[0]
    return True if shape.type_name == "boolean" else \
        shape.metadata.get("min", 1) or 1


def wrongs(shape, name):
    """What does not fit, and why."""
    limits = shape.metadata
    if shape.type_name == "structure":
        for member, inner in shape.members.items():
            fits = sample(shape, name)
            if member in shape.required_members:
                without = copy.deepcopy(fits)
                del without[member]
                yield without, f"{member} is missing"
            for wrong, why in wrongs(inner, member):
                yield {**fits, member: wrong}, f"{member}: {why}"
        yield "text", "no structure"
    elif shape.type_name == "list":
        fits = sample(shape, name)
        if limits.get("max"):
            yield fits * (limits["max"] + 1), "too many"
        for wrong, why in wrongs(shape.member, shape.member.name):
            yield [wrong], why
        yield {"a": 1}, "no list"
    elif shape.type_name == "string":
        if limits.get("max"):
            yield "a" * (limits["max"] + 1), "too long"
            yield "\u20ac" * (limits["max"] + 1), "too long, and wide"
        if limits.get("min"):
            yield "", "too short"
        if shape.enum or limits.get("pattern", ".") not in (".", ".+"):
            yield "\x07", "no such word"
    elif shape.type_name in ("integer", "long", "double"):
        if "min" in limits:
            yield limits["min"] - 1, "too little"
        yield "x", "no number"
        yield 2 ** 63 - 1, "too much"
    elif shape.type_name == "boolean":
        yield "perhaps", "neither true nor false"


# What is no number and so on never gets beyond botocore in a path or a query.
HARMLESS = ("too much", "no list", "no structure")


class Model(Case):
    def test_input_that_does_not_fit(self):
        efs, tried = client(), 0
        for operation in MODEL.operation_names:
            model = MODEL.operation_model(operation)
            call = getattr(efs, botocore.xform_name(operation))
            errors = {e.name for e in model.error_shapes} | {
                "BadRequest", "SerializationException"}
            if model.input_shape is None:
                continue
            for arguments, why in wrongs(model.input_shape, ""):
                if not isinstance(arguments, dict) or any(
                        m.serialization.get("location") == "uri" and
                        not arguments.get(n)
                        for n, m in model.input_shape.members.items()):
                    continue
                try:
                    call(**arguments)
                except botocore.exceptions.ClientError as e:
                    code = e.response["Error"]["Code"]
                    self.assertIn(code, errors, (operation, why))
                    tried += 1
                except Exception:  # botocore can't even write it
                    pass
                else:
                    self.assertTrue(why.endswith(HARMLESS), (operation, why))
        self.assertGreater(tried, 200)

    def test_every_operation_is_known(self):
        for name in MODEL.operation_names:
            operation = MODEL.operation_model(name)
            path = operation.http["requestUri"]
            for field, value in (("FileSystemId", "fs-12345678"),
                                 ("SourceFileSystemId", "fs-12345678"),
                                 ("MountTargetId", "fsmt-12345678"),
                                 ("AccessPointId", "fsap-12345678"),
                                 ("ResourceId", "fs-12345678")):
                path = path.replace("{%s}" % field, value)
            self.assertNotIn("{", path)
            method = operation.http["method"]
            status, headers, body = send(method, path, signed(method, path))
            self.assertNotEqual(headers["x-amzn-ErrorType"],
                                "UnknownOperationException", name)
            self.assertNotEqual(status, 500, (name, body))

    def test_results_have_the_members_that_are_required(self):
        efs = client()
        fs = efs.create_file_system(CreationToken="model", Backup=True)
        shape = MODEL.shape_for("FileSystemDescription")
        for member in shape.required_members:
            self.assertIn(member, fs)
        self.assertEqual(fs["ResponseMetadata"]["HTTPStatusCode"], 201)


unittest.main(verbosity=2)
