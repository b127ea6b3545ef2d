# SPDX-License-Identifier: Apache-2.0
# The service goes for good: the mount can be taken away all the same.
. "$HAWSER_TESTS/posix/lib.sh"
mount_at a
echo hello >a/file
sleep 1000 <a/file &
user=$!
for id in "$id1" "$id2" "$id3"; do
	hawser mount-target down "$id"
done
! timeout 1 cat a/file || fail "read from nowhere"
kill "$user"
kill -TERM "$pid_a"
eventually sh -c '! mountpoint -q a'
wait "$pid_a" || :
ls a
