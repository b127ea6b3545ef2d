#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two kernel clients on one file system: what one does the other sees, locks
# keep them apart, and when the server is killed and started again under load
# both get their opens and locks back and nothing that was acknowledged is lost.
set -e

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

# expect WORDS COMMAND...: the command's output is that.
expect() {
	local want=$1 got
	shift
	got=$("$@" 2>&1) || got="$got (status $?)"
	[[ $got == "$want" ]] || fail "$*: '$got' instead of '$want'"
}

# Not `ip netns exec`, which has mounts of its own.
on_b() { nsenter --net=/run/netns/b "$@"; }

# Client b is a network namespace of its own, with the second card.
ip netns add b
ip link set eth1 netns b
on_b ip address add 10.77.1.2/24 dev eth1
on_b ip link set lo up
on_b ip link set eth1 up
modprobe nfsv4
ip netns exec b sh -c 'echo b >/sys/fs/nfs/net/nfs_client/identifier'
for ((i = 0; i < 100; i++)); do
	(: </dev/tcp/10.77.0.1/2049) 2>/dev/null && break
	sleep 0.2
done
mkdir -p /a /b
mount -t nfs4 -o minorversion=2 10.77.0.1:/ /a
on_b mount -t nfs4 -o minorversion=2,actimeo=1 10.77.1.1:/ /b

echo "names and attributes"
mkdir -m 750 /a/dir
echo content >/a/dir/file
ln -s file /a/dir/symlink
ln /a/dir/file /a/dir/hard
mknod /a/dir/null c 1 3
mkfifo /a/dir/fifo
chown 12:34 /a/dir/file
touch -d '2001-02-03 04:05:06.123456789 UTC' /a/dir/file
setfattr -n user.colour -v blue /a/dir/file
expect content cat /b/dir/file
expect content cat /b/dir/symlink
expect '12 34 2 981173106' stat -c '%u %g %h %Y' /b/dir/file
expect 'drwxr-x---' stat -c %A /b/dir
expect 'character special file 1,3' stat -c '%F %t,%T' /b/dir/null
expect blue getfattr --absolute-names --only-values \
	-n user.colour /b/dir/file
mv /b/dir/file /b/renamed
sleep 2
expect content cat /a/renamed
expect 'fifo hard null symlink' sh -c 'cd /a/dir && echo *'

echo "close to open"
echo one >/a/shared
expect one cat /b/shared
echo two, longer >/b/shared
expect 'two, longer' cat /a/shared
exec 5>>/a/shared
rm /b/shared
echo 'still there' >&5 || fail "a file that is open was taken away"
exec 5>&-

echo "a hole, and its end"
truncate -s 5G /a/sparse
echo end >>/a/sparse
expect 5368709124 stat -c %s /b/sparse
(($(stat -c %b /b/sparse) < 1000)) || fail "the hole takes space"
fallocate -p -o 0 -l 1M /a/sparse

echo "a directory of 2000 names"
mkdir /a/many
(cd /a/many && seq 2000 | xargs touch)
expect 2000 sh -c 'ls /b/many | wc -l'
rm -r /b/many

echo "locks"
touch /a/lock
flock -n /a/lock sleep 4 &
sleep 1
on_b flock -n /b/lock true && fail "two clients hold one lock"
on_b timeout 60 flock /b/lock true || fail "the lock never came free"
wait

echo "the server is killed and comes back"
exec 7<>/a/lock
flock -n 7
fio --name=verify --eta=never --directory=/a --size=1m --bs=16k \
	--rw=randwrite --numjobs=2 --rate_iops=10 --fsync=4 \
	--verify=crc32c --verify_fatal=1 --verify_state_save=0 \
	--group_reporting >/tmp/fio.log 2>&1 &
fio=$!
sleep 2
host 'kill -9 $(cat $VM_LOG/hawserd.pid)'
wait "$fio" || { cat /tmp/fio.log; fail "fio found an error"; }
on_b flock -n /b/lock true && fail "a lock was lost with the server"
exec 7>&-
on_b timeout 60 flock /b/lock true || fail "a lock outlived its holder"
umount /b
umount /a
echo "done"
