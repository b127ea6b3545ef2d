#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# In the virtual machine that efs_utils.sh starts: each way in which mount.efs
# may mount, and each in which it is to be refused; then its watchdog.
set -e
efs=/usr/lib/amazon-efs-utils

. /vm/lib.sh

fail() {
	echo "FAILED: $*" >&2
	cat /tmp/err >&2
	tail -n 12 /var/log/amazon/efs/mount.log >&2
	exit 1
}

# ------------------------------------------------- as its packages install it

install_efs_utils() {
	mkdir -p $efs /etc/amazon/efs /var/log/amazon/efs ~/.aws
	cp -r /share/efs_utils_common /share/mount_efs /share/watchdog $efs
	# The files are compiled at each start where they can't be kept.
	python3 -m compileall -q $efs
	cat >/sbin/mount.efs <<-END_HELPER
		#!/bin/sh
		PYTHONPATH=$efs exec python3 $efs/mount_efs/__init__.py "\$@"
	END_HELPER
	chmod +x /sbin/mount.efs
	host 'cat $VM_LOG/state/nfs-cert.pem' >/etc/amazon/efs/hawser.crt
	sed -e 's/^#region = .*/region = us-east-1/' \
		-e '0,/^dns_name_suffix.*/s//dns_name_suffix = hawser.internal/' \
		-e '0,/^stunnel_cafile.*/s//stunnel_cafile = \/etc\/amazon\/efs\/hawser.crt/' \
		-e 's/^unmount_grace_period_sec.*/unmount_grace_period_sec = 1/' \
		-e 's/^\(enabled *= *\)false/\1true/' \
		/share/efs-utils.conf >/etc/amazon/efs/efs-utils.conf
}

# hawser ARGUMENTS…; api SERVICE ARGUMENTS…: the server's side.
hawser() { host "HAWSER_RPC=\$VM_LOG/state/rpc.sock hawser $*"; }
api() {
	host "AWS_SHARED_CREDENTIALS_FILE=\$VM_LOG/state/credentials \
		aws --region us-east-1 --output text \
		--endpoint-url http://10.77.0.1:8077 $*"
}
policy() { # STATEMENTS, on one line for the host
	set -- "${1//[$'\n\t']/}"
	api efs put-file-system-policy --file-system-id "$fs" \
		--bypass-policy-lockout-safety-check \
		--policy "'{\"Statement\":[$1]}'" >/tmp/err 2>&1 || fail policy
}

# name FS [ADDRESS]: as a DNS server would have it.
name() {
	echo "${2:-10.77.0.1} $1.efs.us-east-1.hawser.internal" >>/etc/hosts
}

# key PROFILE FILE: the host's credentials, as a profile of root's.
profile() {
	sed "s/^\[.*/[$1]/"
}

# -------------------------------------------------------------------- judging

