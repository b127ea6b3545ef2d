# SPDX-License-Identifier: Apache-2.0
"""Small writes are gathered, and nobody can tell but by the clock."""
import errno
import fcntl
import glob
import json
import mmap
import os
import random
import subprocess

from mounts import A, Case, eventually, main, read, write


def requests():
    """That mount A has sent so far."""
    out = subprocess.run(["hawser", "paths", A, "--json"], check=True,
                         stdout=subprocess.PIPE).stdout
    return sum(path["requests"] for path in json.loads(out)[0]["paths"])


class Gathered(Case):
    def setUp(self):
        super().setUp()
        self.path, self.other = self.a + "/f", self.b + "/f"
        self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT)

    def tearDown(self):
        os.close(self.fd)

    def test_many_small_writes_are_few_requests(self):
        line = b"x" * 999 + b"\n"
        before = requests()
        for i in range(2000):
            os.write(self.fd, line)
        os.fsync(self.fd)
        self.assertLess(requests() - before, 500)
        self.assertEqual(read(self.other), line * 2000)

    def test_others_see_it_without_being_told(self):
        os.write(self.fd, b"1" * 5000)
        eventually(lambda: read(self.other) == b"1" * 5000)

    def test_others_see_it_after_fsync(self):
        for i in range(30):
            os.write(self.fd, b"%05d" % i)
            os.fsync(self.fd)
            self.assertEqual(read(self.other)[i * 5:], b"%05d" % i)

    def test_others_see_it_after_close(self):
        for i in range(30):
            fd = os.open(self.path, os.O_WRONLY)
            os.pwrite(fd, b"%05d" % i, i * 5)
            os.close(fd)
            self.assertEqual(read(self.other)[i * 5:], b"%05d" % i)

    def test_others_see_it_after_unlock(self):
        b = os.open(self.other, os.O_RDWR)
        for i in range(30):
            fcntl.lockf(self.fd, fcntl.LOCK_EX)
            os.write(self.fd, b"%05d" % i)
            fcntl.lockf(self.fd, fcntl.LOCK_UN)
            fcntl.lockf(b, fcntl.LOCK_EX)
            self.assertEqual(os.pread(b, 10, i * 5), b"%05d" % i)
            fcntl.lockf(b, fcntl.LOCK_UN)
        os.close(b)

    def test_the_size_is_right_at_once_however_it_is_asked(self):
        os.link(self.path, self.a + "/g")
        fd, size = os.open(self.path, os.O_RDONLY), 0
        ask = [
            lambda: os.fstat(self.fd).st_size,
            lambda: os.stat(self.a + "/g").st_size,
            lambda: os.lseek(fd, 0, os.SEEK_END),
            lambda: {e.name: e.stat() for e in os.scandir(self.a)}["f"].st_size,
            lambda: len(read(self.path)),
        ]
        for i in range(200):
            size += os.write(self.fd, b"x" * (1 + i % 5000))
            self.assertEqual(ask[i % len(ask)](), size, f"way {i % len(ask)}")
        os.close(fd)

    def test_what_was_cut_stays_cut(self):
        for cut in (lambda: os.ftruncate(self.fd, 10),
                    lambda: os.truncate(self.a + "/f", 10),
                    lambda: os.close(os.open(self.path, os.O_TRUNC | os.O_RDWR))
                    or os.ftruncate(self.fd, 10)):
            os.pwrite(self.fd, b"x" * 5000, 0)
            cut()
            os.fsync(self.fd)
            self.assertEqual(os.stat(self.other).st_size, 10)

    def test_a_time_that_is_set_stays(self):
        os.write(self.fd, b"x" * 5000)
        os.utime(self.fd, (1, 1))
        fd = os.open(self.path, os.O_WRONLY)
        os.close(fd)
        os.fsync(self.fd)
        self.assertEqual(os.stat(self.other).st_mtime, 1)

    def test_the_last_of_overlapping_writes_wins(self):
        seed = random.randrange(1 << 32)
        r, model = random.Random(seed), bytearray(3 << 20)
        os.ftruncate(self.fd, len(model))
        fds = [self.fd, os.open(self.path, os.O_RDWR),
               os.open(self.path, os.O_RDWR | os.O_APPEND)]
        mapping = mmap.mmap(fds[0], 3 << 20)
        for i in range(600):
            data = r.randbytes(r.choice([1, 100, 4096, 70000, 300000]))
            at = r.randrange(len(model))
            who = r.randrange(10)
            if who == 0 and at < 3 << 20:
                data = data[:(3 << 20) - at]
                mapping[at:at + len(data)] = data
            elif who == 1 and len(model) < 6 << 20:
                at = len(model)
                os.write(fds[2], data)
            elif who == 2:
                os.lseek(self.fd, at, os.SEEK_SET)
                at = at if r.random() < 0.5 else len(model)
                os.lseek(self.fd, at, os.SEEK_SET)
                for n in range(0, len(data), 5000):
                    os.write(self.fd, data[n:n + 5000])
            else:
                os.pwrite(fds[who % 2], data, at)
            model.extend(bytes(max(0, at + len(data) - len(model))))
            model[at:at + len(data)] = data
            if i % 20 == 0:
                at = r.randrange(len(model))
                self.assertEqual(os.pread(fds[i // 20 % 2], 100000, at),
                                 model[at:at + 100000], f"{i}, seed {seed}")
        mapping.close()
        for fd in fds[1:]:
            os.close(fd)
        os.fsync(self.fd)
        self.assertTrue(read(self.other) == model, f"seed {seed}")

    def test_appenders_on_two_mounts_go_behind_what_was_gathered(self):
        b = os.open(self.other, os.O_WRONLY | os.O_APPEND)
        a = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        expected = b""
        for i in range(40):
            fcntl.lockf(self.fd, fcntl.LOCK_EX)
            data = b"gathered %d\n" % i * 20
            os.pwrite(self.fd, data, len(expected))
            os.write(a, b"appended\n")
            fcntl.lockf(self.fd, fcntl.LOCK_UN)
            fcntl.lockf(b, fcntl.LOCK_EX)
            os.write(b, b"from the other\n")
            fcntl.lockf(b, fcntl.LOCK_UN)
            expected += data + b"appended\nfrom the other\n"
        os.close(a)
        os.close(b)
        self.assertEqual(read(self.path), expected)

    def test_an_unlinked_file_can_be_written(self):
        os.unlink(self.path)
        for i in range(1000):
            os.write(self.fd, b"%04d" % i)
        self.assertEqual(os.pread(self.fd, 4, 4 * 999), b"0999")


class Failing(Case):
    """The disk below the server is full."""

    def setUp(self):
        super().setUp()
        self.data = glob.glob(os.environ["HAWSER_STATE"] + "/fs/fs-*/data")[0]
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none",
                        self.data], check=True)
        for i in range(256):
            os.mkdir(f"{self.data}/{i:02x}")
        self.fd = os.open(self.a + "/f", os.O_RDWR | os.O_CREAT)

    def tearDown(self):
        try:
            os.close(self.fd)
        except OSError:
            pass
        os.unlink(self.a + "/f")
        subprocess.run(["umount", "-l", self.data], check=True)

    def fill(self):
        """More than there is room for; ends when an error is told."""
        for i in range(50):
            os.write(self.fd, b"x" * 100000)

    def assert_full(self, call, *args):
        with self.assertRaises(OSError) as e:
            call(*args)
        self.assertEqual(e.exception.errno, errno.ENOSPC)

    def test_a_writer_is_told_by_a_later_write_or_fsync(self):
        def all_of_it():
            self.fill()
            os.fsync(self.fd)
        self.assert_full(all_of_it)

    def test_close_tells_who_has_not_been_told(self):
        os.write(self.fd, b"x" * 900000)
        os.fsync(self.fd)
        for i in range(100):
            os.write(self.fd, b"x" * 6000)
        fd, self.fd = self.fd, -1
        self.assert_full(os.close, fd)

    def test_each_descriptor_is_told_once(self):
        fd = os.open(self.a + "/f", os.O_RDWR)
        os.write(self.fd, b"x" * 900000)
        os.fsync(self.fd)
        for i in range(100):
            os.write(self.fd, b"x" * 6000)
        self.assert_full(os.fsync, self.fd)
        os.fsync(self.fd)
        self.assert_full(os.fsync, fd)
        os.close(fd)

    def test_what_did_not_get_there_is_not_read(self):
        os.write(self.fd, b"x" * 900000)
        os.fsync(self.fd)
        for i in range(100):
            os.write(self.fd, b"y" * 6000)
        self.assert_full(os.fsync, self.fd)
        self.assertEqual(read(self.a + "/f"), read(self.b + "/f"))


main()
