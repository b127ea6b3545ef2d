#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# restart.sh DIR reboot: what pynfs calls when the server is to be restarted
# (--serverhelper, --serverhelperarg).  The hawserd that pynfs.sh has started in
# DIR dies at once, and another one takes its place.
. "$HAWSER_TESTS/lib.sh"
[ "$2" = reboot ] || fail "pynfs wants '$2'"
cd "$1"
pid=$(cat one.pid)
kill -KILL "$pid"
eventually gone "$pid"
rm one.out # of the old one
start_hawserd one --state state --config config
