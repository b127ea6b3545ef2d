# SPDX-License-Identifier: Apache-2.0
# See console.py.
command -v chromium >/dev/null || skip "chromium is not there"
second_config config
echo "api: { http: \"127.$octet.11.250:8077\" }" >>config
exec python3 "$HAWSER_TESTS/console/console.py" config
