# SPDX-License-Identifier: Apache-2.0
# amazon-efs-utils (github.com/aws/efs-utils), of which EFS_UTILS names a
# checkout: its mount.efs, with stunnel, and its watchdog, on Linux in a virtual
# machine (../vm), with a hawserd as it is made there.  Its other tunnel,
# efs-proxy, is a program in Rust that this does not build.

[ -n "${EFS_UTILS:-}" ] || skip 'EFS_UTILS does not name a checkout of efs-utils'
[ -e "$EFS_UTILS/src/efs_utils_common" ] ||
	skip "$EFS_UTILS is no checkout of efs-utils 3"
command -v aws >/dev/null || skip "aws is not there"
vm="$HAWSER_TESTS/vm"

mkdir share
cp -r "$EFS_UTILS/src/efs_utils_common" "$EFS_UTILS/src/mount_efs" \
	"$EFS_UTILS/src/watchdog" "$EFS_UTILS/dist/efs-utils.conf" share
unset HAWSER_RPC HAWSER_STATE
export VM_CACHE="${VM_CACHE:-/var/cache/hawser-vm}-efs-utils"
export VM_PACKAGES='openssl python3 stunnel4'
"$vm/vm" run --nics 2 --timeout 1200 --share share --server \
	"$vm/nfs-server '$(command -v hawserd)' '$(command -v hawser)'" \
	"$HAWSER_TESTS/conformance/efs_utils_guest.sh"
