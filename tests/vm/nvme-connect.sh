#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# hawser connect where the kernel has NVMe over fabrics: one volume over two
# interfaces, RAID 1 over two subsystems, device-mapper over two subsystems; an
# interface is lost under load in each, and no application sees an error.
# Controllers that others need stay; what is connected again is the same.  The
# keeper finds an address that it was not told, and brings back what was lost.
set -e
base=nqn.2022-02.io.example

. /vm/lib.sh

fail() {
	echo "FAILED: $*" >&2
	cat /tmp/err /tmp/result 2>/dev/null >&2
	cat /tmp/keep.log 2>/dev/null >&2
	nvme list-subsys >&2
	cat /proc/mdstat 2>/dev/null >&2
	dmsetup status >&2
	dmesg | tail -30 >&2
	exit 1
}

# Method and arguments, without quoting.
rpc() {
	host "\$VM_LOG/rpc $*" >/tmp/rpc || fail "rpc $*: $(cat /tmp/rpc)"
}

uuid() { echo "11111111-0000-4000-8000-00000000000$1"; }

# A subsystem with a namespace for each "DEVICE:NUMBER-OF-UUID", on those
# addresses.
subsystem() { # name, devices, address…
	local nqn=$base:$1 device address
	rpc nvmf_create_subsystem "$nqn" -a -r
	for device in $2; do
		rpc nvmf_subsystem_add_ns "$nqn" "${device%:*}" -u \
			"$(uuid "${device#*:}")"
	done
	shift 2
	for address in "$@"; do
		rpc nvmf_subsystem_add_listener -t tcp -a "$address" -s 4420 \
			"$nqn"
	done
}

target() { # name, number of the UUID, address…
	local nqn=$base:$1 id list=
	id=$(uuid "$2")
	shift 2
	for address in "$@"; do
		list+=${list:+, }"[\"$address\", 4420, \"tcp\"]"
	done
	echo "{\"target_nqn\": \"$nqn\", \"vol_uuid\": \"$id\"," \
		"\"portals\": [$list]}"
}

value() { python3 -c "import json; j = json.load(open('/tmp/result'));
print(j$1)"; }

# Connects, and checks path and live paths.
connects() { # path, live, file, option…
	local path=$1 live=$2
	shift 2
	hawser connect --json "$@" >/tmp/result 2>/tmp/err ||
		fail "hawser connect $*"
	[[ $path == any ]] || same "$path" "$(value '["path"]')" "path"
	same "$live" "$(value '["paths"]["live"]')" "live paths"
	device=$(value '["path"]')
}

refuses() { # text, command…
	local text=$1
	shift
	! "$@" >/tmp/result 2>/tmp/err || fail "$* is not refused"
	grep -q "$text" /tmp/err || fail "$*: not '$text'"
}

controllers() { # of a name
	grep -lx "$base:$1" /sys/class/nvme/nvme*/subsysnqn 2>/dev/null | wc -l
}
has_controllers() { [[ $(controllers "$1") == "$2" ]]; }

live() { # name, number
	local n=0 c
	for c in /sys/class/nvme/nvme*; do
		if [[ $(<"$c/subsysnqn") == "$base:$1" &&
			$(<"$c/state") == live ]]; then
			n=$((n + 1))
		fi
	done
	[[ $n == "$2" ]]
}

declare -A fio
load() { # name, device, seconds
	fio --name=verify --eta=never --filename="$2" --size=8m --bs=4k \
		--rw=randrw --direct=1 --iodepth=4 --ioengine=libaio \
		--rate_iops=50 --time_based --runtime="$3" \
		--verify=crc32c --verify_fatal=1 --verify_state_save=0 \
		--group_reporting >"/tmp/fio.$1" 2>&1 &
	fio[$1]=$!
}

load_end() { # name
	wait "${fio[$1]}" || { cat "/tmp/fio.$1"; fail "fio on $1"; }
	grep -q 'err= 0' "/tmp/fio.$1" || fail "fio on $1 reports errors"
	echo "   $1, an interface down for 16 s: no error, contents verified"
}

# From memory it starts in a fifth of the time.
mkdir /tmp/bin
cp -r /vm/lib /tmp/lib
sed 's|/vm/lib|/tmp/lib|g' /vm/hawser >/tmp/bin/hawser
chmod +x /tmp/bin/hawser
PATH=/tmp/bin:$PATH

for ((i = 0; i < 300; i++)); do
	host "\$VM_LOG/rpc nvmf_get_subsystems" 2>/dev/null |
		grep -q 10.77.1.1 && break
	sleep 0.2
done
for n in 1 2 3 4; do
	rpc bdev_malloc_create 32 4096 -b "m$n"
done
host 'truncate -s 32M $VM_LOG/shared'
rpc bdev_aio_create "\$VM_LOG/shared" shared 4096
both='10.77.0.1 10.77.1.1'
subsystem plain 'm1:1 m2:2' $both
subsystem left m3:3 10.77.0.1
subsystem right m4:4 10.77.1.1
# What the one has, the other gives out.  (Each command on the host has a mount
# namespace of its own.)
subsystem dm-left shared:5 10.77.0.1 127.0.0.1
attach="\$VM_LOG/hawser attach --subnqn $base:dm-left 127.0.0.1 \$VM_LOG/twin"
host "nsenter --mount --target \$(cat \$VM_LOG/hawserd.pid) $attach" ||
	fail "the second replica"
rpc bdev_aio_create "\$VM_LOG/twin" twin 4096
subsystem dm-right twin:6 10.77.1.1

# Who this host is: made once, and kept.
hawser connector properties --json >/tmp/result
same kernel "$(value '["side"]')" side
same True "$(value '["nvme_native_multipath"]')" "native multipath"
nqn=$(value '["nqn"]')
hawser connector properties --json >/tmp/result
same "$nqn" "$(value '["nqn"]')" "the host's name"

# ---------------------------------------------------------- one, several paths
target plain 1 $both >/tmp/one.json
target plain 2 $both >/tmp/two.json
target plain 1 10.77.0.1 10.77.0.77 >/tmp/half.json
target plain 9 $both >/tmp/none.json
refuses 'paths are live' hawser connect --min-paths 2 /tmp/half.json
same 0 "$(controllers plain)" "controllers after that"
refuses 'none is it' hawser connect /tmp/none.json
same 0 "$(controllers plain)" "controllers after that"

connects any 2 /tmp/one.json --min-paths 2
one=$device
same 33554432 "$(blockdev --getsize64 "$one")" size
connects "$one" 2 /tmp/one.json
connects any 2 /tmp/two.json
two=$device
[[ $one != "$two" ]] || fail "two volumes are one"
same 2 "$(controllers plain)" "controllers"

mkfs.ext4 -q "$one"
mount "$one" /mnt
refuses 'in use' hawser disconnect "$one"
umount /mnt
rpc bdev_malloc_resize m1 48
same 50331648 "$(hawser connector extend "$one")" "the size"
hawser disconnect /tmp/two.json
same 2 "$(controllers plain)" "controllers that another volume needs"
rpc nvmf_subsystem_remove_ns "$base:plain" 2
wait_for 10 "a namespace is still there" eval "[[ ! -b $two ]]"
hawser disconnect "$one"
wait_for 10 "controllers are left" has_controllers plain 0
hawser disconnect "$one" 2>/dev/null && fail "it is not known any more"
hawser disconnect /tmp/one.json

# ------------------------------------------------------------------- killed
for ms in 05 2 4; do
	hawser connect /tmp/one.json >/dev/null 2>&1 &
	sleep 0.$ms
	kill -KILL $! 2>/dev/null || :
	wait $! 2>/dev/null || :
	connects any 2 /tmp/one.json
	same 2 "$(controllers plain)" "controllers"
done
hawser disconnect /tmp/one.json
wait_for 10 "controllers are left" has_controllers plain 0

# -------------------------------------------------------------------- RAID 1
cat >/tmp/mirror.json <<END
{ "alias": "mirror-1", "volume_replicas":
  [ $(target left 3 10.77.0.1), $(target right 4 10.77.1.1) ] }
END
connects /dev/md/mirror-1 2 /tmp/mirror.json
connects /dev/md/mirror-1 2 /tmp/mirror.json
clean() { grep -q '\[UU\]' /proc/mdstat && ! grep -q 'recovery\|resync' /proc/mdstat; }
wait_for 30 "the array is not clean" clean
size=$(blockdev --getsize64 /dev/md/mirror-1)
rpc bdev_malloc_resize m3 40
rpc bdev_malloc_resize m4 40
grown=$(hawser connector extend /dev/md/mirror-1)
((grown > size)) || fail "the array has $grown bytes, and had $size"
hawser disconnect /dev/md/mirror-1
wait_for 10 "controllers are left" has_controllers left 0
! grep -q active /proc/mdstat || fail "the array is still there"
connects /dev/md/mirror-1 2 /tmp/mirror.json # assembled, not made anew
wait_for 30 "the array is not clean" clean

# -------------------------------------------------------------- device-mapper
cat >/tmp/shared.json <<END
{ "vol_uuid": "22222222-0000-4000-8000-000000000000", "dm_replicas":
  [ $(target dm-left 5 10.77.0.1), $(target dm-right 6 10.77.1.1) ] }
END
map=/dev/mapper/hawser-22222222-0000-4000-8000-000000000000
connects $map 2 /tmp/shared.json
connects $map 2 /tmp/shared.json
active() { [[ $(dmsetup status "${map##*/}" | grep -o ' [0-9]*:[0-9]* A ' | wc -l) == "$1" ]]; }
active 2 || fail "not two paths"
host 'truncate -s 40M $VM_LOG/shared'
rpc bdev_aio_rescan shared
sleep 1
rpc bdev_aio_rescan twin
same 41943040 "$(hawser connector extend $map)" "the map's size"

# ---------------------------------------------------------- an interface is lost
# By the discovery log of the one address that it knows, the keeper finds the
# other; and it brings back what has failed.
target plain 1 10.77.0.1 >/tmp/first.json
connects any 1 /tmp/first.json
HAWSER_LOG=info hawser connector keep --interval 2 >/tmp/keep.log 2>&1 &
keeper=$!
wait_for 30 "the second address is not found" live plain 2
load 'native multipath' "$device" 26
load 'RAID 1' /dev/md/mirror-1 26
load 'device-mapper' $map 26
sleep 3
host ip link set tap0 down
sleep 16
host ip link set tap0 up
for name in 'native multipath' 'RAID 1' 'device-mapper'; do
	load_end "$name"
done
dmesg | grep -q 'md/raid1:.*\(redirecting\|Disk failure\)' ||
	fail "no replica was lost"
dmsetup status "${map##*/}" | grep -Eq ' [0-9]+:[0-9]+ [AF] [1-9]' ||
	fail "no path was lost"
for name in left dm-left; do
	wait_for 30 "the path does not come back" live $name 1
done
wait_for 30 "the path does not come back" live plain 2
wait_for 30 "the replica is not brought back" clean
wait_for 30 "the path of the map is not brought back" active 2
kill $keeper
connects /dev/md/mirror-1 2 /tmp/mirror.json
connects $map 2 /tmp/shared.json

# ------------------------------------------------------------------ the end
hawser disconnect /tmp/mirror.json
hawser disconnect /tmp/first.json
hawser disconnect $map
for name in plain left right dm-left dm-right; do
	wait_for 10 "controllers of $name are left" has_controllers $name 0
done
[[ ! -e $map ]] || fail "the map is still there"
echo "no error, contents verified"
