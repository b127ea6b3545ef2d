# SPDX-License-Identifier: Apache-2.0
# An NVMe volume under load while its paths are reset, silent, and flapping, and
# its target is killed: no error, no wrong byte, and no long silence.
. "$HAWSER_TESTS/posix/lib.sh"
command -v nft >/dev/null || skip "nft is not installed"
command -v ss >/dev/null || skip "ss is not installed"

silence() {
	nft add table ip silence
	nft add chain ip silence out '{ type filter hook output priority 0; }'
	nft add rule ip silence out ip daddr "$1" drop
	nft add rule ip silence out ip saddr "$1" drop
}
speak() { nft delete table ip silence; }

# A service that can be killed, with two addresses in subnets of its own.
second_config config
hawserd --state state --config config >service.log 2>&1 &
service=$!
other() { hawser "$@" --socket state/rpc.sock; }
eventually grep -q ready service.log
other volume create --name v --size 64M >/dev/null
other volume show v --json >volume
nqn=$(json 'j["nqn"]' <volume)
one=$(json 'j["listen_addresses"][0]["traddr"]' <volume)
two=$(json 'j["listen_addresses"][1]["traddr"]' <volume)

sock=$PWD/perf.sock
hawser perf nvme -z -r "$sock" -q 16 -o 4096 -w verify -t 3 >perf.log 2>&1 &
perf=$!
eventually grep -q ready perf.log
rpc() { hawser rpc -s "$sock" "$@"; }
for address in $one $two; do
	rpc bdev_nvme_attach_controller -b Nvme0 -t tcp -a "$address" -s 4420 \
		-n "$nqn" >/dev/null
done

live() {
	[ "$(rpc bdev_nvme_get_io_paths | json 'sum(p["state"] == "live"
		for p in j["poll_groups"][0]["io_paths"])')" = "$1" ]
}

# during LIMIT COMMAND…: what happens in the middle of a test, and for how many
# milliseconds nothing was done at most.  (A loaded machine adds to that.)
during() {
	limit=$1
	shift
	eventually live 2
	rpc perform_tests >result &
	test=$!
	sleep 1
	"$@"
	wait $test || fail "$*: $(cat result)"
	same 0 "$(json 'j["results"][0]["io_failed"]' <result)"
	echo "$*: $(json 'j["results"][0]["longest_gap_us"] // 1000' <result) ms"
	same True "$(json "j['results'][0]['longest_gap_us'] < 1000 * $limit" \
		<result)"
}
reset() { ss -tK dst "$1" dport = 4420 >/dev/null; }
silent_for_a_second() {
	silence "$1"
	sleep 1
	speak
}
flap() {
	for n in 1 2 3 4; do
		silence "$1"
		sleep 0.2
		speak
		sleep 0.1
	done
}
restart() {
	kill -KILL $service
	wait $service || :
	hawserd --state state --config config >service.log 2>&1 &
	service=$!
}

during 300 reset "$one"
during 300 reset "$two"
during 700 silent_for_a_second "$one"
during 700 silent_for_a_second "$two"
rpc bdev_nvme_set_multipath_policy -b Nvme0n1 -p active_active
during 700 silent_for_a_second "$one"
during 700 flap "$two"
during 2500 restart
kill $perf
wait $perf
kill $service
wait $service
