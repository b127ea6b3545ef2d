# SPDX-License-Identifier: Apache-2.0
# A quota of an access point, set by tags: statfs through it shows it; what goes
# beyond below its root is refused, whoever does it; nothing crosses the edge
# uncounted; what was there is counted; and it all goes with the tags.
command -v aws >/dev/null || skip "aws is not there"
. "$HAWSER_TESTS/posix/lib.sh"
export AWS_SHARED_CREDENTIALS_FILE="$HAWSER_AWS_CREDENTIALS"
export AWS_CONFIG_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true AWS_PAGER=
efs() { aws --endpoint-url "$HAWSER_API_URL" --output text efs "$@"; }
MB=$((1 << 20))

# point PATH TAGS…: its id
point() {
	path=$1
	shift
	efs create-access-point --file-system-id "$fs" --query AccessPointId \
		--root-directory "Path=$path,CreationInfo={OwnerUid=0,OwnerGid=0,Permissions=0755}" \
		${1:+--tags "$@"}
}
bytes() { echo "Key=hawser:quota-bytes,Value=$1"; }
files() { echo "Key=hawser:quota-files,Value=$1"; }
show() { hawser access-point show "$1" | awk -v k="$2" '$1 == k { print $2 }'; }
mount_point() { # DIR NAME
	mkdir -p "$1"
	hawser mount "$target1:/$2" "$1" -f 2>>"$1.log" &
	eventually mounted_or_dead "$1" $!
	mountpoint -q "$1" || fail "$(cat "$1.log")"
}
refused_with() { # TEXT COMMAND…
	text=$1
	shift
	! "$@" 2>err || fail "not refused: $*"
	grep -q "$text" err || fail "$(cat err)"
}
write() { # FILE MB, one after the other: together they may go beyond
	dd if=/dev/zero of="$1" bs=1M count="$2" oflag=sync conv=notrunc \
		status=none
}
size() {
	set -- $(stat -f -c '%b %S' "$1")
	echo $(($1 * $2))
}

# A root that the first mount makes.
mount_at whole
app=$(point /data/app "$(bytes $((20 * MB)))" "$(files 6)")
refused_with 'one directory has one' point /data/app "$(bytes 5)"
same "" "$(show "$app" used_files | grep -v '^0$')"
mount_point app "$app"
same $((20 * MB)) "$(size app)"
same 6 "$(stat -f -c %c app)"
test "$(size whole)" -gt $((20 * MB)) || fail "that is the whole's"

# Two mounts, one quota.
write app/one 15
refused_with 'quota' write whole/data/app/two 10
rm app/two
write whole/data/app/one 15 # what is there may be overwritten
mkdir app/d
touch app/d/3 whole/data/app/4 app/5
refused_with 'quota' touch whole/data/app/6
refused_with 'quota' mkdir app/6
rm app/5 # which is free a moment later
eventually touch app/6
write whole/elsewhere 30
same 6 "$(show "$app" used_files)"
hawser access-point list "$fs" | grep -q "$app.* 15M *20M *6 */data/app" ||
	fail "$(hawser access-point list)"

# Nothing crosses the edge but by a copy, which pays.
rm app/6
has_five() { [ "$(show "$app" used_files)" = 5 ]; }
eventually has_five
touch whole/x
refused_with 'cross-device' ln whole/x whole/data/app/x
python3 -c 'import os, errno
try:
	os.rename("whole/x", "whole/data/app/x")
	raise SystemExit("renamed")
except OSError as e:
	assert e.errno == errno.EXDEV, e'
mv whole/x whole/data/app/x
same 6 "$(show "$app" used_files)"
refused_with 'quota' mv whole/elsewhere app/d/3
same $((30 * MB)) "$(stat -c %s whole/elsewhere)"
mv app/one whole/one
same $((15 * MB)) "$(stat -c %s whole/one)"
mv whole/data/app whole/app2 # the root itself goes where it likes
mv whole/app2 whole/data/app

# What was there before is counted, and another one inside counts for itself.
mkdir -p whole/old/inner
for i in $(seq 300); do echo $i; done | (cd whole/old && xargs touch)
write whole/old/large 3
all=$(point /old "$(bytes 0)")
inner=$(point /old/inner)
counted() { [ "$(show "$1" used_files):$(show "$1" counting)" = "$2:no" ]; }
eventually counted "$all" 303
same $((3 * MB)) "$(show "$all" used_bytes)"
touch whole/old/inner/1 whole/old/inner/2 whole/old/inner/3
efs tag-resource --resource-id "$inner" --tags "$(files 4)"
eventually counted "$inner" 4
eventually counted "$all" 302
refused_with 'quota' touch whole/old/inner/4
efs delete-access-point --access-point-id "$inner"
touch whole/old/inner/4
eventually counted "$all" 307

for d in whole app; do
	hawser umount "$d"
done
# Tags that go take the quota with them.
efs untag-resource --resource-id "$app" \
	--tag-keys hawser:quota-bytes hawser:quota-files
mount_point app "$app"
for i in $(seq 10 20); do touch "app/$i"; done
write app/big 30
same "" "$(show "$app" used_files)"
hawser umount app
