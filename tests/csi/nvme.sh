# SPDX-License-Identifier: Apache-2.0
[ -e /dev/loop-control ] || skip "there are no loop devices"
for program in losetup blkid mkfs.ext4 resize2fs; do
	command -v $program >/dev/null || skip "$program is not there"
done
export HAWSER_PYTHON="${HAWSER_CASE%.sh}.py"
. "$HAWSER_TESTS/csi/python.sh"
