# SPDX-License-Identifier: Apache-2.0
# A quota of bytes and of files, set by a tag: statfs shows it, what goes beyond
# is refused, what is removed makes room again.
command -v aws >/dev/null || skip "aws is not there"
. "$HAWSER_TESTS/posix/lib.sh"
export AWS_SHARED_CREDENTIALS_FILE="$HAWSER_AWS_CREDENTIALS"
export AWS_CONFIG_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true AWS_PAGER=
tag() {
	aws --endpoint-url "$HAWSER_API_URL" efs tag-resource \
		--resource-id "$fs" --tags "$@"
}
MB=$((1 << 20))

mount_at a
tag Key=hawser:quota-bytes,Value=$((20 * MB)) Key=hawser:quota-files,Value=5
! tag Key=hawser:quota-bytes,Value=20G 2>/dev/null || fail "20G"
same $((20 * MB)) "$(stat -f -c '%b %S' a | awk '{ print $1 * $2 }')"
same 5 "$(stat -f -c %c a)"

# refused_with TEXT COMMAND…
refused_with() {
	text=$1
	shift
	! "$@" 2>err || fail "not refused: $*"
	grep -q "$text" err || fail "$(cat err)"
}
write() { # FILE MB
	dd if=/dev/zero of="$1" bs=1M count="$2" oflag=sync conv=notrunc \
		status=none
}

write a/one 15
refused_with 'quota' write a/two 10
size=$(stat -c %s a/two)
test "$size" -le $((5 * MB)) || fail "two has $size bytes"
rm a/two
# Nor do writes in flight together go beyond: which of them fit is open.
refused_with 'quota' dd if=/dev/zero of=a/two bs=1M count=10 conv=fsync \
	status=none
space=$(stat -c '%b %B' a/two | awk '{ print $1 * $2 }')
test "$space" -le $((5 * MB)) || fail "two takes $space bytes"
rm a/two
write a/one 15 # what is there may be overwritten
write a/two 4
avail() { stat -f -c '%a %S' a | awk '{ print $1 * $2 }'; }
test "$(avail)" -le $MB || fail "$(avail) bytes are left"
rm a/one
roomy() { [ "$(avail)" -ge $((14 * MB)) ]; }
eventually roomy

# Files, the root among them.
touch a/3 a/4 a/5
refused_with 'quota' touch a/6
refused_with 'quota' mkdir a/d
rm a/3 # which is free a moment later
eventually touch a/6

# It holds after a restart of nothing but the mount, and goes with the tag.
aws --endpoint-url "$HAWSER_API_URL" efs untag-resource \
	--resource-id "$fs" --tag-keys hawser:quota-bytes hawser:quota-files
touch a/7 a/8
write a/big 30
hawser umount a
