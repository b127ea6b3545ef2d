# SPDX-License-Identifier: Apache-2.0
# mount(8) and umount(8) with the type hawser: by id, by address, from fstab;
# what is not to be had is refused with the rule that refuses it.
command -v aws >/dev/null || skip "aws is not there"
. "$HAWSER_TESTS/posix/lib.sh"
. "$HAWSER_TESTS/posix/helper.sh"
export AWS_SHARED_CREDENTIALS_FILE="$HAWSER_AWS_CREDENTIALS"
export AWS_CONFIG_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true AWS_PAGER=
efs() { aws --endpoint-url "$HAWSER_API_URL" --output text efs "$@"; }

# mounts OPTIONS DIR [SOURCE]: by mount(8), and at once or not at all
mounts() {
	mkdir -p "$2"
	mount -t hawser -o "retry=0,client=fuse${1:+,$1}" "${3:-$fs:/}" "$2"
}
paths() { hawser paths "$1" --json | json 'len(j[0]["paths"])'; }
source_of() { findmnt -n -o SOURCE "$1"; }

# By id: the API names three mount targets; multipath is the default.
mounts '' a
echo hello >a/file
same 3 "$(paths a)"
same "$fs:/" "$(source_of a)"
umount a
no_daemon || fail "umount(8) came back before the daemon had ended"

# One of them, or as many as are wanted.
mounts nomultipath a
same 1 "$(paths a)"
umount a
mounts max_connect=2 a
same 2 "$(paths a)"
same hello "$(cat a/file)"
umount a

# A zone; and one that has none.
zone=$(efs describe-mount-targets --file-system-id "$fs" \
	--query 'MountTargets[0].AvailabilityZoneName')
mounts "az=$zone" a
same 1 "$(paths a)"
umount a
refused 32 "has no mount target in zone nowhere, but in $zone" \
	mounts az=nowhere a

# By the name that EFS gives it, which nobody serves here.
mounts '' a "$fs.efs.us-east-1.hawser.internal:/"
same 3 "$(paths a)"
umount a
mounts '' a "$zone.$fs.efs.us-east-1.hawser.internal:/"
same 1 "$(paths a)"
umount a

# By address, and below the root; as it is by efs-utils' name, with its options.
mkdir a/below 2>/dev/null || :
mounts '' a "$target1:/"
mkdir a/below
echo deep >a/below/file
umount a
mounts ro a "$target2:/below"
same deep "$(cat a/file)"
! touch a/x 2>/dev/null || fail "written"
umount a
mount -t efs -o "client=fuse,mounttargetip=$target3,noocsp,_netdev" "$fs" a
same hello "$(cat a/file)"
umount -l a

# An access point is a path, without TLS.
point=$(efs create-access-point --file-system-id "$fs" \
	--query AccessPointId --posix-user Uid=1000,Gid=1001 --root-directory \
	'Path=/app,CreationInfo={OwnerUid=1000,OwnerGid=1001,Permissions=0755}')
mounts "accesspoint=$point" a
touch a/mine
same 1000 "$(stat -c %u a/mine)"
umount a

# From fstab, with nothing but a configuration to go by.
cat >hawser.conf <<-EOF
	[mount]
	endpoint = $HAWSER_API_URL
	credentials_file = $HAWSER_AWS_CREDENTIALS
	client = fuse
EOF
cat >fstab <<-EOF
	$fs:/ $PWD/a hawser _netdev,nofail,retry=0 0 0
	$fs:/below $PWD/b hawser _netdev,noatime,retry=0 0 0
