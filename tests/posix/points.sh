# SPDX-License-Identifier: Apache-2.0
# Access points: a root that nobody leaves, a user that everybody is; made by
# EFS's API, mounted by their names.
command -v aws >/dev/null || skip "aws is not there"
. "$HAWSER_TESTS/posix/lib.sh"
export AWS_SHARED_CREDENTIALS_FILE="$HAWSER_AWS_CREDENTIALS"
export AWS_CONFIG_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true AWS_PAGER=
efs() { aws --endpoint-url "$HAWSER_API_URL" --output text efs "$@"; }

# point PATH USER [INFO]: its id
point() {
	efs create-access-point --file-system-id "$fs" --query AccessPointId \
		--posix-user "$2" --root-directory "Path=$1${3:+,CreationInfo=$3}"
}

# mount_point DIR NAME
mount_point() {
	mkdir -p "$1"
	hawser mount "$target1:/$2" "$1" -f 2>>"$1.log" &
	eval "pid_$1=$!"
	eventually mounted_or_dead "$1" $!
	mountpoint -q "$1" || return 1
}

mount_at whole
made='{OwnerUid=500,OwnerGid=600,Permissions=0750}'
app=$(point /data/app 'Uid=1000,Gid=1001,SecondaryGids=[600]' "$made")
app2=$(point /data/app 'Uid=500,Gid=600')
nowhere=$(point /nowhere 'Uid=1,Gid=1')

# The root is made by the first mount, and not before.
test ! -e whole/data
! mount_point none "$nowhere" || fail "a root that is not there"
mount_point app "$app"
same '500 600 750' "$(stat -c '%u %g %a' whole/data/app)"
same '500 600 750' "$(stat -c '%u %g %a' whole/data)"

# Whoever asks is that user: root, too.  0750 lets group 600 look only.
test -z "$(ls app)"
! touch app/x 2>/dev/null || fail "user 1000 wrote"
chmod 770 whole/data/app
echo hello >app/file
same '1000 1001' "$(stat -c '%u %g' whole/data/app/file)"
! chown 0 app/file 2>/dev/null || fail "user 1000 gave a file away"
mount_point app2 "$app2"
same hello "$(cat app2/file)"
mkdir app2/dir
same '500 600' "$(stat -c '%u %g' whole/data/app/dir)"

# Space is that of the file system; names are told apart.
df app >/dev/null
ls whole/"$app" >/dev/null

# One that is deleted is gone, and those who have it mounted have nothing.
efs delete-access-point --access-point-id "$app2"
! ls app2 2>/dev/null || fail "still there"
ls app >/dev/null

for d in whole app; do
	hawser umount "$d"
done
umount -l app2
