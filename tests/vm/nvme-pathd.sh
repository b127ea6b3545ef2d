#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# hawser pathd on a host whose kernel is connected to a volume over two
# interfaces: when one goes silent under a verifying load, no request waits for
# two seconds, where the kernel alone waits for its keep alive.  What comes back
# is connected again, by the kernel.
set -e
nqn=nqn.2022-02.io.example:vm
limit_ms=2000
noticed_ms=300 # what went to the silent path waited that long at least

. /vm/lib.sh

fail() {
	echo "FAILED: $*" >&2
	nvme list-subsys >&2
	tail -n 40 /tmp/pathd.log >&2
	dmesg | tail -20 >&2
	exit 1
}

serves() {
	(: </dev/tcp/10.77.0.1/4420) 2>/dev/null &&
		(: </dev/tcp/10.77.1.1/4420) 2>/dev/null
}

live() { # number of controllers
	(($(cat /sys/class/nvme/nvme*/state | grep -c live) == $1))
}

there() { [[ -b $1 ]]; }

pathd_start() {
	hawser pathd 2>/tmp/pathd.log &
	pathd=$!
	wait_for 30 "pathd does not watch" \
		grep -q '10.77.0.1:4420: answers' /tmp/pathd.log
	wait_for 30 "pathd does not watch" \
		grep -q '10.77.1.1:4420: answers' /tmp/pathd.log
}

resettable() { # number of controllers
	(($(hawser pathd --status --json | grep -c '"resettable": true') == $1))
}

load() { # seconds
	fio --name=verify --eta=never --filename="$disk" --size=4m --bs=4k \
		--rw=randwrite --direct=1 --iodepth=8 --ioengine=libaio \
		--rate_iops=100 --time_based --runtime="$1" \
		--verify=crc32c --verify_fatal=1 --verify_state_save=0 \
		--group_reporting --output-format=json \
		--output=/tmp/fio.json >/tmp/fio.log 2>&1 &
	fio=$!
	before=$(written)
	wait_for 30 "fio does not start" writing
}
written() { awk '{n += $5} END {print n}' /sys/class/nvme/nvme*/nvme*c*n1/stat; }
writing() { (($(written) > before + 50)); }

longest() {
	awk '/"clat_ns"/ {getline; getline; if ($0 ~ /"max"/) {
		gsub(/[^0-9]/, ""); if ($0 + 0 > max) max = $0 + 0}}
		END {printf "%d\n", max / 1000000}' /tmp/fio.json
}

silence_once() { # card of the interface
	load 6
	host ip link set "tap$1" down
	sleep 3
	host ip link set "tap$1" up
	wait "$fio" || { cat /tmp/fio.log; fail "fio found an error"; }
	ms=$(longest)
	echo "   interface $1 silent: no error, contents verified;" \
		"the longest request took $ms ms"
	wait_for 30 "the path does not come back" live 2
	wait_for 30 "pathd does not know the new instance" resettable 2
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

wait_for 40 "no target on 10.77.0.1 and 10.77.1.1" serves
modprobe nvme-tcp
for address in 10.77.0.1 10.77.1.1; do
	nvme connect -t tcp -a "$address" -s 4420 -n "$nqn" --nr-io-queues=2 \
		--reconnect-delay=1 --keep-alive-tmo=5 --ctrl-loss-tmo=600
done
wait_for 10 "not both controllers are live" live 2
subsystem=$(grep -l "$nqn" /sys/class/nvme-subsystem/*/subsysnqn)
[[ $subsystem =~ nvme-subsys([0-9]+) ]] || fail "no subsystem"
echo round-robin >"${subsystem%/*}/iopolicy"
disk=/dev/nvme${BASH_REMATCH[1]}n1
wait_for 20 "no block device" there "$disk"

pathd_start
wait_for 10 "pathd does not know the instances" resettable 2
silence 0
silence 1
grep -q 'reset by' /tmp/pathd.log || fail "pathd did nothing"
