# SPDX-License-Identifier: Apache-2.0
# Two subsystems of two services hold one volume (the second gives out, by a
# file, what the first has): their paths are paths of one device.
. "$HAWSER_TESTS/posix/volume.sh"
for program in nbdkit nbdinfo qemu-io; do
	command -v $program >/dev/null || skip "$program is not installed"
done
nbdkit --dump-plugin "$plugin" >/dev/null 2>&1 ||
	skip "the plug-in is not there, or built with a sanitizer"

second_config config
start_hawserd second --state state --config config
octet=$(hawser subnet list --json | json 'j[0]["cidr"].split(".")[1]')
uuid=$(json 'j["uuid"]' <volume)
hawser attach --subnqn "$nqn" "$two" file
nqn2=nqn.2026-01.com.example:twin three=127.$octet.11.9
second() { hawser rpc -s state/rpc.sock "$@" >/dev/null; }
second bdev_aio_create "$PWD/file" twin 4096
second nvmf_create_transport -t tcp
second nvmf_create_subsystem $nqn2 -a -r
second nvmf_subsystem_add_ns $nqn2 twin -u "$uuid" -n 7
second nvmf_subsystem_add_listener -t tcp -a "$three" -s 4420 $nqn2
# … and one that is another volume.
nqn3=nqn.2026-01.com.example:other
second bdev_malloc_create 64 4096 -b other
second nvmf_create_subsystem $nqn3 -a
second nvmf_subsystem_add_ns $nqn3 other
second nvmf_subsystem_add_listener -t tcp -a "$three" -s 4421 $nqn3

refuses 'exclude each other' dm-replica="$nqn" path="$one" \
	volume-replica=$nqn2 path="$three"
refuses 'no volume with the same UUID' dm-replica="$nqn" path="$one" \
	dm-replica=$nqn3 path="$three:4421"

nbdkit -f -U "$PWD/v.nbd" "$plugin" discover=no dm-replica="$nqn" path="$one" \
	dm-replica=$nqn2 path="$three" 2>v.log &
nbdkit=$!
uri="nbd+unix:///?socket=$PWD/v.nbd"
eventually nbdinfo --size "$uri" >/dev/null 2>&1
ours() { # the report of what nbdkit serves, as an expression of v
	hawser paths --json |
		json "[$1 for v in j if v['where'].startswith('nbdkit')][0]"
}
same 2 "$(ours 'len(v["paths"])')"
requests() {
	ours "[p['requests'] for p in v['paths']
		if p['address'].startswith('$1:')][0]"
}
qemu-io -f raw "$uri" -c 'write -P 5 1M 1M' -c flush >io.log
before=$(requests "$three")

# The first subsystem can't be reached: the second has it all.
silence "$one"
qemu-io -f raw "$uri" -c 'read -P 5 1M 1M' -c 'write -P 6 2M 1M' \
	-c 'read -P 6 2M 1M' -c flush >>io.log
[ "$(requests "$three")" -gt "$before" ] || fail "not by the second subsystem"
speak
back() { [ "$(ours 'sum(p["state"] == "live" for p in v["paths"])')" = 2 ]; }
eventually back
qemu-io -f raw "$uri" -c 'read -P 6 2M 1M' >>io.log
! grep -qi 'fail' io.log || fail "$(cat io.log)"
kill $nbdkit
wait $nbdkit

# Load that checks what it wrote, by both in turn.
hawser perf nvme -q 4 -o 4096 -w verify -t 1 --json dm-replica="$nqn" \
	path="$one" dm-replica=$nqn2 path="$three" policy=round-robin >out
same 0 "$(json 'j["results"][0]["io_failed"]' <out)"
same True "$(json 'all(p["requests"] > 0 for p in j["results"][0]["paths"])
	and len(j["results"][0]["paths"]) == 2' <out)"
stop_hawserd second
hawser umount file
