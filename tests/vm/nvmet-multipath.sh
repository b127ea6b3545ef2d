#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The kernel's own NVMe/TCP target, nvmet, on two interfaces, and `hawser perf
# nvme` as its host: what happens to a path reaches no request.  nvmet has no
# Cross-Controller Reset, so writes that were in flight on a lost path wait until
# its keep-alive timer has ended.
nqn=nqn.2022-02.io.example:nvmet
nvmet=/sys/kernel/config/nvmet

fail() {
	echo "FAILED: $*"
	host 'cat $VM_LOG/perf.out $VM_LOG/perf.err' | tail -30
	exit 1
}

modprobe -a nvmet nvmet-tcp
mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config
mkdir "$nvmet/subsystems/$nqn"
cd "$nvmet/subsystems/$nqn" || exit 1
echo 1 >attr_allow_any_host
truncate -s 32M /dev/shm/disk
mkdir namespaces/1
echo -n /dev/shm/disk >namespaces/1/device_path
echo 1 >namespaces/1/buffered_io
echo 1 >namespaces/1/enable
for card in 0 1; do
	port=$nvmet/ports/$((card + 1))
	mkdir "$port"
	echo ipv4 >"$port/addr_adrfam"
	echo tcp >"$port/addr_trtype"
	echo "10.77.$card.2" >"$port/addr_traddr"
	echo 4420 >"$port/addr_trsvcid"
	ln -s "$PWD" "$port/subsystems/$nqn"
done
ana() { echo "$2" >"$nvmet/ports/$1/ana_groups/1/ana_state"; }

# perf SECONDS ARGUMENTS…: in the background; its status goes to perf.status.
perf() {
	host "rm -f \$VM_LOG/perf.status
		(\$VM_LOG/hawser perf nvme -o 4096 -t $* \
		--subnqn $nqn 10.77.0.2 10.77.1.2 --json >\$VM_LOG/perf.out \
		2>\$VM_LOG/perf.err; echo \$? >\$VM_LOG/perf.status) &"
}
# It ends without an error, and did something.
ended() {
	for ((i = 0; i < 600; i++)); do
		host 'test -s $VM_LOG/perf.status' && break
		sleep 0.2
	done
	[[ $(host 'cat $VM_LOG/perf.status') == 0 ]] || fail "$1"
	host 'grep -Eq "\"iops\": *[1-9]" $VM_LOG/perf.out' || fail "$1: no I/O"
	echo "$1: ok"
}

perf 3 -q 8 -w verify
ended 'two paths'

perf 8 -q 8 -w randrw -M 50
sleep 2
ana 1 inaccessible
sleep 2
ana 1 optimized
ana 2 inaccessible
sleep 2
ana 2 optimized
ended 'ANA changes'

perf 36 -q 8 -w verify
sleep 3
host ip link set tap0 down
sleep 8
host ip link set tap0 up
ended 'an interface down for 8 seconds'
host 'grep -q "requests move" $VM_LOG/perf.err' || fail 'no path was lost'