mounts() { # OPTIONS DIR [SOURCE]
	mkdir -p "$2"
	timeout 120 mount -t efs -o "stunnel${1:+,$1}" "${3:-$fs:/}" "$2" \
		2>/tmp/err || fail "mount -o $1"
	mountpoint -q "$2" || fail "mount -o $1: not mounted"
}
refused() { # TEXT OPTIONS [SOURCE]
	local text=$1
	mkdir -p /r
	timeout 60 mount -t efs -o "stunnel,retry=0,$2" "${3:-$fs:/}" /r \
		2>/tmp/err && fail "mounted with $2"
	grep -q -- "$text" /tmp/err || fail "no '$text' with $2"
}
denied() { # RULE OPTIONS [SOURCE]
	refused "access denied by server" "${@:2}"
	host 'tail -n 20 $VM_LOG/server0.log' >/tmp/log
	grep -qF -- "$1" /tmp/log || { cat /tmp/log; fail "no rule '$1'"; }
}
# Of the tunnels that mounts go by.
ports() { sed -n 's/^127.0.0.1:.*[ ,]port=\([0-9]*\).*/\1/p' /proc/mounts | sort -u; }
# state DIR: the file in which the watchdog knows its tunnel; others may be left
# of mounts that were there before.
state() {
	local port
	port=$(findmnt -n -o OPTIONS "$1" | grep -o '\<port=[0-9]*')
	echo /run/efs/fs-*"${1//\//.}.${port#port=}"
}
tunnel() { sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' "$(state "$1")"; }
kill_tunnel() { kill -9 "$(tunnel "$1")"; }

# ---------------------------------------------------------------------- scenes

until host 'test -s $VM_LOG/fs'; do sleep 0.2; done
fs=$(host 'cat $VM_LOG/fs')
install_efs_utils
name "$fs"
echo "10.77.1.1 zb.$fs.efs.us-east-1.hawser.internal" >>/etc/hosts
host 'cat $VM_LOG/state/credentials' >/tmp/admin
profile default </tmp/admin >~/.aws/credentials
hawser key create app | profile app >>~/.aws/credentials

echo "by name, and by address, with and without TLS"
mounts "" /a
echo plain >/a/file
chmod 777 /a
mounts tls /b
[[ $(<"/b/file") == plain ]] || fail "read by TLS"
grep -q '^127.0.0.1:/ /b nfs4' /proc/mounts ||
	fail "by the connection of the mount in the clear: $(grep nfs4 /proc/mounts)"
umount /a /b
mounts tls,az=zb /a
mounts tls,mounttargetip=10.77.1.1 /b "$fs"
mounts tls,ro /c "$fs.efs.us-east-1.hawser.internal:/"
(($(ports | wc -l) == 3)) || fail "not a tunnel each: $(ports)"
touch /c/x 2>/dev/null && fail "written"
echo "   two at once, with load; the first one's end is not the other's"
dd if=/dev/urandom of=/a/one bs=64k count=32 conv=fsync 2>/dev/null &
dd if=/dev/urandom of=/b/two bs=64k count=32 conv=fsync 2>/dev/null
wait $!
cmp /a/two /b/two && cmp /a/one /b/one || fail "they differ"
old=$(tunnel /a)
umount /a # with its tunnel: without, Linux waits for three minutes
kill "$old"
timeout 20 sha256sum /b/one >/dev/null || fail "the other one hangs"
umount /b /c

echo "by an access point: its root, its user"
point=$(api efs create-access-point --file-system-id "$fs" --query AccessPointId \
	--posix-user Uid=1000,Gid=1001 --root-directory \
	"'Path=/app,CreationInfo={OwnerUid=1000,OwnerGid=1001,Permissions=0755}'")
mounts tls,accesspoint="$point" /a
touch /a/mine
[[ $(stat -c %u:%g /a/mine) == 1000:1001 && ! -e /a/file ]] || fail "$(ls -l /a)"
mounts tls /b
[[ -e /b/app/mine ]] || fail "not below /app"
umount /a /b

echo "from fstab"
mkdir -p /f1 /f2
cat >/etc/fstab <<END_FSTAB
$fs:/ /f1 efs _netdev,noauto,nofail,stunnel,tls 0 0
$fs:/ /f2 efs _netdev,stunnel,tls,iam,accesspoint=$point 0 0
END_FSTAB
mount -a 2>/tmp/err || fail "mount -a"
mount /f1 2>/tmp/err || fail "mount /f1"
[[ -e /f1/app/mine && -e /f2/mine ]] || fail "fstab"
umount /f1 /f2

echo "who is not to"
other=$(hawser fs create --name other)
hawser mount-target create "$other" --address 10.77.1.1 --port 2050
foreign=$(api efs create-access-point --file-system-id "$other" \
	--query AccessPointId)
denied "is no access point of this file system" tls,accesspoint="$foreign"
denied "is no access point of this file system" tls,accesspoint=fsap-0123456789abcdef0
denied "it is for another file system" \
	tls,mounttargetip=10.77.0.1,stunnel "$other:/"
refused "tunnel\|tim" tls,cafile=/etc/hostname

echo "with IAM"
user="arn:aws:iam::000000000000:user"
policy '{"Sid":"apps","Effect":"Allow","Principal":{"AWS":"'$user/app'"},
	"Action":["elasticfilesystem:ClientMount",
	"elasticfilesystem:ClientWrite"],
	"Condition":{"Bool":{"aws:SecureTransport":"true"}}}'
