# SPDX-License-Identifier: Apache-2.0
# A volume with two replicas, each a service of its own: one of them dies and
# comes back, the host dies in the middle of writes; what was acknowledged is
# read, and in the end both replicas are the same.
. "$HAWSER_TESTS/posix/volume.sh"
for program in nbdkit nbdcopy nbdinfo qemu-img qemu-io; do
	command -v $program >/dev/null || skip "$program is not installed"
done
nbdkit --dump-plugin "$plugin" >/dev/null 2>&1 ||
	skip "the plug-in is not there, or built with a sanitizer"

second_config config
start_second() { start_hawserd second --state state --config config; }
kill_second() {
	kill -KILL "$(cat second.pid)"
	wait "$(cat second.pid)" || :
}
start_second
hawser volume create --name w --size 64M --socket state/rpc.sock >/dev/null
hawser volume show w --json --socket state/rpc.sock >volume2
nqn2=$(json 'j["nqn"]' <volume2)
three=$(json 'j["listen_addresses"][0]["traddr"]' <volume2)
four=$(json 'j["listen_addresses"][1]["traddr"]' <volume2)

uri() { echo "nbd+unix:///?socket=$PWD/$1.nbd"; }
# serve NAME PARAMETER…: starts nbdkit in the background.
serve() {
	name=$1
	shift
	rm -f "$name.nbd"
	nbdkit -f -U "$PWD/$name.nbd" "$plugin" "$@" 2>$name.log &
	eval "nbdkit_$name=$!"
	eventually served $name $!
	kill -0 $! 2>/dev/null || fail "$(cat $name.log)"
}
served() {
	nbdinfo --size "$(uri $1)" >/dev/null 2>&1 || ! kill -0 $2 2>/dev/null
}
end() {
	eval "kill \$nbdkit_$1; wait \$nbdkit_$1 || :"
}
mirror() {
	serve m volume-replica="$nqn" path="$one" path="$two" \
		volume-replica="$nqn2" path="$three" path="$four" "$@"
}
state() { # of replica number $1
	hawser paths --json | json "[v['replicas'][$1]['state'] for v in j
		if 'replicas' in v][0]"
}
state_is() { [ "$(state $1)" = "$2" ]; }
# The replicas, each looked at by itself, have the same.
same_replicas() {
	serve a subnqn="$nqn" path="$one"
	serve b subnqn="$nqn2" path="$three"
	qemu-img compare -q -f raw -F raw "$(uri a)" "$(uri b)"
	end a
	end b
}

both="volume-replica=$nqn path=$one volume-replica=$nqn2 path=$three"
refuses 'needs bitmap=FILE' $both
refuses 'exclude each other' $both subnqn="$nqn" path="$one" bitmap=map
refuses 'at least two' volume-replica="$nqn" path="$one" bitmap=map
refuses 'No such file' $both bitmap="$PWD/nothing"
echo something else >wrong
refuses 'no bitmap of a mirror' $both bitmap="$PWD/wrong"

# A new mirror has what the first replica had.
dd if=/dev/urandom of=image bs=1M count=64 status=none
serve a subnqn="$nqn" path="$one"
nbdcopy image "$(uri a)"
end a
mirror bitmap-create="$PWD/map"
qemu-img compare -q -f raw -F raw image "$(uri m)"
refuses 'in use' $both bitmap="$PWD/map"
eventually state_is 1 complete
end m
same_replicas
refuses 'File exists' $both bitmap-create="$PWD/map"
refuses 'in this order' volume-replica="$nqn2" path="$three" \
	volume-replica="$nqn" path="$one" bitmap="$PWD/map"

# A replica dies while it is written to, misses things, and comes back.
mirror bitmap="$PWD/map"
dd if=/dev/urandom of=image bs=1M count=64 status=none
(sleep 0.1; kill_second) &
nbdcopy --flush image "$(uri m)"
wait $!
qemu-img compare -q -f raw -F raw image "$(uri m)"
eventually state_is 1 lost
qemu-io -f raw "$(uri m)" -c 'write -P 1 1M 64k' -c 'discard 5M 1M' \
	-c 'write -P 2 777 3' >/dev/null
start_second
eventually state_is 1 complete
end m
same_replicas

# Load that checks what it wrote, while a replica dies and comes back.
hawser perf nvme -q 8 -o 16k -w verify -t 4 --json \
	volume-replica="$nqn" path="$one" path="$two" \
	volume-replica="$nqn2" path="$three" path="$four" \
	bitmap="$PWD/map" >out &
load=$!
known() { hawser paths --json | grep -q "perf $load"; }
eventually known
kill_second
eventually state_is 1 lost
start_second
wait $load || fail "$(cat out)"
same 0 "$(json 'j["results"][0]["io_failed"]' <out)"
mirror bitmap="$PWD/map"
eventually state_is 1 complete
end m
same_replicas

# The host dies in the middle of writes, also with a replica lost.
for round in 1 2 3; do
	mirror bitmap="$PWD/map"
	qemu-io -f raw "$(uri m)" -c "write -P $round 9M 1M" -c flush >/dev/null
	nbdcopy image "$(uri m)" 2>/dev/null &
	copy=$!
	[ $round != 2 ] || kill_second
	sleep 0.3
	kill -KILL $nbdkit_m
	wait $nbdkit_m $copy || :
	[ $round != 2 ] || start_second
	mirror bitmap="$PWD/map"
	eventually state_is 0 complete
	eventually state_is 1 complete
	end m
	same_replicas
done

# What only a replica has that can't be reached is not made up.
mirror bitmap="$PWD/map"
kill_second
eventually state_is 1 lost
qemu-io -f raw "$(uri m)" -c 'write -P 3 0 64k' >/dev/null
end m
start_second
silence "$one"
refuses 'has what no other replica has' $both bitmap="$PWD/map"
speak
mirror bitmap="$PWD/map"
eventually state_is 1 complete
qemu-io -f raw "$(uri m)" -c 'read -P 3 0 64k' >read.log
! grep -qi 'verification failed' read.log || fail "$(cat read.log)"
end m
same_replicas
