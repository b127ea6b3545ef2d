# SPDX-License-Identifier: Apache-2.0
"""fcntl and flock, on one mount and between two."""
import errno
import fcntl
import os
import signal
import struct
import threading
import time

from mounts import Case, eventually, main, python, read, write

HOLD = """
import fcntl, os, sys, time
fd = os.open(sys.argv[1], os.O_RDWR)
{how}
os.write(1, b"x")
time.sleep(1000)
"""


class Locks(Case):
    def setUp(self):
        super().setUp()
        write(self.a + "/f", b"x" * 100)
        self.fda = os.open(self.a + "/f", os.O_RDWR)
        self.fdb = os.open(self.b + "/f", os.O_RDWR)

    def tearDown(self):
        os.close(self.fda)
        os.close(self.fdb)

    def hold(self, how):
        """A process that holds a lock on mount a; returns when it does."""
        r, w = os.pipe()
        p = python(HOLD.format(how=how), self.a + "/f", stdout=w)
        os.close(w)
        self.assertEqual(os.read(r, 1), b"x")
        os.close(r)
        self.addCleanup(p.wait)
        self.addCleanup(p.kill)
        return p

    def refused(self, fd, kind, *where):
        with self.assertRaises(OSError) as e:
            fcntl.lockf(fd, kind | fcntl.LOCK_NB, *where)
        self.assertIn(e.exception.errno, (errno.EAGAIN, errno.EACCES))

    def test_an_exclusive_lock_excludes_on_both_mounts(self):
        self.hold("fcntl.lockf(fd, fcntl.LOCK_EX, 10, 5)")
        for fd in self.fda, self.fdb:
            self.refused(fd, fcntl.LOCK_EX, 5, 10)
            self.refused(fd, fcntl.LOCK_SH, 1, 14)
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 5, 0)
            fcntl.lockf(fd, fcntl.LOCK_UN)

    def test_shared_locks_share(self):
        self.hold("fcntl.lockf(fd, fcntl.LOCK_SH)")
        for fd in self.fda, self.fdb:
            fcntl.lockf(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
            self.refused(fd, fcntl.LOCK_EX)
            fcntl.lockf(fd, fcntl.LOCK_UN)

    def test_getlk_tells_what_is_in_the_way(self):
        self.hold("fcntl.lockf(fd, fcntl.LOCK_EX, 10, 5)")
        ask = struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 0, 0, 0)
        for fd in self.fda, self.fdb:
            kind, _, start, length, _ = struct.unpack(
                "hhqqi4x", fcntl.fcntl(fd, fcntl.F_GETLK, ask))
            self.assertEqual((kind, start, length), (fcntl.F_WRLCK, 5, 10))

    def test_closing_any_descriptor_drops_the_locks_of_the_process(self):
        self.hold("fcntl.lockf(fd, fcntl.LOCK_EX);"
                  "os.close(os.open(sys.argv[1], os.O_RDONLY))")
        fcntl.lockf(self.fdb, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def test_a_killed_holder_lets_go(self):
        p = self.hold("fcntl.lockf(fd, fcntl.LOCK_EX)")
        self.refused(self.fdb, fcntl.LOCK_EX)
        p.kill()
        fcntl.lockf(self.fdb, fcntl.LOCK_EX)  # waits

    def test_who_waits_gets_it_soon(self):
        p = self.hold("fcntl.lockf(fd, fcntl.LOCK_EX)")
        got, ready = os.pipe()
        waiter = python("import fcntl, os, sys\n"
                        "fd = os.open(sys.argv[1], os.O_RDWR)\n"
                        "os.write(1, b'1')\n"
                        "fcntl.lockf(fd, fcntl.LOCK_EX)\n"
                        "os.write(1, b'2')\n", self.b + "/f", stdout=ready)
        self.assertEqual(os.read(got, 1), b"1")
        time.sleep(0.3)
        p.kill()
        killed = time.monotonic()
        self.assertEqual(os.read(got, 1), b"2")
        self.assertLess(time.monotonic() - killed, 3)
        self.assertEqual(waiter.wait(), 0)
        os.close(got)
        os.close(ready)

    def test_a_descriptor_for_either_kind_of_lock(self):
        write(self.a + "/f", b"x" * 100)
        w = os.open(self.a + "/f", os.O_WRONLY)
        r = os.open(self.a + "/f", os.O_RDONLY)
        fcntl.lockf(w, fcntl.LOCK_EX, 10, 0)
        fcntl.lockf(r, fcntl.LOCK_SH, 10, 20)
        self.refused(self.fdb, fcntl.LOCK_EX, 10, 0)
        self.refused(self.fdb, fcntl.LOCK_EX, 10, 20)
        fcntl.lockf(r, fcntl.LOCK_UN, 10, 0)
        fcntl.lockf(self.fdb, fcntl.LOCK_EX | fcntl.LOCK_NB, 10, 0)
        fcntl.lockf(w, fcntl.LOCK_UN)
        fcntl.lockf(self.fdb, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(w)
        os.close(r)

    def test_threads_lock_through_descriptors_of_their_own(self):
        fds = [os.open(self.a + "/f", os.O_RDWR) for _ in range(4)]
        for _ in range(20):
            threads = [threading.Thread(target=fcntl.lockf, args=(
                fd, fcntl.LOCK_EX, 10, 10 * i)) for i, fd in enumerate(fds)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            fcntl.lockf(fds[0], fcntl.LOCK_UN)
            fcntl.lockf(self.fdb, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.lockf(self.fdb, fcntl.LOCK_UN)
        for fd in fds:
            os.close(fd)

    def test_signals_while_waiting_are_no_refusal(self):
        # Python asks again after EINTR; anything else it raises.
        p = self.hold("fcntl.lockf(fd, fcntl.LOCK_EX)")
        release = threading.Timer(2, p.kill)
        release.start()
        waiter = python("""
import fcntl, os, signal, sys
signal.signal(signal.SIGALRM, lambda *_: None)
fd = os.open(sys.argv[1], os.O_RDWR)
signal.setitimer(signal.ITIMER_REAL, 0.003, 0.003)
fcntl.lockf(fd, fcntl.LOCK_EX)
signal.setitimer(signal.ITIMER_REAL, 0)
""", self.b + "/f")
        self.assertEqual(waiter.wait(), 0)
        release.join()

    def test_a_signal_ends_waiting_and_nothing_is_held(self):
        p = self.hold("fcntl.lockf(fd, fcntl.LOCK_EX)")
        waiter = python("""
import fcntl, os, signal, sys
def stop(*_):
    raise InterruptedError
signal.signal(signal.SIGALRM, stop)
signal.setitimer(signal.ITIMER_REAL, 0.2)
fd = os.open(sys.argv[1], os.O_RDWR)
try:
    fcntl.lockf(fd, fcntl.LOCK_EX)
except InterruptedError:
    sys.stdin.read()
    sys.exit(3)
""", self.b + "/f", stdin=-1)
        time.sleep(0.6)
        self.assertIsNone(waiter.poll())
        p.kill()
        p.wait()
        fcntl.lockf(self.fda, fcntl.LOCK_EX)
        fcntl.lockf(self.fda, fcntl.LOCK_UN)
        waiter.stdin.close()
        self.assertEqual(waiter.wait(), 3)

    def test_a_killed_waiter_dies(self):
        self.hold("fcntl.lockf(fd, fcntl.LOCK_EX)")
        waiter = python("import fcntl, sys\n"
                        "fcntl.lockf(open(sys.argv[1], 'r+b'),"
                        " fcntl.LOCK_EX)", self.b + "/f")
        time.sleep(0.5)
        self.assertIsNone(waiter.poll())
        waiter.kill()
        self.assertEqual(waiter.wait(timeout=5), -signal.SIGKILL)

    def test_a_lock_splits_and_merges(self):
        self.hold("fcntl.lockf(fd, fcntl.LOCK_EX, 30, 0);"
                  "fcntl.lockf(fd, fcntl.LOCK_UN, 10, 10);"
                  "fcntl.lockf(fd, fcntl.LOCK_SH, 5, 20)")
        self.refused(self.fdb, fcntl.LOCK_SH, 10, 0)
        fcntl.lockf(self.fdb, fcntl.LOCK_EX | fcntl.LOCK_NB, 10, 10)
        fcntl.lockf(self.fdb, fcntl.LOCK_SH | fcntl.LOCK_NB, 5, 20)
        self.refused(self.fdb, fcntl.LOCK_EX, 1, 24)
        self.refused(self.fdb, fcntl.LOCK_SH, 1, 25)

    def test_flock_excludes_on_both_mounts(self):
        self.hold("fcntl.flock(fd, fcntl.LOCK_EX)")
        for directory in self.a, self.b:
            fd = os.open(directory + "/f", os.O_RDWR)
            with self.assertRaises(BlockingIOError):
                fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
            os.close(fd)

    def test_flock_belongs_to_the_open_file(self):
        one = os.open(self.a + "/f", os.O_RDWR)
        two = os.open(self.a + "/f", os.O_RDWR)
        copy = os.dup(one)
        fcntl.flock(one, fcntl.LOCK_EX)
        os.close(one)
        with self.assertRaises(BlockingIOError):
            fcntl.flock(two, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(copy)

        def free():
            try:
                fcntl.flock(two, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                return False
        eventually(free)  # the last close tells the server by and by
        os.close(two)

    def test_a_lock_may_be_taken_and_freed_through_different_opens(self):
        program = """
import fcntl, os, sys
one = os.open(sys.argv[1], os.O_RDONLY)
two = os.open(sys.argv[1], os.O_RDWR)
fcntl.lockf(one, fcntl.LOCK_SH, 10)
fcntl.lockf(two, fcntl.LOCK_EX, 10, 50)
fcntl.lockf(two, fcntl.LOCK_EX, 10)
fcntl.lockf(one, fcntl.LOCK_UN)
os.write(1, b"x")
sys.stdin.read()
"""
        r, w = os.pipe()
        p = python(program, self.a + "/f", stdin=-1, stdout=w)
        os.close(w)
        self.assertEqual(os.read(r, 1), b"x")
        fcntl.lockf(self.fdb, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.lockf(self.fdb, fcntl.LOCK_UN)
        p.stdin.close()
        self.assertEqual(p.wait(), 0)
        os.close(r)

    def test_the_file_is_still_whole(self):
        self.assertEqual(read(self.b + "/f"), b"x" * 100)


main()
