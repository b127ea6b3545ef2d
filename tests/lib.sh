# SPDX-License-Identifier: Apache-2.0
# What shell tests use; see tests/run.  A test stops at the first command that
# fails.
set -eu

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

skip() {
	echo "skipped: $*"
	exit 77
}

# same WANTED GOT
same() {
	[ "$1" = "$2" ] || fail "wanted '$1', got '$2'"
}

# refused STATUS TEXT COMMAND…: the command ends with that status, says one line
# on stderr with TEXT in it, and nothing on stdout.
refused() {
	want=$1 text=$2
	shift 2
	status=0
	"$@" >refused.out 2>refused.err || status=$?
	same "$want" "$status"
	same 1 "$(wc -l <refused.err)"
	grep -qF -- "$text" refused.err ||
		fail "'$text' is not in: $(cat refused.err)"
	same 0 "$(wc -c <refused.out)"
}

# eventually COMMAND…: tries until it succeeds, for 30 seconds at most.
eventually() {
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || fail "never: $*"
		sleep 0.05
	done
}

# json EXPRESSION: the value of a Python expression of j, the JSON on stdin.
json() {
	python3 -c "import json, sys; j = json.load(sys.stdin); print($1)"
}

# second_config FILE: a configuration for another hawserd of the same test, on
# addresses that are reserved for this test, too.
second_config() {
	octet=$(hawser subnet list --json |
		json 'j[0]["cidr"].split(".")[1]')
	cat >"$1" <<END
subnets:
  - { cidr: 127.$octet.11.0/24, zone: a }
  - { cidr: 127.$octet.12.0/24, zone: b }
END
}

# start_hawserd NAME ARGUMENTS…: starts one in the background; returns when it
# is ready.  Its pid is in NAME.pid, its output in NAME.out and NAME.err.
start_hawserd() {
	name=$1
	shift
	: >"$name.out" # what one before it said
	hawserd "$@" >"$name.out" 2>"$name.err" &
	echo $! >"$name.pid"
	eventually ready_or_dead "$name"
	grep -qx 'hawserd: ready' "$name.out" || fail "$(cat "$name.err")"
}

ready_or_dead() {
	grep -q ready "$1.out" 2>/dev/null ||
		! kill -0 "$(cat "$1.pid")" 2>/dev/null
}

# gone PID: the process has ended, whether or not its parent knows.
gone() {
	! grep -qs '^State:[[:space:]]*[^Z]' "/proc/$1/status"
}

# stop_hawserd NAME: asks it to end; its exit status.
stop_hawserd() {
	kill -TERM "$(cat "$1.pid")"
	wait "$(cat "$1.pid")"
}
