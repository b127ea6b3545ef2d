#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills hawserd at random moments while clients configure the NVMe target.

After each restart there is what was acknowledged, give or take the one call of
each client that was on its way: subsystems with all that was added to them,
and volumes.  Each such call is there wholly or not at all, and no file is left
of volumes that are not there.
"""
import os
import sys
import time

import harness

NET = sys.argv[2]
ANA = ["optimized", "non_optimized", "inaccessible"]


class Client(harness.Client):
    """Has one subsystem, and volumes of its own, told by their names.

    `have` is a set of facts, each a tuple; a step adds or removes some in one
    call, and names them in `maybe` while it is on its way."""

    def __init__(self, number):
        super().__init__()
        self.nqn = "nqn.2016-06.io.spdk:c%d" % number
        self.prefix = "c%d-" % number
        self.device = "disk%d" % number
        self.at = {"trtype": "TCP", "adrfam": "IPv4",
                   "traddr": "%s.%d" % (NET, 10 + number), "trsvcid": "4420"}
        self.have, self.maybe, self.names = set(), set(), 0

    def change(self, rpc, add, remove, method, **params):
        self.maybe = (add - self.have) | (remove & self.have)
        rpc.call(method, **params)
        self.have = (self.have | add) - remove
        self.maybe = set()

    def step(self, rpc):
        sub, ns = ("subsystem",), ("namespace", 1, self.device)
        listener = ("listener", self.at["traddr"])
        state = {f for f in self.have if f[0] == "ana"}
        volumes = [f[1] for f in self.have if f[0] == "volume"]
        choice = self.random.random()
        if choice < 0.25 and len(volumes) < 3:
            self.names += 1
            name = "%s%d" % (self.prefix, self.names)
            self.change(rpc, {("volume", name)}, set(), "volume_create",
                        name=name, size=1 << 20)
        elif choice < 0.4 and volumes:
            name = self.random.choice(sorted(volumes))
            self.change(rpc, set(), {("volume", name)}, "volume_delete",
                        name=name)
        elif sub not in self.have:
            self.change(rpc, {sub}, set(), "nvmf_create_subsystem",
                        nqn=self.nqn, ana_reporting=True)
        elif choice < 0.5:
            self.change(rpc, set(), {sub, ns, listener} | state |
                        {("host", self.nqn)}, "nvmf_delete_subsystem",
                        nqn=self.nqn)
        elif ns not in self.have:
            self.change(rpc, {ns}, set(), "nvmf_subsystem_add_ns",
                        nqn=self.nqn, namespace={"bdev_name": self.device})
        elif listener not in self.have:
            self.change(rpc, {listener, ("ana", "optimized")}, set(),
                        "nvmf_subsystem_add_listener", nqn=self.nqn,
                        listen_address=self.at)
        elif choice < 0.8:
            new = ("ana", self.random.choice(ANA))
            self.change(rpc, {new}, state - {new},
                        "nvmf_subsystem_listener_set_ana_state", nqn=self.nqn,
                        listen_address=self.at, ana_state=new[1])
        elif ("host", self.nqn) not in self.have:
            self.change(rpc, {("host", self.nqn)}, set(),
                        "nvmf_subsystem_add_host", nqn=self.nqn, host=self.nqn)
        else:
            self.change(rpc, set(), {("host", self.nqn)},
                        "nvmf_subsystem_remove_host", nqn=self.nqn,
                        host=self.nqn)

    def look(self, rpc):
        facts = {("volume", v["name"]) for v in rpc.call("volume_get")
                 if v["name"].startswith(self.prefix)}
        for s in rpc.call("nvmf_get_subsystems"):
            if s["nqn"] != self.nqn:
                continue
            facts.add(("subsystem",))
            facts |= {("namespace", n["nsid"], n["bdev_name"])
                      for n in s["namespaces"]}
            facts |= {("listener", a["traddr"]) for a in s["listen_addresses"]}
            facts |= {("host", h["nqn"]) for h in s["hosts"]}
            for found in rpc.call("nvmf_subsystem_get_listeners",
                                  nqn=self.nqn):
                facts |= {("ana", g["ana_state"]) for g in found["ana_states"]}
        return facts

    def check(self, rpc):
        """Compares with what is there now, and takes that over."""
        now = self.look(rpc)
        differs = now ^ self.have
        assert differs in (set(), self.maybe), "%s, not %s; maybe %s" % (
            now, self.have, self.maybe)
        self.have, self.maybe = now, set()


def restored(rpc):
    """An address may be the dead process's for a moment."""
    for _ in range(3000):
        missing = rpc.call("framework_get_missing")
        if not missing:
            return
        time.sleep(0.01)
    raise AssertionError(missing)


clients = [Client(i) for i in range(harness.CLIENTS)]


def check(rpc, turn):
    if turn == 0:
        rpc.call("nvmf_create_transport", trtype="tcp")
        for c in clients:
            rpc.call("bdev_malloc_create", name=c.device, num_blocks=2048,
                     block_size=512)
    restored(rpc)
    for c in clients:
        c.check(rpc)
    files = {v["id"] for v in rpc.call("volume_get")}
    if os.path.exists("state/volumes"):
        assert set(os.listdir("state/volumes")) == files, files


harness.run(clients, check)
