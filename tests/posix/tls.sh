# SPDX-License-Identifier: Apache-2.0
# TLS at a mount target, by stunnel as amazon-efs-utils uses it: what the
# client's certificate says holds, and what it claims without right does not.
command -v stunnel >/dev/null || skip "stunnel is not there"
command -v aws >/dev/null || skip "aws is not there"
. "$HAWSER_TESTS/posix/lib.sh"
export AWS_SHARED_CREDENTIALS_FILE="$HAWSER_AWS_CREDENTIALS"
export AWS_CONFIG_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true AWS_PAGER=
efs() { aws --endpoint-url "$HAWSER_API_URL" --output text efs "$@"; }
tunnels=
trap 'kill $tunnels 2>/dev/null || :' EXIT

# tunnel NAME [ARGUMENTS of certificate.py]: a port, $port, that leads through
# TLS to the first mount target, with such a certificate.
tunnel() {
	name=$1
	shift
	"$cases/certificate.py" "$name.d" "$@"
	port=$(free_port)
	cat >"$name.conf" <<-EOF
		foreground = yes
		pid =
		output = $PWD/$name.stunnel
		[nfs]
		client = yes
		accept = 127.0.0.1:$port
		connect = $target1:2049
		cert = $PWD/$name.d/certificate.pem
		key = $PWD/$name.d/key.pem
		CAfile = $HAWSER_STATE/nfs-cert.pem
		verifyChain = yes
		checkHost = $fs.efs.us-east-1.hawser.internal
		${version:+sslVersion = $version}
	EOF
	stunnel "$name.conf" 2>/dev/null &
	tunnels="$tunnels $!"
	eventually listens "$port"
}

free_port() {
	python3 -c 'import socket; s = socket.socket()
s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
listens() { ss -Hltn "sport = :$1" | grep -q .; }

# through NAME DIR: mounts through the tunnel
through() {
	mkdir -p "$2"
	hawser mount 127.0.0.1:/ "$2" -o "notrunkdiscovery,port=$port" 2>"$2.err"
}

mount_at plain
echo top >plain/top
point=$(efs create-access-point --file-system-id "$fs" \
	--query AccessPointId --posix-user Uid=1000,Gid=1001 --root-directory \
	'Path=/app,CreationInfo={OwnerUid=1000,OwnerGid=1001,Permissions=0755}')

# Nobody in particular, in both versions of TLS.
for version in TLSv1.2 TLSv1.3; do
	tunnel "all$version" "$fs"
	through "$version" all
	same top "$(cat all/top)"
	echo "$version" >all/file
	same "$version" "$(cat plain/file)"
	hawser umount all
done

# By an access point: its root, its user, and nothing else.
tunnel app "$fs" --point "$point"
through app app
echo hello >app/file
same '1000 1001' "$(stat -c '%u %g' plain/app/file)"
test ! -e app/top
same file "$(ls app)"
# A second way in at the same time, by the same host.
tunnel whole "$fs"
through whole whole
same top "$(cat whole/top)"
same hello "$(cat whole/app/file)"
hawser umount whole

# With a signature: whom the policy means.
read -r id secret <<-EOF
	$(sed -n 's/^aws_[a-z_]* = *//p' "$HAWSER_AWS_CREDENTIALS" | paste -sd' ')
EOF
efs put-file-system-policy --file-system-id "$fs" --policy '{"Statement":[{
	"Effect":"Allow", "Principal":{"AWS":
	"arn:aws:iam::000000000000:user/admin"}, "Action":[
	"elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
	"Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}' >/dev/null
! ls plain 2>/dev/null || fail "not over TLS"
tunnel none "$fs"
! through none none || fail "without a signature"
tunnel iam "$fs" --point "$point" --key "$id" "$secret"
through iam iam
echo signed >iam/file
same signed "$(cat iam/file)"

# What is not his.
tunnel wrong "$fs" --point "$point" --key "$id" "${secret}x"
! through wrong wrong || fail "a wrong signature"
tunnel old "$fs" --point "$point" --key "$id" "$secret" --age 90000
! through old old || fail "an old signature"
tunnel region "$fs" --key "$id" "$secret" --region eu-west-1
! through region region || fail "a signature for another region"
tunnel other fs-0123456789abcdef0 --key "$id" "$secret"
! through other other || fail "a certificate for another file system"
tunnel token "$fs" --key "$id" "$secret" --token nobodygavethis
! through token token || fail "a session token that nobody gave out"

# The key's own policy decides, too; and a key that is deleted is nobody's.
efs delete-file-system-policy --file-system-id "$fs"
hawser key create joe --policy '{"Statement":[{"Effect":"Deny", "Action":
	"elasticfilesystem:ClientWrite", "Resource":"*"}]}' >joe.key
read -r joe joes <<-EOF
	$(sed -n 's/^aws_[a-z_]* *= *//p' joe.key | paste -sd' ')
EOF
tunnel joe "$fs" --point "$point" --key "$joe" "$joes"
through joe joe
same signed "$(cat joe/file)"
! touch joe/other 2>/dev/null || fail "the key's policy denies it"
hawser key delete "$joe"
! ls joe >/dev/null 2>&1 || fail "the key is deleted"
hawser umount joe

tunnel stranger "$fs" --point fsap-0123456789abcdef0
! through stranger stranger || fail "an access point that is not there"

# What begins as neither TLS nor RPC, and TLS that never comes to an end.
python3 - "$target1" <<-EOF
	import socket, sys
	# bind_client_to_partition: READY, the same partition, five connections
	import struct
	call = struct.pack(">12I", 7, 0, 2, 400123, 1, 2, 0, 0, 0, 0, 3, 0x61626300)
	call += struct.pack(">2IQ", 0, 8, 1)[4:]
	found = set()
	for i in range(2):
	    with socket.create_connection((sys.argv[1], 2049)) as s:
	        s.sendall(struct.pack(">I", 1 << 31 | len(call)) + call)
	        reply = s.makefile("rb").read(4 + 24 + 4 + 64 + 16)
	        assert reply[28:32] == b"\\0\\0\\0\\3", reply
	        assert reply[96:100] == b"\\0\\0\\0\\5", reply
	        found.add(reply[32:96])
	assert len(found) == 1, found
	for start in (b"GET / HTTP/1.0", b"\\x16\\x03\\x01\\x02\\x00\\x01", b"\\x16"):
	    with socket.create_connection((sys.argv[1], 2049)) as s:
	        s.sendall(start)
EOF
cat app/file >/dev/null

for d in plain app iam; do
	hawser umount "$d"
done
