# SPDX-License-Identifier: Apache-2.0
# A volume that was attached by one address learns the others, also those that
# come later, and forgets those that go, while it is written.
. "$HAWSER_TESTS/posix/volume.sh"

# A subsystem whose addresses come and go; that of a volume has them all.
octet=${one#127.}
three=127.${octet%%.*}.1.77
nqn=nqn.2026-01.com.example:discover
rpc() { hawser rpc "$@" >/dev/null; }
listener() { rpc "nvmf_subsystem_$1_listener" -t tcp -a "$2" -s 4420 $nqn; }
rpc bdev_malloc_create 64 4096 -b m
rpc nvmf_create_subsystem $nqn -a
rpc nvmf_subsystem_add_ns $nqn m
listener add "$one"
listener add "$two"
paths() { # FILE N
	[ "$(hawser paths "$1" --json | json 'len(j[0]["paths"])')" = "$2" ]
}
# Who wants the addresses that he names gets these alone.
refused 2 'discover is yes or no' hawser attach --discover maybe file
hawser attach --subnqn "$nqn" "$one" --discover no lone

hawser attach --subnqn "$nqn" "$one" file
eventually live file 2
dd if=/dev/urandom of=model bs=1M count=16 status=none
(while [ ! -e enough ]; do
	dd if=model of=file bs=64k conv=notrunc,fsync status=none || exit 1
done) &
writer=$!
listener add "$three"
eventually live file 3
listener remove "$two"
eventually paths file 2

# Its own address goes, where it asks for others: it asks elsewhere.  What was
# named is not forgotten.
listener remove "$one"
eventually live file 1
listener add "$two"
eventually live file 2
paths file 3 || fail "the address that was given is forgotten"
listener add "$one"
eventually live file 3
: >enough
wait $writer || fail "a write failed"
cmp -n 16777216 model file
paths lone 1 || fail "it has learned addresses"
hawser umount lone

# An address where nobody answers keeps nobody waiting.
silence 127.0.0.9
listener add 127.0.0.9
dd if=model of=file bs=1M count=1 conv=notrunc,fsync status=none
timeout 5 hawser umount file
speak
listener remove 127.0.0.9

# Connected by one address, it tells of all; if one is enough, that is it.
cat >one.json <<END
{ "nqn": "$nqn", "transport_type": "tcp",
  "target_portal": "$one", "target_port": 4420 }
END
shows() { # N
	[ "$(hawser connector show one.json --json | json 'j["paths"]["live"],
		j["paths"]["learned"], len(j["targets"][0]["portals"])')" = \
		"1 $(($1 - 1)) $1" ]
}
hawser connect one.json 2>/dev/null >path
eventually shows 3
listener remove "$three"
eventually shows 2
hawser disconnect one.json
hawser connect --single-path one.json 2>/dev/null >path
listener add "$three"
hawser attach --subnqn "$nqn" "$one" file
eventually live file 3
shows 1 || fail "a single path has others"
hawser disconnect one.json
hawser umount file

# All that is said of a namespace has to agree.
rpc bdev_malloc_create 1 4096 -b ids
rpc nvmf_subsystem_add_ns $nqn ids -e 0011223344556677 \
	-u 33333333-0000-4000-8000-000000000001 -n 5
is() { # IDENTIFIERS, in JSON
	echo "{ \"target_nqn\": \"$nqn\", $1,
		\"portals\": [[\"$one\", \"4420\", \"TCP\"]] }" >ids.json
}
uuid='"vol_uuid": "3333333300004000800000000000000'
for id in '"ns_id": "5"' '"volume_eui64": "0011223344556677"' "${uuid}1\"" \
	"${uuid}1\", \"ns_id\": 5, \"volume_eui64\": \"0011223344556677\""; do
	is "$id"
	same 1048576 "$(stat -c %s "$(hawser connect ids.json 2>/dev/null)")"
	hawser disconnect ids.json
done
for id in '"ns_id": 4' '"volume_eui64": "0011223344556678"' "${uuid}2\"" \
	"${uuid}1\", \"ns_id\": 1" "${uuid}1\", \"volume_eui64\":
		\"0011223344556678\""; do
	is "$id"
	refused 1 'has no volume' hawser connect ids.json
done
