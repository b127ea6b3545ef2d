# SPDX-License-Identifier: Apache-2.0
"""What the tests of the API share: clients, refusals, requests by hand."""
import http.client
import os
import subprocess
import unittest
import urllib.parse

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials
import botocore.exceptions
import botocore.session

URL = os.environ["HAWSER_API_URL"]
REGION = "us-east-1"
# No retries: a test sees what the service said at first.
CONFIG = botocore.config.Config(retries={"max_attempts": 0},
                                parameter_validation=False)


def client(service="efs", region=REGION, **more):
    return boto3.client(service, endpoint_url=URL, region_name=region,
                        config=CONFIG, **more)


def credentials():
    return botocore.session.get_session().get_credentials()


def hawser(*words):
    return subprocess.run(["hawser", *words], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def send(method, path, headers=None, body=b"", timeout=30):
    """A request as it is: (status, headers, body)."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(URL).netloc,
                                            timeout=timeout)
    connection.request(method, path, body, headers or {})
    reply = connection.getresponse()
    data = reply.read().decode()
    connection.close()
    return reply.status, reply.headers, data


def signed(method, path, body=b"", service="elasticfilesystem", key=None,
           headers=None):
    """The headers of a request, signed as boto3 does it."""
    request = botocore.awsrequest.AWSRequest(method, URL + path, data=body,
                                             headers=headers or {})
    botocore.auth.SigV4Auth(key or credentials(), service,
                            REGION).add_auth(request)
    return dict(request.prepare().headers)


class Case(unittest.TestCase):
    maxDiff = None

    def refused(self, code, status, call, **arguments):
        """The call is refused with that code; its message."""
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            call(**arguments)
        reply = caught.exception.response
        self.assertEqual(reply["Error"]["Code"], code, reply)
        self.assertEqual(reply["ResponseMetadata"]["HTTPStatusCode"], status)
        return reply["Error"]["Message"]
