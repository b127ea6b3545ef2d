# SPDX-License-Identifier: Apache-2.0
"""What one mount has written is seen by another that opens the file later."""
import fcntl
import mmap
import os
import random

from mounts import A, B, Case, eventually, main, python, read, write


class CloseToOpen(Case):
    def test_each_open_sees_what_was_closed_before(self):
        seed = random.randrange(1 << 32)
        r = random.Random(seed)
        a, b = self.a + "/f", self.b + "/f"
        for i in range(200):
            data = r.randbytes(r.choice([1, 100, 4096, 4097, 70000]))
            one, other = (a, b) if r.random() < 0.5 else (b, a)
            write(one, data)
            self.assertEqual(read(other), data, f"round {i}, seed {seed}")
            self.assertEqual(os.stat(other).st_size, len(data), f"{seed}")

    def test_same_size_and_time_do_not_hide_a_change(self):
        a, b = self.a + "/f", self.b + "/f"
        write(a, b"1" * 5000)
        os.utime(a, (1, 1))
        self.assertEqual(read(b), b"1" * 5000)
        write(a, b"2" * 5000, 0)
        os.utime(a, (1, 1))
        self.assertEqual(read(b), b"2" * 5000)

    def test_a_file_that_became_shorter_is_shorter(self):
        a, b = self.a + "/f", self.b + "/f"
        write(a, b"x" * 10000)
        self.assertEqual(len(read(b)), 10000)
        os.truncate(a, 10)
        self.assertEqual(read(b), b"x" * 10)
        fd = os.open(b, os.O_RDONLY)
        self.assertEqual(os.fstat(fd).st_size, 10)
        os.close(fd)

    def test_a_name_given_to_another_file_leads_there_at_once(self):
        a, b = self.a + "/f", self.b + "/f"
        write(a, b"0")
        keep = os.open(b, os.O_RDONLY)  # the old file lives on
        for i in range(20):
            data = b"%d" % i
            write(self.a + "/new", data)
            os.rename(self.a + "/new", a)
            self.assertEqual(read(b), data)
        self.assertEqual(os.pread(keep, 10, 0), b"0")
        os.close(keep)

    def test_a_new_name_is_found_at_once(self):
        for i in range(20):
            self.assertFalse(os.path.exists(f"{self.b}/{i}"))
            write(f"{self.a}/{i}", b"x")
            self.assertEqual(read(f"{self.b}/{i}"), b"x")

    def test_who_keeps_a_file_open_sees_changes_after_a_while(self):
        a, b = self.a + "/f", self.b + "/f"
        write(a, b"1" * 5000)
        with open(b, "rb", buffering=0) as f:
            self.assertEqual(f.read(), b"1" * 5000)
            write(a, b"2" * 5000, 0)

            def changed():
                os.fstat(f.fileno())
                return os.pread(f.fileno(), 5000, 0) == b"2" * 5000
            eventually(changed)


class Locked(Case):
    def test_a_lock_brings_the_others_data(self):
        a = os.open(self.a + "/f", os.O_RDWR | os.O_CREAT)
        b = os.open(self.b + "/f", os.O_RDWR)
        for i in range(50):
            one, other = (a, b) if i % 2 else (b, a)
            data = b"%06d" % i * (1 + i % 7 * 500)
            fcntl.lockf(one, fcntl.LOCK_EX)
            os.pwrite(one, data, 0)
            os.ftruncate(one, len(data))
            fcntl.lockf(one, fcntl.LOCK_UN)
            fcntl.lockf(other, fcntl.LOCK_SH)
            self.assertEqual(os.fstat(other).st_size, len(data))
            self.assertEqual(os.pread(other, 1 << 20, 0), data)
            fcntl.lockf(other, fcntl.LOCK_UN)
        os.close(a)
        os.close(b)

    COUNT = """
import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
for i in range(100):
    fcntl.lockf(fd, fcntl.LOCK_EX)
    n = int(os.pread(fd, 20, 0))
    os.pwrite(fd, b"%d" % (n + 1), 0)
    fcntl.lockf(fd, fcntl.LOCK_UN)
"""

    def test_counting_under_a_lock_loses_nothing(self):
        write(self.a + "/f", b"0")
        counters = [python(self.COUNT, d + "/f")
                    for d in (self.a, self.a, self.b, self.b)]
        for c in counters:
            self.assertEqual(c.wait(), 0)
        self.assertEqual(read(self.a + "/f"), b"400")


