#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# hawser-csi as a node whose kernel has NFS and NVMe over fabrics: a file system
# by the kernel's NFS client over two mount targets, and volumes over NVMe with
# its native multipath, one with a file system and one as a device.  All three are
# written while an interface is lost, grow, outlive the driver, and leave nothing
# behind.  The controller is on the host, and so is the client of both.
set -e

. /vm/lib.sh

fail() {
	echo "FAILED: $*" >&2
	tail -n 15 /tmp/csi.log >&2
	cat /tmp/answer >&2
	dmesg | tail -15 >&2
	exit 1
}

call() { # address, method, JSON
	host "\$VM_LOG/csi-call $1 $2 '${3//$'\n'/ }'" >/tmp/answer
}
controller() { call "unix:\$VM_LOG/csi.sock" "$@" || fail "$1 $2"; }
node() { call 10.77.0.2:9000 "$@" || fail "$1 $2"; }
refused() { # code, method, JSON
	! call 10.77.0.2:9000 "$2" "$3" 2>/dev/null || fail "$2 is not refused"
	grep -q "^$1:" /tmp/answer || fail "$2: not $1"
}
value() { python3 -c "import json; j = json.load(open('/tmp/answer'));
print(json.dumps(j$1).strip('\"'))"; }

until host 'test -s $VM_LOG/fs || test -s $VM_LOG/skip'; do sleep 0.2; done
if host 'test -s $VM_LOG/skip'; then
	echo "skipped: $(host 'cat $VM_LOG/skip')"
	exit 77
fi
fs=$(host 'cat $VM_LOG/fs')
host 'cat $VM_LOG/state/credentials' >/tmp/credentials

# From memory programs start in a fifth of the time.
mkdir /tmp/bin
cp -r /vm/lib /tmp/lib
for program in hawser hawser-csi; do
	sed 's|/vm/lib|/tmp/lib|g' /vm/$program >/tmp/bin/$program
	chmod +x /tmp/bin/$program
done
PATH=/tmp/bin:$PATH

# What the host sends to TCP port 9000 goes to the driver's socket.
cat >/tmp/bridge.py <<'END'
import socket, threading
def copy(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
    except OSError:
        pass
    for s in a, b:
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
server = socket.create_server(("10.77.0.2", 9000))
while True:
    one, _ = server.accept()
    two = socket.socket(socket.AF_UNIX)
    try:
        two.connect("/tmp/csi.sock")
    except OSError:
        one.close()
        continue
    for pair in (one, two), (two, one):
        threading.Thread(target=copy, args=pair, daemon=True).start()
END
python3 /tmp/bridge.py &

driver() {
	HAWSER_LOG=info AWS_SHARED_CREDENTIALS_FILE=/tmp/credentials \
		hawser-csi --endpoint unix:///tmp/csi.sock --node-id guest \
		--api http://10.77.0.1:8077 --nvme --client kernel \
		--hawser /tmp/bin/hawser --work-dir /tmp/work 2>>/tmp/csi.log &
	driver=$!
}
driver

live() { # number of controllers that are live
	(($(cat /sys/class/nvme/nvme*/state 2>/dev/null | grep -cx live) == $1))
}
transports() { # number
	(($(cat /sys/kernel/sunrpc/xprt-switches/*/xprt-*-tcp/dstaddr \
		2>/dev/null | wc -l) == $1))
}
gone() { ! grep -q /tmp/pods /proc/mounts; }

cap() { # access type, mode
	echo "{\"$1\": {}, \"access_mode\": {\"mode\": \"$2\"}}"
}
created() { # sets id and context
	id=$(value '["volume"]["volume_id"]')
	context=$(python3 -c "import json; print(json.dumps(json.load(open(
		'/tmp/answer'))['volume'].get('volume_context', {})))")
}

# ------------------------------------------------------------------ publish
shared=$(cap mount MULTI_NODE_MULTI_WRITER)
controller CreateVolume "{\"name\": \"files\", \"volume_capabilities\": [$shared],
	\"capacity_range\": {\"required_bytes\": 67108864}, \"parameters\":
	{\"provisioningMode\": \"efs-ap\", \"fileSystemId\": \"$fs\",
	\"multipathing\": \"true\", \"maxMultipathTargets\": \"2\"}}"
created
files="\"volume_id\": \"$id\", \"target_path\": \"/tmp/pods/1/mount\""
files_id=$id
publish_files="{$files, \"volume_capability\": $shared,
	\"volume_context\": $context}"
# What the driver signs is good for five minutes, and the clock of an emulated
# machine may be off by more.
date -s "@$(host 'date +%s')" >/dev/null
node NodePublishVolume "$publish_files"
same "nfs4 $fs:/${id##*:}" \
	"$(findmnt -n -o FSTYPE,SOURCE /tmp/pods/1/mount | tr -s ' ')" mount
for line in 'Building multipath mount options for 2 mount targets' \
	'Added multipath mount option mounttargetip_1=10.77.1.1' \
	'Enabled multipathing with 2 mount targets'; do
	grep -q "$line" /tmp/csi.log || fail "the log lacks: $line"
done
wait_for 20 "not two transports" transports 2
refused ALREADY_EXISTS NodePublishVolume \
	"${publish_files%\}}, \"readonly\": true}"

one=$(cap mount SINGLE_NODE_WRITER) raw=$(cap block SINGLE_NODE_WRITER)
node NodeGetInfo '{}'
node_id=$(value '["node_id"]')
nvme() { # name, capability: created, let in, staged and published
	controller CreateVolume "{\"name\": \"$1\", \"volume_capabilities\": [$2],
		\"capacity_range\": {\"required_bytes\": 67108864},
		\"parameters\": {\"protocol\": \"nvme\"}}"
	created
	same 10.77.0.1:4420,10.77.1.1:4420 \
		"$(value '["volume"]["volume_context"]["portals"]')" portals
	controller ControllerPublishVolume "{\"volume_id\": \"$id\",
		\"node_id\": \"$node_id\", \"volume_capability\": $2}"
	staged="\"volume_id\": \"$id\",
		\"staging_target_path\": \"/tmp/pods/$1/stage\""
	node NodeStageVolume "{$staged, \"volume_capability\": $2,
		\"volume_context\": $context}"
	node NodePublishVolume "{$staged, \"volume_capability\": $2,
		\"target_path\": \"/tmp/pods/$1/mount\"}"
}
nvme disk "$one"
disk=$id disk_staged=$staged
grep -q '^/dev/nvme[0-9]*n1 /tmp/pods/disk/mount ext4' /proc/mounts ||
	fail "$(grep disk /proc/mounts)"
nvme raw "$raw"
raw_id=$id raw_staged=$staged
[[ -b /tmp/pods/raw/mount ]] || fail "no device"
wait_for 20 "not two paths of each volume" live 4
echo "   published: NFS over two transports, two NVMe volumes over two paths each"

# ---------------------------------------------------------- an interface is lost
hawser pathd 2>/tmp/pathd.log &
pathd=$!
for port in 2049 4420; do
	wait_for 30 "pathd does not watch" \
		grep -q "10.77.1.1:$port: answers" /tmp/pathd.log
done
declare -A fio
load() { # name, file, size
	fio --name=verify --eta=never --filename="$2" --size="$3" --bs=4k \
		--rw=randrw --direct=1 --ioengine=libaio --iodepth=2 \
		--rate_iops=30 --time_based --runtime=10 --verify=crc32c \
		--verify_fatal=1 --verify_state_save=0 >"/tmp/fio.$1" 2>&1 &
	fio[$1]=$!
}
load nfs /tmp/pods/1/mount/file 4m
load ext4 /tmp/pods/disk/mount/file 4m
load device /tmp/pods/raw/mount 8m
sleep 3
host ip link set tap1 down
# The driver goes, too, and comes back: what it mounted is nobody's to miss.
kill -KILL $driver
driver
sleep 5
host ip link set tap1 up
for name in nfs ext4 device; do
	wait "${fio[$name]}" || { cat "/tmp/fio.$name"; fail "fio on $name"; }
	grep -q 'err= 0' "/tmp/fio.$name" || fail "fio on $name reports errors"
done
kill $pathd
wait_for 60 "paths do not come back" live 4
echo "   an interface down for 5 s, the driver killed: no error, verified"

# ------------------------------------------------------------------- growing
for id in "$files_id" "$disk" "$raw_id"; do
	controller ControllerExpandVolume "{\"volume_id\": \"$id\",
		\"capacity_range\": {\"required_bytes\": 134217728}}"
done
for name in disk raw; do
	id=${name}_id
	[[ $name == raw ]] && id=$raw_id || id=$disk
	node NodeExpandVolume "{\"volume_id\": \"$id\",
		\"volume_path\": \"/tmp/pods/$name/mount\"}"
done
same 134217728 "$(blockdev --getsize64 /tmp/pods/raw/mount)" "the device's size"
(($(stat -f -c '%b*%S' /tmp/pods/disk/mount) > 110000000)) ||
	fail "the file system has not grown"
node NodeGetVolumeStats "{\"volume_id\": \"$files_id\",
	\"volume_path\": \"/tmp/pods/1/mount\"}"
same 134217728 "$(value '["usage"][0]["total"]')" "the quota"

# ------------------------------------------------------------------- the end
node NodeUnpublishVolume "{$files}"
for name in disk raw; do
	[[ $name == raw ]] && id=$raw_id staged=$raw_staged ||
		{ id=$disk staged=$disk_staged; }
	node NodeUnpublishVolume "{\"volume_id\": \"$id\",
		\"target_path\": \"/tmp/pods/$name/mount\"}"
	node NodeUnstageVolume "{$staged}"
	controller ControllerUnpublishVolume "{\"volume_id\": \"$id\"}"
done
for id in "$files_id" "$disk" "$raw_id"; do
	controller DeleteVolume "{\"volume_id\": \"$id\"}"
done
gone || fail "mounts are left: $(grep /tmp/pods /proc/mounts)"
same "" "$(find /tmp/pods -name mount)" "targets that are left"
wait_for 10 "controllers are left" live 0
wait_for 20 "transports are left" transports 0
echo "   grown, unpublished, deleted: nothing is left"
