# SPDX-License-Identifier: Apache-2.0
"""What is too much costs its sender, and nobody else."""
import http.client
import socket
import unittest
import urllib.parse

from lib import Case, URL, client, send, signed

LIST = "/2015-02-01/file-systems"


class Bounds(Case):
    def tearDown(self):
        client().describe_file_systems()  # it still answers

    def post(self, body):
        return send("POST", LIST, signed("POST", LIST, body), body)

    def test_json_bombs(self):
        for body in (b"[" * 200000, b'{"a":' * 40000, b'{"Tags":' + b"[" * 33,
                     b"[]", b"null", b"{", b'{"a":1}}', b'{"a":1,"a":2}',
                     b"\0", b'"' + b"a" * 100):
            status, headers, _ = self.post(body)
            self.assertEqual(status, 400)
            self.assertEqual(headers["x-amzn-ErrorType"],
                             "SerializationException")

    def test_a_wide_one_is_no_trouble(self):
        body = b'{"Tags": [' + b"0," * 100000 + b"0]}"
        status, headers, _ = self.post(body)
        self.assertEqual((status, headers["x-amzn-ErrorType"]),
                         (400, "BadRequest"))

    def test_a_body_that_is_too_large(self):
        body = b" " * (256 * 1024 + 1)
        status, headers, _ = send("POST", LIST, {}, body)
        self.assertEqual((status, headers["x-amzn-ErrorType"]),
                         (413, "RequestEntityTooLarge"))

    def test_a_body_without_an_end(self):
        netloc = urllib.parse.urlsplit(URL).netloc
        connection = http.client.HTTPConnection(netloc, timeout=30)
        pieces = iter(lambda: b"x" * 65536, None)
        with self.assertRaises(OSError):
            connection.request("POST", LIST, pieces, encode_chunked=True,
                               headers={"Transfer-Encoding": "chunked"})
            for _ in range(10):
                if not connection.sock.recv(1):
                    raise ConnectionResetError

    def test_headers_that_are_too_large(self):
        status, _, _ = send("GET", LIST, {"X-Much": "x" * 40000})
        self.assertEqual(status, 431)
        status, _, _ = send("GET", LIST + "?" + "x" * 40000)
        self.assertEqual(status, 414)

    def test_queries_of_many_parameters(self):
        path = LIST + "?" + "a&" * 12000
        headers = signed("GET", path)
        with self.assertRaises(OSError):  # no answer fits its memory
            send("GET", path, headers, timeout=1)

    def test_half_a_request_holds_up_nobody(self):
        where = urllib.parse.urlsplit(URL)
        silent = [socket.create_connection((where.hostname, where.port))
                  for _ in range(50)]
        for s in silent:
            s.send(b"POST / HTTP/1.1\r\nContent-Length: 100\r\nHost: a\r\n\r\n{")
        client().describe_file_systems()
        for s in silent:
            s.close()

    def test_operations_that_are_not_there(self):
        for method, path in (("GET", "/"), ("PATCH", LIST),
                             ("GET", LIST + "/fs-12345678"), ("GET", "/x/y"),
                             ("GET", "/2015-02-01")):
            status, headers, _ = send(method, path, signed(method, path))
            self.assertEqual(status, 404)
            self.assertEqual(headers["x-amzn-ErrorType"],
                             "UnknownOperationException")


unittest.main(verbosity=2)