EOF
mkdir -p b
of_fstab() {
	env -u HAWSER_API_URL -u HAWSER_AWS_CREDENTIALS \
		-u AWS_SHARED_CREDENTIALS_FILE -u HAWSER_RPC \
		HAWSER_CONFIG="$PWD/hawser.conf" LIBMOUNT_FSTAB="$PWD/fstab" "$@"
}
of_fstab mount -a -t hawser
same hello "$(cat a/file)"
same deep "$(cat b/file)"
of_fstab mount -a -t hawser # finds them mounted
same 2 "$(findmnt -n -t fuse.hawser | wc -l)"
of_fstab umount -a -t fuse.hawser
no_daemon || fail "umount -a left a daemon"
! mountpoint -q a || fail "still mounted"
of_fstab mount "$PWD/b"
same deep "$(cat b/file)"
umount b

# Refusals, each with its rule.
refused 32 "File system 'fs-0123456789abcdef0' does not exist" \
	mounts '' a fs-0123456789abcdef0:/
refused 1 "tls is not to be had with client=kernel" \
	mount -t hawser -o client=kernel,tls "$fs:/" a
refused 1 "policy" mount -t hawser -o client=kernel,policy=round-robin "$fs:/" a
refused 1 "awsprofile, or keys in the environment" mounts awscredsuri=/x a
refused 1 '"tls" option is required' mounts iam a
refused 1 "not the id of an access point" mounts accesspoint=fsap-x a
refused 1 "unknown option hrad" mounts hrad a
refused 32 "fs-123: " mounts '' a fs-123:/
refused 32 "nor is it the id of a file system" mounts '' a fs-123:/
refused 32 "neither fs-ID:/PATH nor ADDRESS:/PATH" mounts '' a "$fs:missing"
# Nothing that more attempts would change.
refused 32 "give $HAWSER_AWS_CREDENTIALS a profile [nobody]" \
	timeout 60 mount -t hawser -o client=fuse,awsprofile=nobody "$fs:/" a
refused 32 "is its server running" timeout 60 \
	mount -t hawser -o client=fuse,port=9,retrycnt=1 "$target1:/" a
refused 32 "no such directory or access point" \
	mounts accesspoint=fsap-0123456789abcdef0 a
/sbin/mount.hawser --version | grep -q '^mount.hawser [0-9]'
refused 32 "No such file or directory" mounts '' a "$fs:/missing"
refused 32 "is its server running" mounts port=9 a "$target1:/"
group=$(aws --endpoint-url "$HAWSER_API_URL" --region us-east-1 --output text \
	ec2 create-security-group --group-name closed --description none \
	--query GroupId)
efs modify-mount-target-security-groups --mount-target-id "$id1" \
	--security-groups "$group"
refused 32 "does a security group of the mount target let this host in" \
	mounts '' a "$target1:/"
refused 32 "and do its security groups let this host in" \
	mounts tls a "$target1:/"
if ! grep -qw nfs4 /proc/filesystems; then
	refused 32 "the kernel's NFS client is not to be had here" \
		mount -t hawser -o client=kernel "$fs:/" a
fi
# -f does all but mount, -s knows no unknown option, -v says what is done.
/sbin/mount.hawser "$fs:/" a -fsv -o client=fuse,hrad >said
grep -q "mount target $target1" said
! mountpoint -q a || fail "mounted"

# A server that is not there yet: the first attempts fail, in the background
# when that is wanted.
port=$(python3 -c 'import socket; s = socket.socket()
s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mount -t hawser -o "client=fuse,bg,notrunkdiscovery,port=$port" \
	127.0.0.1:/ a 2>bg.err
grep -q 'trying on in the background' bg.err
python3 - "$port" "$target2" <<-'EOF' &
	import socket, sys, threading
	def pump(a, b):
	    try:
	        while data := a.recv(65536):
	            b.sendall(data)
	        b.shutdown(socket.SHUT_WR)
	    except OSError:
	        pass
	door = socket.create_server(("127.0.0.1", int(sys.argv[1])))
	while True:
	    a, _ = door.accept()
	    b = socket.create_connection((sys.argv[2], 2049))
	    for x, y in (a, b), (b, a):
	        threading.Thread(target=pump, args=(x, y), daemon=True).start()
EOF
relay=$!
eventually mountpoint -q a
same hello "$(cat a/file)"
umount a
kill $relay
