# SPDX-License-Identifier: Apache-2.0
# What scripts in the guest share: `. /vm/lib.sh`.  They have a fail() of their
# own, which tells what they know and ends.

wait_for() { # seconds, what, command…
	local deadline=$((SECONDS + $1)) what=$2
	shift 2
	until "$@"; do
		((SECONDS < deadline)) || fail "$what"
		sleep 0.1
	done
}

same() { # wanted, got, what
	[[ $1 == "$2" ]] || fail "$3: wanted '$1', got '$2'"
}
