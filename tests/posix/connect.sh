# SPDX-License-Identifier: Apache-2.0
# hawser connect where the kernel has no NVMe over fabrics: volumes as files,
# by connection information of each shape, while a path is lost under load.
. "$HAWSER_TESTS/posix/volume.sh"
[ ! -e /dev/nvme-fabrics ] || skip "this kernel has NVMe over fabrics"
command -v fio >/dev/null || skip "fio is not installed"

uuid=$(json 'j["uuid"]' <volume)
target() { # NQN UUID ADDRESS…
	printf '{"target_nqn": "%s", "vol_uuid": "%s", "portals": [' "$1" "$2"
	shift 2
	for address in "$@"; do
		printf '["%s", 4420, "tcp"]%s' "$address" \
			"$([ "$address" = "$(eval echo "\$$#")" ] || echo ,)"
	done
	printf ']}\n'
}
result() { json "j$1" <result; }

# Who this host is.
hawser connector properties --json >properties
json 'j["nqn"].startswith("nqn.") and j["nvme_hostid"]' <properties >/dev/null
same False "$(json 'j["nvme_native_multipath"]' <properties)"
same user "$(json 'j["side"]' <properties)"

# What is refused, before anything is done.
refused 2 'one file or device' hawser connect
refused 1 'No such file' hawser connect nowhere.json
echo '{"target_nqn": 1}' >wrong.json
refused 2 'not a text' hawser connect wrong.json
target "$nqn" "$uuid" "$one" "$two" >plain.json
refused 1 'no NVMe over fabrics' hawser connect --side kernel plain.json
target "$nqn" 11111111-1111-4111-8111-111111111111 "$one" >other.json
refused 1 'has no volume' hawser connect other.json
same '[]' "$(hawser paths --json | tr -d ' \n')"

# Connected twice it is the same; with fewer paths than demanded it is not.
target "$nqn" "$uuid" "$one" 127.0.0.1 >half.json
refused 1 'fewer than 2' hawser connect --min-paths 2 half.json
hawser connect half.json --json >result
same 1 "$(result '["paths"]["live"]')"
same 2 "$(result '["paths"]["wanted"]')"
same absent "$(result '["targets"][0]["portals"][1]["state"]')"
hawser disconnect half.json
hawser connect --min-paths 2 --json plain.json >result
file=$(result '["path"]')
same 2 "$(result '["paths"]["live"]')"
same 67108864 "$(stat -c %s "$file")"
same "$file" "$(hawser connect plain.json 2>/dev/null)"
refused 1 "it is $file already" hawser connect --file "$PWD/x" plain.json
same 2 "$(hawser connector show "$file" --json | json 'j["paths"]["live"]')"

load() { # FILE: starts it
	fio --name=verify --filename="$1" --size=16m --bs=4k --rw=randrw \
		--iodepth=4 --ioengine=libaio --direct=1 --rate_iops=1000 \
		--time_based --runtime=2 --verify=crc32c --verify_fatal=1 \
		--verify_state_save=0 --allow_file_create=0 >fio.log 2>&1 &
	fio=$!
}
loaded() { # it found no error
	wait $fio || fail "$(cat fio.log)"
	grep -q 'err= 0' fio.log || fail "$(cat fio.log)"
}
lose() { # ADDRESS, under load on $file
	load "$file"
	sleep 0.5
	silence "$1"
	sleep 1
	speak
	loaded
}
lose "$one"
both() {
	[ "$(hawser connector show "$file" --json | json 'j["paths"]["live"]')" = 2 ]
}
eventually both

# It grows with the volume.
same 67108864 "$(hawser connector extend "$file")"
hawser volume resize v 80M
same 83886080 "$(hawser connector extend plain.json)"
same 83886080 "$(stat -c %s "$file")"

# In use it stays; then it goes, and once more is no error.
exec 9<"$file"
refused 1 'in use' hawser disconnect "$file"
exec 9<&-
hawser disconnect "$file"
[ ! -e "$file" ] || fail "$file is still there"
hawser disconnect plain.json
refused 1 'no volume of that name' hawser disconnect "/dev/nothing"
refused 1 'not connected' hawser connector show plain.json

# One path only: the first that answers.
target "$nqn" "$uuid" 127.0.0.1 "$two" >late.json
hawser connect --single-path late.json --json >result
same 1 "$(result '["paths"]["live"]')"
same live "$(result '["targets"][0]["portals"][1]["state"]')"
file=$(result '["path"]')

