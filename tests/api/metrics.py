# SPDX-License-Identifier: Apache-2.0
"""/metrics, as Prometheus reads it."""
import json
import os
import re
import subprocess
import unittest
import urllib.error
import urllib.request
import uuid

import lib

URL = os.environ["HAWSER_METRICS_URL"]
LINE = re.compile(r'^([a-z_]+)\{([a-z_]+)="([^"\\]*)"\} (-?[0-9.e+]+)$')


def read():
    with urllib.request.urlopen(URL) as reply:
        assert reply.headers["Content-Type"].startswith("text/plain; version")
        return reply.read().decode()


class Metrics(lib.Case):
    def values(self):
        """{(metric, label): value}, of lines that all are as they should."""
        values, declared = {}, {}
        for line in read().splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split()
                self.assertNotIn(name, declared)
                declared[name] = kind
            if line.startswith("#"):
                continue
            match = LINE.match(line)
            self.assertTrue(match, line)
            name, _, label, value = match.groups()
            self.assertIn(name, declared)
            self.assertEqual(declared[name] == "counter",
                             name.endswith("_total"))
            self.assertNotIn((name, label), values)
            values[name, label] = float(value)
        return values

    def test_figures(self):
        efs = lib.client()
        fs = efs.create_file_system(
            CreationToken=str(uuid.uuid4()))["FileSystemId"]
        subnet = json.loads(lib.hawser("subnet", "list", "--json"))[0]["id"]
        at = efs.create_mount_target(FileSystemId=fs,
                                     SubnetId=subnet)["IpAddress"] + ":/"
        before = self.values()
        self.assertEqual(before["hawser_fs_written_bytes_total", fs], 0)
        self.assertEqual(before["hawser_fs_mount_targets", fs], 1)
        self.assertEqual(before["hawser_fs_permitted_bytes_per_second", fs],
                         100 << 20)
        self.assertAlmostEqual(before["hawser_fs_burst_credit_bytes", fs],
                               2.1 * 2**40, -1)
        subprocess.run(["hawser", "perf", "nfs", at, "-w", "write", "-s",
                        "1m", "-n", "16"], check=True,
                       stdout=subprocess.DEVNULL)
        after = self.values()
        self.assertGreaterEqual(
            after["hawser_fs_written_bytes_total", fs], 1 << 20)
        self.assertGreater(after["hawser_fs_metered_bytes_total", fs],
                           after["hawser_fs_written_bytes_total", fs])
        self.assertEqual(after["hawser_fs_up", fs], 1)
        self.assertEqual(before.keys(), after.keys())
        cw = lib.client("cloudwatch")
        cw.put_metric_alarm(
            AlarmName="x", Namespace="AWS/EFS", MetricName="TotalIOBytes",
            Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
            ComparisonOperator="GreaterThanThreshold")
        self.assertEqual(
            self.values()["hawser_alarms", "INSUFFICIENT_DATA"], 1)

    def test_nothing_else_is_there(self):
        for path, how, status in (("/", "GET", 404), ("/metrics", "POST", 405),
                                  ("/2015-02-01/file-systems", "GET", 404)):
            with self.subTest(path), \
                    self.assertRaises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(urllib.request.Request(
                    URL.replace("/metrics", path), method=how))
            self.assertEqual(caught.exception.code, status)
            caught.exception.close()
        status, _, _ = lib.send("GET", "/metrics")
        self.assertEqual(status, 403)


if __name__ == "__main__":
    unittest.main()
