# SPDX-License-Identifier: Apache-2.0
"""Volumes over NVMe: made by hawserd, let in by the target, connected over
several portals, formatted, mounted or given as devices, grown, gone again."""
import json
import os
import random
import shutil
import stat
import subprocess
import tempfile
import time

import grpc

from lib import (MODE, Case, Driver, eventually, hawser, main,
                 mount_capability, pb)

MIB = 1 << 20
ONE = MODE.SINGLE_NODE_WRITER


def volumes():
    return {v["name"]: v for v in json.loads(hawser("rpc", "volume_get"))}


def run(*words):
    return subprocess.run(words, check=True, text=True,
                          stdout=subprocess.PIPE).stdout.strip()


def mounted(path):
    with open("/proc/self/mountinfo") as f:
        return [line.split()[4] for line in f].count(path)


def block(mode=ONE):
    return pb.VolumeCapability(block=pb.VolumeCapability.BlockVolume(),
                               access_mode=MODE(mode=mode))


class Nvme(Case):
    OPTIONS = ("--nvme",)

    def setUp(self):
        self.directory = tempfile.mkdtemp()
        self.node = self.d.NodeGetInfo().node_id

    def wish(self, name="pvc-1", size=64 * MIB, capability=None, **more):
        return {"name": name,
                "volume_capabilities": [capability or mount_capability(ONE)],
                "capacity_range": pb.CapacityRange(required_bytes=size),
                "parameters": {"protocol": "nvme", **more}}

    def make(self, *args, **more):
        v = self.d.CreateVolume(**self.wish(*args, **more)).volume
        self.addCleanup(self.forget, v.volume_id)
        return v

    def forget(self, id):
        self.d.ControllerUnpublishVolume(volume_id=id)
        self.d.DeleteVolume(volume_id=id)

    def let_in(self, v, node=None, capability=None, driver=None):
        (driver or self.d).ControllerPublishVolume(
            volume_id=v.volume_id, node_id=node or self.node,
            volume_capability=capability or mount_capability(ONE),
            volume_context=v.volume_context)

    def staging(self, v, capability=None):
        return {"volume_id": v.volume_id,
                "staging_target_path": f"{self.directory}/stage",
                "volume_capability": capability or mount_capability(ONE),
                "volume_context": v.volume_context}

    def stage(self, v, capability=None):
        at = self.staging(v, capability)
        self.d.NodeStageVolume(**at)
        self.addCleanup(self.unstage, v)
        return at["staging_target_path"]

    def unstage(self, v):
        self.d.NodeUnstageVolume(volume_id=v.volume_id, staging_target_path=
                                 f"{self.directory}/stage")

    def publishing(self, v, capability=None, name="t", **more):
        return {"target_path": f"{self.directory}/{name}",
                **self.staging(v, capability), **more}

    def publish(self, v, *args, **more):
        at = self.publishing(v, *args, **more)
        self.d.NodePublishVolume(**at)
        self.addCleanup(self.d.NodeUnpublishVolume, volume_id=v.volume_id,
                        target_path=at["target_path"])
        return at["target_path"]

    def test_life_of_a_file_system(self):
        v = self.make()
        self.assertEqual(v.capacity_bytes, 64 * MIB)
        self.assertEqual(self.make().volume_id, v.volume_id)
        self.assertEqual(volumes()["csi:pvc-1"]["size"], 64 * MIB)
        self.assertEqual(len(v.volume_context["portals"].split(",")), 6)
        # Nobody is let in, yet.
        self.refused("INTERNAL", "", self.d.NodeStageVolume, **self.staging(v))
        self.refused("FAILED_PRECONDITION", "staged", self.d.NodePublishVolume,
                     **self.publishing(v))
        self.let_in(v)
        self.let_in(v)
        stage = self.stage(v)
        self.assertEqual(self.stage(v), stage)
        target = self.publish(v)
        self.assertEqual(self.publish(v), target)
        self.assertEqual((mounted(stage), mounted(target)), (1, 1))
        with open(target + "/file", "w") as f:
            f.write("hello")
        paths, = json.loads(hawser("paths", "--json"))
        self.assertEqual(len(paths["paths"]), 6)
        self.publish(v, mount_capability(ONE, group="4711"))
        st = os.stat(target)
        self.assertEqual((st.st_gid, st.st_mode & 0o2070), (4711, 0o2070))
        other = self.publish(v, name="ro", readonly=True)
        with self.assertRaises(OSError):
            open(other + "/file", "w")
        use = self.d.NodeGetVolumeStats(volume_id=v.volume_id,
                                        volume_path=target).usage
        self.assertTrue(use[0].available < 64 * MIB)

        # In use, it stays; then it goes, and comes back with what is on it.
        self.refused("FAILED_PRECONDITION", "published", self.d.DeleteVolume,
                     volume_id=v.volume_id)
        for path in (target, other, target):
            self.d.NodeUnpublishVolume(volume_id=v.volume_id,
                                       target_path=path)
            self.assertFalse(os.path.exists(path))
        for i in range(2):
            self.unstage(v)
        self.assertEqual(mounted(stage), 0)
        self.assertEqual(json.loads(hawser("paths", "--json")), [])
        self.stage(v)
        with open(self.publish(v) + "/file") as f:
            self.assertEqual(f.read(), "hello")

    def test_what_else_is_mounted(self):
        """Neither used for the volume, nor unmounted."""
        v, other = self.make(), self.make("pvc-2")
        self.let_in(v)
        self.let_in(other)
        stage, target = self.directory + "/stage", self.directory + "/t"

        def busy(path, method, fields):
            os.makedirs(path)
            run("mount", "-t", "tmpfs", "none", path)
            self.refused("ALREADY_EXISTS", "something else",
                         getattr(self.d, method), **fields)
            back = {"NodeStageVolume": "NodeUnstageVolume",
                    "NodePublishVolume": "NodeUnpublishVolume"}[method]
            keys = {"NodeUnstageVolume": "staging_target_path",
                    "NodeUnpublishVolume": "target_path"}
            self.refused("INTERNAL", "something else", getattr(self.d, back),
                         volume_id=v.volume_id, **{keys[back]: path})
            self.refused("NOT_FOUND", path, self.d.NodeGetVolumeStats,
                         volume_id=v.volume_id, volume_path=path)
            self.assertEqual(mounted(path), 1)
            run("umount", path)

        busy(stage, "NodeStageVolume", self.staging(v))
        self.stage(v)
        busy(target, "NodePublishVolume", self.publishing(v))
        self.refused("ALREADY_EXISTS", "ext4", self.d.NodeStageVolume,
                     **self.staging(v, mount_capability(ONE, fs_type="xfs")))
        self.publish(v)
        elsewhere = {"staging_target_path": self.directory + "/stage-2"}
        self.d.NodeStageVolume(**{**self.staging(other), **elsewhere})
        self.refused("ALREADY_EXISTS", target, self.d.NodePublishVolume,
                     **{**self.publishing(other), **elsewhere})
        self.refused("FAILED_PRECONDITION", "staged", self.d.NodePublishVolume,
                     **self.publishing(other, name="t2"))
        self.d.NodeUnstageVolume(volume_id=other.volume_id, **elsewhere)
        ro = self.publish(v, name="ro", readonly=True)
        self.refused("ALREADY_EXISTS", "read-only", self.d.NodePublishVolume,
                     **self.publishing(v, name="ro"))
        self.assertEqual(mounted(ro), 1)

    def grows(self, type, size):
        one = mount_capability(ONE, fs_type=type)
        v = self.make("pvc-" + type, size, one)
        self.let_in(v)
        self.stage(v, one)
        target = self.publish(v, one)
        grown = self.d.ControllerExpandVolume(
            volume_id=v.volume_id,
            capacity_range=pb.CapacityRange(required_bytes=2 * size - 5))
        self.assertEqual(grown.capacity_bytes, 2 * size)
        self.assertTrue(grown.node_expansion_required)
        for i in range(2):
            self.d.NodeExpandVolume(volume_id=v.volume_id, volume_path=target)
        whole = os.statvfs(target)
        self.assertTrue(whole.f_blocks * whole.f_frsize > 1.7 * size)

    def test_xfs_grows_while_it_is_used(self):
        if not shutil.which("mkfs.xfs"):
            self.skipTest("mkfs.xfs is not there")
        self.grows("xfs", 320 * MIB)

    def test_ext4_grows_while_it_is_used(self):
        with open("/proc/self/status") as f:
            own, = [line for line in f if line.startswith("CapEff")]
        if not int(own.split()[1], 16) & 1 << 24:
            self.skipTest("without CAP_SYS_RESOURCE ext4 does not grow")
        self.grows("ext4", 64 * MIB)

    def test_life_of_a_device(self):
        v = self.make(capability=block(), blockSize="512")
        self.let_in(v, capability=block())
        self.stage(v, block())
        target = self.publish(v, block())
        self.assertEqual(self.publish(v, block()), target)
        self.assertEqual(mounted(target), 1)
        self.assertTrue(stat.S_ISBLK(os.stat(target).st_mode))
        with open(target, "r+b") as f:
            f.write(b"raw" * 512)
            os.fsync(f.fileno())
        use = self.d.NodeGetVolumeStats(volume_id=v.volume_id,
                                        volume_path=target).usage
        self.assertEqual(use[0].total, 64 * MIB)
        self.d.ControllerExpandVolume(
            volume_id=v.volume_id,
            capacity_range=pb.CapacityRange(required_bytes=96 * MIB))
        self.d.NodeExpandVolume(volume_id=v.volume_id, volume_path=target,
                                volume_capability=block())
        self.assertEqual(run("blockdev", "--getsize64", target),
                         str(96 * MIB))
        # What somebody put there is nobody's to overwrite.
        run("mkfs.ext4", "-q", "-F", target)
        self.d.NodeUnpublishVolume(volume_id=v.volume_id, target_path=target)
        self.assertFalse(os.path.exists(target))
        self.refused("FAILED_PRECONDITION", "ext4", self.d.NodeStageVolume,
                     **self.staging(v, mount_capability(ONE, fs_type="xfs")))

    def test_paths_go_silent_under_load(self):
        if not shutil.which("nft"):
            self.skipTest("nft is not installed")
        v = self.make()
        run("nft", "add", "table", "ip", "silence")
        self.addCleanup(run, "nft", "delete", "table", "ip", "silence")
        run("nft", "add", "chain", "ip", "silence", "out",
            "{ type filter hook output priority 0; }")
        self.let_in(v)
        self.stage(v)
        target = self.publish(v)
        data = os.urandom(16 * MIB)
        writing = subprocess.Popen(
            ["dd", "of=" + target + "/file", "bs=64k", "iflag=fullblock",
             "conv=fsync", "oflag=direct"], stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        for i, portal in enumerate(v.volume_context["portals"].split(",")):
            piece = len(data) // 6 + 1
            writing.stdin.write(data[i * piece:(i + 1) * piece])
            writing.stdin.flush()
            if i < 5:
                for end in ("daddr", "saddr"):
                    run("nft", "add", "rule", "ip", "silence", "out", "ip",
                        end, portal.split(":")[0], "drop")
        writing.stdin.close()
        self.assertEqual(writing.wait(60), 0)
        with open(target + "/file", "rb") as f:
            self.assertEqual(f.read(), data)

    def through_a_kill(self, method, longest, **fields):
        """The call, the driver killed during it, and the call again until it
        is done."""
        future = getattr(self.d, method).later(**fields)
        time.sleep(random.uniform(0, longest))
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
        return eventually(again, 60)[0]

    def test_killed_in_each_call(self):
        one = mount_capability(ONE)
        for i in range(3):
            v = self.through_a_kill("CreateVolume", 0.05,
                                    **self.wish(f"kill-{i}")).volume
            at = self.publishing(v)
            host = {"volume_id": v.volume_id, "node_id": self.node}
            self.through_a_kill("ControllerPublishVolume", 0.02, **host,
                                volume_capability=one)
            self.through_a_kill("NodeStageVolume", 0.6, **self.staging(v))
            self.through_a_kill("NodePublishVolume", 0.05, **at)
            open(at["target_path"] + "/file", "w").close()
            for name in ("stage", "t"):
                self.assertEqual(mounted(f"{self.directory}/{name}"), 1)
            self.through_a_kill("NodeUnpublishVolume", 0.05,
                                volume_id=v.volume_id,
                                target_path=at["target_path"])
            self.through_a_kill(
                "NodeUnstageVolume", 0.3, volume_id=v.volume_id,
                staging_target_path=at["staging_target_path"])
            self.assertEqual(json.loads(hawser("paths", "--json")), [])
            self.through_a_kill("ControllerUnpublishVolume", 0.02, **host)
            self.through_a_kill("DeleteVolume", 0.05, volume_id=v.volume_id)
        self.assertEqual([n for n in volumes() if "kill" in n], [])

    def test_one_node_at_a_time(self):
        v = self.make()
        other = "n2,nqn.2014-08.org.example:other"
        self.let_in(v)
        self.refused("FAILED_PRECONDITION", "published",
                     self.d.ControllerPublishVolume, volume_id=v.volume_id,
                     node_id=other, volume_capability=mount_capability(ONE))
        self.let_in(v, other, block(MODE.MULTI_NODE_MULTI_WRITER))
        self.d.ControllerUnpublishVolume(volume_id=v.volume_id, node_id=other)
        for i in range(2):
            self.d.ControllerUnpublishVolume(volume_id=v.volume_id,
                                             node_id=self.node)
        self.let_in(v, other)
        self.refused("INTERNAL", "", self.d.NodeStageVolume, **self.staging(v))

    def test_who_is_put_out_is_out(self):
        v = self.make(capability=block())
        self.let_in(v, capability=block())
        self.stage(v, block())
        target = self.publish(v, block())
        self.d.ControllerUnpublishVolume(volume_id=v.volume_id)
        writing = subprocess.Popen(
            ["dd", "if=/dev/zero", "of=" + target, "bs=4k", "count=1",
             "oflag=direct"], stderr=subprocess.DEVNULL)
        with self.assertRaises(subprocess.TimeoutExpired):
            writing.wait(1)
        self.let_in(v, capability=block())
        self.assertEqual(writing.wait(30), 0)

    def test_all_are_listed(self):
        made = {self.make(f"pvc-{i}").volume_id for i in range(3)}
        made |= {self.create(f"pvc-{i}").volume_id for i in range(2)}
        hawser("volume", "create", "--name", "somebody-elses", "--size", "64M")
        self.addCleanup(hawser, "volume", "delete", "somebody-elses")

        def listed(**more):
            reply = self.d.ListVolumes(**more)
            return [e.volume.volume_id for e in reply.entries], \
                reply.next_token
        ids, token = listed()
        self.assertTrue(made <= set(ids))
        self.assertEqual((len(set(ids)), token), (len(ids), ""))
        self.assertNotIn("somebody-elses", str(ids))
        for size in (1, 2, 4):
            found, token = listed(max_entries=size)
            while token:
                page, token = listed(max_entries=size, starting_token=token)
                self.assertTrue(len(page) <= size)
                found += page
            self.assertEqual(sorted(found), sorted(ids))

    def test_refusals(self):
        def bad(text, code="INVALID_ARGUMENT", **more):
            self.refused(code, text, self.d.CreateVolume,
                         **{**self.wish("bad"), **more})
        bad("one node's", volume_capabilities=[mount_capability()])
        bad("ext4 or xfs", volume_capabilities=[
            mount_capability(ONE, fs_type="vfat")])
        bad("blockSize", parameters={"protocol": "nvme", "blockSize": "1"})
        bad("MiB", "OUT_OF_RANGE", capacity_range=pb.CapacityRange(
            required_bytes=5, limit_bytes=6))
        bad("Volume name", name="")
        v = self.make()
        self.assertIn("nvme:", self.make("new\nline").volume_id)
        for node in ("n7", "n7,nqn.", "n7,nqn.2014-08." + 300 * "x"):
            self.refused("NOT_FOUND", "Node", self.d.ControllerPublishVolume,
                         volume_id=v.volume_id, node_id=node,
                         volume_capability=mount_capability(ONE))
        for portals in ("", "x", "1.2.3.4:4420,", "1.2.3.4:x"):
            self.refused("INVALID_ARGUMENT", "portals", self.d.NodeStageVolume,
                         **{**self.staging(v), "volume_context": {
                             **v.volume_context, "portals": portals}})
        self.refused("ALREADY_EXISTS", "exists", self.d.CreateVolume,
                     **self.wish(size=65 * MIB))
        self.refused("NOT_FOUND", "Node", self.d.ControllerPublishVolume,
                     volume_id=v.volume_id, node_id="n7",
                     volume_capability=mount_capability(ONE))
        gone = "nvme:vol-0123456789abcdef0:" \
            "11111111-1111-4111-8111-111111111111"
        for id in (gone, "nvme:x", "nvme:vol-../../etc:x"):
            self.d.DeleteVolume(volume_id=id)
            self.refused("NOT_FOUND", "", self.d.ControllerPublishVolume,
                         volume_id=id, node_id=self.node,
                         volume_capability=mount_capability(ONE))
        self.refused("NOT_FOUND", "", self.d.NodeStageVolume,
                     **{**self.staging(v), "volume_id": "nvme:../x:y"})
        plain = Driver()
        self.refused("INVALID_ARGUMENT", "--nvme", plain.CreateVolume,
                     **self.wish("plain"))
        self.assertEqual(plain.NodeGetInfo().node_id, "node-1")
        plain.stop()
        away = Driver("--nvme", "--rpc", "/nowhere")
        self.refused("UNAVAILABLE", "no hawserd", away.CreateVolume,
                     **self.wish("away"))
        away.stop()

    def test_file_systems_are_for_every_node(self):
        v = self.create()
        self.let_in(v)
        self.d.NodeStageVolume(**self.staging(v, mount_capability()))
        target = self.publish(v, mount_capability())
        open(target + "/file", "w").close()
        self.d.NodeUnpublishVolume(volume_id=v.volume_id, target_path=target)
        self.unstage(v)
        self.d.ControllerUnpublishVolume(volume_id=v.volume_id,
                                         node_id=self.node)


main()
