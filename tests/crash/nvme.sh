# SPDX-License-Identifier: Apache-2.0
# See nvme.py.

second_config config
exec python3 "$HAWSER_TESTS/crash/nvme.py" config "127.$octet.11"
