#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The kernel's NVMe/TCP host with its native multipath over two interfaces: it
# discovers both listeners, and nothing that happens to one path reaches the
# application: ANA states switched under load, an interface down, the target
# killed and started again.  nvme-cli reads all that it can ask for.
set -e
nqn=nqn.2022-02.io.example:vm

. /vm/lib.sh

fail() {
	echo "FAILED: $*" >&2
	nvme list-subsys >&2
	dmesg | tail -40 >&2
	exit 1
}

# Method and arguments, without quoting.
rpc() { host "\$VM_LOG/rpc $*" >/dev/null || fail "rpc $*"; }

ana() { # address, state
	rpc "nvmf_subsystem_listener_set_ana_state $nqn -t tcp -a $1 -s 4420" \
		"-n $2"
}

# The controller of an address: "nvme0".
controller() {
	local c
	for c in /sys/class/nvme/nvme*; do
		if [[ $(<"$c/address") == *traddr=$1,* ]]; then
			echo "${c##*/}"
		fi
	done
}

# What the host believes of the path to namespace 1 by an address.
ana_seen() {
	local c
	c=$(controller "$1")
	cat "/sys/class/nvme/$c/nvme"*c*n1/ana_state
}

sees() { [[ $(ana_seen "$1") == "$2" ]]; }
live() { [[ $(<"/sys/class/nvme/$(controller "$1")/state") == live ]]; }
there() { [[ -b $1 ]]; }

# Requests that the paths have carried.
carried() {
	local c
	c=$(controller "$1")
	awk '{print $1 + $5}' "/sys/class/nvme/$c/nvme"*c*n1/stat
}

load() { # seconds
	fio --name=verify --eta=never --filename=/mnt/file --size=8m --bs=4k \
		--rw=randrw --direct=1 --iodepth=4 --ioengine=libaio \
		--rate_iops=100 --time_based --runtime="$1" \
		--verify=crc32c --verify_fatal=1 --verify_state_save=0 \
		--group_reporting >/tmp/fio.log 2>&1 &
	fio=$!
	sleep 2
}

load_end() {
	wait "$fio" || { cat /tmp/fio.log; fail "fio found an error: $1"; }
	grep -q 'err= 0' /tmp/fio.log || fail "fio reports errors: $1"
	echo "   $1: no error, contents verified"
}

# The subsystem's block devices: $disk and $memory.
find_disks() {
	local subsystem
	subsystem=$(grep -l "$nqn" /sys/class/nvme-subsystem/*/subsysnqn)
	[[ $subsystem =~ nvme-subsys([0-9]+) ]] || fail "no subsystem"
	disk=/dev/nvme${BASH_REMATCH[1]}n1 memory=/dev/nvme${BASH_REMATCH[1]}n2
	wait_for 20 "no block device" there "$disk"
}

wait_for_target() {
	for ((i = 0; i < 200; i++)); do
		(: </dev/tcp/10.77.0.1/4420) 2>/dev/null &&
			(: </dev/tcp/10.77.1.1/4420) 2>/dev/null && return
		sleep 0.2
	done
	fail "no target on 10.77.0.1 and 10.77.1.1"
}

quiet() { # command: it succeeds, and has nothing to complain of
	"$@" >/tmp/out 2>/tmp/err || { cat /tmp/out /tmp/err; fail "$*"; }
	[[ ! -s /tmp/err ]] || { cat /tmp/err; fail "$* complains"; }
}

wait_for_target
modprobe nvme-tcp
nvme discover -t tcp -a 10.77.0.1 -s 4420 >/tmp/discovered
(($(grep -c "subnqn:  $nqn" /tmp/discovered) == 2)) ||
	{ cat /tmp/discovered; fail "the log page does not list both listeners"; }
nvme connect-all -t tcp -a 10.77.0.1 -s 4420 --ctrl-loss-tmo=600 \
	--reconnect-delay=1 --keep-alive-tmo=5 --nr-io-queues=2
find_disks
wait_for 20 "no second namespace" there "$memory"
nvme list-subsys
for address in 10.77.0.1 10.77.1.1; do
	live "$address" || fail "$address is not live"
	wait_for 5 "not optimized" sees "$address" optimized
done

for address in 10.77.0.1 10.77.1.1; do
	device=/dev/$(controller "$address")
	for command in id-ctrl list-ns get-log smart-log error-log fw-log \
		effects-log ana-log changed-ns-list-log; do
		case $command in
		get-log) quiet nvme get-log "$device" --log-id=0 --log-len=1024 ;;
		*) quiet nvme "$command" "$device" ;;
		esac
	done
	for feature in 1 5 7 11 15; do
		quiet nvme get-feature "$device" -f "$feature"
	done
done
for device in "$disk" "$memory"; do
	quiet nvme id-ns "$device"
	quiet nvme ns-descs "$device"
	quiet nvme flush "$device"
done
echo "   nvme-cli reads everything"

mkfs.ext4 -q "$disk"
mount "$disk" /mnt

load 12
ana 10.77.0.1 inaccessible
wait_for 2 "no ANA notice" sees 10.77.0.1 inaccessible
sleep 1
before=$(carried 10.77.0.1)
sleep 2
(($(carried 10.77.0.1) == before)) || fail "an inaccessible path carries"
ana 10.77.0.1 non_optimized
wait_for 2 "no ANA notice" sees 10.77.0.1 non-optimized
ana 10.77.1.1 inaccessible
wait_for 2 "no ANA notice" sees 10.77.1.1 inaccessible
ana 10.77.0.1 optimized
ana 10.77.1.1 optimized
load_end "ANA states switched"

load 25
host ip link set tap0 down
sleep 14
host ip link set tap0 up
load_end "an interface down for 14 s"
wait_for 30 "the path does not come back" live 10.77.0.1

load 15
host 'kill -9 $(cat $VM_LOG/hawserd.pid)'
sleep 2
load_end "the target killed"
wait_for 30 "a path does not come back" live 10.77.0.1
wait_for 30 "a path does not come back" live 10.77.1.1

umount /mnt
fsck.ext4 -fn "$disk" >/tmp/fsck 2>&1 || { cat /tmp/fsck; fail "fsck"; }
nvme disconnect-all

nvme connect -t tcp -a 10.77.1.1 -s 4420 -n "$nqn" --hdr-digest --data-digest
find_disks
mount "$disk" /mnt
load 3
load_end "header and data digests"
umount /mnt
nvme disconnect-all
echo "no error, contents verified"
