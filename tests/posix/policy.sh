# SPDX-License-Identifier: Apache-2.0
# A file system's policy decides what a mount may do, at once and with an
# explanation: mount, write, be root, through which access point.
command -v aws >/dev/null || skip "aws is not there"
. "$HAWSER_TESTS/posix/lib.sh"
export AWS_SHARED_CREDENTIALS_FILE="$HAWSER_AWS_CREDENTIALS"
export AWS_CONFIG_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true AWS_PAGER=
efs() { aws --endpoint-url "$HAWSER_API_URL" --output text efs "$@"; }

# policy STATEMENT…
policy() {
	efs put-file-system-policy --file-system-id "$fs" --policy \
		"{\"Version\":\"2012-10-17\",\"Statement\":[$*]}" >policy.out
}
# allow ACTIONS [CONDITION]
allow() {
	printf '{"Sid":"S","Effect":"Allow","Principal":{"AWS":"*"},"Action":[%s]' "$1"
	printf '%s}' "${2:+,\"Condition\":$2}"
}
mount='"elasticfilesystem:ClientMount"'
write='"elasticfilesystem:ClientWrite"'
root='"elasticfilesystem:ClientRootAccess"'
explain() { # ACTION ARGUMENTS…
	action=$1
	shift
	hawser policy explain "$fs" "elasticfilesystem:$action" "$@" --json |
		json 'j["decision"]'
}

mount_at a
chmod 777 a
echo hello >a/file
same allowed "$(explain ClientWrite)"

# It may be read, and not written.
policy "$(allow "$mount")"
same hello "$(cat a/file)"
! sh -c 'echo more >>a/file' 2>err || fail "written"
grep -q 'Read-only' err || fail "$(cat err)"
! rm a/file 2>/dev/null || fail "removed"
! touch a/new 2>/dev/null || fail "made"
same allowed "$(explain ClientMount)"
same 'implicitly denied' "$(explain ClientWrite)"

# Root is somebody only if he may be.
policy "$(allow "$mount,$write")"
touch a/nobody
same 65534 "$(stat -c %u a/nobody)"
! chown 0 a/nobody 2>/dev/null || fail "nobody gave a file away"
policy "$(allow "$mount,$write,$root")"
touch a/root
same 0 "$(stat -c %u a/root)"

# Only from there, only by an access point.
policy "$(allow "$mount" '{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}')"
! ls a >/dev/null 2>&1 || fail "from elsewhere"
same allowed "$(explain ClientMount --source-ip 10.2.3.4)"
same 'implicitly denied' "$(explain ClientMount --source-ip 192.0.2.1)"
point=$(efs create-access-point --file-system-id "$fs" \
	--posix-user Uid=1000,Gid=1000 --query AccessPointArn)
policy "$(allow "$mount,$write" \
	"{\"StringEquals\":{\"elasticfilesystem:AccessPointArn\":\"$point\"}}")"
! ls a >/dev/null 2>&1 || fail "without the access point"
mkdir p
hawser mount "$target1:/${point##*/}" p -f 2>>p.log &
eventually mounted_or_dead p $!
touch p/byp
same 1000 "$(stat -c %u p/byp)"
same allowed "$(explain ClientWrite --access-point "${point##*/}")"

# What is denied is denied.
policy "$(allow '"*"')," '{"Sid":"no","Effect":"Deny","Principal":"*",
	"Action":"elasticfilesystem:ClientWrite"}'
same denied "$(explain ClientWrite)"
hawser policy explain "$fs" elasticfilesystem:ClientWrite | grep -q '^sid *no$'
! touch p/x 2>/dev/null || fail "written"
ls a p >/dev/null
! policy '{"Effect":"Deny","Principal":"*","Action":"*"}' 2>err ||
	fail "locked out"
grep -q 'keep you from changing it' err

# Without a policy everything is as before.
efs delete-file-system-policy --file-system-id "$fs"
touch a/again p/other
hawser umount a
hawser umount p
