# SPDX-License-Identifier: Apache-2.0
# For the cases that call mount(8): it finds its helpers in /sbin, which is one
# of this mount namespace's own from here on.
[ "$(readlink /proc/self/ns/mnt)" != "$(readlink /proc/1/ns/mnt)" ] ||
	fail "this hides /sbin: it is for tests/posix/run, which makes one"
helper_dir=$(realpath /sbin)
mkdir sbin
mount --bind "$helper_dir" sbin
mount -t tmpfs none "$helper_dir"
ln -s "$PWD"/sbin/* "$helper_dir"
for name in mount.hawser mount.efs umount.fuse.hawser; do
	ln -sf "$HAWSER_BUILD/$name" "$helper_dir/$name"
done

# The daemon of a mount has gone: its socket has.
no_daemon() { [ -z "$(ls /run/hawser | grep '\.sock$')" ]; }
