# SPDX-License-Identifier: Apache-2.0
# hawserd --run ends with its command, and leaves nothing behind.

mkdir tmp
export TMPDIR="$PWD/tmp"
hawserd --run 'test -S "$HAWSER_RPC" && test -d "$HAWSER_STATE"' ||
	fail "environment"
same 0 "$(ls tmp | wc -l)"
status=0
hawserd --run 'exit 3' || status=$?
same 3 $status
hawserd --run 'kill -KILL $$' || status=$?
same 137 $status
same hello "$(hawserd --run 'echo hello' 2>/dev/null)"

# A signal reaches the command, which decides what it means.
hawserd --run 'trap "echo got it; exit 5" TERM; touch up
	while :; do sleep 0.05; done' >out 2>err &
eventually test -e up
kill -TERM $!
status=0
wait $! || status=$?
same 5 $status
same 'got it' "$(cat out)"

# Two at a time have different addresses.
hawserd --run 'hawser subnet list >one; hawserd --run "hawser subnet list >two"'
! cmp -s one two || fail "$(cat one two)"

# With --state, what it did is there the next time.
second_config config
fs=$(hawserd --state kept --config config --run 'hawser fs create' 2>/dev/null)
hawserd --state kept --config config --run "hawser fs show $fs" 2>/dev/null |
	grep -q "$fs"
