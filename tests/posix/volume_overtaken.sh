# SPDX-License-Identifier: Apache-2.0
# A write that is held up in the device behind a path that falls silent (SPDK's
# issue 3593): it must not undo what was written after it.  A host that repeats
# such writes at once is overtaken by them, and verify finds it; ours is not.
. "$HAWSER_TESTS/posix/lib.sh"
command -v nft >/dev/null || skip "nft is not installed"

nqn=nqn.2026-11.org.example:late
octet=$(hawser subnet list --json | json 'j[0]["cidr"].split(".")[1]')
one=127.$octet.1.9 two=127.$octet.2.9
hawser rpc nvmf_create_transport -t tcp
hawser rpc nvmf_create_subsystem $nqn -a
hawser rpc bdev_malloc_create 1 512 -b memory >/dev/null
hawser rpc bdev_delay_create -b memory -d late -r 0 -t 0 -w 0 -n 0 >/dev/null
hawser rpc nvmf_subsystem_add_ns $nqn late >/dev/null
for address in $one $two; do
	hawser rpc nvmf_subsystem_add_listener -t tcp -a $address -s 4420 $nqn
done

# From now on, in microseconds; requests that wait keep their time.
hold() {
	hawser rpc bdev_delay_update_latency late avg_write "$1"
	hawser rpc bdev_delay_update_latency late p99_write "$1"
}

# overtake OPTION…: some writes take four seconds, their path is silent, and
# the load goes on by the other one.
overtake() {
	hawser perf nvme -q 4 -o 4096 -w verify --reread -t 8 --json --subnqn $nqn \
		"$@" $one $two >out 2>err &
	perf=$!
	sleep 1
	hold 4000000
	sleep 0.2
	nft add table ip silence
	nft add chain ip silence out '{ type filter hook output priority 0; }'
	nft add rule ip silence out ip daddr "$one" drop
	nft add rule ip silence out ip saddr "$one" drop
	hold 0
	status=0
	wait $perf || status=$?
	nft delete table ip silence
}

overtake
same 0 $status
same 0 "$(json 'j["results"][0]["io_failed"]' <out)"

overtake --reissue-at-once
same 1 $status
grep -q 'stale: write' err || fail "another failure: $(cat err)"
