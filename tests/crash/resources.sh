# SPDX-License-Identifier: Apache-2.0
# See resources.py.

second_config config
exec python3 "$HAWSER_TESTS/crash/resources.py" config
