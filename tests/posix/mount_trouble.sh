# SPDX-License-Identifier: Apache-2.0
# Mounting and unmounting while something is in the way: nobody answers, or
# somebody else does the same.
. "$HAWSER_TESTS/posix/lib.sh"
command -v nft >/dev/null || skip "nft is not installed"
mkdir -p m

silence() {
	nft add table ip silence
	nft add chain ip silence out '{ type filter hook output priority 0; }'
	for target in "$target1" "$target2" "$target3"; do
		nft add rule ip silence out ip daddr "$target" drop
	done
}

speak() { nft delete table ip silence; }
daemons() { pgrep -c -x hawser --ns $$ --nslist mnt || :; }
no_daemon() { [ "$(daemons)" = 0 ]; }
two_daemons() { [ "$(daemons)" = 2 ]; }
something_waits() {
	[ "$(hawser paths m --json | json 'j[0]["requests"]')" -gt 0 ]
}
mounts() { grep -c " $PWD/m fuse.hawser " /proc/self/mounts || :; }

# Two at the same time: one mounts.
for round in 1 2 3; do
	ends=
	hawser mount "$target1:/" m 2>1.err & one=$!
	hawser mount "$target1:/" m 2>2.err & two=$!
	for pid in $one $two; do
		if wait $pid; then ends=$ends+; else ends=$ends-; fi
	done
	case $ends in +- | -+) ;; *) fail "two mounts at a time: $ends" ;; esac
	same 1 "$(mounts)"
	hawser umount m
	same 0 "$(mounts)"
done

# A command that waits for nobody can be interrupted, and nothing comes of it.
silence
hawser mount "$target1:/" m -f 2>err &
pid=$!
eventually grep -qs SigBlk:.*4002 /proc/$pid/status
kill -TERM $pid
started=$(date +%s)
! wait $pid || fail "it was not interrupted"
[ $(($(date +%s) - started)) -lt 5 ] || fail "interrupted too late"
grep -q interrupted err || fail "$(cat err)"
hawser mount "$target1:/" m &
pid=$!
eventually two_daemons
kill -KILL $pid
speak
eventually no_daemon
same 0 "$(mounts)"

# Nor does unmounting wait for a server that is not there.
hawser mount "$target1:/" m
silence
stat m/nothing 2>/dev/null &
pid=$!
eventually something_waits
kill -KILL $pid
wait $pid || :
timeout 6 hawser umount m || fail "umount took too long"
speak

# … or for one that it tries to connect to.
hawser mount "$target1:/" m -o idle_probe=100ms,connect_timeout=30s
silence
for target in "$target1" "$target2" "$target3"; do
	eventually path_is m "$target" connecting
done
timeout 6 hawser umount m || fail "umount waited for a connection"
speak

# File names are bytes, names of mount points too.
odd=$(printf 'a b\\\\\351')
mkdir -p "$odd"
hawser mount "$target1:/" "$odd"
hawser paths "$odd" | grep -q ' live ' || fail "no report of an odd name"
hawser umount "$odd"

# What mounttargetip_N names comes in addition.
hawser mount "$target1:/" m -o "notrunkdiscovery,mounttargetip_1=$target2"
same "$target1:2049 $target2:2049" "$(hawser paths m --json |
	json '*sorted(p["address"] for p in j[0]["paths"])')"
hawser umount m

refused 1 suspect_max hawser mount "$target1:/" m \
	-o suspect_min=1s,suspect_max=0.5s
