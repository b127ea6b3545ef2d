# SPDX-License-Identifier: Apache-2.0
"""For the Python cases: two mounts of one file system, A and B."""
import os
import subprocess
import sys
import time
import unittest

A, B = os.path.abspath("a"), os.path.abspath("b")


class Case(unittest.TestCase):
    """Each test has a directory of its own, seen from both mounts."""

    def setUp(self):
        name = self._testMethodName
        os.mkdir(os.path.join(A, name))
        self.a, self.b = os.path.join(A, name), os.path.join(B, name)


def write(path, data, flags=os.O_CREAT | os.O_TRUNC):
    fd = os.open(path, os.O_WRONLY | flags)
    try:
        assert os.write(fd, data) == len(data)
    finally:
        os.close(fd)


def read(path):
    with open(path, "rb", buffering=0) as f:
        return f.read()


def python(program, *args, **options):
    """Starts a Python program as a process of its own."""
    return subprocess.Popen([sys.executable, "-c", program, *args], **options)


def eventually(condition, seconds=20):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "never"
        time.sleep(0.02)


def main():
    unittest.main()