# Killed in the middle, it completes.
hawser disconnect late.json
for n in 1 2 3 4 5; do
	hawser connect plain.json >/dev/null 2>&1 &
	sleep 0.0$((n * 2 - 1))
	kill -KILL $! 2>/dev/null || :
	wait $! || :
	file=$(hawser connect plain.json 2>/dev/null)
	hawser disconnect "$file"
done

# … and disconnected after that, it leaves nothing that goes on without it.
idle() { ! pgrep -f "attach .*$file\$" >/dev/null && [ ! -e "$file" ]; }
for n in 1 2 3 4 5; do
	hawser connect plain.json >/dev/null 2>&1 &
	sleep 0.0$((n * 2 - 1))
	kill -KILL $! 2>/dev/null || :
	wait $! || :
	hawser disconnect plain.json
	eventually idle
done
refused 1 'No such file' hawser attach --no-create --subnqn "$nqn" "$one" none

# A file that was there before is there again.
echo mine >mine
same "$PWD/mine" "$(hawser connect --file mine plain.json 2>/dev/null)"
hawser disconnect plain.json
same mine "$(cat mine)"

# Several at once are one.
for n in 1 2 3 4; do
	hawser connect plain.json >path.$n 2>/dev/null &
	eval "pid$n=$!"
done
for n in 1 2 3 4; do
	eval "wait \$pid$n" || fail "connect number $n"
	same "$file" "$(cat path.$n)"
done
same 1 "$(hawser paths --json | json 'len(j)')"
same 83886080 "$(stat -c %s "$file")"

# Two services, each with a volume: a mirror, which loses one of them.
second_config config
start_hawserd second --state state --config config
hawser volume create --name w --size 80M --socket state/rpc.sock >/dev/null
hawser volume show w --json --socket state/rpc.sock >volume2
hawser disconnect "$file"
three=$(json 'j["listen_addresses"][0]["traddr"]' <volume2)
four=$(json 'j["listen_addresses"][1]["traddr"]' <volume2)
nqn2=$(json 'j["nqn"]' <volume2)
uuid2=$(json 'j["uuid"]' <volume2)
cat >mirror.json <<END
{ "alias": "test-mirror-$$", "volume_replicas": [
$(target "$nqn" "$uuid" "$one" "$two"),
$(target "$nqn2" "$uuid2" "$three" "$four") ] }
END
map=/var/lib/hawser/mirrors/test-mirror-$$.map
trap 'rm -f "$map"' EXIT
refused 1 'new-mirror' hawser connect mirror.json
hawser connect --new-mirror mirror.json --json >result
file=$(result '["path"]')
same mirror "$(result '["kind"]')"
same 4 "$(result '["paths"]["live"]')"
complete() {
	[ "$(hawser paths "$file" --json | json 'all(r["state"] == "complete"
		for r in j[0]["replicas"])')" = True ]
}
eventually complete
lose "$three"
lose "$one"
eventually complete
hawser disconnect mirror.json
hawser connect mirror.json >/dev/null 2>&1 # the map is there now
hawser disconnect "$file"

# One volume that two services hold (the second gives out what the first has).
hawser connect plain.json 2>/dev/null >path
held=$(cat path)
second() { hawser rpc -s state/rpc.sock "$@" >/dev/null; }
nqn3=nqn.2026-01.com.example:twin
second bdev_aio_create "$held" twin 4096
second nvmf_create_subsystem $nqn3 -a
second nvmf_subsystem_add_ns $nqn3 twin -u "$uuid" -n 7
second nvmf_subsystem_add_listener -t tcp -a "$three" -s 4421 $nqn3
cat >shared.json <<END
{ "vol_uuid": "22222222-2222-4222-8222-222222222222", "dm_replicas": [
$(target "$nqn" "$uuid" "$one" "$two"),
{"target_nqn": "$nqn3", "vol_uuid": "$uuid",
 "portals": [["$three", 4421, "tcp"]]} ] }
END
hawser connect shared.json --json >result
file=$(result '["path"]')
same shared "$(result '["kind"]')"
same 3 "$(result '["paths"]["live"]')"
lose "$two"
hawser disconnect shared.json
stop_hawserd second
hawser disconnect "$held"

# A replica is enough, of either kind.
for shape in mirror shared; do
	hawser connect $shape.json --json >result
	same "2 True" "$(result '["paths"]["live"], len(j["warnings"]) > 0' |
		tr -d '(,)')"
	dd if=/dev/zero of="$(result '["path"]')" bs=64k count=1 \
		conv=notrunc,fsync status=none
	refused 1 'fewer than 3' hawser connect --min-paths 3 $shape.json
	hawser disconnect $shape.json
done
