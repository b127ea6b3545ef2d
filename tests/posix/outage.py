# SPDX-License-Identifier: Apache-2.0
"""While no path works, applications wait; they can be killed all the same."""
import fcntl
import os
import signal
import subprocess
import time

from mounts import Case, main, python, read, write

TARGETS = [os.environ[f"id{i}"] for i in (1, 2, 3)]

WAITS = {
    "stat": "os.stat('f')",
    "open": "os.open('f', os.O_RDONLY)",
    "create": "os.open('g', os.O_CREAT | os.O_WRONLY)",
    "mkdir": "os.mkdir('d')",
    "rename": "os.rename('f', 'h')",
    "listing": "os.listdir('.')",
    "read": "os.pread(fd, 10, 50000)",
    "write": "os.pwrite(fd, b'x', 0)",
    "fsync": "os.fsync(fd)",
    "lock": "fcntl.lockf(fd, fcntl.LOCK_EX)",
    "truncate": "os.ftruncate(fd, 3)",
}

# What is imported later would be looked for in the mount.
PROGRAM = """
import ctypes, fcntl, os, signal, sys
os.chdir(sys.argv[1])
fd = os.open('f', os.O_RDWR)
os.pwrite(fd, b'y', 0)
os.write(1, b'x')
sys.stdin.buffer.read(1)
%s
"""


def switch(state):
    for target in TARGETS:
        subprocess.run(["hawser", "mount-target", state, target], check=True)


class Outage(Case):
    def setUp(self):
        super().setUp()
        write(self.a + "/f", b"x" * 100000)
        self.addCleanup(switch, "up")

    def start(self, what):
        """A process that is about to do it; a byte on its stdin lets it."""
        r, w = os.pipe()
        p = python(PROGRAM % what, self.a, stdin=-1, stdout=w, bufsize=0)
        os.close(w)
        self.assertEqual(os.read(r, 1), b"x")
        os.close(r)
        self.addCleanup(p.stdin.close)
        return p

    def test_the_killed_die_at_once(self):
        waiting = {name: self.start(what) for name, what in WAITS.items()}
        switch("down")
        time.sleep(1.2)  # cached attributes are believed no more
        for p in waiting.values():
            p.stdin.write(b"x")
        time.sleep(0.5)
        for name, p in waiting.items():
            self.assertIsNone(p.poll(), name)
            p.kill()
        for name, p in waiting.items():
            self.assertEqual(p.wait(timeout=5), -signal.SIGKILL, name)
        switch("up")
        # What they had asked for may have happened, and nothing is locked.
        path = self.a + ("/f" if os.path.exists(self.a + "/f") else "/h")
        with open(path, "r+b") as f:
            fcntl.lockf(f, fcntl.LOCK_EX)

    def test_others_wait_and_go_on(self):
        p = self.start("""
for i in range(100):
    os.pwrite(fd, b'%04d' % i, i * 4)
os.close(fd)
os.mkdir('d')
os.rename('d', 'e')
""")
        switch("down")
        p.stdin.write(b"x")
        time.sleep(1)
        self.assertIsNone(p.poll())
        switch("up")
        self.assertEqual(p.wait(timeout=20), 0)
        self.assertEqual(read(self.b + "/f")[:400],
                         b"".join(b"%04d" % i for i in range(100)))
        self.assertEqual(sorted(os.listdir(self.b)), ["e", "f"])

    def test_a_harmless_signal_disturbs_nobody(self):
        p = self.start("""
count = [0]
def tick(*_):
    count[0] += 1
signal.signal(signal.SIGALRM, tick)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
libc = ctypes.CDLL(None)
for i in range(50):
    assert libc.pwrite(fd, b'abcd', 4, i * 4) == 4
assert libc.fsync(fd) == 0
assert count[0] > 0
signal.setitimer(signal.ITIMER_REAL, 0)
""")
        switch("down")
        p.stdin.write(b"x")
        time.sleep(0.7)
        self.assertIsNone(p.poll())
        switch("up")
        self.assertEqual(p.wait(timeout=20), 0)

    def test_a_lock_outlives_it(self):
        fd = os.open(self.a + "/f", os.O_RDWR)
        fcntl.lockf(fd, fcntl.LOCK_EX)
        switch("down")
        time.sleep(0.5)
        switch("up")
        other = os.open(self.b + "/f", os.O_RDWR)
        with self.assertRaises(BlockingIOError):
            fcntl.lockf(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.pwrite(fd, b"mine", 0)
        os.close(fd)
        fcntl.lockf(other, fcntl.LOCK_EX)
        self.assertEqual(os.pread(other, 4, 0), b"mine")
        os.close(other)


main()
