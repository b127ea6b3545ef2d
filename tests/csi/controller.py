# SPDX-License-Identifier: Apache-2.0
"""Identity and Controller: every parameter, every refusal, the same call
twice, many at once."""
import hashlib
import uuid

import grpc

from lib import (GIB, MODE, Case, Driver, block_capability, main,
                 mount_capability, pb)


class Identity(Case):
    def test_who_it_is(self):
        info = self.d.GetPluginInfo()
        self.assertEqual(info.name, "efs.csi.aws.com")
        self.assertTrue(info.vendor_version)
        other = Driver("--driver-name", "files.example.org")
        self.assertEqual(other.GetPluginInfo().name, "files.example.org")
        self.assertEqual(other.stop(), 0)

    def test_what_it_can(self):
        kinds = [c.service.type or c.volume_expansion.type
                 for c in self.d.GetPluginCapabilities().capabilities]
        self.assertEqual(len(kinds), 3)
        caps = self.d.ControllerGetCapabilities().capabilities
        rpc = pb.ControllerServiceCapability.RPC
        self.assertEqual({c.rpc.type for c in caps},
                         {rpc.CREATE_DELETE_VOLUME, rpc.LIST_VOLUMES,
                          rpc.EXPAND_VOLUME, rpc.GET_VOLUME,
                          rpc.SINGLE_NODE_MULTI_WRITER})

    def test_what_it_cannot(self):
        for name in ("ControllerPublishVolume", "ControllerUnpublishVolume",
                     "CreateSnapshot", "DeleteSnapshot", "ListSnapshots",
                     "GetCapacity", "ControllerModifyVolume",
                     "NodeStageVolume", "NodeUnstageVolume",
                     "NodeExpandVolume"):
            self.refused("UNIMPLEMENTED", name, getattr(self.d, name))

    def test_nonsense_is_refused(self):
        call = self.d.channel.unary_unary("/csi.v1.Identity/Probe")
        with self.assertRaises(grpc.RpcError) as caught:
            call(b"\xff\xff\xff", timeout=10)
        self.assertEqual(caught.exception.code().name, "INVALID_ARGUMENT")
        with self.assertRaises(grpc.RpcError) as caught:
            call(b"\0" * 300000, timeout=10)
        self.assertEqual(caught.exception.code().name, "RESOURCE_EXHAUSTED")
        self.d.Probe()

    def test_texts_are_texts(self):
        """Not cut at a NUL: two names would be one; and UTF-8."""
        request = self.request("two\0names")
        self.refused("INVALID_ARGUMENT", "NUL", self.d.CreateVolume, **request)
        for key in ("fileSystemId", "nonsense"):
            request = self.request(parameters=self.parameters(
                **{key: self.fs + "\0"}))
            self.refused("INVALID_ARGUMENT", "NUL", self.d.CreateVolume,
                         **request)
        create = self.d.channel.unary_unary("/csi.v1.Controller/CreateVolume")
        request = pb.CreateVolumeRequest(**self.request("name"))
        for broken in (b"\xff", b"\xc3", b"\xed\xa0\x80"):
            # A field that comes again replaces the first.
            name = b"\x0a" + bytes([len(broken)]) + broken
            with self.assertRaises(grpc.RpcError) as caught:
                create(request.SerializeToString() + name, timeout=10)
            self.assertEqual(caught.exception.code().name, "INVALID_ARGUMENT")
        self.assertEqual(self.points(), [])
        self.create("\u00fc\u20ac\U0001f600")


