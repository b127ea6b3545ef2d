# SPDX-License-Identifier: Apache-2.0
"""What goes wrong, by os-brick's names; its own classes where it is installed,
so that who catches those catches ours."""

try:
    from os_brick.exception import (
        BrickException,
        Invalid,
        InvalidConnectorProtocol,
        InvalidParameterValue,
        NotFound,
        VolumeDeviceNotFound,
    )
except ImportError:

    class BrickException(Exception):
        """Anything; `message` says what."""

        message = "An unknown exception occurred."

        def __init__(self, message=None, **kwargs):
            self.kwargs = kwargs
            self.msg = message or self.message % kwargs
            super().__init__(self.msg)

    class Invalid(BrickException):
        message = "Unacceptable parameters."

    class InvalidParameterValue(Invalid):
        message = "%(err)s"

    class InvalidConnectorProtocol(ValueError):
        pass

    class NotFound(BrickException):
        message = "Resource could not be found."

    class VolumeDeviceNotFound(BrickException):
        message = "Volume device not found at %(device)s."


__all__ = [
    "BrickException",
    "Invalid",
    "InvalidConnectorProtocol",
    "InvalidParameterValue",
    "NotFound",
    "VolumeDeviceNotFound",
]
