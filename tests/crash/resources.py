#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills hawserd at random moments while clients create and delete.

After each restart the file systems and mount targets are those that were
acknowledged, give or take the one call of each client that was on its way; and
no data is left of file systems that are not there.
"""
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

ROUNDS, CLIENTS = 15, 3
seed = int(os.environ.get("SEED", time.time()))
print("SEED=%d" % seed)
random.seed(seed)


class Gone(Exception):
    """The service was killed; what became of the call is unknown."""


class Rpc:
    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect("state/rpc.sock")
        self.reader = self.socket.makefile()

    def call(self, method, **params):
        request = {"id": 1, "method": method}
        if params:
            request["params"] = params
        try:
            self.socket.sendall(json.dumps(request).encode())
            line = self.reader.readline()
        except ConnectionError:
            raise Gone
        if not line:
            raise Gone
        reply = json.loads(line)
        if "error" in reply:
            raise RuntimeError("%s: %s" % (method, reply["error"]))
        return reply["result"]


class Client:
    """Has file systems of its own, told by their name."""

    def __init__(self, name):
        self.name, self.random = name, random.Random(random.random())
        self.fs = {}        # id -> set of mount targets, as acknowledged
        self.maybe = set()  # ids that the last call may have changed
        self.error, self.steps = None, 0

    def step(self, rpc):
        ids = [i for i in self.fs]
        busy = [i for i in ids if self.fs[i]]
        free = [i for i in ids if not self.fs[i]]
        what = self.random.choice("create target delete untarget".split())
        if what == "create" and len(ids) < 4:
            self.fs[rpc.call("fs_create", name=self.name)["id"]] = set()
        elif what == "target" and ids:
            fs = self.random.choice(ids)
            self.maybe = {fs}
            reply = rpc.call("mount_target_create", fs=fs)
            self.fs[fs].add(reply["id"])
        elif what == "untarget" and busy:
            fs = self.random.choice(busy)
            target = self.random.choice(sorted(self.fs[fs]))
            self.maybe = {fs}
            rpc.call("mount_target_delete", id=target)
            self.fs[fs].discard(target)
        elif what == "delete" and free:
            fs = self.random.choice(free)
            self.maybe = {fs}
            rpc.call("fs_delete", id=fs)
            del self.fs[fs]
        self.maybe = set()
        self.steps += 1

    def work(self):
        try:
            rpc = Rpc()
            while True:
                self.step(rpc)
        except (Gone, ConnectionError):
            pass
        except Exception as e:  # for the main thread to see
            self.error = e

    def check(self, listed, targets):
        """Compares with what is there now, and takes that over."""
        mine = {f["id"] for f in listed if f["name"] == self.name}
        for fs in set(self.fs) - mine:
            assert fs in self.maybe, "%s was acknowledged and is gone" % fs
        assert len(mine - set(self.fs)) <= 1, "%s: too many" % (mine,)
        now = {fs: {t["id"] for t in targets if t["fs"] == fs} for fs in mine}
        for fs in mine & set(self.fs) - self.maybe:
            assert now[fs] == self.fs[fs], "%s has %s, not %s" % (
                fs, now[fs], self.fs[fs])
        for fs in mine & self.maybe:
            assert len(now[fs] ^ self.fs[fs]) <= 1, fs
        self.fs, self.maybe = now, set()


def start():
    daemon = subprocess.Popen(
        ["hawserd", "--state", "state", "--config", sys.argv[1]],
        stdout=subprocess.PIPE, stderr=open("log", "a"))
    assert daemon.stdout.readline() == b"hawserd: ready\n", open("log").read()
    return daemon


def settled(rpc):
    """The file systems, once none is being deleted any more."""
    while True:
        listed = rpc.call("fs_get")
        if all(f["state"] == "available" for f in listed):
            return listed
        assert all(f["state"] in ("available", "deleting") for f in listed)
        time.sleep(0.01)


def main():
    clients = [Client("client%d" % i) for i in range(CLIENTS)]
    for _ in range(ROUNDS):
        daemon = start()
        rpc = Rpc()
        listed, targets = settled(rpc), rpc.call("mount_target_get")
        assert all(t["state"] == "available" for t in targets), targets
        assert set(os.listdir("state/fs")) == {f["id"] for f in listed}
        for c in clients:
            c.check(listed, targets)
        threads = [threading.Thread(target=c.work) for c in clients]
        for t in threads:
            t.start()
        time.sleep(random.uniform(0, 0.25))
        daemon.send_signal(signal.SIGKILL)
        daemon.wait()
        for t in threads:
            t.join()
        for c in clients:
            if c.error:
                raise c.error
    steps = sum(c.steps for c in clients)
    print("%d kills, %d steps" % (ROUNDS, steps))
    assert steps > 0


main()
