# SPDX-License-Identifier: Apache-2.0
"""Throughput modes: what they permit is what clients get, and nobody else."""
import json
import subprocess
import unittest
import uuid

import lib

MIB = 1 << 20


class Throughput(lib.Case):
    def setUp(self):
        self.efs = lib.client()
        self.subnet = json.loads(lib.hawser("subnet", "list",
                                            "--json"))[0]["id"]

    def make(self, **how):
        fs = self.efs.create_file_system(CreationToken=str(uuid.uuid4()),
                                         **how)["FileSystemId"]
        target = self.efs.create_mount_target(FileSystemId=fs,
                                              SubnetId=self.subnet)
        return fs, target["IpAddress"] + ":/"

    def stats(self, fs):
        return json.loads(lib.hawser("rpc", "fs_get_stats", "id=" + fs))

    def load(self, where, *more):
        return subprocess.Popen(
            ["hawser", "perf", "nfs", where, "--json", "-s", "4m", *more],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def result(self, load):
        out, err = load.communicate(timeout=60)
        self.assertEqual(load.returncode, 0, err)
        return json.loads(out)

    def test_side_by_side(self):
        slow, slow_at = self.make(ThroughputMode="provisioned",
                                  ProvisionedThroughputInMibps=8)
        fast, fast_at = self.make(ThroughputMode="elastic")
        throttled = self.load(slow_at, "-w", "write", "-b", "256k", "-n",
                              "64", "-q", "16")
        free = self.load(fast_at, "-w", "write", "-b", "256k", "-n", "256",
                         "-q", "16")
        free = self.result(free)
        throttled = self.result(throttled)
        rate = throttled["bytes"] / throttled["seconds"] / MIB
        # A twentieth of a second's worth and one write go at once.
        self.assertLess(rate, 8 * 1.15)
        self.assertGreater(rate, 8 * 0.5)
        self.assertGreater(free["bytes"] / free["seconds"] / MIB, rate)
        self.assertGreater(self.stats(slow)["throttled"], 0)
        self.assertEqual(self.stats(fast)["throttled"], 0)

    def test_a_change_is_in_force_for_who_waits(self):
        fs, at = self.make(ThroughputMode="provisioned",
                           ProvisionedThroughputInMibps=1)
        # A hundred seconds' worth.
        load = self.load(at, "-w", "write", "-b", "256k", "-n", "400", "-q",
                         "8")
        while self.stats(fs)["waiting"] == 0:
            self.assertIsNone(load.poll())
        self.efs.update_file_system(FileSystemId=fs, ThroughputMode="elastic")
        self.assertLess(self.result(load)["seconds"], 50)

    def test_reads_count_a_third(self):
        fs, at = self.make()
        self.assertEqual(self.stats(fs)["permitted_throughput"], 100 * MIB)
        before = self.stats(fs)
        self.assertAlmostEqual(before["burst_credits"], 2.1 * 2**40, -6)
        result = self.result(self.load(at, "-w", "read", "-b", "64k", "-n",
                                       "640"))
        after = self.stats(fs)
        metered = after["bytes_metered"] - before["bytes_metered"]
        # The file is written first.
        metered -= 4 * MIB
        self.assertGreater(metered, result["bytes"] / 3)
        self.assertLess(metered, result["bytes"] / 3 + 4 * MIB)
        spent = before["burst_credits"] - after["burst_credits"]
        self.assertLess(abs(spent - metered - 4 * MIB), MIB)


if __name__ == "__main__":
    unittest.main()
