#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The kernel's NFS client over two interfaces: it finds both mount targets by
# itself (trunkdiscovery), and when one of them goes silent under load no
# application sees an error.  The kernel never moves a request from a silent
# connection to another one; so the server has to get it going again within two
# seconds of the return of the path.
set -e
limit_ms=2000

fail() {
	echo "FAILED: $*" >&2
	transports >&2
	exit 1
}

# One line per transport: address, state, requests that wait for a reply.
transports() {
	local transport
	for transport in /sys/kernel/sunrpc/xprt-switches/*/xprt-*; do
		[[ -e $transport/dstaddr ]] || continue
		echo "   $(<"$transport/dstaddr")" \
			"$(tr -s ' ' <"$transport/xprt_state")" \
			"$(grep pending "$transport/xprt_info")"
	done
}

# Requests that wait for a reply on any transport.
pending() {
	cat /sys/kernel/sunrpc/xprt-switches/*/xprt-*/xprt_info |
		awk -F '[= ]+' '/pending_q_len/ {sum += $2} END {print sum + 0}'
}

now_ms() { date +%s%3N; }

wait_for_server() {
	for ((i = 0; i < 100; i++)); do
		(: </dev/tcp/10.77.0.1/2049) 2>/dev/null &&
			(: </dev/tcp/10.77.1.1/2049) 2>/dev/null && return
		sleep 0.2
	done
	fail "no server on 10.77.0.1 and 10.77.1.1"
}

round() { # minor version, seconds of silence
	local minor=$1 silence=$2 returned done_at
	echo "minor version $minor, $silence s of silence"
	mount -t nfs4 -o "minorversion=$minor,max_connect=4,trunkdiscovery" \
		10.77.0.1:/ /mnt
	(($(transports | grep -c '10\.77\.[01]\.1') == 2)) ||
		fail "the client did not find both mount targets"

	fio --name=verify --eta=never --directory=/mnt --size=2m --bs=16k \
		--rw=randwrite --numjobs=4 --direct=1 --rate_iops=20 \
		--verify=crc32c --verify_fatal=1 --verify_state_save=0 \
		--group_reporting >/tmp/fio.log 2>&1 &
	local fio=$!
	sleep 2
	host ip link set tap0 down
	sleep "$silence"
	local held
	held=$(pending)
	host ip link set tap0 up
	returned=$(now_ms)
	# fio's own load comes and goes; what was held is answered when the
	# transport of the dead path has nothing pending at one moment.
	while (($(pending) > 1)); do
		(($(now_ms) - returned < 30000)) || break
		sleep 0.05
	done
	done_at=$(now_ms)
	wait "$fio" || { cat /tmp/fio.log; fail "fio found an error"; }
	grep -q 'err= 0' /tmp/fio.log || fail "fio reports errors"
	echo "   held: $held;" \
		"answered $((done_at - returned)) ms after the return"
	((done_at - returned <= limit_ms)) ||
		fail "held requests took $((done_at - returned)) ms"
	rm -f /mnt/verify*
	umount /mnt
}

wait_for_server
round 1 5
round 2 12
echo "no error, contents verified"