class Create(Case):
    def bad(self, text, code="INVALID_ARGUMENT", **more):
        before = len(self.points())
        self.refused(code, text, self.d.CreateVolume, **self.request(**more))
        self.assertEqual(len(self.points()), before)

    def bad_parameter(self, text, **parameters):
        self.bad(text, parameters=self.parameters(**parameters))

    def test_an_access_point(self):
        v = self.create("pvc-one")
        p = self.point(v)
        self.assertEqual(v.volume_id, f"efs:{self.fs}::{p['AccessPointId']}")
        self.assertEqual(v.capacity_bytes, GIB)
        self.assertEqual(dict(v.volume_context), {})
        self.assertEqual(p["ClientToken"], "pvc-one")
        user = p["PosixUser"]
        self.assertEqual(user["Uid"], user["Gid"])
        self.assertTrue(50000 <= user["Gid"] <= 60000)
        self.assertEqual(p["RootDirectory"], {
            "Path": "/pvc-one",
            "CreationInfo": {"OwnerUid": user["Uid"],
                             "OwnerGid": user["Gid"], "Permissions": "700"}})
        self.assertEqual({t["Key"]: t["Value"] for t in p["Tags"]},
                         {"efs.csi.aws.com/cluster": "true",
                          "hawser:quota-bytes": str(GIB)})

    def test_no_name_leads_elsewhere(self):
        at = self.parameters(basePath="/a/b")
        for name in ("..", "../../c", "x/../../..", ".", "a/b", ".hidden"):
            v = self.create(name, parameters=at)
            self.assertRegex(self.point(v)["RootDirectory"]["Path"],
                             "^/a/b/[0-9a-f]{64}$")
            self.assertEqual(self.create(name, parameters=at).volume_id,
                             v.volume_id)
        self.bad_parameter("leads out of basePath", basePath="/a/b",
                           subPathPattern="../c")
        self.bad_parameter("leads out of basePath", basePath="/a/b",
                           subPathPattern="..", ensureUniqueDirectory="false")
        for name in ("..", "a/b"):
            self.bad_parameter("is not the name of a directory",
                               subPathPattern="${.PVC.namespace}/${.PVC.name}",
                               **{"csi.storage.k8s.io/pvc/name": name,
                                  "csi.storage.k8s.io/pvc/namespace": "n"})

    def test_without_a_capacity(self):
        v = self.create(size=0)
        self.assertEqual(v.capacity_bytes, 0)
        self.assertNotIn("hawser:quota-bytes",
                         [t["Key"] for t in self.point(v)["Tags"]])
        v = self.create(capacity_range=pb.CapacityRange(limit_bytes=5))
        self.assertEqual(v.capacity_bytes, 5)

    def test_capacities_that_are_none(self):
        R = pb.CapacityRange
        self.bad("negative", capacity_range=R(required_bytes=-1))
        self.bad("more than its limit",
                 capacity_range=R(required_bytes=2, limit_bytes=1))
        self.bad("at most", code="OUT_OF_RANGE",
                 capacity_range=R(required_bytes=10**18))

    def test_the_same_name_twice(self):
        first = self.create("pvc-same")
        self.assertEqual(self.create("pvc-same"), first)
        self.bad("Invalid existing access point", code="ALREADY_EXISTS",
                 name="pvc-same", size=2 * GIB)
        limited = pb.CapacityRange(required_bytes=1, limit_bytes=GIB - 1)
        self.bad("Invalid existing access point", code="ALREADY_EXISTS",
                 name="pvc-same", capacity_range=limited)
        enough = pb.CapacityRange(required_bytes=1)
        self.assertEqual(self.create("pvc-same", capacity_range=enough), first)

    def test_names(self):
        request = {**self.request(), "name": ""}
        self.refused("INVALID_ARGUMENT", "Volume name not provided",
                     self.d.CreateVolume, **request)
        long = "x" * 128
        v = self.create(long)
        digest = hashlib.sha256(long.encode()).hexdigest()
        self.assertEqual(self.point(v)["ClientToken"], digest)
        self.assertEqual(self.create(long), v)
        self.assertNotEqual(self.create("x" * 127 + "y"), v)

    def test_capabilities(self):
        C = mount_capability
        self.bad("Volume capabilities not provided", volume_capabilities=[])
        self.bad("not supported", volume_capabilities=[block_capability()])
        self.bad("not supported", volume_capabilities=[C(), C(mode=0)])
        self.bad("not supported", volume_capabilities=[C(mode=99)])
        self.bad("must be mount", volume_capabilities=[
            pb.VolumeCapability(access_mode=MODE(mode=5))])
        self.bad("crossaccount",
                 volume_capabilities=[C(flags=["crossaccount"])])
        self.bad("fstype", volume_capabilities=[C(fs_type="ext4")])
        for mode in range(1, 8):
            self.create(volume_capabilities=[C(mode=mode, fs_type="efs")])

    def test_sources_are_refused(self):
        source = pb.VolumeContentSource(
            snapshot=pb.VolumeContentSource.SnapshotSource(snapshot_id="s"))
        self.bad("no snapshots", volume_content_source=source)
        self.bad("mutable", mutable_parameters={"iops": "1"})

    def test_file_systems(self):
        needed = "Exactly one of fileSystemId"
        self.bad_parameter(needed, fileSystemId=None)
        self.bad_parameter(needed, fileSystemId=" ")
        self.bad_parameter(needed, fileSystemIdConfigRef="a/b/c")
        self.bad_parameter("reads no objects", fileSystemId=None,
                           fileSystemIdSecretRef="a/b/c")
        self.bad_parameter("is not the id", fileSystemId="fs-../x")
        self.bad_parameter("File System does not exist",
                           fileSystemId="fs-0123456789abcdef0")

    def test_modes(self):
        self.bad_parameter("Missing provisioningMode parameter",
                           provisioningMode=None)
        self.bad_parameter(
            "Provisioning mode efs-dir is not supported. Only Access point "
            "provisioning 'efs-ap' or 's3files-ap' are supported",
            provisioningMode="efs-dir")
        self.bad_parameter("s3files-ap is not there",
                           provisioningMode="s3files-ap")
        self.bad_parameter("nvme is not there yet", protocol="nvme")
        self.bad_parameter("not known", protocol="smb")
        self.create(parameters=self.parameters(protocol="nfs"))

    def test_ids(self):
        for name in ("uid", "gid"):
            for value in ("-1", "x", "", "1.5", "4294967296", "9" * 30):
                self.bad_parameter(name, **{name: value})
        p = self.point(self.create(parameters=self.parameters(
            uid="0", gid="7")))
        self.assertEqual(p["PosixUser"], {"Uid": 0, "Gid": 7})
        p = self.point(self.create(parameters=self.parameters(uid="12")))
        self.assertEqual(p["PosixUser"]["Uid"], 12)
        self.assertGreaterEqual(p["PosixUser"]["Gid"], 50000)
        p = self.point(self.create(parameters=self.parameters(gid="13")))
        self.assertEqual(p["PosixUser"]["Gid"], 13)
        self.assertGreaterEqual(p["PosixUser"]["Uid"], 50000)

    def test_ranges(self):
        def bad(text, start=None, end=None):
            self.bad_parameter(text, gidRangeStart=start, gidRangeEnd=end)
        bad("gidRangeEnd", start="1000")
        bad("gidRangeStart", end="1000")
        bad("gidRangeStart", start="0", end="10")
        bad("gidRangeStart", start="x", end="10")
        bad("gidRangeEnd", start="10", end="-1")
        bad("must be greater", start="10", end="10")
        bad("must be greater", start="10", end="9")

    def test_a_range_is_used_up(self):
        parameters = self.parameters(gidRangeStart="70000",
                                     gidRangeEnd="70002")
        names = [f"pvc-range-{i}" for i in range(3)]
        volumes = [self.create(n, parameters=parameters) for n in names]
        gids = [self.point(v)["PosixUser"]["Gid"] for v in volumes]
        self.assertEqual(gids, [70000, 70001, 70002])
        self.bad("Failed to locate a free GID for given file system",
                 code="INTERNAL", parameters=parameters)
        # Those that are there are, still.
        self.assertEqual(self.create(names[1], parameters=parameters),
                         volumes[1])
        self.d.DeleteVolume(volume_id=volumes[1].volume_id)
        v = self.create("pvc-range-again", parameters=parameters)
        self.assertEqual(self.point(v)["PosixUser"]["Gid"], 70001)

    def test_directories(self):
        def path(name, **parameters):
            v = self.create(name, parameters=self.parameters(**parameters))
            return self.point(v)["RootDirectory"]["Path"]
        names = {"csi.storage.k8s.io/pvc/name": "data",
                 "csi.storage.k8s.io/pvc/namespace": "prod",
                 "csi.storage.k8s.io/pv/name": "pv-1"}
        pattern = "${.PVC.namespace}/${.PVC.name}-${.PV.name}"
        self.assertEqual(path("pvc-d1", basePath="/base//x/"),
                         "/base/x/pvc-d1")
        self.assertEqual(path("pvc-d2", basePath="base"), "/base/pvc-d2")
        self.assertEqual(
            path("pvc-d3", basePath="/b", subPathPattern=pattern,
                 ensureUniqueDirectory="false", **names),
            "/b/prod/data-pv-1")
        for value in (None, "true", "nonsense"):
            unique = path(f"pvc-d4-{value}", subPathPattern="${.PVC.name}",
                          ensureUniqueDirectory=value, **names)
            self.assertTrue(unique.startswith("/data-"))
            uuid.UUID(unique[len("/data-"):])
        v = self.create(parameters=self.parameters(directoryPerms=None))
        self.assertEqual(self.point(v)["RootDirectory"]["CreationInfo"][
            "Permissions"], "700")
        self.assertEqual(path("pvc-d5", subPathPattern="../../up",
                              ensureUniqueDirectory="false"), "/up")

    def test_a_shared_directory(self):
        parameters = self.parameters(subPathPattern="shared",
                                     ensureUniqueDirectory="false")
        one = self.create("pvc-s1", parameters=parameters)
        two = self.create("pvc-s2", parameters=parameters)
        self.assertEqual(self.point(one)["RootDirectory"]["Path"],
                         self.point(two)["RootDirectory"]["Path"])
        # A directory has one quota; what the other is to have is known still.
        tags = {t["Key"]: t["Value"] for t in self.point(two)["Tags"]}
        self.assertNotIn("hawser:quota-bytes", tags)
        self.assertEqual(tags["efs.csi.aws.com/capacity"], str(GIB))
        self.assertEqual(two.capacity_bytes, GIB)
        self.bad("Invalid existing", code="ALREADY_EXISTS", name="pvc-s2",
                 size=2 * GIB, parameters=parameters)
        for v in (one, two):
            r = self.d.ControllerExpandVolume(
                volume_id=v.volume_id,
                capacity_range=pb.CapacityRange(required_bytes=2 * GIB))
            self.assertEqual(r.capacity_bytes, 2 * GIB)

    def test_directories_that_are_none(self):
        bad = self.bad_parameter
        bad("subPathPattern", subPathPattern="${.PVC.uid}")
        bad("subPathPattern", subPathPattern="a}")
        bad("subPathPattern", subPathPattern="${")
        bad("exceeds EFS limits", basePath="/" + "x" * 100)
        bad("exceeds EFS limits", basePath="/a/b/c/d/e")
        bad("too long", basePath="x" * 5000)
        bad("directoryPerms", directoryPerms="")
        bad("directoryPerms", directoryPerms="rwx")
        bad("directoryPerms", directoryPerms="77777")

    def test_switches(self):
        for name in ("reuseAccessPoint", "enforceZoneAffinity",
                     "enableTagging", "multipathing"):
            for value in ("yes", "", "2", "TrUe"):
                self.bad_parameter(name, **{name: value})
        for value in ("-1", "x", "1.5"):
            self.bad_parameter("maxMultipathTargets",
                               maxMultipathTargets=value)
        # Upstream looks at these before everything else.
        request = {**self.request(parameters={"reuseAccessPoint": "x"}),
                   "name": ""}
        self.refused("INVALID_ARGUMENT", "reuseAccessPoint",
                     self.d.CreateVolume, **request)

    def test_unknown_ones_are_ignored(self):
        self.create(parameters=self.parameters(color="blue", az="us-east-1a"))

    def test_multipathing_is_remembered(self):
        v = self.create(parameters=self.parameters(multipathing="true"))
        self.assertEqual(dict(v.volume_context),
                         {"multipathing": "true", "maxMultipathTargets": "0"})
        v = self.create(parameters=self.parameters(
            multipathing="True", maxMultipathTargets="2"))
        self.assertEqual(v.volume_context["maxMultipathTargets"], "2")

    def test_reuse(self):
        def create(name, claim="claim", size=GIB, **more):
            return self.create(name, size=size, parameters=self.parameters(
                reuseAccessPoint="true",
                **{"csi.storage.k8s.io/pvc/name": claim}, **more))
        first = create("pvc-r1")
        self.assertEqual(self.point(first)["ClientToken"],
                         hashlib.sha256(b"claim").hexdigest())
        self.assertEqual(create("pvc-r2").volume_id, first.volume_id)
        self.assertNotEqual(create("pvc-r3", "other").volume_id,
                            first.volume_id)
        for more in ({"basePath": "/elsewhere"}, {"uid": "5"}, {"gid": "5"},
                     {"gidRangeStart": "100", "gidRangeEnd": "200"},
                     {"size": 2 * GIB}):
            with self.assertRaises(grpc.RpcError) as caught:
                create("pvc-r4", **more)
            self.assertEqual(caught.exception.code().name, "ALREADY_EXISTS")
            self.assertIn("Invalid existing access point",
                          caught.exception.details())
        self.bad_parameter("claim", reuseAccessPoint="true")

    def test_tags(self):
        d = Driver("--tags", r"team:a\:b owner:c\ d")
        v = d.CreateVolume(**self.request()).volume
        tags = {t["Key"]: t["Value"] for t in self.point(v)["Tags"]}
        self.assertEqual(tags["team"], "a:b")
        self.assertEqual(tags["owner"], "c d")
        self.refused("INVALID_ARGUMENT", "--tags", d.CreateVolume,
                     **self.request(parameters=self.parameters(
                         enableTagging="false")))
        d.stop()
        v = self.create(parameters=self.parameters(enableTagging="false"))
        self.assertEqual(self.point(v)["Tags"], [])
        self.assertEqual(v.capacity_bytes, GIB)

    def test_zones(self):
        v = self.create(parameters=self.parameters(
            enforceZoneAffinity="true"))
        self.assertEqual(len(v.accessible_topology), 0)
        one = self.efs.create_file_system(
            CreationToken="one-zone", AvailabilityZoneName="us-east-1b")
        v = self.create(parameters=self.parameters(
            enforceZoneAffinity="true", fileSystemId=one["FileSystemId"]))
        self.assertEqual(
            [dict(t.segments) for t in v.accessible_topology],
            [{"topology.kubernetes.io/zone": "us-east-1b"}])

    def test_secrets(self):
        self.bad("awsRoleArn", secrets={"awsRoleArn": "arn:aws:iam::1:role/x"})
        self.bad("boolean", secrets={"crossaccount": "perhaps"})

    def test_who_may_not(self):
        d = Driver(environment={"AWS_ACCESS_KEY_ID": "AKIANOBODY",
                                "AWS_SECRET_ACCESS_KEY": "x"})
        self.refused("UNAUTHENTICATED", "Access Denied", d.CreateVolume,
                     **self.request())
        d.stop()

    def test_nobody_there(self):
        d = Driver("--api", "http://127.0.0.1:9")
        self.refused("UNAVAILABLE", "", d.CreateVolume, **self.request())
        self.refused("UNAVAILABLE", "", d.DeleteVolume,
                     volume_id=f"efs:{self.fs}::fsap-0123456789abcdef0")
        d.stop()


