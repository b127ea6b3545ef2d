# SPDX-License-Identifier: Apache-2.0
# hawser pathd, with files in place of the kernel's transports: which addresses
# it writes there, while mount targets are silenced and it is killed.  What a
# kernel makes of it: tests/vm/nfs-pathd.sh.
. "$HAWSER_TESTS/posix/lib.sh"
command -v nft >/dev/null || skip "nft is not installed"

port=$(hawser mount-target list --json | json 'j[0]["port"]')
sys=$PWD/sys
for i in 1 2 3; do
	transport=$sys/kernel/sunrpc/xprt-switches/switch-0/xprt-$i-tcp
	mkdir -p "$transport"
	eval "echo \$target$i" >"$transport/dstaddr"
	echo "last_used=1
pending_q_len=0
dst_port=$port" >"$transport/xprt_info"
done

at() { # transport, address
	[ "$(cat "$sys/kernel/sunrpc/xprt-switches/switch-0/xprt-$1-tcp/dstaddr")" \
		= "$2" ]
}
away() { ! at "$@"; }

silence() {
	nft add table ip silence
	nft add chain ip silence out '{ type filter hook output priority 0; }'
	for address; do
		nft add rule ip silence out ip daddr "$address" drop
	done
}
speak() { nft delete table ip silence; }

start_pathd() {
	hawser pathd --sysfs "$sys" --metrics metrics.prom 2>>log &
	pathd=$!
}
answering() {
	[ "$(hawser pathd --status --json 2>/dev/null |
		json 'sum(t["state"] == "answering" for t in j["targets"])' \
			2>/dev/null)" = "$1" ]
}
moves() { hawser pathd --status --json | json 'j["moves"]'; }

start_pathd
eventually answering 3
refused 1 "another hawser pathd runs" hawser pathd --sysfs "$sys"

silence "$target1"
eventually away 1 "$target1"
at 2 "$target2" && at 3 "$target3" || fail "others were moved"

# The next one knows where it belongs, and brings it back.
kill -KILL $pathd
wait $pathd || : # its lock goes with it
start_pathd
eventually answering 2
at 1 "$target1" && fail "moved to a silent address"
speak
eventually at 1 "$target1"
same "" "$(ls /run/hawser/pathd.away)"

# Two of three: the third takes all.
silence "$target1" "$target2"
eventually at 1 "$target3"
eventually at 2 "$target3"
eventually grep -q \
	"^hawser_pathd_target_up{address=\"$target1:$port\",kind=\"nfs\"} 0" \
	metrics.prom
speak
eventually at 1 "$target1"
eventually at 2 "$target2"

# All three: nothing to do.
before=$(moves)
silence "$target1" "$target2" "$target3"
eventually answering 0
sleep 2
same "$before" "$(moves)"
speak
eventually answering 3
same "$before" "$(moves)"

# A transport that goes is forgotten, and ends nothing.
rm -r "$sys/kernel/sunrpc/xprt-switches/switch-0"
eventually answering 0
kill -TERM $pathd
wait $pathd || fail "status $?"
