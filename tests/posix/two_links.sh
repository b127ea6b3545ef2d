# SPDX-License-Identifier: Apache-2.0
# A volume over two links of 200 Mbit/s: the host, in a network namespace of its
# own, gets nearly twice as much out of both as out of one, reading and writing.
command -v tc >/dev/null || skip "tc is not installed"
command -v nsenter >/dev/null || skip "nsenter is not installed"

unshare --net sleep 600 &
other=$!
there() { nsenter --net="/proc/$other/ns/net" "$@"; }
apart() {
	[ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/self/ns/net)" ]
}
eventually apart
for i in 1 2; do
	ip link add "here$i" type veth peer name "there$i" netns $other
	ip addr add "10.77.$i.1/24" dev "here$i"
	ip link set "here$i" up
	there ip addr add "10.77.$i.2/24" dev "there$i"
	there ip link set "there$i" up
	tc qdisc add dev "here$i" root tbf rate 200mbit burst 128kb \
		latency 50ms 2>/dev/null || skip "no tbf in this kernel"
	there tc qdisc add dev "there$i" root tbf rate 200mbit burst 128kb \
		latency 50ms
done

nqn=nqn.2022-02.io.example:links
hawser rpc nvmf_create_transport -t tcp
hawser rpc nvmf_create_subsystem $nqn -a -r
hawser rpc bdev_malloc_create 16 512 -b Malloc0
hawser rpc nvmf_subsystem_add_ns $nqn Malloc0
for i in 1 2; do
	hawser rpc nvmf_subsystem_add_listener -t tcp -a 10.77.$i.1 -s 4420 $nqn
done

there hawser perf nvme -z -r "$PWD/perf.sock" -q 16 -o 16384 -w read -t 1 \
	>perf.log 2>&1 &
eventually grep -q ready perf.log
rpc() { hawser rpc -s "$PWD/perf.sock" "$@"; }
attach() {
	rpc bdev_nvme_attach_controller -b Nvme0 -t tcp -a "10.77.$1.1" \
		-s 4420 -n $nqn -x multipath >/dev/null
}
mib() {
	rpc perform_tests -w "$1" >result
	json 'int(j["results"][0]["mibps"] * 10)' <result
}

attach 1
reads=$(mib randread) writes=$(mib randwrite)
attach 2
rpc bdev_nvme_set_multipath_policy -b Nvme0n1 -p active_active
both=$(mib randread)
[ "$both" -ge $((reads * 16 / 10)) ] || fail "reads: $both of two, $reads of one"
both=$(mib randwrite)
[ "$both" -ge $((writes * 16 / 10)) ] ||
	fail "writes: $both of two, $writes of one"
