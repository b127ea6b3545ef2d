# SPDX-License-Identifier: Apache-2.0
"""KMS: keys and aliases, and file systems that name them."""
import unittest

from lib import Case, client

KMS, EFS = client("kms"), client()


class Keys(Case):
    def test_the_life_of_a_key(self):
        key = KMS.create_key(Description="mine")["KeyMetadata"]
        name = key["KeyId"]
        self.assertEqual((key["KeyState"], key["Enabled"]), ("Enabled", True))
        self.assertTrue(key["Arn"].endswith(":key/" + name))
        for state, call in (("Disabled", KMS.disable_key),
                            ("Enabled", KMS.enable_key)):
            call(KeyId=key["Arn"])
            got = KMS.describe_key(KeyId=name)["KeyMetadata"]
            self.assertEqual(got["KeyState"], state)
        self.refused("KMSInvalidStateException", 400, KMS.cancel_key_deletion,
                     KeyId=name)
        KMS.schedule_key_deletion(KeyId=name, PendingWindowInDays=7)
        got = KMS.describe_key(KeyId=name)["KeyMetadata"]
        self.assertEqual(got["KeyState"], "PendingDeletion")
        self.assertIn("DeletionDate", got)
        self.refused("KMSInvalidStateException", 400, KMS.enable_key,
                     KeyId=name)
        KMS.cancel_key_deletion(KeyId=name)
        self.refused("NotFoundException", 400, KMS.describe_key,
                     KeyId="12345678-1234-1234-1234-123456789012")
        self.refused("ValidationException", 400, KMS.schedule_key_deletion,
                     KeyId=name, PendingWindowInDays=6)

    def test_lists(self):
        made = {KMS.create_key()["KeyMetadata"]["KeyId"] for _ in range(5)}
        pages = KMS.get_paginator("list_keys").paginate(
            PaginationConfig={"PageSize": 2})
        listed = [k["KeyId"] for p in pages for k in p["Keys"]]
        self.assertLessEqual(made, set(listed))
        self.assertEqual(len(listed), len(set(listed)))

    def test_aliases(self):
        key = KMS.create_key()["KeyMetadata"]
        KMS.create_alias(AliasName="alias/a/b", TargetKeyId=key["KeyId"])
        self.refused("AlreadyExistsException", 400, KMS.create_alias,
                     AliasName="alias/a/b", TargetKeyId=key["KeyId"])
        self.refused("ValidationException", 400, KMS.create_alias,
                     AliasName="a", TargetKeyId=key["KeyId"])
        self.refused("NotAuthorizedException", 400, KMS.create_alias,
                     AliasName="alias/aws/x", TargetKeyId=key["KeyId"])
        got = KMS.describe_key(KeyId="alias/a/b")["KeyMetadata"]
        self.assertEqual(got["KeyId"], key["KeyId"])
        fs = EFS.create_file_system(CreationToken="k", Encrypted=True,
                                    KmsKeyId="alias/a/b")
        self.assertEqual(fs["KmsKeyId"], key["Arn"])
        names = [a["AliasName"] for a in KMS.list_aliases()["Aliases"]]
        self.assertIn("alias/aws/elasticfilesystem", names)
        self.assertEqual([a["AliasName"] for a in KMS.list_aliases(
            KeyId=key["KeyId"])["Aliases"]], ["alias/a/b"])
        KMS.delete_alias(AliasName="alias/a/b")
        self.refused("NotFoundException", 400, KMS.delete_alias,
                     AliasName="alias/a/b")

    def test_encrypted_without_a_key(self):
        fs = EFS.create_file_system(CreationToken="e", Encrypted=True)
        got = KMS.describe_key(KeyId=fs["KmsKeyId"])["KeyMetadata"]
        self.assertEqual(got["KeyManager"], "AWS")


unittest.main(verbosity=2)
