# SPDX-License-Identifier: Apache-2.0
"""What the tests of hawser-csi share: the driver as a process, its three
services as methods, volumes and refusals.  The interface is compiled from the
same csi.proto as the driver's."""
import importlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

import boto3
import botocore.config
import grpc

GIB = 1 << 30
CONFIG = botocore.config.Config(retries={"max_attempts": 0})


def compile_interface():
    out = tempfile.mkdtemp()
    proto = os.environ["HAWSER_CSI_PROTO"]
    subprocess.run(["protoc", "-I", os.path.dirname(proto), "-I",
                    "/usr/include", "--python_out", out, proto], check=True)
    sys.path.insert(0, out)
    return importlib.import_module("csi_pb2")


pb = compile_interface()
MODE = pb.VolumeCapability.AccessMode


def eventually(what, seconds=30):
    """The first value that is true."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"never: {what}")
        time.sleep(0.02)


def hawser(*words):
    return subprocess.run(["hawser", *words], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def efs():
    return boto3.client("efs", endpoint_url=os.environ["HAWSER_API_URL"],
                        region_name="us-east-1", config=CONFIG)


class Driver:
    """hawser-csi with these options; calls are methods: d.CreateVolume(…)."""

    def __init__(self, *options, environment=None):
        self.options = options
        self.environment = environment or {}
        self.directory = tempfile.mkdtemp()
        self.socket = self.directory + "/csi.sock"
        self.log = self.directory + "/log"
        self.start()

    def start(self):
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(
                ["hawser-csi", "--endpoint", "unix://" + self.socket,
                 "--node-id", "node-1", "--work-dir", self.directory + "/pv",
                 *self.options], stderr=log,
                env={**os.environ, **self.environment})
        self.channel = grpc.insecure_channel(
            "unix:" + self.socket,
            options=[("grpc.use_local_subchannel_pool", 1)])
        eventually(self.answers)

    def answers(self):
        assert self.process.poll() is None, self.said()
        try:
            self.Probe(timeout=1)
        except grpc.RpcError:
            # Else gRPC waits longer and longer before it tries again.
            self.channel.close()
            self.channel = grpc.insecure_channel(
                "unix:" + self.socket,
                options=[("grpc.use_local_subchannel_pool", 1)])
            return False
        return True

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.channel.close()

    def stop(self):
        self.channel.close()
        self.process.terminate()
        return self.process.wait(timeout=30)

    def said(self):
        with open(self.log) as log:
            return log.read()

    def method(self, name):
        for service in ("Identity", "Controller", "Node"):
            found = pb.DESCRIPTOR.services_by_name[service]
            if name in found.methods_by_name:
                method = found.methods_by_name[name]
                return (f"/csi.v1.{service}/{name}",
                        getattr(pb, method.input_type.name),
                        getattr(pb, method.output_type.name))
        raise AttributeError(name)

    def __getattr__(self, name):
        path, request, response = self.method(name)
        call = self.channel.unary_unary(
            path, request_serializer=request.SerializeToString,
            response_deserializer=response.FromString)

        def run(timeout=60, **fields):
            return call(request(**fields), timeout=timeout)

        def later(**fields):
            return call.future(request(**fields), timeout=60)

        run.later = later
        return run


def mount_capability(mode=MODE.MULTI_NODE_MULTI_WRITER, flags=(), fs_type="",
                     group=""):
    return pb.VolumeCapability(
        mount=pb.VolumeCapability.MountVolume(
            fs_type=fs_type, mount_flags=flags, volume_mount_group=group),
        access_mode=MODE(mode=mode))


def block_capability():
    return pb.VolumeCapability(
        block=pb.VolumeCapability.BlockVolume(),
        access_mode=MODE(mode=MODE.SINGLE_NODE_WRITER))


class Case(unittest.TestCase):
    maxDiff = None
    OPTIONS = ()

    @classmethod
    def setUpClass(cls):
        cls.fs = hawser("fs", "create", "--name", "csi").strip()
        cls.targets = [hawser("mount-target", "create", cls.fs).split()[:2]
                       for _ in range(3)]
        cls.efs = efs()
        cls.d = Driver(*cls.OPTIONS)
        cls.addClassCleanup(cls.d.kill)

    def refused(self, code, text, call, **fields):
        """The call is refused with that code, and a message with `text`."""
        with self.assertRaises(grpc.RpcError) as caught:
            call(**fields)
        self.assertEqual(caught.exception.code().name, code,
                         caught.exception.details())
        self.assertIn(text, caught.exception.details())

    def parameters(self, **more):
        """Those of a StorageClass that works; None leaves one out."""
        all = {"provisioningMode": "efs-ap", "fileSystemId": self.fs,
               "directoryPerms": "700", **more}
        return {k: v for k, v in all.items() if v is not None}

    def request(self, name=None, size=GIB, parameters=None, **more):
        fields = {"name": name or "pvc-" + str(uuid.uuid4()),
                  "volume_capabilities": [mount_capability()],
                  "parameters": parameters or self.parameters()}
        if size:
            fields["capacity_range"] = pb.CapacityRange(required_bytes=size)
        return {**fields, **more}

    def create(self, *args, **more):
        return self.d.CreateVolume(**self.request(*args, **more)).volume

    def point(self, volume):
        """The access point behind it, as EFS describes it."""
        return self.efs.describe_access_points(
            AccessPointId=volume.volume_id.split(":")[-1])["AccessPoints"][0]

    def points(self):
        points, more = [], {}
        while True:
            page = self.efs.describe_access_points(FileSystemId=self.fs,
                                                   **more)
            points += page["AccessPoints"]
            if "NextToken" not in page:
                return points
            more = {"NextToken": page["NextToken"]}


def main():
    signal.alarm(int(os.environ.get("TEST_SECONDS", "150")))
    unittest.main(verbosity=2)