class Others(Case):
    def test_delete(self):
        v = self.create()
        self.d.DeleteVolume(volume_id=v.volume_id)
        self.assertNotIn(v.volume_id.split(":")[-1],
                         [p["AccessPointId"] for p in self.points()])
        self.d.DeleteVolume(volume_id=v.volume_id)
        old = self.create().volume_id[len("efs:"):]
        self.d.DeleteVolume(volume_id=old)
        # Of another file system, or another kind of them, it is none.
        v = self.create()
        self.d.DeleteVolume(volume_id=v.volume_id.replace("efs:", "s3files:"))
        self.d.DeleteVolume(volume_id="efs:fs-0123456789abcdef0::" +
                            v.volume_id.split(":")[-1])
        self.point(v)
        self.d.DeleteVolume(volume_id=v.volume_id)
        for id in ("nothing", "reallyfakevolumeid", self.fs,
                   f"efs:{self.fs}", f"{self.fs}::fsap-x", "a:b:c:d:e:f"):
            self.d.DeleteVolume(volume_id=id)
        self.refused("INVALID_ARGUMENT", "Volume ID not provided",
                     self.d.DeleteVolume)

    def test_validate(self):
        ask = self.d.ValidateVolumeCapabilities
        v = self.create().volume_id
        good = [mount_capability()]
        for id in (v, v[len("efs:"):], self.fs, f"{self.fs}:/sub"):
            r = ask(volume_id=id, volume_capabilities=good)
            self.assertEqual(list(r.confirmed.volume_capabilities), good)
        r = ask(volume_id=v, volume_capabilities=[block_capability()])
        self.assertFalse(r.HasField("confirmed"))
        self.assertIn("only filesystem", r.message)
        self.refused("INVALID_ARGUMENT", "Volume ID", ask,
                     volume_capabilities=good)
        self.refused("INVALID_ARGUMENT", "capabilities", ask, volume_id=v)
        other = "fsap-0123456789abcdef0"
        for id in ("x", "fs-0123456789abcdef0", f"efs:{self.fs}::{other}",
                   "s3files:" + self.fs, v.replace("efs:", "s3files:"),
                   "efs:fs-0123456789abcdef0::" + v.split(":")[-1],
                   v + ":more"):
            self.refused("NOT_FOUND", id, ask, volume_id=id,
                         volume_capabilities=good)

    def test_get(self):
        v = self.create()
        self.assertEqual(self.d.ControllerGetVolume(
            volume_id=v.volume_id).volume, v)
        self.refused("NOT_FOUND", "", self.d.ControllerGetVolume,
                     volume_id="efs:fs-0123456789abcdef0")
        self.refused("INVALID_ARGUMENT", "", self.d.ControllerGetVolume)

    def test_list(self):
        mine = {self.create().volume_id for _ in range(7)}
        self.efs.create_access_point(FileSystemId=self.fs,
                                     ClientToken="somebody")
        found, token, pages = set(), "", 0
        while True:
            page = self.d.ListVolumes(max_entries=3, starting_token=token)
            self.assertLessEqual(len(page.entries), 3)
            found |= {e.volume.volume_id for e in page.entries}
            token, pages = page.next_token, pages + 1
            if not token:
                break
        self.assertLessEqual(mine, found)
        self.assertGreater(pages, 2)
        gone = mine.pop()
        self.d.DeleteVolume(volume_id=gone)
        found = {e.volume.volume_id for e in self.d.ListVolumes().entries}
        self.assertLessEqual(mine, found)
        self.assertNotIn(gone, found)
        for token in ("invalid-token", "x" * 5000, "p&FileSystemId=1"):
            self.refused("ABORTED", "starting_token", self.d.ListVolumes,
                         starting_token=token)
        self.refused("INVALID_ARGUMENT", "", self.d.ListVolumes,
                     max_entries=-1)

    def test_expand(self):
        expand = self.d.ControllerExpandVolume
        R = pb.CapacityRange
        v = self.create("pvc-grows")
        r = expand(volume_id=v.volume_id,
                   capacity_range=R(required_bytes=3 * GIB))
        self.assertEqual((r.capacity_bytes, r.node_expansion_required),
                         (3 * GIB, False))
        self.assertIn({"Key": "hawser:quota-bytes", "Value": str(3 * GIB)},
                      self.point(v)["Tags"])
        # Never smaller, and the same again is the same.
        for size in (GIB, 3 * GIB):
            r = expand(volume_id=v.volume_id,
                       capacity_range=R(required_bytes=size))
            self.assertEqual(r.capacity_bytes, 3 * GIB)
        # Whoever repeats the creation still gets it.
        self.assertEqual(self.create("pvc-grows").capacity_bytes, 3 * GIB)
        self.refused("OUT_OF_RANGE", "limit", expand, volume_id=v.volume_id,
                     capacity_range=R(limit_bytes=GIB))
        self.refused("OUT_OF_RANGE", "at most", expand, volume_id=v.volume_id,
                     capacity_range=R(required_bytes=10**18))
        self.refused("INVALID_ARGUMENT", "Volume ID", expand,
                     capacity_range=R(required_bytes=GIB))
        self.refused("INVALID_ARGUMENT", "Capacity range", expand,
                     volume_id=v.volume_id)
        self.refused("INVALID_ARGUMENT", "no capacity", expand,
                     volume_id=self.fs, capacity_range=R(required_bytes=GIB))
        self.refused("NOT_FOUND", "", expand,
                     volume_id=f"efs:{self.fs}::fsap-0123456789abcdef0",
                     capacity_range=R(required_bytes=GIB))


