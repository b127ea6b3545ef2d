# SPDX-License-Identifier: Apache-2.0
"""What is in files: large, sparse, cut, copied; and their attributes."""
import ctypes
import errno
import mmap
import os
import random
import subprocess

from mounts import Case, main, read, write

libc = ctypes.CDLL(None, use_errno=True)
PUNCH_HOLE, KEEP_SIZE = 2, 1


def fallocate(fd, mode, offset, length):
    if libc.fallocate(fd, mode, ctypes.c_long(offset),
                      ctypes.c_long(length)) != 0:
        raise OSError(ctypes.get_errno(), "fallocate")


class Data(Case):
    def setUp(self):
        super().setUp()
        self.fd = os.open(self.a + "/f", os.O_RDWR | os.O_CREAT, 0o644)

    def tearDown(self):
        os.close(self.fd)

    def test_random_writes_cuts_and_reads_agree_with_a_model(self):
        seed = random.randrange(1 << 32)
        r, model = random.Random(seed), bytearray()
        for i in range(400):
            at, n = r.randrange(300000), r.randrange(1, 70000)
            what = r.randrange(12)
            if what < 2 and at + n <= len(model):
                data = r.randbytes(n)
                model[at:at + n] = data
                with mmap.mmap(self.fd, len(model)) as m:
                    m[at:at + n] = data
            elif what < 3 and model:
                with mmap.mmap(self.fd, len(model)) as m:
                    self.assertEqual(m[at:at + n], model[at:at + n],
                                     f"step {i}, seed {seed}")
            elif what < 7:
                data = r.randbytes(n)
                model.extend(bytes(max(0, at - len(model))))
                model[at:at + n] = data
                self.assertEqual(os.pwrite(self.fd, data, at), n)
            elif what < 8:
                del model[at:]
                model.extend(bytes(at - len(model)))
                os.ftruncate(self.fd, at)
            elif what < 9:
                os.fsync(self.fd)
            else:
                self.assertEqual(os.pread(self.fd, n, at), model[at:at + n],
                                 f"step {i}, seed {seed}")
        os.fsync(self.fd)
        self.assertEqual(read(self.b + "/f"), model, f"seed {seed}")

    def test_a_file_may_be_larger_than_4_gib(self):
        os.pwrite(self.fd, b"end", 5 << 30)
        os.fsync(self.fd)
        self.assertEqual(os.stat(self.b + "/f").st_size, (5 << 30) + 3)
        with open(self.b + "/f", "rb") as f:
            f.seek(5 << 30)
            self.assertEqual(f.read(), b"end")
        self.assertLess(os.stat(self.a + "/f").st_blocks * 512, 1 << 20)

    def test_holes_are_found_and_made(self):
        os.pwrite(self.fd, b"1" * (1 << 20), 0)
        os.pwrite(self.fd, b"2" * (1 << 20), 4 << 20)
        os.fsync(self.fd)
        self.assertEqual(os.lseek(self.fd, 0, os.SEEK_HOLE), 1 << 20)
        self.assertEqual(os.lseek(self.fd, 1 << 20, os.SEEK_DATA), 4 << 20)
        fallocate(self.fd, PUNCH_HOLE | KEEP_SIZE, 0, 512 << 10)
        self.assertEqual(os.lseek(self.fd, 0, os.SEEK_DATA), 512 << 10)
        self.assertEqual(os.pread(self.fd, 100, 0), bytes(100))
        with self.assertRaises(OSError) as e:
            os.lseek(self.fd, 5 << 20, os.SEEK_DATA)
        self.assertEqual(e.exception.errno, errno.ENXIO)

    def test_fallocate_extends(self):
        fallocate(self.fd, 0, 0, 100000)
        self.assertEqual(os.fstat(self.fd).st_size, 100000)
        self.assertEqual(os.stat(self.b + "/f").st_size, 100000)

    def test_copy_file_range_copies(self):
        data = random.randbytes(3000000)
        os.pwrite(self.fd, data, 0)
        to = os.open(self.a + "/g", os.O_RDWR | os.O_CREAT)
        done = 0
        while done < len(data):
            n = os.copy_file_range(self.fd, to, len(data) - done, done, done)
            self.assertGreater(n, 0)
            done += n
        os.close(to)
        self.assertEqual(read(self.b + "/g"), data)

    def test_direct_io_works(self):
        out = subprocess.run(
            ["dd", "if=/dev/zero", f"of={self.a}/d", "bs=64k", "count=20",
             "oflag=direct"], capture_output=True)
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertEqual(read(self.b + "/d"), bytes(20 * 65536))

    def test_times_have_nanoseconds(self):
        os.utime(self.fd, ns=(1234567890123456789, 987654321987654321))
        st = os.stat(self.b + "/f")
        self.assertEqual(st.st_atime_ns, 1234567890123456789)
        self.assertEqual(st.st_mtime_ns, 987654321987654321)

    def test_a_write_moves_the_time_of_change(self):
        os.utime(self.fd, (1, 1))
        self.assertEqual(os.fstat(self.fd).st_mtime, 1)
        os.write(self.fd, b"x")
        self.assertGreater(os.fstat(self.fd).st_mtime, 1)

    def test_user_attributes_are_kept(self):
        path = self.a + "/f"
        os.setxattr(path, "user.one", b"\0\1")
        os.setxattr(path, "user.two", b"x" * 5000)
        self.assertEqual(set(os.listxattr(self.b + "/f")),
                         {"user.one", "user.two"})
        self.assertEqual(os.getxattr(self.b + "/f", "user.two"), b"x" * 5000)
        with self.assertRaises(FileExistsError):
            os.setxattr(path, "user.one", b"", os.XATTR_CREATE)
        os.removexattr(path, "user.one")
        with self.assertRaises(OSError) as e:
            os.getxattr(path, "user.one")
        self.assertEqual(e.exception.errno, errno.ENODATA)
        with self.assertRaises(OSError) as e:
            os.setxattr(path, "trusted.x", b"")
        self.assertEqual(e.exception.errno, errno.EOPNOTSUPP)

    def test_statfs_says_how_much_there_is(self):
        st = os.statvfs(self.a)
        self.assertGreater(st.f_blocks, 0)
        self.assertLessEqual(st.f_bavail, st.f_blocks)
        self.assertEqual(st.f_namemax, 255)

    def test_a_file_can_be_created_that_only_its_creator_writes(self):
        fd = os.open(self.a + "/r", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o400)
        os.write(fd, b"x")
        os.ftruncate(fd, 0)
        os.write(fd, b"y")
        os.close(fd)
        self.assertEqual(os.stat(self.b + "/r").st_mode & 0o777, 0o400)
        with self.assertRaises(FileExistsError):
            os.open(self.b + "/r", os.O_RDWR | os.O_CREAT | os.O_EXCL)
        write(self.a + "/r", b"root may", 0)


main()
