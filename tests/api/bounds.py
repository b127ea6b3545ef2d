# SPDX-License-Identifier: Apache-2.0
"""What is too much costs its sender, and nobody else."""
import http.client
import json
import socket
import time
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

    def test_slow_clients_keep_nobody_out(self):
        # More than there may be, and each sends a byte from time to time.
        where = urllib.parse.urlsplit(URL)
        slow = [socket.create_connection((where.hostname, where.port))
                for _ in range(300)]
        for s in slow:
            s.setblocking(False)
        answered, until = None, time.monotonic() + 60
        request = socket.create_connection((where.hostname, where.port))
        headers = signed("GET", LIST)
        request.sendall(f"GET {LIST} HTTP/1.1\r\nHost: {where.netloc}\r\n"
                        .encode() + "".join(
                            f"{k}: {v}\r\n" for k, v in headers.items()
                            if k != "Host").encode() + b"\r\n")
        request.settimeout(0.5)
        while answered is None and time.monotonic() < until:
            for s in slow:
                try:
                    s.send(b"x")
                except OSError:
                    pass
            try:
                answered = request.recv(12)
            except TimeoutError:
                pass
        for s in slow + [request]:
            s.close()
        self.assertEqual(answered, b"HTTP/1.1 200")

    def test_errors_that_quote_what_was_sent_are_answered(self):
        # However they are cut, and whether or not it was a text.
        for n in range(90, 100):
            body = json.dumps({"CreationToken": "x" * n + "\u20ac" * 100},
                              ensure_ascii=False).encode()
            status, headers, _ = self.post(body)
            self.assertEqual((status, headers["x-amzn-ErrorType"]),
                             (400, "BadRequest"))
        for path in (LIST + "/%ff", LIST + "?MaxItems=%FF", LIST + "/%00",
                     LIST + "?CreationToken=%FF", "/%c3%28"):
            for method in ("DELETE", "GET"):
                status, _, body = send(method, path, signed(method, path))
                self.assertIn(status, (400, 404), (method, path))
                self.assertIn("Message", json.loads(body))

    def test_what_is_not_known_is_not_kept(self):
        body = json.dumps({
            "CreationToken": "x", "Much": "y" * 1000, "Backup": None,
            "Tags": [{"Key": "a", "Value": "b", "Extra": "z" * 1000}]})
        status, _, reply = self.post(body.encode())
        self.assertEqual(status, 201)
        fs = json.loads(reply)
        self.assertEqual(fs["Tags"], [{"Key": "a", "Value": "b"}])
        client().delete_file_system(FileSystemId=fs["FileSystemId"])

    def test_a_body_of_two_lengths(self):
        body = b'{"CreationToken": "x"}'
        for more in ({"Transfer-Encoding": "chunked"},
                     {"content-length": "3"}):
            headers = signed("POST", LIST, body)
            headers["Content-Length"] = str(len(body))
            status, _, _ = send("POST", LIST, {**headers, **more}, body)
            self.assertEqual(status, 400)

    def test_headers_that_are_too_many_to_look_at(self):
        headers = signed("GET", LIST)
        for i in range(120):
            headers["X-%d" % i] = ""
        headers["X-Amz-Target"] = "unsigned"
        status, headers, _ = send("GET", LIST, headers)
        self.assertEqual(status, 403)

    def test_operations_that_are_not_there(self):
        for method, path in (("GET", "/"), ("PATCH", LIST),
                             ("GET", LIST + "/fs-12345678"), ("GET", "/x/y"),
                             ("GET", "/2015-02-01")):
            status, headers, _ = send(method, path, signed(method, path))
            self.assertEqual(status, 404)
            self.assertEqual(headers["x-amzn-ErrorType"],
                             "UnknownOperationException")


unittest.main(verbosity=2)