class Many(Case):
    def run_all(self, *calls):
        """Each (method, fields), all at once; ABORTED is tried again, as the
        caller of a driver does."""
        results = [None] * len(calls)
        left = list(range(len(calls)))
        while left:
            running = [(i, calls[i][0].later(**calls[i][1])) for i in left]
            left = []
            for i, future in running:
                try:
                    results[i] = future.result()
                except grpc.RpcError as e:
                    if e.code().name != "ABORTED":
                        raise
                    left.append(i)
        return results

    def test_a_hundred_at_once(self):
        d = self.d
        self.run_all(*[(d.CreateVolume, self.request(f"pvc-many-{i}"))
                       for i in range(100)])
        points = self.points()
        self.assertEqual(len(points), 100)
        gids = sorted(p["PosixUser"]["Gid"] for p in points)
        self.assertEqual(gids, list(range(50000, 50100)))
        self.run_all(*[(d.DeleteVolume, {
            "volume_id": f"efs:{self.fs}::{p['AccessPointId']}"})
            for p in points])
        self.assertEqual(self.points(), [])

    def test_two_drivers_at_once(self):
        other = Driver()
        names = [f"pvc-two-{i}" for i in range(60)]
        volumes = self.run_all(*[
            ((self.d, other)[i % 2].CreateVolume, self.request(name))
            for i, name in enumerate(names)])
        points = {p["AccessPointId"]: p for p in self.points()}
        gids = {p["PosixUser"]["Gid"] for p in points.values()}
        self.assertEqual(len(gids), 60)
        for name, v in zip(names, volumes):
            id = v.volume.volume_id.split(":")[-1]
            self.assertEqual(points[id]["ClientToken"], name)
        self.run_all(*[(self.d.DeleteVolume,
                        {"volume_id": v.volume.volume_id}) for v in volumes])
        other.stop()

    def test_one_name_many_times(self):
        made = self.run_all(*[(self.d.CreateVolume, self.request("pvc-once"))
                              for _ in range(20)])
        self.assertEqual(len({v.volume.volume_id for v in made}), 1)
        self.run_all(*[(self.d.DeleteVolume,
                        {"volume_id": made[0].volume.volume_id})] * 20)
        self.assertEqual(self.points(), [])


main()
