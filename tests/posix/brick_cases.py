# SPDX-License-Identifier: Apache-2.0
"""hawser_brick, as Nova and Cinder use os-brick: the volume "v" is connected,
written, grown and disconnected by OpenStack's names; what is wrong has
OpenStack's exceptions."""
import json
import os
import subprocess
import unittest

from hawser_brick import connector, exception

with open("volume", encoding="utf-8") as file:
    VOLUME = json.load(file)
ADDRESSES = [a["traddr"] for a in VOLUME["listen_addresses"][:2]]
PROPERTIES = {
    "vol_uuid": VOLUME["uuid"],
    "target_nqn": VOLUME["nqn"],
    "portals": [(address, 4420, "tcp") for address in ADDRESSES],
    "qos_specs": None,
    "access_mode": "rw",
    "encrypted": False,
    "discard": True,
}
OLD = {
    "nqn": VOLUME["nqn"],
    "transport_type": "tcp",
    "target_portal": ADDRESSES[1],
    "target_port": "4420",
    "ns_id": 1,
}


def make(**kwargs):
    return connector.InitiatorConnector.factory(
        connector.NVMEOF, "sudo", use_multipath=True, **kwargs
    )


class Brick(unittest.TestCase):
    def setUp(self):
        self.connector = make()
        self.addCleanup(
            self.connector.disconnect_volume, PROPERTIES, None, True, True
        )

    def test_a_volume_from_its_connecting_to_its_end(self):
        c = self.connector
        self.assertEqual(c.get_volume_paths(PROPERTIES), [])
        device = c.connect_volume(PROPERTIES)
        self.assertEqual(set(device), {"type", "path"})
        self.assertEqual(c.connect_volume(PROPERTIES), device)
        self.assertEqual(c.get_volume_paths(PROPERTIES), [device["path"]])
        self.assertEqual(c.get_volume_paths(PROPERTIES, {"path": "/x"}), ["/x"])
        self.assertTrue(c.check_valid_device(device["path"]))
        self.assertFalse(c.check_valid_device("/nowhere"))
        states = c.get_path_states(PROPERTIES)
        for address in ADDRESSES:
            self.assertEqual(states[VOLUME["nqn"], address, 4420], "live")
        with open(device["path"], "r+b") as file:
            file.write(b"hello")
        size = os.stat(device["path"]).st_size
        self.assertEqual(c.extend_volume(PROPERTIES), size)
        subprocess.run(
            ["hawser", "volume", "resize", "v", str(size + (4 << 20))], check=True
        )
        self.assertEqual(c.extend_volume(PROPERTIES), size + (4 << 20))
        c.disconnect_volume(PROPERTIES, device)
        self.assertEqual(c.get_volume_paths(PROPERTIES), [])
        c.disconnect_volume(PROPERTIES, device)
        self.assertFalse(c.check_valid_device(device["path"]))

    def test_the_old_shape_and_one_path(self):
        c = connector.InitiatorConnector.factory("nvmeof", "sudo")
        device = c.connect_volume(OLD)
        self.assertTrue(c.check_valid_device(device["path"]))
        c.disconnect_volume(OLD, device)
        with_dead = dict(PROPERTIES, portals=[("127.0.0.1", 1, "tcp")] + PROPERTIES["portals"])
        device = c.connect_volume(with_dead)
        self.assertEqual(
            list(c.get_path_states(with_dead).values()), ["absent", "live", "absent"]
        )
        c.disconnect_volume(with_dead, device)

    def test_a_device_in_use_is_not_taken_away(self):
        device = self.connector.connect_volume(PROPERTIES)
        with open(device["path"], "rb"):
            with self.assertRaisesRegex(exception.BrickException, "in use"):
                self.connector.disconnect_volume(PROPERTIES, device)
            self.connector.disconnect_volume(PROPERTIES, device, ignore_errors=True)
        self.assertEqual(
            self.connector.get_volume_paths(PROPERTIES), [device["path"]]
        )

    def test_what_is_wrong_has_openstacks_exceptions(self):
        c = self.connector
        nobody = dict(PROPERTIES, portals=[("127.0.0.1", 1, "tcp")])
        other = dict(PROPERTIES, vol_uuid="11111111-1111-4111-8111-111111111111")
        leg = {k: PROPERTIES[k] for k in ("vol_uuid", "target_nqn", "portals")}
        for wrong in nobody, other:
            with self.assertRaises(exception.VolumeDeviceNotFound):
                c.connect_volume(wrong)
        for wrong in (
            {},
            None,
            dict(PROPERTIES, portals=[]),
            dict(PROPERTIES, target_nqn="nqn.x;reboot"),
            {"alias": "../v", "volume_replicas": [leg]},
            {"vol_uuid": leg["vol_uuid"], "dm_replicas": [leg], "volume_replicas": [leg]},
        ):
            with self.assertRaises(exception.InvalidParameterValue):
                c.connect_volume(wrong)
        with self.assertRaises(exception.BrickException):
            make(min_paths=2).connect_volume(
                dict(PROPERTIES, portals=PROPERTIES["portals"][:1] + nobody["portals"])
            )
        self.assertEqual(c.get_volume_paths(PROPERTIES), [])
        with self.assertRaises(exception.InvalidConnectorProtocol):
            connector.InitiatorConnector.factory("ISCSI", "sudo")
        with self.assertRaises(exception.BrickException):
            make(program="/nowhere/hawser").connect_volume(PROPERTIES)

    def test_properties_of_the_host(self):
        p = connector.get_connector_properties("sudo", "192.0.2.1", True, False)
        self.assertEqual((p["ip"], p["multipath"]), ("192.0.2.1", True))
        self.assertTrue(p["nqn"].startswith("nqn."))
        self.assertIn("nvme_hostid", p)
        self.assertIs(p["nvme_native_multipath"], False)


if __name__ == "__main__":
    unittest.main()
