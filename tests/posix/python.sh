# SPDX-License-Identifier: Apache-2.0
# Runs a Python case on two mounts.
. "$HAWSER_TESTS/posix/lib.sh"
mount_at a
mount_at b
export id1 id2 id3 target1 target2 target3
python3 "$HAWSER_PYTHON" -v
hawser umount a
hawser umount b
wait "$pid_a" || fail "a: $(cat a.log)"
wait "$pid_b" || fail "b: $(cat b.log)"
