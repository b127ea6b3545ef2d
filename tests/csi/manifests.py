# SPDX-License-Identifier: Apache-2.0
"""Manifests of deploy/kubernetes: by the API's own schemas (those of the
kubernetes module), by what they name in one another, and the examples by the
driver.  With --write, hawser-csi.yaml is made of the chart anew."""
import pathlib
import re
import subprocess
import sys
import unittest

import yaml

import chart

DEPLOY = pathlib.Path(__file__).parents[2] / "deploy/kubernetes"
HEAD = ("# SPDX-License-Identifier: Apache-2.0\n"
        "# Made of chart/ by tests/csi/manifests.py --write.\n")
PLAIN = DEPLOY / "hawser-csi.yaml"

if sys.argv[1:] == ["--write"]:
    PLAIN.write_text(HEAD + chart.render(DEPLOY / "chart"))
    sys.exit()

from kubernetes import client  # noqa: E402

import lib  # noqa: E402

SCALARS = {"str": str, "int": int, "bool": bool, "float": (int, float)}


def model_of(document):
    group, _, version = document["apiVersion"].rpartition("/")
    assert version == "v1", version
    return "V1" + document["kind"]


def check(value, kind, where):
    """A value against a type of the API, as the kubernetes module has it."""
    if match := re.fullmatch(r"list\[(.*)\]", kind):
        assert isinstance(value, list), f"{where}: no list"
        for i, item in enumerate(value):
            check(item, match[1], f"{where}[{i}]")
    elif match := re.fullmatch(r"dict\(str, (.*)\)", kind):
        assert isinstance(value, dict), f"{where}: no map"
        for key, item in value.items():
            # A quantity may be a number.
            if where.endswith((".limits", ".requests", ".capacity")):
                item = str(item)
            check(item, match[1], f"{where}.{key}")
    elif kind in SCALARS:
        assert isinstance(value, SCALARS[kind]), f"{where}: {value!r}"
        assert kind == "bool" or not isinstance(value, bool), where
    elif kind == "object":  # a number or a name
        pass
    else:
        model = getattr(client, kind)
        assert isinstance(value, dict), f"{where}: no object"
        names = {json: name for name, json in model.attribute_map.items()}
        for key, item in value.items():
            assert key in names, f"{where}: {key} is not known"
            check(item, model.openapi_types[names[key]], f"{where}.{key}")
        # Refuses if something that is needed is missing.
        model(**{names[key]: item for key, item in value.items()})


def documents(text):
    return [d for d in yaml.safe_load_all(text) if d]


def plain():
    return documents(PLAIN.read_text())


def examples():
    return {path.name: documents(path.read_text())
            for path in sorted((DEPLOY / "examples").glob("*.yaml"))}


class Schemas(unittest.TestCase):
    def test_it_is_what_the_chart_makes(self):
        self.assertEqual(PLAIN.read_text(),
                         HEAD + chart.render(DEPLOY / "chart"))

    def test_by_the_schemas(self):
        other = chart.render(DEPLOY / "chart", namespace="x",
                             driverName="files.example.org",
                             controller={"deleteRootDir": True,
                                         "tags": "a:b c:d"},
                             node={"zone": "us-east-1a"},
                             nvme={"enabled": True})
        for name, list in {"hawser-csi.yaml": plain(), **examples(),
                           "chart": documents(other)}.items():
            for d in list:
                check(d, model_of(d), f"{name}: {d['kind']}")

    def test_the_check_finds_mistakes(self):
        def broken(change):
            d = [d for d in plain() if d["kind"] == "DaemonSet"][0]
            change(d["spec"]["template"]["spec"])
            with self.assertRaises((AssertionError, ValueError)):
                check(d, "V1DaemonSet", "")
        broken(lambda s: s.update(hostPid=True))
        broken(lambda s: s.update(hostPID="true"))
        broken(lambda s: s.pop("containers"))
        broken(lambda s: s["containers"][0].pop("name"))
        broken(lambda s: s["containers"][0]["args"].append(1))


class References(unittest.TestCase):
    def pods(self):
        for d in plain():
            if d["kind"] in ("Deployment", "DaemonSet"):
                yield d, d["spec"]["template"]["spec"]

    def test_what_is_named_is_there(self):
        there = {(d["kind"], d["metadata"]["name"]) for d in plain()}
        self.assertEqual(len(there), len(plain()))
        for d, pod in self.pods():
            labels = d["spec"]["template"]["metadata"]["labels"]
            self.assertLessEqual(
                d["spec"]["selector"]["matchLabels"].items(), labels.items())
            self.assertIn(("ServiceAccount", pod["serviceAccountName"]), there)
            volumes = {v["name"] for v in pod["volumes"]}
            used = {m["name"] for c in pod["containers"] +
                    pod.get("initContainers", [])
                    for m in c.get("volumeMounts", [])}
            self.assertEqual(volumes, used)
        for d in plain():
            if d["kind"].endswith("Binding"):
                self.assertIn((d["roleRef"]["kind"], d["roleRef"]["name"]),
                              there)
                for s in d["subjects"]:
                    self.assertIn((s["kind"], s["name"]), there)

    def test_the_driver_takes_its_arguments(self):
        for _, pod in self.pods():
            main = pod["containers"][0]
            self.assertEqual(main["command"], ["hawser-csi"])
            subprocess.run(["hawser-csi", *main["args"], "--version"],
                           check=True, stdout=subprocess.DEVNULL)

    def test_one_driver_name(self):
        name = [d for d in plain() if d["kind"] == "CSIDriver"][0]["metadata"][
            "name"]
        self.assertEqual(name, "efs.csi.aws.com")
        for _, pod in self.pods():
            self.assertIn("--driver-name=" + name, pod["containers"][0]["args"])
        for list in examples().values():
            for d in list:
                if d["kind"] == "StorageClass":
                    self.assertEqual(d["provisioner"], name)
                if d["kind"] == "PersistentVolume":
                    self.assertEqual(d["spec"]["csi"]["driver"], name)


class Examples(lib.Case):
    """What external-provisioner and the kubelet would ask for."""
    OPTIONS = ("--nvme",)

    def test_nvme(self):
        d, = [d for d in examples()["nvme.yaml"] if d["kind"] == "StorageClass"]
        own = {k: v for k, v in d["parameters"].items()
               if not k.startswith("csi.storage.k8s.io/")}
        v = self.create("pvc-nvme", parameters=own, volume_capabilities=[
            lib.mount_capability(
                lib.MODE.SINGLE_NODE_WRITER,
                fs_type=d["parameters"]["csi.storage.k8s.io/fstype"])])
        self.assertEqual(v.volume_context["protocol"], "nvme")
        self.d.DeleteVolume(volume_id=v.volume_id)

    def test_classes(self):
        for name, list in examples().items():
            for d in list:
                if d["kind"] != "StorageClass" or name == "nvme.yaml":
                    continue
                parameters = {**d["parameters"], "fileSystemId": self.fs}
                v = self.create(
                    f"pvc-{name}", parameters=parameters,
                    volume_capabilities=[lib.mount_capability(
                        flags=d.get("mountOptions", []))])
                self.assertEqual(v.volume_context.get("multipathing"),
                                 parameters.get("multipathing"))
                self.assertEqual(self.point(v)["RootDirectory"][
                    "CreationInfo"]["Permissions"], "700")


lib.main()
