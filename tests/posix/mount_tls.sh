# SPDX-License-Identifier: Apache-2.0
# TLS in the client: no tunnel.  Who has a key is let in, by his access point,
# and who is not is told which rule keeps him out; a path that is lost under
# load comes back over TLS.
command -v aws >/dev/null || skip "aws is not there"
command -v nft >/dev/null || skip "nft is not installed"
. "$HAWSER_TESTS/posix/lib.sh"
. "$HAWSER_TESTS/posix/helper.sh"
export AWS_SHARED_CREDENTIALS_FILE="$HAWSER_AWS_CREDENTIALS"
export AWS_CONFIG_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true AWS_PAGER=
efs() { aws --endpoint-url "$HAWSER_API_URL" --output text efs "$@"; }
ca="cafile=$HAWSER_STATE/nfs-cert.pem"

# mounts OPTIONS DIR [SOURCE]
mounts() {
	mkdir -p "$2"
	mount -t hawser -o "retry=0,tls${1:+,$1}" "${3:-$fs:/}" "$2"
}

# The server's certificate is checked.
mounts "$ca" a
echo hello >a/file
chmod 777 a
same 3 "$(hawser paths a --json | json 'len(j[0]["paths"])')"
umount a
refused 32 "the server's certificate" mounts '' a
cat >hawser.conf <<-EOF
	[mount]
	cafile = $HAWSER_STATE/nfs-cert.pem
	dns_name_suffix = example.com
EOF
export HAWSER_CONFIG="$PWD/hawser.conf"
refused 32 "$fs.efs.us-east-1.example.com" mounts '' a
mounts verify=0 a
same hello "$(cat a/file)"
umount a
unset HAWSER_CONFIG

# A mount target that never gets through its handshake is a path that is lost;
# to unmount in the middle of one hurts nobody.
python3 -c 'import socket, time
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
time.sleep(300)' >port &
silent=$!
eventually test -s port
mounts "$ca,mounttargetip=$target1,mounttargetip_1=127.0.0.1:$(cat port)" a
same hello "$(cat a/file)"
hawser paths a | grep -q "127.0.0.1:$(cat port)"
umount a
no_daemon || fail "a daemon is left"
kill $silent

# By an access point: its root, its user.
point=$(efs create-access-point --file-system-id "$fs" \
	--query AccessPointId --posix-user Uid=1000,Gid=1001 --root-directory \
	'Path=/app,CreationInfo={OwnerUid=1000,OwnerGid=1001,Permissions=0755}')
mounts "$ca,accesspoint=$point" a
touch a/mine
same 1000 "$(stat -c %u a/mine)"
test ! -e a/file
umount a

# A policy that lets in one user, and over TLS only.
efs put-file-system-policy --file-system-id "$fs" --policy '{"Statement":[{
	"Sid":"admins", "Effect":"Allow", "Principal":{"AWS":
	"arn:aws:iam::000000000000:user/admin"}, "Action":[
	"elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
	"Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}' >/dev/null
mounts "$ca,iam" a
echo signed >a/signed
mkdir b
refused 32 "policy of the file system anybody at 127.0.0.1 may not ClientMount: no statement" \
	mounts "$ca" b
refused 1 "no statement allows it" hawser mount "$target1:/" b
cat >wrong <<-EOF
	[default]
	aws_access_key_id = $(sed -n 's/^aws_access_key_id *= *//p' "$HAWSER_AWS_CREDENTIALS")
	aws_secret_access_key = mistaken
EOF
AWS_SHARED_CREDENTIALS_FILE="$PWD/wrong" \
	refused 32 "its signature is not that of the key" \
	mounts "$ca,iam,addr=$target1" b
refused 32 "no access key" mounts "$ca,iam,awsprofile=nobody,addr=$target1" b

refused 32 "is none of this file system's" \
	mounts "$ca,iam,accesspoint=fsap-0123456789abcdef0" b
efs put-file-system-policy --file-system-id "$fs" --policy '{"Statement":[{
	"Effect":"Allow", "Principal":"*", "Action":"*"}, {
	"Sid":"points", "Effect":"Deny", "Principal":"*", "Action":
	"elasticfilesystem:ClientMount", "Condition":{"Null":{
	"elasticfilesystem:AccessPointArn":"true"}}}]}' >/dev/null
refused 32 "statement 2, points denies it" mounts "$ca,iam" b
mounts "$ca,accesspoint=$point" b
umount b

# A key that is replaced while something is mounted: connections that are made
# from then on are signed with the new one.
efs put-file-system-policy --file-system-id "$fs" --policy '{"Statement":[{
	"Effect":"Allow", "Principal":{"AWS":
	"arn:aws:iam::000000000000:user/app"}, "Action":"*"}]}' \
	--bypass-policy-lockout-safety-check >/dev/null
hawser key create app >keys
old=$(sed -n 's/^aws_access_key_id *= *//p' keys)
AWS_SHARED_CREDENTIALS_FILE="$PWD/keys" mounts "$ca,iam,awsprofile=app" b
echo old >b/rotated
hawser key create app >keys.new
mv keys.new keys
for i in 1 2 3; do
	eval "id=\$id$i target=\$target$i"
	hawser mount-target down "$id"
	eventually path_is b "$target" lost
	hawser mount-target up "$id"
	eventually path_is b "$target" live
done
hawser key delete "$old"
same old "$(cat b/rotated)"
umount b
efs delete-file-system-policy --file-system-id "$fs"

# A path that is cut under load, and one that falls silent: the others go on, and
# it comes back, with a certificate of its own.
silence() {
	nft add table ip silence
	nft add chain ip silence out '{ type filter hook output priority 0; }'
	nft add rule ip silence out ip daddr "$1" drop
	nft add rule ip silence out ip saddr "$1" drop
}
work() {
	n=0
	until [ -e stop ]; do
		head -c $((n % 7 * 100000 + 5000)) /dev/urandom >new
		dd if=new of=a/load bs=16k conv=fsync status=none || return 1
		cmp new a/load || return 1
		n=$((n + 1))
	done
}
work &
worker=$!
silence "$target1"
eventually path_is a "$target1" lost
nft delete table ip silence
eventually path_is a "$target1" live
hawser mount-target down "$id2"
eventually path_is a "$target2" lost
hawser mount-target up "$id2"
eventually path_is a "$target2" live
touch stop
wait $worker || fail "the load met an error"
umount a
no_daemon || fail "a daemon is left"
