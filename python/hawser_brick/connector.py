# SPDX-License-Identifier: Apache-2.0
"""Connectors, as os_brick.initiator.connector has them.

Everything is done by the program `hawser`: it is found by PATH, or named by the
environment variable HAWSER or the argument `program`.
"""

import glob
import json
import os
import platform
import shlex
import socket
import subprocess
import sys

from hawser_brick import exception

NVME = "NVME"
NVMEOF = "NVMEOF"

TIMEOUT = 600  # seconds for a command


def get_connector_properties(
    root_helper, my_ip, multipath, enforce_multipath, host=None, execute=None
):
    """What a volume driver has to know of this host."""
    properties = {
        "platform": platform.machine(),
        "os_type": sys.platform,
        "ip": my_ip,
        "host": host or socket.gethostname(),
        "multipath": bool(multipath),
        "enforce_multipath": bool(enforce_multipath),
        "do_local_attach": False,
    }
    properties.update(NVMeOFConnector.get_connector_properties(root_helper))
    return properties


class InitiatorConnector:
    """Makes connectors by their protocol."""

    @staticmethod
    def factory(
        protocol,
        root_helper,
        driver=None,
        use_multipath=False,
        device_scan_attempts=None,
        arch=None,
        *args,
        **kwargs,
    ):
        if str(protocol).upper() not in (NVME, NVMEOF):
            raise exception.InvalidConnectorProtocol(
                f"Invalid InitiatorConnector protocol specified {protocol}"
            )
        return NVMeOFConnector(
            root_helper, driver=driver, use_multipath=use_multipath, **kwargs
        )


class NVMeOFConnector:
    """Volumes over NVMe, by `hawser connect`.

    use_multipath: all portals are connected, else the first that works.
    min_paths: so many of each target have to be live, or connecting fails.
    side: "kernel", "user" or "auto".
    new_mirrors: in user space, a mirror that this host doesn't know is new.
    """

    def __init__(
        self,
        root_helper,
        driver=None,
        use_multipath=False,
        min_paths=1,
        side="auto",
        new_mirrors=False,
        program=None,
        **_,
    ):
        self._root_helper = root_helper
        self._program = program
        self.use_multipath = use_multipath
        self._options = ["--side", side]
        if not use_multipath:
            self._options.append("--single-path")
        elif min_paths > 1:
            self._options += ["--min-paths", str(min_paths)]
        if new_mirrors:
            self._options.append("--new-mirror")

    def set_root_helper(self, root_helper):
        self._root_helper = root_helper

    @classmethod
    def get_connector_properties(cls, root_helper, *args, **kwargs):
        properties = _run(root_helper, None, ["connector", "properties"])
        properties.pop("side", None)
        return properties

    def connect_volume(self, connection_properties):
        """Makes the volume a device: {"type": "block", "path": "/dev/…"}."""
        result = self._call(["connect", "-", *self._options], connection_properties)
        return {"type": result["type"], "path": result["path"]}

    def disconnect_volume(
        self,
        connection_properties,
        device_info=None,
        force=False,
        ignore_errors=False,
    ):
        """Takes the device away; one that is not there is no error."""
        try:
            self._call(
                ["disconnect", "-", *(["--force"] if force else [])],
                connection_properties,
            )
        except exception.BrickException:
            if not ignore_errors:
                raise

    def extend_volume(self, connection_properties):
        """The volume has grown: so does its device.  Its size in bytes."""
        return self._call(["connector", "extend", "-"], connection_properties)["size"]

    def get_volume_paths(self, connection_properties, device_info=None):
        """The device of the volume, in a list; an empty one: there is none.

        What connect_volume() has said, or Nova has noted, is taken for true.
        """
        for known, key in (
            (device_info, "path"),
            (connection_properties, "device_path"),
        ):
            if isinstance(known, dict) and known.get(key):
                return [known[key]]
        try:
            shown = self._call(["connector", "show", "-"], connection_properties)
        except (exception.VolumeDeviceNotFound, exception.NotFound):
            return []
        return [shown["path"]]

    def get_path_states(self, connection_properties):
        """How each portal is; os-brick has nothing like it."""
        shown = self._call(["connector", "show", "-"], connection_properties)
        return {
            (target["nqn"], portal["address"], portal["port"]): portal["state"]
            for target in shown["targets"]
            for portal in target["portals"]
        }

    @staticmethod
    def get_search_path():
        return "/dev"

    def get_all_available_volumes(self, connection_properties=None):
        """All namespaces that this host has as block devices."""
        return sorted(glob.glob("/dev/nvme[0-9]*n[0-9]*"))

    def check_valid_device(self, path, run_as_root=True):
        """Can it be read?"""
        helper = _helper(self._root_helper) if run_as_root else []
        try:
            done = subprocess.run(
                [*helper, "dd", f"if={path}", "of=/dev/null", "count=1"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT,
            )
        except (OSError, ValueError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0

    def _call(self, arguments, connection_properties):
        try:
            given = json.dumps(connection_properties, default=str)
        except (TypeError, ValueError, RecursionError) as error:
            raise exception.InvalidParameterValue(f"not JSON: {error}") from None
        return _run(self._root_helper, self._program, arguments, given)


def _helper(root_helper):
    return shlex.split(root_helper or "") if os.geteuid() != 0 else []


def _run(root_helper, program, arguments, given=None):
    command = [
        *_helper(root_helper),
        program or os.environ.get("HAWSER", "hawser"),
        *arguments,
        "--json",
    ]
    try:
        done = subprocess.run(
            command,
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise exception.BrickException(f"{' '.join(command)}: {error}") from None
    try:
        result = json.loads(done.stdout)
    except ValueError:
        result = {}
    if done.returncode != 0:
        raise _error(result, done.stderr.strip())
    return result


def _error(result, said):
    error = result.get("error", {})
    message = error.get("message") or said or "hawser failed"
    code = error.get("code")
    if code in ("no-device", "no-connection"):
        return exception.VolumeDeviceNotFound(message)
    if code == "invalid":
        return exception.InvalidParameterValue(message)
    if code == "unknown":
        return exception.NotFound(message)
    return exception.BrickException(message)