class Append(Case):
    WRITE = """
import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
for i in range(200):
    if sys.argv[3] == "lock":
        fcntl.lockf(fd, fcntl.LOCK_EX)
    os.write(fd, b"%s %04d\\n" % (sys.argv[2].encode(), i))
    fcntl.lockf(fd, fcntl.LOCK_UN)
"""

    def check(self, directories, how):
        writers = [python(self.WRITE, d + "/log", str(i), how)
                   for i, d in enumerate(directories)]
        for w in writers:
            self.assertEqual(w.wait(), 0)
        lines = read(self.b + "/log").decode().splitlines()
        self.assertEqual(sorted(lines), sorted(
            "%d %04d" % (w, i) for w in range(len(directories))
            for i in range(200)))

    def test_locked_writers_on_two_mounts_append_at_the_end(self):
        self.check([self.a, self.b, self.a, self.b], "lock")

    def test_writers_on_one_mount_need_no_lock(self):
        self.check([self.a, self.a, self.a], "")

    def test_a_reader_of_the_same_mount_never_sees_a_hole(self):
        path = self.a + "/f"
        out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        with open(path, "rb", buffering=0) as f:
            seen = b""
            for i in range(300):
                os.write(out, b"line %d\n" % i)
                seen += f.read()
        os.close(out)
        self.assertEqual(seen, b"".join(b"line %d\n" % i for i in range(300)))

    def test_append_set_later_works_too(self):
        fd = os.open(self.a + "/f", os.O_RDWR | os.O_CREAT)
        fcntl.fcntl(fd, fcntl.F_SETFL, os.O_APPEND)
        write(self.b + "/f", b"other ")
        os.write(fd, b"own")
        self.assertEqual(read(self.b + "/f"), b"other own")

        def seen():
            return os.pread(fd, 100, 0) == b"other own"
        eventually(seen)
        os.close(fd)


class Mapped(Case):
    def test_a_shared_mapping_reaches_the_other_mount(self):
        fd = os.open(self.a + "/f", os.O_RDWR | os.O_CREAT)
        os.ftruncate(fd, 1 << 20)
        with mmap.mmap(fd, 1 << 20) as m:
            m[12345:12350] = b"hello"
            m.flush()
            self.assertEqual(read(self.b + "/f")[12345:12350], b"hello")
            m[0:5] = b"world"
        os.close(fd)
        self.assertEqual(read(self.b + "/f")[0:5], b"world")

    def test_write_and_mapping_agree(self):
        fd = os.open(self.a + "/f", os.O_RDWR | os.O_CREAT)
        os.ftruncate(fd, 8192)
        with mmap.mmap(fd, 8192) as m:
            os.pwrite(fd, b"write", 4090)
            self.assertEqual(m[4090:4095], b"write")
            m[4090:4093] = b"map"
            self.assertEqual(os.pread(fd, 5, 4090), b"mapte")
        os.close(fd)

    def test_a_file_open_for_appending_can_be_mapped(self):
        fd = os.open(self.a + "/f", os.O_RDWR | os.O_CREAT | os.O_APPEND)
        os.write(fd, b"x" * 5000)
        with mmap.mmap(fd, 5000) as m:
            self.assertEqual(m[:], b"x" * 5000)
            m[0:1] = b"y"
        os.close(fd)
        self.assertEqual(read(self.b + "/f")[:2], b"yx")


assert os.path.ismount(A) and os.path.ismount(B)
main()
