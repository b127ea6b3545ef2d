# SPDX-License-Identifier: Apache-2.0
# A mount that was given one address knows the mount targets that come and go
# while it is mounted, and uses them.
. "$HAWSER_TESTS/posix/lib.sh"

mount_at a "addr=$target1,rediscover=1"
has() { # N paths
	[ "$(hawser paths a --json | json 'len(j[0]["paths"])')" = "$1" ]
}
has 3 || fail "not all are found at the mount"
hawser mount-target delete "$id3"
eventually has 2
grep -q 'is no mount target any more' a.log || fail "$(cat a.log)"
set -- $(hawser mount-target create "$fs")
eventually has 3
eventually path_is a "$2" live

# What the user named stays, even if it is gone; and takes nobody's place.
mount_at c "addr=$target1,mounttargetip_1=$target2,max_connect=2"
hawser mount-target delete "$id1"
eventually path_is c "$2" live
hawser umount c
eventually path_is_not a "$target1" live
dd if=/dev/urandom of=a/file bs=64k count=16 conv=fsync status=none
has 3 || fail "the address that was given is forgotten"

# Once an hour is not soon, but a path that is lost makes it look.
mount_at b "addr=$target2,rediscover=3600s"
with_b() { [ "$(hawser paths b --json | json 'len(j[0]["paths"])')" = "$1" ]; }
with_b 2 || fail "not all are found at the mount"
hawser mount-target delete "$1"
eventually with_b 1
cmp a/file b/file
hawser umount b
hawser umount a
