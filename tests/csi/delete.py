# SPDX-License-Identifier: Apache-2.0
"""DeleteVolume with --delete-access-point-root-dir: the volume's own data and
nothing else."""
import os
import tempfile

from lib import Case, Driver, main, mount_capability


class Delete(Case):
    OPTIONS = ("--delete-access-point-root-dir",)

    def setUp(self):
        self.whole = tempfile.mkdtemp() + "/whole"
        self.publish(self.fs, self.whole)

    def publish(self, id, target):
        self.d.NodePublishVolume(volume_id=id, target_path=target,
                                 volume_capability=mount_capability())
        self.addCleanup(self.d.NodeUnpublishVolume, volume_id=id,
                        target_path=target)

    def fill(self, volume):
        """A tree with all kinds of things in it, some of them closed."""
        target = tempfile.mkdtemp() + "/t"
        where = {"volume_id": volume.volume_id, "target_path": target}
        self.d.NodePublishVolume(**where,
                                 volume_capability=mount_capability())
        os.makedirs(target + "/a/b/c/d")
        for i in range(300):
            open(f"{target}/a/b/{i}", "w").close()
        os.symlink("/etc", target + "/link")
        os.symlink("../..", target + "/a/up")
        os.mkfifo(target + "/fifo")
        os.link(target + "/a/b/0", target + "/hard")
        os.chmod(target + "/a/b/c", 0)
        os.chmod(target + "/a/b", 0o500)
        self.d.NodeUnpublishVolume(**where)

    def point_at(self, path):
        """An access point that is nobody's volume: the volume's id."""
        p = self.efs.create_access_point(
            FileSystemId=self.fs, ClientToken="at" + path.replace("/", "-"),
            PosixUser={"Uid": 0, "Gid": 0},
            RootDirectory={"Path": path, "CreationInfo": {
                "OwnerUid": 0, "OwnerGid": 0, "Permissions": "755"}})
        return f"efs:{self.fs}::{p['AccessPointId']}"

    def exists(self, id):
        return id.split(":")[-1] in [p["AccessPointId"]
                                     for p in self.points()]

    def test_own_data_go(self):
        v = self.create("pvc-full")
        beside = self.create("pvc-full2")
        self.fill(v)
        self.fill(beside)
        self.d.DeleteVolume(volume_id=v.volume_id)
        self.assertEqual(os.listdir(self.whole + "/pvc-full"), [])
        self.assertEqual(len(os.listdir(self.whole + "/pvc-full2")), 4)
        self.assertFalse(self.exists(v.volume_id))
        self.assertTrue(os.path.exists("/etc/passwd"))
        self.d.DeleteVolume(volume_id=v.volume_id)
        with open("/proc/self/mounts") as f:
            self.assertNotIn(self.d.directory + "/pv", f.read())
        self.assertEqual(os.listdir(self.d.directory + "/pv"), [])

    def test_the_root_stays(self):
        os.mkdir(self.whole + "/precious")
        id = self.point_at("/")
        self.d.DeleteVolume(volume_id=id)
        self.assertFalse(self.exists(id))
        self.assertIn("precious", os.listdir(self.whole))
        self.assertIn("its data stay", self.d.said())

    def test_what_is_shared_stays(self):
        os.makedirs(self.whole + "/shared/inner/precious")
        outer, inner = self.point_at("/shared"), self.point_at("/shared/inner")
        twin = self.efs.create_access_point(
            FileSystemId=self.fs, ClientToken="twin",
            RootDirectory={"Path": "/shared/inner"})
        self.d.DeleteVolume(volume_id=outer)
        self.d.DeleteVolume(volume_id=inner)
        self.assertEqual(os.listdir(self.whole + "/shared/inner"),
                         ["precious"])
        # The last one's are its own.
        id = f"efs:{self.fs}::{twin['AccessPointId']}"
        self.d.DeleteVolume(volume_id=id)
        self.assertEqual(os.listdir(self.whole + "/shared/inner"), [])
        self.assertFalse(self.exists(id))

    def test_names_that_only_begin_alike(self):
        os.makedirs(self.whole + "/app-2/precious")
        self.point_at("/app-2")
        os.makedirs(self.whole + "/app/data")
        self.d.DeleteVolume(volume_id=self.point_at("/app"))
        self.assertEqual(os.listdir(self.whole + "/app"), [])
        self.assertEqual(os.listdir(self.whole + "/app-2"), ["precious"])

    def test_what_cannot_be_deleted_keeps_the_volume(self):
        v = self.create("pvc-foreign")
        self.fill(v)
        os.mkdir(self.whole + "/pvc-foreign/foreign")
        os.mkdir(self.whole + "/pvc-foreign/foreign/file")
        os.chmod(self.whole + "/pvc-foreign/foreign", 0o700)
        os.chown(self.whole + "/pvc-foreign/foreign", 0, 0)
        self.refused("INTERNAL", "Could not delete what is in",
                     self.d.DeleteVolume, volume_id=v.volume_id)
        self.assertTrue(self.exists(v.volume_id))
        os.rmdir(self.whole + "/pvc-foreign/foreign/file")
        os.rmdir(self.whole + "/pvc-foreign/foreign")
        self.d.DeleteVolume(volume_id=v.volume_id)

    def test_not_unless_it_is_told_to(self):
        d = Driver("--delete-access-point-root-dir=false")
        v = self.create("pvc-kept")
        self.fill(v)
        d.DeleteVolume(volume_id=v.volume_id)
        self.assertEqual(len(os.listdir(self.whole + "/pvc-kept")), 4)
        d.stop()


main()
