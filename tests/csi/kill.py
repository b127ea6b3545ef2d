# SPDX-License-Identifier: Apache-2.0
"""kill -9 in the middle of each call: whoever repeats it gets what one call
would have given, and nothing is left over."""
import os
import random
import tempfile
import time

import grpc

from lib import GIB, Case, eventually, main, mount_capability, pb

TIMES = 8
SEED = int(os.environ.get("SEED", random.randrange(1 << 32)))


def mounted(path):
    with open("/proc/self/mountinfo") as f:
        return [line.split()[4] for line in f].count(path)


class Kill(Case):
    def setUp(self):
        self.random = random.Random(SEED)
        print(f"SEED={SEED}")
        self.longest = 0.05

    def through_a_kill(self, method, **fields):
        """The call, the driver killed during it, and the call again until it
        is done, as an orchestrator does."""
        begun = time.monotonic()
        future = getattr(self.d, method).later(**fields)
        time.sleep(self.random.uniform(0, self.longest))
        self.d.kill()
        future.cancel()
        self.d.start()

        def again():
            try:
                return [getattr(self.d, method)(**fields)]
            except grpc.RpcError as e:
                self.assertIn(e.code().name,
                              ("ABORTED", "INTERNAL", "UNAVAILABLE"),
                              e.details())
                return None
        return eventually(again)[0]

    def test_create(self):
        gids = set()
        for i in range(TIMES):
            v = self.through_a_kill("CreateVolume",
                                    **self.request(f"pvc-{i}")).volume
            self.assertEqual(v.capacity_bytes, GIB)
            gids.add(self.point(v)["PosixUser"]["Gid"])
        self.assertEqual(sorted(p["ClientToken"] for p in self.points()),
                         [f"pvc-{i}" for i in range(TIMES)])
        self.assertEqual(len(gids), TIMES)
        for p in self.points():
            self.through_a_kill(
                "DeleteVolume",
                volume_id=f"efs:{self.fs}::{p['AccessPointId']}")
        self.assertEqual(self.points(), [])

    def test_expand(self):
        v = self.create()
        for i in range(2, TIMES):
            size = pb.CapacityRange(required_bytes=i * GIB)
            r = self.through_a_kill("ControllerExpandVolume",
                                    volume_id=v.volume_id, capacity_range=size)
            self.assertEqual(r.capacity_bytes, i * GIB)
        self.d.DeleteVolume(volume_id=v.volume_id)

    def test_publish(self):
        self.longest = 0.3
        v = self.create()
        directory = tempfile.mkdtemp()
        for i in range(TIMES):
            target = f"{directory}/{i}"
            where = {"volume_id": v.volume_id, "target_path": target}
            self.through_a_kill("NodePublishVolume", **where,
                                volume_capability=mount_capability())
            self.assertEqual(mounted(target), 1)
            os.mkdir(f"{target}/{i}")
            self.assertEqual(len(os.listdir(target)), i + 1)
            self.through_a_kill("NodeUnpublishVolume", **where)
            self.assertEqual(mounted(target), 0)
            self.assertFalse(os.path.exists(target))
        self.d.DeleteVolume(volume_id=v.volume_id)


class KillDelete(Kill):
    OPTIONS = ("--delete-access-point-root-dir",)
    test_create = test_expand = test_publish = None

    def test_delete(self):
        self.longest = 0.5
        directory = tempfile.mkdtemp()
        whole = {"volume_id": self.fs, "target_path": directory + "/whole"}
        self.d.NodePublishVolume(**whole,
                                 volume_capability=mount_capability())
        for i in range(TIMES):
            v = self.create(f"pvc-{i}")
            where = {"volume_id": v.volume_id,
                     "target_path": f"{directory}/{i}"}
            self.d.NodePublishVolume(**where,
                                     volume_capability=mount_capability())
            for name in ("a", "a/b", "c"):
                os.mkdir(f"{directory}/{i}/{name}")
            self.d.NodeUnpublishVolume(**where)
            self.through_a_kill("DeleteVolume", volume_id=v.volume_id)
            self.assertEqual(os.listdir(f"{directory}/whole/pvc-{i}"), [])
        self.assertEqual(self.points(), [])
        self.assertEqual(mounted(directory + "/whole"), 1)
        self.d.NodeUnpublishVolume(**whole)


main()
