# SPDX-License-Identifier: Apache-2.0
"""Who may call: signatures in the header and in the URL, wrong ones, stale
ones, repeated ones; access keys that come and go."""
import datetime
import http.client
import unittest
import unittest.mock
import urllib.parse

import botocore.auth
import botocore.credentials

from lib import (Case, URL, client, credentials, hawser, send, signed)

LIST = "/2015-02-01/file-systems"


def at(offset, make):
    """What `make` returns when the client's clock is wrong by `offset` s."""
    now = datetime.datetime.utcnow() + datetime.timedelta(seconds=offset)
    if hasattr(botocore.auth, "get_current_datetime"):  # newer ones
        with unittest.mock.patch("botocore.auth.get_current_datetime",
                                 lambda: now):
            return make()
    with unittest.mock.patch("botocore.auth.datetime") as clock:
        clock.datetime.utcnow.return_value = now
        return make()


class Auth(Case):
    def check(self, reply, status, code=None):
        self.assertEqual(reply[0], status, reply[2])
        self.assertEqual(reply[1]["x-amzn-ErrorType"], code)
        self.assertIn("x-amzn-RequestId", reply[1])

    def test_signed_requests_are_answered(self):
        self.assertEqual(client().describe_file_systems()["FileSystems"], [])
        self.check(send("GET", LIST, signed("GET", LIST)), 200)

    def test_path_and_query_are_part_of_what_is_signed(self):
        odd = LIST + "?Marker=a%20b%2F%C3%A9~&MaxItems=1"
        self.check(send("GET", odd, signed("GET", odd)), 400, "BadRequest")
        self.check(send("GET", odd, signed("GET", LIST)), 403,
                   "InvalidSignatureException")
        arn = LIST + "/arn%3Aaws%3Aelasticfilesystem%3Aus-east-1%3A0%3A" \
            "file-system%2Ffs-12345678"
        self.check(send("DELETE", arn, signed("DELETE", arn)), 404,
                   "FileSystemNotFound")

    def test_the_body_is_part_of_what_is_signed(self):
        headers = signed("POST", LIST, b'{"CreationToken": "a"}')
        self.check(send("POST", LIST, headers, b'{"CreationToken": "b"}'), 403,
                   "InvalidSignatureException")

    def test_unsigned(self):
        self.check(send("GET", LIST), 403, "MissingAuthenticationTokenException")

    def test_a_key_that_nobody_has(self):
        key = botocore.credentials.Credentials("AKIAAAAAAAAAAAAAAAAA", "x" * 40)
        self.check(send("GET", LIST, signed("GET", LIST, key=key)), 403,
                   "UnrecognizedClientException")

    def test_a_token_that_nobody_gave_out(self):
        own = credentials()
        key = botocore.credentials.Credentials(own.access_key, own.secret_key,
                                               "IQoJ")
        self.check(send("GET", LIST, signed("GET", LIST, key=key)), 403,
                   "UnrecognizedClientException")
        self.check(send("GET", self.presigned(60, key=key)), 403,
                   "UnrecognizedClientException")

    def test_a_wrong_secret(self):
        key = botocore.credentials.Credentials(credentials().access_key,
                                               "x" * 40)
        self.check(send("GET", LIST, signed("GET", LIST, key=key)), 403,
                   "InvalidSignatureException")

    def test_a_signature_that_is_cut(self):
        headers = signed("GET", LIST)
        headers["Authorization"] = headers["Authorization"][:-1]
        self.check(send("GET", LIST, headers), 403,
                   "InvalidSignatureException")

    def test_headers_of_nonsense(self):
        for value in ["", "Basic YTpi", "AWS4-HMAC-SHA256",
                      "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, "
                      "Signature=00", "AWS4-HMAC-SHA256 " + "Credential=,"]:
            self.check(send("GET", LIST, {"Authorization": value}), 403,
                       "IncompleteSignatureException")

    def test_two_signatures(self):
        connection = http.client.HTTPConnection(
            urllib.parse.urlsplit(URL).netloc, timeout=30)
        connection.putrequest("GET", LIST)
        for name, value in signed("GET", LIST).items():
            connection.putheader(name, value)
        connection.putheader("Authorization", "AWS4-HMAC-SHA256 x")
        connection.endheaders()
        reply = connection.getresponse()
        self.assertEqual((reply.status, reply.headers["x-amzn-ErrorType"]),
                         (403, "IncompleteSignatureException"))
        connection.close()

    def test_payloads_that_are_not_signed(self):
        for kind in ("UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
                     "STREAMING-UNSIGNED-PAYLOAD-TRAILER"):
            body = b'{"CreationToken": "a"}'
            headers = signed("POST", LIST, body,
                             headers={"X-Amz-Content-SHA256": kind})
            self.check(send("POST", LIST, headers, body), 403,
                       "InvalidSignatureException")

    def test_another_service(self):
        self.check(send("GET", LIST, signed("GET", LIST, service="s3")), 403,
                   "InvalidSignatureException")

    def test_what_was_not_signed_does_not_count(self):
        headers = signed("GET", LIST)
        headers["X-Amz-Target"] = "something"
        self.check(send("GET", LIST, headers), 403,
                   "InvalidSignatureException")

    def test_clocks_may_be_wrong_by_five_minutes(self):
        for offset in (-290, 290):
            headers = at(offset, lambda: signed("GET", LIST))
            self.check(send("GET", LIST, headers), 200)

    def test_stale_and_early(self):
        for offset, said in ((-310, "expired"), (310, "not yet current")):
            reply = send("GET", LIST, at(offset, lambda: signed("GET", LIST)))
            self.check(reply, 403, "InvalidSignatureException")
            self.assertIn(said, reply[2])

    def test_a_replay_ends_with_the_date(self):
        headers = at(-299, lambda: signed("GET", LIST))
        self.check(send("GET", LIST, headers), 200)
        headers["X-Amz-Date"] = signed("GET", LIST)["X-Amz-Date"]
        self.check(send("GET", LIST, headers), 403,
                   "InvalidSignatureException")

    def presigned(self, expires, **more):
        request = botocore.awsrequest.AWSRequest("GET", URL + LIST)
        key = more.get("key") or credentials()
        botocore.auth.SigV4QueryAuth(key, "elasticfilesystem", "us-east-1",
                                     expires).add_auth(request)
        return request.url[len(URL):]

    def test_presigned(self):
        self.check(send("GET", self.presigned(60)), 200)
        self.check(send("GET", self.presigned(60) + "&MaxItems=1"), 403,
                   "InvalidSignatureException")
        self.check(send("DELETE", self.presigned(60)), 403,
                   "InvalidSignatureException")

    def test_presigned_for_a_while(self):
        self.check(send("GET", at(-3000, lambda: self.presigned(3600))), 200)
        self.check(send("GET", at(-3000, lambda: self.presigned(2900))), 403,
                   "InvalidSignatureException")
        self.check(send("GET", self.presigned(8 * 24 * 3600)), 403,
                   "IncompleteSignatureException")

    def test_keys_come_and_go(self):
        words = hawser("key", "create", "joe").split()
        key = botocore.credentials.Credentials(words[3], words[6])
        self.assertIn(words[3], hawser("key", "list"))
        self.assertNotIn(words[6], hawser("key", "list", "--json"))
        headers = signed("GET", LIST, key=key)
        self.check(send("GET", LIST, headers), 200)
        hawser("key", "delete", words[3])
        self.check(send("GET", LIST, headers), 403,
                   "UnrecognizedClientException")


unittest.main(verbosity=2)
