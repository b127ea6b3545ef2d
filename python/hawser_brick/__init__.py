# SPDX-License-Identifier: Apache-2.0
"""OpenStack's volume connector on top of `hawser connect`."""
