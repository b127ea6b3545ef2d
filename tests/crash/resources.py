#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills hawserd at random moments while clients create and delete.

After each restart the file systems and mount targets are those that were
acknowledged, give or take the one call of each client that was on its way; and
no data is left of file systems that are not there.
"""
import os
import time

import harness


class Client(harness.Client):
    """Has file systems of its own, told by their name."""

    def __init__(self, name):
        super().__init__()
        self.name = name
        self.fs = {}        # id -> set of mount targets, as acknowledged
        self.maybe = set()  # ids that the last call may have changed

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


def settled(rpc):
    """The file systems, once none is being deleted any more."""
    while True:
        listed = rpc.call("fs_get")
        if all(f["state"] == "available" for f in listed):
            return listed
        assert all(f["state"] in ("available", "deleting") for f in listed)
        time.sleep(0.01)


clients = [Client("client%d" % i) for i in range(harness.CLIENTS)]


def check(rpc, turn):
    listed, targets = settled(rpc), rpc.call("mount_target_get")
    assert all(t["state"] == "available" for t in targets), targets
    assert set(os.listdir("state/fs")) == {f["id"] for f in listed}
    for c in clients:
        c.check(listed, targets)


harness.run(clients, check)
