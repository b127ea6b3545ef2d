#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# mount -t hawser with the kernel's NFS client, over two interfaces: by id, over
# both mount targets or one of them, from fstab; with an interface that is dead;
# and what the kernel does not like is said in its words.
set -e

fail() {
	echo "FAILED: $*" >&2
	tail -n 3 /tmp/err >&2
	exit 1
}

# As on a host where it is installed.
cat >/sbin/mount.hawser <<'END'
#!/bin/sh
exec /vm/lib/ld-linux-x86-64.so.2 --argv0 "$0" --library-path /vm/lib \
	/vm/lib/hawser "$@"
END
chmod +x /sbin/mount.hawser
until host 'test -s $VM_LOG/fs'; do sleep 0.2; done
fs=$(host 'cat $VM_LOG/fs')
mkdir -p /etc/hawser /a /b
host 'cat $VM_LOG/state/credentials' >/etc/hawser/credentials
cat >/etc/hawser/hawser.conf <<END
[mount]
endpoint = http://10.77.0.1:8077
credentials_file = /etc/hawser/credentials
END

# Transports of NFS, by their addresses.
transports() {
	local t
	for t in /sys/kernel/sunrpc/xprt-switches/*/xprt-*-tcp; do
		[[ -e $t/dstaddr ]] && echo "$(<"$t/dstaddr")"
	done | sort | paste -sd' '
}
expect_transports() { # WORDS, after WHAT
	local deadline=$((SECONDS + 20))
	until [[ $(transports) == "$1" ]]; do
		((SECONDS < deadline)) ||
			fail "$2: transports '$(transports)', not '$1'"
		sleep 0.2
	done
}
# Requests that each transport of a mount has carried.
requests() {
	awk -v at="$1" '$1 == "device" { here = $5 == at }
		here && $1 == "xprt:" { print $9 }' /proc/self/mountstats
}
both="10.77.0.1 10.77.1.1"

echo "by id: the API names both, the kernel uses both"
mount -v -t hawser "$fs:/" /a
[[ $(findmnt -n -o FSTYPE,SOURCE /a | tr -s ' ') == "nfs4 $fs:/" ]] ||
	fail "$(findmnt /a)"
expect_transports "$both" "by id"
dd if=/dev/urandom of=/a/data bs=64k count=64 conv=fsync 2>/dev/null
sha256sum /a/data >/tmp/sum
umount /a
mount -t hawser "$fs:/" /a
sha256sum --quiet -c /tmp/sum || fail "what was written is not there"
(($(requests /a | awk '$1 > 10' | wc -l) == 2)) ||
	fail "one transport carried it all: $(requests /a)"
mkdir /a/below
umount /a
expect_transports "" "umount"

echo "one of them; those that are given, and no others"
mount -t hawser -o nomultipath,noatime,lookupcache=none "$fs:/below" /a
[[ $(transports) != *' '* ]] || fail "nomultipath: $(transports)"
findmnt -n -o OPTIONS /a | grep -q noatime.*lookupcache=none ||
	fail "$(findmnt /a)"
umount /a
mount -t hawser -o addr=10.77.1.1,mounttargetip_1=10.77.0.1,max_connect=2,ro \
	"$fs:/" /a
grep -q ' trunkdiscovery' /proc/mounts && fail "$(grep /a /proc/mounts)"
expect_transports "$both" "by addresses"
touch /a/x 2>/dev/null && fail "written"
umount /a

echo "from fstab"
cat >/etc/fstab <<END
$fs:/ /a hawser _netdev,nofail 0 0
$fs:/below /b hawser _netdev,ro 0 0
END
mount -a
cmp /a/data /a/data || fail "mount -a"
mountpoint -q /b || fail "mount -a: /b"
mount -a 2>/tmp/err || fail "mount -a, again"
(($(findmnt -n -t nfs4 | wc -l) == 2)) || fail "mounted twice: $(findmnt)"
umount -a -t nfs4
expect_transports "" "umount -a"

echo "an interface is dead: the other does"
host ip link set tap0 down
SECONDS=0
mount -t hawser -o addr=10.77.0.1,mounttargetip_1=10.77.1.1 "$fs:/" /a \
	2>/tmp/err || fail "mount"
echo "   mounted after $SECONDS s"
((SECONDS <= 30)) || fail "mounted after $SECONDS s"
[[ $(<"/a/below/../data" wc -c) == 4194304 ]] || fail "read"
expect_transports 10.77.1.1 "an interface is dead"
umount /a
mount -t hawser -o retry=0 10.77.0.1:/ /a 2>/tmp/err && fail "mounted"
grep -q '10.77.0.1:2049: .*\(security group\|route\)' /tmp/err || fail "no rule"
host ip link set tap0 up

echo "refusals"
refused() { # TEXT COMMAND…
	local text=$1
	shift
	"$@" 2>/tmp/err && fail "done: $*"
	grep -qF -- "$text" /tmp/err || fail "$* without '$text'"
}
refused "lookupcache" mount -t hawser -o lookupcache=sometimes "$fs:/" /a
refused "No such file or directory" mount -t hawser "$fs:/missing" /a
refused "does not exist" mount -t hawser fs-0123456789abcdef0:/ /a

echo "through tunnels, as amazon-efs-utils mounts: each is a mount of its own; a"
echo "refusal is in words that it knows"
host "\$VM_SHARE/nfs-tunnel good 20490 $fs"
host "\$VM_SHARE/nfs-tunnel other 20491 fs-0123456789abcdef0"
host "\$VM_SHARE/nfs-tunnel point 20492 $fs --point fsap-0123456789abcdef0"
mount -t nfs4 10.77.0.1:/ /a
mount -t nfs4 -o vers=4.1,port=20490 10.77.0.1:/ /b
[[ -e /b/data ]] || fail "nothing there"
umount /a
host "\$VM_SHARE/nfs-tunnel again 20493 $fs"
mount -t nfs4 -o vers=4.1,port=20493 10.77.0.1:/ /a
by_port() { findmnt -n -o OPTIONS "$2" | grep -q "port=$1"; }
by_port 20490 /b || fail "what is to be encrypted goes in the clear"
by_port 20493 /a || fail "one tunnel for two"
umount /b
host 'kill $(cat $VM_LOG/good.pid)'
cmp /a/data /a/data || fail "the end of one is the other's"
umount /a
for port in 20491 20492; do
	refused "access denied by server while mounting" \
		mount -t nfs4 -o vers=4.1,port=$port 10.77.0.1:/ /b
done

allow='{"Effect":"Allow","Principal":"*","Action":"*"}'
deny='{"Sid":"nobody","Effect":"Deny","Principal":"*",'
deny+='"Action":"elasticfilesystem:ClientMount"}'
put="AWS_SHARED_CREDENTIALS_FILE=\$VM_LOG/state/credentials"
put+=" aws --region us-east-1 --endpoint-url http://10.77.0.1:8077 efs"
put+=" put-file-system-policy --file-system-id $fs"
host "$put --policy '{\"Statement\":[$allow,$deny]}'" >/tmp/err 2>&1 ||
	fail "put-file-system-policy"
refused "statement 2, nobody denies it" mount -t hawser "$fs:/" /a
expect_transports "" "refusals"
echo "done"
