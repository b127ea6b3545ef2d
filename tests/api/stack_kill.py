# SPDX-License-Identifier: Apache-2.0
"""hawser apply and destroy are killed (-9) at each of their calls, before the
service hears of it or before they hear of the answer: the next run finishes,
and there is one of everything, or nothing."""
import http.client
import http.server
import json
import pathlib
import subprocess
import tempfile
import threading
import unittest
import urllib.parse

import lib

VPC = "vpc-0a9bd8f7e6c5a4b32"
NODES = "sg-0a9bd8f7e6c5a4b32"
TAG = "confluent-kafka/prod"


class Between(http.server.BaseHTTPRequestHandler):
    """Hands requests on; kills who sent the one that counts down to 0."""
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16 # an answer is one packet

    def log_message(self, *_):
        pass

    def changes_something(self, body):
        return self.command != "GET" and b"Action=Describe" not in body and \
            ".Describe" not in self.headers.get("X-Amz-Target", "")

    def forward(self, body):
        service = http.client.HTTPConnection(
            urllib.parse.urlsplit(lib.URL).netloc, timeout=30)
        service.request(self.command, self.path, body, dict(self.headers))
        reply = service.getresponse()
        return reply, reply.read()

    def handle_call(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        server = self.server
        dies = False
        if server.countdown and self.changes_something(body):
            server.countdown -= 1
            dies = server.countdown == 0
        if dies and not server.heard:
            return self.kill()
        reply, data = self.forward(body)
        if dies:
            return self.kill()
        self.send_response(reply.status)
        for name, value in reply.getheaders():
            if name.lower() not in ("connection", "content-length", "date"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = handle_call

    def kill(self):
        self.server.started.wait()
        self.server.victim.kill()
        self.server.victim.wait()
        self.close_connection = True


class Kill(lib.Case):
    def setUp(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Between)
        self.server.daemon_threads = True
        self.server.countdown = 0
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        self.directory = tempfile.TemporaryDirectory()
        self.file = pathlib.Path(self.directory.name, "stack.yaml")
        self.write()

    def tearDown(self):
        self.run_whole("destroy")
        self.server.shutdown()
        self.server.server_close()
        self.directory.cleanup()

    def write(self, more=""):
        subnets = [s["id"] for s in
                   json.loads(lib.hawser("subnet", "list", "--json"))][:2]
        self.file.write_text(
            f"project_name: confluent-kafka\nenvironment: prod\n"
            f"vpc_id: {VPC}\nprivate_subnet_ids: {json.dumps(subnets)}\n"
            f"eks_node_security_group_id: {NODES}\n" + more)

    def run_killed(self, verb, call, heard, *options):
        """Runs it until its nth call; False: it ended before that."""
        server = self.server
        server.started = threading.Event()
        server.heard = heard
        server.countdown = call
        server.victim = subprocess.Popen(
            ["hawser", verb, "--yes", "--endpoint-url", self.url, *options,
             self.file], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        server.started.set()
        _, err = server.victim.communicate(timeout=60)
        server.countdown = 0
        self.assertIn(server.victim.returncode, (0, -9), err)
        return server.victim.returncode == -9

    def run_whole(self, verb, *options):
        """The steps that were left."""
        out = lib.hawser(verb, "--yes", "--json", *options, str(self.file))
        return json.loads(out)["steps"]

    def check(self, n):
        """There are n stacks: one or none."""
        efs = lib.client()
        systems = [f for f in efs.describe_file_systems()["FileSystems"]
                   if {"Key": "hawser:stack", "Value": TAG} in f["Tags"]]
        groups = lib.client("ec2").describe_security_groups(Filters=[
            {"Name": "tag:hawser:stack", "Values": [TAG]}])["SecurityGroups"]
        alarms = lib.client("cloudwatch").describe_alarms(
            AlarmNamePrefix="confluent-kafka-prod-")["MetricAlarms"]
        self.assertEqual((len(systems), len(groups), len(alarms)),
                         (n, n, 3 * n))
        for fs in systems:
            fs = fs["FileSystemId"]
            self.assertEqual(len(efs.describe_mount_targets(
                FileSystemId=fs)["MountTargets"]), 2)
            self.assertEqual(len(efs.describe_access_points(
                FileSystemId=fs)["AccessPoints"]), 3)
            self.assertEqual({a["Dimensions"][0]["Value"] for a in alarms},
                             {fs})

    def test_each_call_whose_answer_is_lost(self):
        call = 1
        while self.run_killed("apply", call, True):
            self.run_whole("apply")
            self.check(1)
            self.assertEqual(self.run_whole("apply"), [])
            self.run_whole("destroy")
            call += 1
        self.assertGreater(call, 12)

    def test_each_run_takes_one_step(self):
        runs = 0
        while self.run_killed("apply", 2, False):
            runs += 1
        self.assertGreater(runs, 10)
        self.check(1)
        self.assertEqual(self.run_whole("apply"), [])
        # So does each that replaces it, and each that destroys it.
        self.write("performance_mode: maxIO\nthroughput_mode: provisioned\n"
                   "provisioned_throughput_in_mibps: 8\n")
        runs = 0
        while self.run_killed("apply", 1, True, "--replace"):
            runs += 1
        self.assertGreater(runs, 15)
        self.check(1)
        runs = 0
        while self.run_killed("destroy", 1, True):
            runs += 1
        self.assertGreater(runs, 8)
        self.check(0)


if __name__ == "__main__":
    unittest.main()
