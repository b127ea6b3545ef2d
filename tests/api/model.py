# SPDX-License-Identifier: Apache-2.0
"""Every operation of the installed botocore's model of EFS is there, and its
errors come with the model's statuses."""
import unittest

import botocore.session

from lib import Case, client, send, signed

MODEL = botocore.session.get_session().get_service_model("efs")


class Model(Case):
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
