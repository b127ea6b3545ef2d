#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# nvme-cli, by the kernel's host, reads all that it knows of a controller and
# its namespaces, and uses reservations: each command succeeds, and has nothing
# to complain of.
nqn=nqn.2022-02.io.example:vm
failures=0

wait_for_target() {
	for ((i = 0; i < 200; i++)); do
		(: </dev/tcp/10.77.0.1/4420) 2>/dev/null && return
		sleep 0.2
	done
	echo "no target on 10.77.0.1"
	exit 1
}

# It succeeds, says something, and does not complain.
good() {
	if ! "$@" >/tmp/out 2>/tmp/err || [[ -s /tmp/err ]]; then
		echo "FAILED: $*: $(cat /tmp/err)"
		failures=$((failures + 1))
	fi
}
# The same for those that tell of their success as if it were a complaint.
works() {
	if ! "$@" >/tmp/out 2>&1; then
		echo "FAILED: $*: $(cat /tmp/out)"
		failures=$((failures + 1))
	fi
}
# It prints a line that matches.
prints() { # pattern command…
	local pattern=$1
	shift
	good "$@"
	if ! grep -Eq "$pattern" /tmp/out; then
		echo "FAILED: $* does not print $pattern:"
		head -20 /tmp/out
		failures=$((failures + 1))
	fi
}
# It is refused.
bad() { # pattern command…
	local pattern=$1
	shift
	if "$@" >/tmp/out 2>&1 || ! grep -Eqi "$pattern" /tmp/out; then
		echo "FAILED: $* is not refused by $pattern: $(cat /tmp/out)"
		failures=$((failures + 1))
	fi
}

wait_for_target
modprobe nvme-tcp
good nvme discover -t tcp -a 10.77.0.1 -s 4420
good nvme connect -t tcp -a 10.77.0.1 -s 4420 -n $nqn --nr-io-queues=2
c=$(cd /sys/class/nvme && ls -d nvme* | head -1)
for ((i = 0; i < 100; i++)); do
	ns=$(ls /dev/nvme*n1 2>/dev/null | head -1)
	[[ -n $ns ]] && break
	sleep 0.1
done
c=/dev/$c
echo "   $c $ns"

prints "mn +: Hawser" nvme id-ctrl $c
good nvme id-ctrl -H $c
good nvme id-ctrl -o json $c
prints "nsze +: 0x20000" nvme id-ns $ns
good nvme id-ns -H $ns
prints "0x1$" nvme list-ns $c
good nvme list-ns -a $c
prints "0\]:0x1" nvme list-ctrl $c
good nvme list-ctrl -n 1 $c
prints "wzsl +: 13" nvme nvm-id-ctrl $c
good nvme nvm-id-ns $ns
good nvme cmdset-ind-id-ns -n 1 $ns
good nvme id-iocs $c
prints "uuid" nvme ns-descs $ns
good nvme list
good nvme list-subsys
good nvme get-ns-id $ns

prints "data_units_read|Data Units Read" nvme smart-log $c
good nvme smart-log $ns
prints "error_count" nvme error-log -e 64 $c
good nvme fw-log $c
good nvme changed-ns-list-log $c
good nvme effects-log -c 0 $c
good nvme effects-log -c 0 -H $c
prints "state.*optimized" nvme ana-log $c
good nvme ana-log -g $c
good nvme supported-log-pages $c
good nvme fid-support-effects-log $c
good nvme mi-cmd-support-effects-log $c
good nvme resv-notif-log $c

for f in 1 2 4 5 6 7 0xa 0xb 0xf 0x16 0x19; do
	for select in 0 1 2 3; do
		good nvme get-feature -f $f -s $select $c
	done
	good nvme get-feature -f $f -H $c
done
for f in 0x82 0x83; do
	good nvme get-feature -f $f -H $ns
done
good nvme get-feature -f 0x81 --cdw11=1 -l 16 $c
good nvme set-feature -f 6 -v 0 $c
prints "value:(0x)?0+$" nvme get-feature -f 6 $c
good nvme set-feature -f 6 -v 1 $c
bad "not saveable|0x410d" nvme set-feature -f 1 -v 1 -s $c
bad "changeable|0x410e" nvme set-feature -f 0x19 -v 1 $c

good nvme flush $ns
good nvme write-zeroes -s 0 -c 7 $ns
good nvme dsm -d -s 0 -b 8 $ns
head -c 4096 /dev/zero >/tmp/zero
works nvme compare -s 0 -c 7 -z 4096 -d /tmp/zero $ns
head -c 4096 /dev/urandom >/tmp/random
works nvme write -s 0 -c 7 -z 4096 -d /tmp/random $ns
works nvme compare -s 0 -c 7 -z 4096 -d /tmp/random $ns
bad "compare" nvme compare -s 0 -c 7 -z 4096 -d /tmp/zero $ns

good nvme resv-register -n 1 -c 0 -k 0x11 -r 0 $ns
good nvme resv-acquire -n 1 -c 0x11 -t 1 -a 0 $ns
prints "rkey +: (0x)?11$" nvme resv-report -n 1 -e $ns
works nvme write -s 0 -c 7 -z 4096 -d /tmp/zero $ns
bad "conflict" nvme resv-acquire -n 1 -c 0x12 -t 1 -a 0 $ns
good nvme resv-release -n 1 -c 0x11 -t 1 -a 0 $ns
good nvme resv-register -n 1 -c 0x11 -r 1 $ns

good nvme reset $c
good nvme id-ctrl $c
nvme disconnect-all >/dev/null
((failures == 0)) || exit 1
echo "nvme-cli reads everything"
