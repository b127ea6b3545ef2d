# SPDX-License-Identifier: Apache-2.0
"""What the tests share that kill hawserd while clients make calls.

SEED=n repeats the choices of a run, though not its timing."""
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
    """Makes calls in a thread of its own, each by step(rpc), until hawserd is
    killed; and remembers what was acknowledged."""

    def __init__(self):
        self.random = random.Random(random.random())
        self.error, self.steps = None, 0

    def work(self):
        try:
            rpc = Rpc()
            while True:
                self.step(rpc)
                self.steps += 1
        except (Gone, ConnectionError):
            pass
        except Exception as e:  # for the main thread to see
            self.error = e


def start():
    daemon = subprocess.Popen(
        ["hawserd", "--state", "state", "--config", sys.argv[1]],
        stdout=subprocess.PIPE, stderr=open("log", "a"))
    assert daemon.stdout.readline() == b"hawserd: ready\n", open("log").read()
    return daemon


def run(clients, check):
    """check(rpc, turn) compares with what is there after each start."""
    for turn in range(ROUNDS):
        daemon = start()
        check(Rpc(), turn)
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
