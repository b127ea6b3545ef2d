# SPDX-License-Identifier: Apache-2.0
# A volume for NBD clients: copied in and out, zeroed, trimmed, in odd pieces,
# while its paths are reset and silent: every byte is right, and no error.
. "$HAWSER_TESTS/posix/volume.sh"
for program in nbdkit nbdcopy nbdinfo qemu-img qemu-io; do
	command -v $program >/dev/null || skip "$program is not installed"
done
nbdkit --dump-plugin "$plugin" >/dev/null 2>&1 ||
	skip "the plug-in is not there, or built with a sanitizer"

# serve NAME [OPTION…]: starts nbdkit for $nqn in the background.
serve() {
	name=$1
	shift
	nbdkit -f -U "$PWD/$name.nbd" "$plugin" \
		subnqn="$nqn" path="$one" path="$two" discover=no "$@" \
		2>$name.log &
	eval "nbdkit_$name=$!"
	eventually nbdinfo --size "nbd+unix:///?socket=$PWD/$name.nbd" \
		>/dev/null 2>&1
}
serve v
nbd="nbd+unix:///?socket=$PWD/v.nbd"

nbdinfo --json "$nbd" >info
same 67108864 "$(json 'j["exports"][0]["export-size"]' <info)"
same True "$(json 'j["exports"][0]["can_multi_conn"]' <info)"
same True "$(json 'j["exports"][0]["can_fua"]' <info)"
same True "$(json 'j["exports"][0]["can_fast_zero"]' <info)"

# In and out, by several connections.
dd if=/dev/urandom of=image bs=1M count=64 status=none
nbdcopy --flush image "$nbd"
nbdcopy "$nbd" copy
cmp image copy
qemu-img compare -q -f raw -F raw image "$nbd"

# Any bytes, also parts of blocks; zeroes and trim.
qemu-io -f raw "$nbd" -c 'write -P 7 4000 10000' -c 'write -P 8 1 1' \
	-c 'write -z -u 1M 128k' -c 'write -z 3M 5000' -c 'discard 4M 1M' \
	-c 'write -f -P 9 5M 64k' -c flush >io.log
! grep -i fail io.log || fail "$(cat io.log)"
qemu-io -f raw image -c 'write -P 7 4000 10000' -c 'write -P 8 1 1' \
	-c 'write -z 1M 128k' -c 'write -z 3M 5000' -c 'write -z 4M 1M' \
	-c 'write -P 9 5M 64k' >/dev/null
qemu-img compare -q -f raw -F raw image "$nbd"
! qemu-io -f raw "$nbd" -c 'read 64M 4k' >beyond 2>&1 ||
	fail "a read beyond the end: $(cat beyond)"

# Paths, and what is told of them.
hawser paths --json >paths
same 2 "$(json 'sum(p["state"] == "live" for p in j[0]["paths"])' <paths)"
volume=$(json 'j[0]["volume"]' <paths)
hawser paths "$volume" | grep -q "$one:4420 .*live"
hawser paths | grep -q "on nbdkit $nbdkit_v"

# A copy while paths die and come back.
trouble() {
	for round in 1 2 3; do
		silence "$one"
		sleep 0.7
		speak
		eventually live "$volume" 2
		reset "$two"
		reset "$one"
		eventually live "$volume" 2
	done
}
dd if=/dev/urandom of=image bs=1M count=64 status=none
trouble &
while kill -0 $! 2>/dev/null; do
	nbdcopy --flush image "$nbd"
	qemu-img compare -q -f raw -F raw image "$nbd"
done
wait $!

# A path that is not there at first is found later; a larger volume, too.
silence "$two"
serve late
hawser paths --json | grep -q absent
speak
late_all() {
	! hawser paths --json | grep -q absent
}
eventually late_all
hawser volume resize v 80M
larger() {
	[ "$(nbdinfo --size "nbd+unix:///?socket=$PWD/late.nbd")" = 83886080 ]
}
eventually larger
kill $nbdkit_late
wait $nbdkit_late

# fio checks what it wrote, at depth, while a path is reset.
if command -v fio >/dev/null && fio --enghelp 2>/dev/null | grep -qw nbd; then
	reset "$one" &
	fio --name=v --ioengine=nbd --uri="$nbd" --rw=randwrite --bs=4k \
		--iodepth=16 --size=16M --verify=crc32c >fio.log ||
		fail "$(cat fio.log)"
else
	echo "left out: fio with verification, as fio has no nbd engine here"
fi

kill $nbdkit_v
wait $nbdkit_v
same '[]' "$(hawser paths --json | tr -d ' \n')"

# What can't be had is said.
refuses 'no connection' subnqn="$nqn" path="$one:1"
refuses 'no volume 7' subnqn="$nqn" path="$one" volume=7
refuses 'after subnqn' path="$one"
