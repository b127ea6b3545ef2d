#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# hawser pathd on a host whose kernel mounts Hawser over two interfaces.  Either
# of them goes silent under a verifying load, also the one that was mounted
# first: no request waits for two seconds (without pathd: for a lease time), and
# no application sees an error.  What comes back is used again.  pathd may be
# killed in the middle, both paths may die, and so may the server.
set -e
limit_ms=2000
noticed_ms=300 # what went to the silent path waited that long at least

. /vm/lib.sh

fail() {
	echo "FAILED: $*" >&2
	transports >&2
	tail -n 40 /tmp/pathd.log >&2
	exit 1
}

# One line per transport: its address.
transports() {
	cat /sys/kernel/sunrpc/xprt-switches/*/xprt-*-tcp/dstaddr
}

at() { # address, number of transports
	(($(transports | grep -cx "$1") == $2))
}

serves() {
	(: </dev/tcp/10.77.0.1/2049) 2>/dev/null &&
		(: </dev/tcp/10.77.1.1/2049) 2>/dev/null
}

pathd_start() { # OPTION…
	: >/tmp/pathd.log
	hawser pathd "$@" --metrics /tmp/metrics 2>/tmp/pathd.log &
	pathd=$!
	wait_for 30 "pathd does not watch" \
		grep -q '10.77.1.1:2049: answers' /tmp/pathd.log
}

load() { # seconds
	fio --name=verify --eta=never --directory=/mnt --size=1m --bs=16k \
		--rw=randwrite --numjobs=4 --direct=1 --rate_iops=20 \
		--time_based --runtime="$1" \
		--verify=crc32c --verify_fatal=1 --verify_state_save=0 \
		--group_reporting --output-format=json \
		--output=/tmp/fio.json >/tmp/fio.log 2>&1 &
	fio=$!
	wait_for 30 "fio does not start" writing
}
writing() { (($(find /mnt -name 'verify*' -size +100k | wc -l) == 4)); }

# The longest that a request of the load took, milliseconds.
longest() {
	awk '/"clat_ns"/ {getline; getline; if ($0 ~ /"max"/) {
		gsub(/[^0-9]/, ""); if ($0 + 0 > max) max = $0 + 0}}
		END {printf "%d\n", max / 1000000}' /tmp/fio.json
}

load_end() { # what
	wait "$fio" || { cat /tmp/fio.log; fail "fio found an error: $1"; }
	rm -f /mnt/verify*
	ms=$(longest)
	((ms > 0)) || fail "fio tells no latency"
	echo "   $1: no error, contents verified;" \
		"the longest request took $ms ms"
}

silence_once() { # card of the interface, what happens meanwhile, in words
	load 7
	host ip link set "tap$1" down
	wait_for 20 "the transport is not moved" at "10.77.$1.1" 0
	"$2"
	host ip link set "tap$1" up
	wait_for 20 "the transport is not moved back" at "10.77.$1.1" 1
	load_end "interface $1 silent, $3"
}

# A machine that is busy with other things may spoil one round, or two: the
# guest stands still, or the load is over before it meets the silence.
silence() {
	for round in 1 2 3; do
		silence_once "$@"
		((ms < noticed_ms || ms > limit_ms)) || return 0
	done
	fail "a request took $ms ms"
}

nothing() { sleep 2; }

# The next one finds what is away, and brings it back.
kill_pathd() {
	kill -9 "$pathd"
	wait "$pathd" 2>/dev/null || true
	pathd_start
}

moves() { grep -c 'moved from' /tmp/pathd.log; }

# The transport that can be moved goes to the live path; pathd has nothing to
# offer while there is none.
silence_both() {
	local before
	load 10
	before=$(moves)
	host ip link set tap0 down
	host ip link set tap1 down
	sleep 3
	(($(moves) <= before + 1)) || fail "moves without a live path"
	host ip link set tap1 up
	wait_for 20 "not both are at the live path" at 10.77.1.1 2
	host ip link set tap0 up
	wait_for 20 "not each is at home" at 10.77.0.1 1
	load_end "both silent, one back"
}

# A server that is down is no reason to move; one that is slow to listen at its
# second address may be, once.
kill_server() {
	local before
	load 8
	before=$(moves)
	host 'kill -9 $(cat $VM_LOG/hawserd.pid)'
	load_end "the server killed"
	(($(moves) <= before + 1)) || fail "moves because the server was down"
}

# The same as if a mount target had appeared: the server lists an address to
# which there is no transport.
remove_transport() {
	local transport
	for transport in /sys/kernel/sunrpc/xprt-switches/*/xprt-*-tcp; do
		[[ $(<"$transport/dstaddr") == 10.77.1.1 ]] || continue
		echo offline >"$transport/xprt_state"
		echo remove >"$transport/xprt_state"
	done
	wait_for 5 "the transport is not removed" at 10.77.1.1 0
}

wait_for 20 "no server on 10.77.0.1 and 10.77.1.1" serves
mount -t nfs4 -o minorversion=1,max_connect=4,trunkdiscovery 10.77.0.1:/ /mnt
at 10.77.0.1 1 && at 10.77.1.1 1 || fail "no second transport"
pathd_start --discover 1
remove_transport
wait_for 20 "the address is not discovered" at 10.77.1.1 1
echo "   a new address is connected"

# Seldom from now on: one that is under way when an address dies may connect it
# twice.
kill_pathd
silence 0 kill_pathd "pathd killed meanwhile"
silence 1 nothing "the one that was mounted second"
silence_both
kill_server
grep -q '^hawser_pathd_target_up{address="10.77.0.1:2049",kind="nfs"} 1' \
	/tmp/metrics || fail "no metrics"
umount /mnt