mounts tls,iam,awsprofile=app /a
touch /a/by-app 2>/dev/null || fail "app may not write"
denied "no statement allows it" tls
denied "no statement allows it" tls,iam
# In the clear everybody may mount the root, since he may be on his way to an
# access point; and do nothing there.
mkdir -p /r
mount -t efs -o stunnel "$fs:/" /r 2>/tmp/err || true
cat /r/file >/dev/null 2>&1 && fail "read in the clear"
umount /r 2>/dev/null || true
cp ~/.aws/credentials /tmp/credentials
sed -i 's/^\(aws_secret_access_key *= *\)./\1X/' ~/.aws/credentials
denied "its signature is not that of the key" tls,iam,awsprofile=app
cp /tmp/credentials ~/.aws/credentials
echo "   a clock that is four hours late: the certificate has expired"
# The server's is none yet, by that clock; stunnel checks it, or its name neither.
conf=/etc/amazon/efs/efs-utils.conf
sed -i 's/^\(stunnel_check_cert_hostname *= *\)true/\1false/' $conf
date -s '-4 hours' >/dev/null
denied "has expired" tls,iam,awsprofile=app,verify=0
date -s '+4 hours' >/dev/null
sed -i 's/^\(stunnel_check_cert_hostname *= *\)false/\1true/' $conf
umount /a
policy '{"Effect":"Allow","Principal":"*","Action":"*"},
	{"Sid":"points","Effect":"Deny","Principal":"*",
	"Action":"elasticfilesystem:ClientMount",
	"Condition":{"Null":{"elasticfilesystem:AccessPointArn":"true"}}}'
denied "points" tls,iam,awsprofile=app
mounts tls,iam,awsprofile=app,accesspoint="$point" /a
umount /a
policy '{"Effect":"Allow","Principal":"*","Action":"*"}'

echo "a security group that lets nobody in"
target=$(api efs describe-mount-targets --file-system-id "$fs" --query \
	"'MountTargets[?IpAddress==\`10.77.0.1\`].MountTargetId'")
group=$(api ec2 create-security-group --group-name closed \
	--description none --query GroupId)
groups=$(api efs describe-mount-target-security-groups \
	--mount-target-id "$target" --query SecurityGroups)
api efs modify-mount-target-security-groups --mount-target-id "$target" \
	--security-groups "$group"
refused "timeout\|timed out\|reset\|Broken pipe" tls
refused "timeout\|timed out\|reset\|Broken pipe" ""
api efs modify-mount-target-security-groups --mount-target-id "$target" \
	--security-groups "$groups"

echo "the watchdog: a tunnel that dies comes back"
PYTHONPATH=$efs python3 $efs/watchdog/__init__.py &
mounts tls,iam,awsprofile=app /a
mounts tls,iam,awsprofile=app /b
echo before >/a/watched
old=$(tunnel /a)
kill_tunnel /a
restarted() { [[ $(tunnel /a) != "$old" ]]; }
wait_for 60 "not started again" restarted
timeout 60 dd if=/dev/urandom of=/a/after bs=64k count=16 conv=fsync \
	2>/dev/null || fail "no I/O after the tunnel"

echo "   certificates are renewed; the key that was before may go"
sed '/^\[app\]/,$d' /tmp/credentials >~/.aws/credentials
hawser key create app | profile app >>~/.aws/credentials
certificates() { sha256sum "$(state /a)+/certificate.pem" "$(state /b)+/certificate.pem"; }
old=$(certificates)
renewed() { (($(certificates | grep -vcF "$old") == 2)); }
sed -i 's/"certificateCreationTime": *"[0-9]*Z"/"certificateCreationTime": "200101000000Z"/' \
	"$(state /a)" "$(state /b)"
wait_for 60 "not renewed" renewed
sleep 2 # until stunnel has read it
hawser mount-target down "$target"
hawser mount-target up "$target"
hawser key delete "$(sed -n '/^\[app\]/,$s/^aws_access_key_id *= *//p' /tmp/credentials)"
for dir in /a /b; do
	timeout 60 dd if=/dev/urandom of=$dir/renewed bs=64k count=16 \
		conv=fsync 2>/tmp/err || fail "$dir: with the new certificate"
done

echo "   the server killed: both are back, with what they had open"
exec 5>/a/open 6>/b/open2
echo one >&5
host 'kill -9 $(cat $VM_LOG/hawserd.pid)'
echo two >&5
echo three >&6
sync /a/open /b/open2 2>/tmp/err || fail "sync"
exec 5>&- 6>&-
[[ $(</b/open) == one?two ]] || fail "$(</b/open)"

echo "   unmounted, the tunnel ends; the other one stays"
file=$(state /a)
umount /a
gone() { [[ ! -e $file ]]; }
wait_for 90 "its state stays" gone
timeout 20 sha256sum /b/after >/dev/null || fail "the other one hangs"
umount /b
echo "done"
