# SPDX-License-Identifier: Apache-2.0
"""Node: volumes that are mounted, used, and gone again."""
import errno
import json
import os
import signal
import subprocess
import tempfile
import threading
import time

from lib import (GIB, MODE, Case, Driver, block_capability, eventually,
                 hawser, main, mount_capability, pb)


def mounts():
    """Mount points of ours: {path: source}."""
    with open("/proc/self/mountinfo") as f:
        rows = [line.split() for line in f if " - fuse.hawser " in line]
    return {row[4]: row[row.index("-") + 2] for row in rows}


class NodeCase(Case):
    def setUp(self):
        self.directory = tempfile.mkdtemp()
        self.n = 0

    def target(self):
        self.n += 1
        return f"{self.directory}/pods/{self.n}/mount"

    def publishing(self, volume_id, target, capability=None, driver=None,
                   readonly=False, **context):
        return {"volume_id": volume_id, "target_path": target,
                "volume_capability": capability or mount_capability(),
                "readonly": readonly, "volume_context": context}

    def publish(self, volume_id, target=None, driver=None, **more):
        target = target or self.target()
        (driver or self.d).NodePublishVolume(
            **self.publishing(volume_id, target, **more))
        self.addCleanup(self.unpublish, volume_id, target)
        return target

    def unpublish(self, volume_id, target):
        if target in mounts():
            self.d.NodeUnpublishVolume(volume_id=volume_id,
                                       target_path=target)

    def paths(self, target):
        """Addresses that the mount uses, and their states."""
        found = json.loads(hawser("paths", target, "--json"))[0]["paths"]
        return {p["address"].rsplit(":", 1)[0]: p["state"] for p in found}

    def daemon(self, target):
        """The process behind a mount."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline") as f:
                    words = f.read().split("\0")
            except OSError:
                continue
            if "mount.hawser" in words and target in words:
                return int(pid)
        return None


class Encrypted(NodeCase):
    CA = ("--ca-file", os.environ["HAWSER_STATE"] + "/nfs-cert.pem")
    OPTIONS = ("--encrypt-in-transit=false", *CA)

    def setUp(self):
        super().setUp()
        self.volume = self.create().volume_id
        self.efs.put_file_system_policy(FileSystemId=self.fs, Policy=json.dumps(
            {"Statement": [{
                "Effect": "Allow", "Principal": {"AWS": "*"},
                "Action": "elasticfilesystem:Client*",
                "Condition": {"Bool": {"aws:SecureTransport": "true"}}}]}))
        self.addCleanup(self.efs.delete_file_system_policy,
                        FileSystemId=self.fs)

    def use(self, target):
        with open(target + "/file", "w") as f:
            f.write("secret")
        with open(target + "/file") as f:
            self.assertEqual(f.read(), "secret")

    def refused_at(self, text, driver, capability=None, **context):
        self.refused("INTERNAL", text, driver.NodePublishVolume,
                     **self.publishing(self.volume, self.target(), capability,
                                       **context))

    def test_as_the_volume_says(self):
        tls = mount_capability(flags=["tls"])
        self.refused_at("Could not mount", self.d)
        self.refused_at("Could not mount", self.d, encryptInTransit="false")
        self.use(self.publish(self.volume, encryptInTransit="true"))
        self.use(self.publish(self.volume, capability=tls))
        several = self.publish(self.volume, encryptInTransit="true",
                               multipathing="true")
        self.use(several)
        self.assertEqual(len(self.paths(several)), 3)

    def test_as_the_driver_says(self):
        # If it is known whom to trust, that is the default.
        for options in ((), ("--encrypt-in-transit",)):
            d = Driver(*options, *self.CA)
            self.use(self.publish(self.volume, driver=d))
            self.refused_at("Could not mount", d, encryptInTransit="false")
            self.refused_at("client=kernel", d,
                            mount_capability(flags=["client=kernel"]))
            d.stop()

    def test_who_it_is(self):
        self.efs.put_file_system_policy(FileSystemId=self.fs, Policy=json.dumps(
            {"Statement": [{
                "Effect": "Allow", "Action": "elasticfilesystem:Client*",
                "Principal": {"AWS":
                              "arn:aws:iam::000000000000:user/admin"}}]}))
        self.refused_at("Could not mount", self.d, encryptInTransit="true")
        self.use(self.publish(self.volume, capability=mount_capability(
            flags=["tls", "iam"])))

    def test_whom_it_trusts(self):
        tls = mount_capability(flags=["tls"])
        d = Driver()
        self.refused_at("certificate", d, tls)
        self.use(self.publish(self.volume, driver=d, capability=
                              mount_capability(flags=["tls", "verify=0"])))
        d.stop()
        d = Driver("--dns-suffix", "elsewhere.example", *self.OPTIONS)
        self.refused_at("elsewhere.example", d, tls)
        self.use(self.publish(self.volume, driver=d, capability=
                              mount_capability(flags=["tls", "tlshost=" +
                                  self.fs + ".efs.us-east-1.hawser.internal"])))
        d.stop()


class Publish(NodeCase):
    def test_a_volume_is_used(self):
        v = self.create()
        t = self.publish(v.volume_id)
        point = self.point(v)
        self.assertEqual(mounts()[t], f"{self.fs}:/{point['AccessPointId']}")
        with open(t + "/file", "w") as f:
            f.write("hello")
        st = os.stat(t + "/file")
        self.assertEqual((st.st_uid, st.st_gid),
                         (point["PosixUser"]["Uid"],
                          point["PosixUser"]["Gid"]))
        # Another pod of the same node sees it; and what is published twice is
        # mounted once.
        other = self.publish(v.volume_id)
        with open(other + "/file") as f:
            self.assertEqual(f.read(), "hello")
        self.publish(v.volume_id, t)
        self.assertEqual(len([s for s in mounts().values()
                              if s.endswith(point["AccessPointId"])]), 2)
        for _ in range(2):
            self.d.NodeUnpublishVolume(volume_id=v.volume_id, target_path=t)
            self.assertNotIn(t, mounts())
            self.assertFalse(os.path.exists(t))
        with open(other + "/file") as f:
            self.assertEqual(f.read(), "hello")

    def test_handles(self):
        whole = self.publish(self.fs)
        os.makedirs(whole + "/a/b")
        with open(whole + "/a/b/file", "w") as f:
            f.write("x")
        for id in (f"efs:{self.fs}:/a/b", f"{self.fs}:a//b/",
                   f"{self.fs}:/a/../a/b:"):
            t = self.publish(id)
            self.assertEqual(os.listdir(t), ["file"], id)
        v = self.create(parameters=self.parameters(basePath="/a"))
        old = v.volume_id[len("efs:"):]
        t = self.publish(old)
        os.mkdir(t + "/sub")
        name = os.path.basename(self.point(v)["RootDirectory"]["Path"])
        self.assertEqual(os.listdir(f"{whole}/a/{name}"), ["sub"])
        point = v.volume_id.split(":")[-1]
        t = self.publish(f"{self.fs}:/sub:{point}")
        self.assertEqual(os.listdir(t), [])
        t = self.publish(self.fs, capability=mount_capability(
            flags=["accesspoint=" + point]))
        self.assertEqual(os.listdir(t), ["sub"])

    def test_read_only(self):
        v = self.create().volume_id
        rw = self.publish(v)
        os.mkdir(rw + "/d")
        C = mount_capability
        for more in ({"readonly": True},
                     {"capability": C(MODE.MULTI_NODE_READER_ONLY)},
                     {"capability": C(MODE.SINGLE_NODE_READER_ONLY)},
                     {"capability": C(flags=["ro"])}):
            t = self.publish(v, **more)
            self.assertEqual(os.listdir(t), ["d"])
            with self.assertRaises(OSError) as caught:
                os.mkdir(t + "/e")
            self.assertEqual(caught.exception.errno, errno.EROFS)
        self.refused("ALREADY_EXISTS", "something else",
                     self.d.NodePublishVolume,
                     **self.publishing(v, rw, readonly=True))

    def test_a_target_behind_a_link(self):
        v = self.create().volume_id
        os.makedirs(self.directory + "/real")
        os.symlink("real", self.directory + "/link")
        t = self.directory + "/link/mount"
        for path in (t, t + "/"):
            self.d.NodePublishVolume(**self.publishing(v, path))
            self.d.NodePublishVolume(**self.publishing(v, path))
            self.assertIn(self.directory + "/real/mount", mounts())
            self.d.NodeGetVolumeStats(volume_id=v, volume_path=path)
            self.d.NodeUnpublishVolume(volume_id=v, target_path=path)
            self.assertNotIn(self.directory + "/real/mount", mounts())
            self.assertEqual(os.listdir(self.directory + "/real"), [])
        # The target may be one itself.
        os.mkdir(self.directory + "/real/mount")
        path = self.directory + "/itself"
        os.symlink("real/mount", path)
        for _ in range(2):
            self.d.NodePublishVolume(**self.publishing(v, path))
        self.assertIn(self.directory + "/real/mount", mounts())
        self.d.NodeGetVolumeStats(volume_id=v, volume_path=path)
        self.d.NodeUnpublishVolume(volume_id=v, target_path=path)
        self.assertNotIn(self.directory + "/real/mount", mounts())

    def test_another_volume_is_there(self):
        t = self.publish(self.create().volume_id)
        other = self.create().volume_id
        self.refused("ALREADY_EXISTS", "something else",
                     self.d.NodePublishVolume, **self.publishing(other, t))

    def test_one_place_only(self):
        v = self.create().volume_id
        single = mount_capability(MODE.SINGLE_NODE_SINGLE_WRITER)
        t = self.publish(v, capability=single)
        self.publish(v, t, capability=single)
        self.refused("FAILED_PRECONDITION", t, self.d.NodePublishVolume,
                     **self.publishing(v, self.target(), single))
        self.d.NodeUnpublishVolume(volume_id=v, target_path=t)
        self.publish(v, capability=single)

    def test_groups(self):
        t = self.publish(self.fs, capability=mount_capability(group="4711"))
        st = os.stat(t)
        self.assertEqual((st.st_gid, st.st_mode & 0o2070), (4711, 0o2070))
        # Through an access point its user is everybody's.
        v = self.create()
        t = self.publish(v.volume_id, capability=mount_capability(group="1"))
        self.assertEqual(os.stat(t).st_gid,
                         self.point(v)["PosixUser"]["Gid"])
        for group in ("x", "-1", "99999999999", "4294967295"):
            self.refused("INVALID_ARGUMENT", "volume_mount_group",
                         self.d.NodePublishVolume, **self.publishing(
                             self.fs, self.target(),
                             mount_capability(group=group)))

    def test_a_group_is_given_by_whoever_comes_second(self):
        # As one does whose first call was killed behind the mount.
        t = self.publish(self.fs)
        self.publish(self.fs, t, capability=mount_capability(group="4712"))
        self.assertEqual(os.stat(t).st_gid, 4712)

    def test_what_is_published_needs_no_answer(self):
        v = self.create()
        t = self.publish(v.volume_id)
        d = Driver("--api", "http://127.0.0.1:1")
        d.NodePublishVolume(**self.publishing(v.volume_id, t))
        d.NodeUnpublishVolume(volume_id=v.volume_id, target_path=t)
        d.stop()

    def test_options_are_passed_on(self):
        t = self.publish(self.fs, capability=mount_capability(
            flags=["RSIZE=65536,wsize=65536", "timeo=600", "noatime",
                   "awscredsuri=/x", "rsize=65536"]))
        self.assertIn("rsize=65536,wsize=65536,timeo=600,noatime",
                      self.d.said())
        with open("/proc/self/mountinfo") as f:
            row = [line for line in f if f" {t} " in line][0]
        self.assertIn("noatime", row.split()[5])
        # Those of amazon-efs-utils that have no meaning here are no mistake.
        self.publish(self.fs, capability=mount_capability(
            flags=["noocsp", "tlsport=20050", "notls", "retry=1", "bg",
                   "_netdev", "nodirects3read", "client=fuse"]))
        for flags in (["nonsense"], ["soft"], ["rolearn=x"], ["client=x"], ["rsize=1"], ["x" * 600],
                      ["a" * 500 + str(i) for i in range(20)]):
            t = self.target()
            self.refused("INTERNAL", "Could not mount",
                         self.d.NodePublishVolume, **self.publishing(
                             self.fs, t, mount_capability(flags=flags)))
            self.assertFalse(os.path.exists(t))

    def test_refusals(self):
        good = self.publishing(self.fs, self.target())

        def bad(text, **more):
            self.refused("INVALID_ARGUMENT", text, self.d.NodePublishVolume,
                         **{**good, **more})

        bad("Volume ID not provided", volume_id="")
        bad("Target path not provided", target_path="")
        for path in ("mount", "/tmp/.", "/tmp/a/../b", "/" + 5000 * "x"):
            bad("absolute", target_path=path)
        bad("capability not provided", volume_capability=None)
        bad("only filesystem", volume_capability=block_capability())
        bad("access mode", volume_capability=mount_capability(mode=0))
        for id in ("x", "fs-x", "fs-0123456789abcdeg", "efs:", "s4:fs-01234567",
                   self.fs + "::fsap-x", self.fs + ":/:fsap-01234567:x",
                   "fs-" + "0" * 41):
            bad("is invalid", volume_id=id)
        bad("S3", volume_id="s3files:fs-01234567")
        for key, value in (("color", "blue"), ("encryptInTransit", "x"),
                           ("crossaccount", ""), ("mounttargetip", "host"),
                           ("mounttargetip", "1.2.3.4.5"),
                           ("mounttargetipmap", "{"),
                           ("mounttargetipmap", '{"a": 1}'),
                           ("multipathing", "maybe"),
                           ("maxMultipathTargets", "-1")):
            bad("Volume context property " + key, volume_context={key: value})
        bad("tls", volume_context={"encryptInTransit": "false"},
            volume_capability=mount_capability(flags=["tls"]))
        bad("crossaccount", volume_context={"crossaccount": "true"})
        bad("conflicting", volume_id=self.fs + "::fsap-01234567",
            volume_capability=mount_capability(
                flags=["accesspoint=fsap-01234568"]))
        bad("accesspoint", volume_capability=mount_capability(
            flags=["accesspoint=../x"]))
        self.refused("NOT_FOUND", "does not exist", self.d.NodePublishVolume,
                     **{**good, "volume_id": "fs-0123456789abcdef0"})
        self.refused("INTERNAL", "Could not mount", self.d.NodePublishVolume,
                     **{**good, "volume_id": self.fs + "::fsap-01234567"})
        self.assertEqual(os.path.exists(good["target_path"]), False)
        self.publish(self.fs, **{
            "encryptInTransit": "false", "crossaccount": "false",
            "storage.kubernetes.io/csiProvisionerIdentity": "1-2-x"})
        for missing in ("volume_id", "target_path"):
            self.refused("INVALID_ARGUMENT", "not provided",
                         self.d.NodeUnpublishVolume,
                         **{"volume_id": "v", "target_path": "/t",
                            missing: ""})

    def test_addresses(self):
        (_, one), (_, two), _ = self.targets
        for more in ({"mounttargetip": two},
                     {"mounttargetipmap": json.dumps({"a": two})},
                     {"capability": mount_capability(
                         flags=["mounttargetip=" + two])},
                     {"capability": mount_capability(
                         flags=["addr=" + two, "notrunkdiscovery"])}):
            t = self.publish(self.fs, **more)
            self.assertEqual(self.paths(t), {two: "live"})
        t = self.publish(self.fs)
        self.assertEqual(self.paths(t), {one: "live"})
        t = self.publish(self.fs, capability=mount_capability(
            flags=["az=us-east-1c"]))
        self.assertEqual(list(self.paths(t)), [self.targets[2][1]])
        self.refused("INTERNAL", "zone us-east-1z", self.d.NodePublishVolume,
                     **self.publishing(self.fs, self.target(),
                                       mount_capability(flags=["az=us-east-1z"]
                                                        )))
        empty = hawser("fs", "create", "--name", "empty").strip()
        self.refused("INTERNAL", "no mount target", self.d.NodePublishVolume,
                     **self.publishing(empty, self.target()))

    def test_without_an_api(self):
        d = Driver("--api", "http://127.0.0.1:9")
        self.addCleanup(d.stop)
        _, two = self.targets[1]
        t = self.publish(self.fs, driver=d, mounttargetip=two)
        self.assertEqual(self.paths(t), {two: "live"})
        # More paths are those that the server tells of.
        t = self.publish(self.fs, driver=d, mounttargetip=two,
                         multipathing="true", maxMultipathTargets="2")
        self.assertIn(two, self.paths(t))
        eventually(lambda: len(self.paths(t)) == 2)
        self.assertIn("but mounttargetip names one: a single mount target",
                      d.said())


class Node(NodeCase):
    def test_what_it_is(self):
        info = self.d.NodeGetInfo()
        self.assertEqual(info.node_id, "node-1")
        self.assertEqual(info.max_volumes_per_node, 0)
        self.assertFalse(info.HasField("accessible_topology"))
        d = Driver("--zone", "us-east-1b", "--node-id", "n")
        info = d.NodeGetInfo()
        self.assertEqual(dict(info.accessible_topology.segments),
                         {"topology.kubernetes.io/zone": "us-east-1b"})
        # Its own zone's mount target is taken.
        t = self.publish(self.fs, driver=d)
        self.assertEqual(list(self.paths(t)), [self.targets[1][1]])
        d.stop()

    def test_what_it_can(self):
        rpc = pb.NodeServiceCapability.RPC
        self.assertEqual(
            {c.rpc.type for c in self.d.NodeGetCapabilities().capabilities},
            {rpc.GET_VOLUME_STATS, rpc.SINGLE_NODE_MULTI_WRITER,
             rpc.VOLUME_MOUNT_GROUP})

    def stats(self, v, t):
        usage = self.d.NodeGetVolumeStats(volume_id=v.volume_id,
                                          volume_path=t).usage
        return {pb.VolumeUsage.Unit.Name(u.unit): u for u in usage}

    def test_stats(self):
        v = self.create(size=64 << 20)
        t = self.publish(v.volume_id)
        st = os.statvfs(t)
        stats = self.stats(v, t)
        self.assertEqual(stats["BYTES"].total, 64 << 20)
        self.assertEqual(st.f_blocks * st.f_frsize, 64 << 20)
        # Those of the disk below, which others use, too.
        self.assertAlmostEqual(stats["INODES"].total, st.f_files, delta=1e5)
        before = stats["BYTES"].used
        with open(t + "/file", "wb") as f:
            f.write(b"x" * (8 << 20))
        eventually(lambda: self.stats(v, t)["BYTES"].used - before >= 8 << 20)
        S = self.d.NodeGetVolumeStats
        self.refused("INVALID_ARGUMENT", "ID", S, volume_path=t)
        self.refused("INVALID_ARGUMENT", "path", S, volume_id=v.volume_id)
        for path in ("/nowhere", self.directory, "/"):
            self.refused("NOT_FOUND", path, S, volume_id=v.volume_id,
                         volume_path=path)

    def test_the_capacity_is_a_quota(self):
        v = self.create(size=16 << 20)
        t = self.publish(v.volume_id)

        def write(name, size):
            with open(f"{t}/{name}", "wb") as f:
                f.write(b"x" * size)
                os.fsync(f.fileno())

        write("a", 8 << 20)
        with self.assertRaises(OSError) as caught:
            write("b", 16 << 20)
        self.assertEqual(caught.exception.errno, errno.EDQUOT)
        os.unlink(t + "/b")
        self.d.ControllerExpandVolume(
            volume_id=v.volume_id,
            capacity_range=pb.CapacityRange(required_bytes=64 << 20))
        eventually(lambda: self.stats(v, t)["BYTES"].total == 64 << 20)
        write("b", 16 << 20)
        # Others have what they have.
        other = self.publish(self.create(size=32 << 20).volume_id)
        self.assertEqual(os.statvfs(other).f_bavail *
                         os.statvfs(other).f_frsize, 32 << 20)

    def test_a_silent_server_keeps_nobody(self):
        v = self.create()
        t = self.publish(v.volume_id)
        self.stats(v, t)
        for id, _ in self.targets:
            hawser("mount-target", "down", id)
        try:
            time.sleep(1.1)
            self.refused("INTERNAL", "timed out", self.d.NodeGetVolumeStats,
                         volume_id=v.volume_id, volume_path=t)
        finally:
            for id, _ in self.targets:
                hawser("mount-target", "up", id)
        eventually(lambda: self.stats(v, t))


class Multipath(NodeCase):
    def test_two_targets_one_dies(self):
        v = self.create(parameters=self.parameters(
            multipathing="true", maxMultipathTargets="2"))
        t = self.publish(v.volume_id, **dict(v.volume_context))
        (id, one), (_, two), _ = self.targets
        for line in ("Building multipath mount options for 2 mount targets",
                     f"Added multipath mount option addr={one}",
                     f"Added multipath mount option mounttargetip_1={two}",
                     "Enabled multipathing with 2 mount targets",
                     f"addr={one},mounttargetip_1={two}"):
            self.assertIn(line, self.d.said())
        eventually(lambda: self.paths(t) == {one: "live", two: "live"})
        written, worst, stop = 0, 0.0, time.monotonic() + 6
        down = threading.Timer(1, hawser, ("mount-target", "down", id))
        down.start()
        up = threading.Timer(3.5, hawser, ("mount-target", "up", id))
        up.start()
        with open(t + "/file", "wb", buffering=0) as f:
            while time.monotonic() < stop:
                begun = time.monotonic()
                f.write(b"%07d\n" % written)
                os.fsync(f.fileno())
                worst = max(worst, time.monotonic() - begun)
                written += 1
        down.join()
        up.join()
        with open(t + "/file", "rb") as f:
            self.assertEqual(f.read(), b"".join(b"%07d\n" % i
                                                for i in range(written)))
        print(f"{written} writes, the slowest took {worst * 1000:.0f} ms")
        self.assertLess(worst, 5)
        eventually(lambda: self.paths(t) == {one: "live", two: "live"})

    def test_all_targets(self):
        t = self.publish(self.fs, multipathing="true")
        eventually(lambda: sorted(self.paths(t)) == sorted(
            a for _, a in self.targets))

    def test_one_target(self):
        fs = hawser("fs", "create", "--name", "one").strip()
        hawser("mount-target", "create", fs)
        self.publish(fs, multipathing="true")
        self.assertIn("multipathing is asked for, but it has one mount target",
                      self.d.said())


class Life(NodeCase):
    def test_mounts_outlive_the_driver(self):
        v = self.create()
        t = self.publish(v.volume_id)
        f = open(t + "/file", "wb", buffering=0)
        f.write(b"before")
        self.d.kill()
        f.write(b" after")
        os.fsync(f.fileno())
        f.close()
        os.mkdir(t + "/d")
        self.d.start()
        self.publish(v.volume_id, t)
        with open(t + "/file") as f:
            self.assertEqual(f.read(), "before after")
        self.d.NodeUnpublishVolume(volume_id=v.volume_id, target_path=t)
        self.assertFalse(os.path.exists(t))

    def test_a_dead_daemon(self):
        v = self.create()
        t = self.publish(v.volume_id)
        os.mkdir(t + "/d")
        os.kill(self.daemon(t), signal.SIGKILL)
        eventually(lambda: self.daemon(t) is None)
        self.publish(v.volume_id, t)
        self.assertEqual(os.listdir(t), ["d"])
        os.kill(self.daemon(t), signal.SIGKILL)
        self.d.NodeUnpublishVolume(volume_id=v.volume_id, target_path=t)
        self.assertNotIn(t, mounts())

    def test_daemons_go_to_a_cgroup(self):
        # As far as a directory can be one: who says that he comes, has come.
        with tempfile.TemporaryDirectory() as cgroup:
            d = Driver("--cgroup", cgroup)
            self.addCleanup(d.stop)
            t = self.publish(self.fs, driver=d)
            with open(cgroup + "/cgroup.procs") as f:
                self.assertTrue(f.read().strip().isdigit())
            self.assertIn(t, mounts())
        d = Driver("--cgroup", "/nowhere")
        self.addCleanup(d.stop)
        t = self.target()
        self.refused("INTERNAL", "/nowhere/cgroup.procs", d.NodePublishVolume,
                     **self.publishing(self.fs, t))
        self.assertNotIn(t, mounts())

    def test_one_in_use_stays(self):
        v = self.create()
        t = self.publish(v.volume_id)
        with open(t + "/file", "w"):
            self.refused("INTERNAL", "in use", self.d.NodeUnpublishVolume,
                         volume_id=v.volume_id, target_path=t)
            self.assertIn(t, mounts())
        self.d.NodeUnpublishVolume(volume_id=v.volume_id, target_path=t)

    def test_many_at_once(self):
        volumes = [self.create() for _ in range(20)]
        targets = [self.target() for _ in volumes]
        for name in ("NodePublishVolume", "NodeUnpublishVolume"):
            running = []
            for v, t in zip(volumes, targets):
                more = (self.publishing(v.volume_id, t)
                        if name == "NodePublishVolume" else
                        {"volume_id": v.volume_id, "target_path": t})
                running.append(getattr(self.d, name).later(**more))
            for r in running:
                r.result()
            self.assertEqual(len(set(mounts()) & set(targets)),
                             20 if name == "NodePublishVolume" else 0)


main()
