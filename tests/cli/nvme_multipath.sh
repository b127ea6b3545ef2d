# SPDX-License-Identifier: Apache-2.0
# SPDK's multipath HOWTO, target and initiator, in its order and with its
# commands; `ss -t` tells which connection carries the traffic.  Then what the
# HOWTO leaves out: preferred paths, a listener that goes, failover.
command -v ss >/dev/null || skip "ss is not installed"

nqn=nqn.2022-02.io.spdk:cnode0
octet=$(hawser subnet list --json | json 'j[0]["cidr"].split(".")[1]')
one=127.$octet.1.13 two=127.$octet.2.13

# On target: start and configure.
hawser rpc nvmf_create_transport -t tcp -o -u 8192
hawser rpc nvmf_create_subsystem $nqn -a -s SPDK00000000000001 -r
hawser rpc bdev_malloc_create 64 512 -b Malloc0
hawser rpc nvmf_subsystem_add_ns $nqn Malloc0
hawser rpc nvmf_subsystem_add_listener -t tcp -a $one -s 4420 $nqn
hawser rpc nvmf_subsystem_add_listener -t tcp -a $two -s 5520 $nqn

# On initiator: start and configure.  A test lasts a second there; it is
# started again and again until there is a file `enough`.
sock=$PWD/perf.sock
hawser perf nvme -m 0x1 -z -r "$sock" -q 128 -o 4096 -w verify -t 1 \
	>perf.log 2>&1 &
perf=$!
eventually grep -q ready perf.log
rpc() { hawser rpc -s "$sock" "$@"; }
rpc bdev_nvme_set_options -r -1
same Nvme0n1 "$(rpc bdev_nvme_attach_controller -b Nvme0 -t tcp -a $one \
	-s 4420 -f ipv4 -n $nqn -l -1 -o 10 | json 'j[0]')"
same Nvme0n1 "$(rpc bdev_nvme_attach_controller -b Nvme0 -t tcp -a $two \
	-s 5520 -f ipv4 -n $nqn -x multipath -l -1 -o 10 | json 'j[0]')"

load() {
	until [ -e enough ]; do
		rpc perform_tests >result
		same 0 "$(json 'j["results"][0]["io_failed"]' <result)"
		same finished "$(json 'j["results"][0]["status"]' <result)"
	done
}
# end_load: all was well until now, and some was done.
end_load() {
	touch enough
	wait $load || fail "perform_tests: $(cat result)"
	rm enough
}

# bytes ADDRESS: what the host has sent to it, over all connections.
bytes() {
	ss -tinH "dst $1 and ( dport = 4420 or dport = 5520 )" |
		grep -o 'bytes_sent:[0-9]*' | cut -d : -f 2 |
		awk '{ sum += $1 } END { print sum + 0 }'
}
# carries ADDRESS [OTHER]: while a MiB goes there, next to nothing goes to the
# other one.  (A connection that is new begins at zero.)
carries() {
	from=$(bytes "$1") other=0
	[ -z "${2:-}" ] || other=$(bytes "$2")
	eventually sent "$1" $((from + 1048576))
	[ -z "${2:-}" ] || [ $(($(bytes "$2") - other)) -lt 32768 ]
}
sent() { [ "$(bytes "$1")" -ge "$2" ]; }
set_ana() {
	hawser rpc nvmf_subsystem_listener_set_ana_state $nqn -t tcp -a $one \
		-s 4420 -n "$1"
}

# Launch a test: only the first path receives packets.
load &
load=$!
eventually carries $one $two
carries $one $two || fail "active_passive takes both paths"
same "[True, False]" "$(rpc bdev_nvme_get_io_paths -n Nvme0n1 |
	json '[p["current"] for p in j["poll_groups"][0]["io_paths"]]')"

# Switching paths.
set_ana non_optimized
eventually carries $two $one
carries $two $one || fail "a path that is not optimized is taken"

# Use round-robin (active_active).
set_ana optimized
rpc bdev_nvme_set_multipath_policy -b Nvme0n1 -p active_active
carries $one
carries $two
set_ana inaccessible
eventually carries $two $one
set_ana optimized
carries $one

# A preferred path.
rpc bdev_nvme_set_multipath_policy -b Nvme0n1 -p active_passive
rpc bdev_nvme_set_preferred_path -b Nvme0n1 -c "$(rpc bdev_nvme_get_controllers |
	json 'j[0]["ctrlrs"][1]["cntlid"]')"
eventually carries $two $one

# A listener goes, and is there again.
hawser rpc nvmf_subsystem_remove_listener -t tcp -a $two -s 5520 $nqn
eventually carries $one
rpc bdev_nvme_get_io_paths -n Nvme0n1 >paths
same False "$(json 'j["poll_groups"][0]["io_paths"][1]["connected"]' <paths)"
hawser rpc nvmf_subsystem_add_listener -t tcp -a $two -s 5520 $nqn
rpc bdev_nvme_reset_controller Nvme0
eventually carries $two $one
end_load

# What was done, by volume and by path: each was read and written.
rpc bdev_get_iostat >stats
same Nvme0n1 "$(json 'j["bdevs"][0]["name"]' <stats)"
rpc bdev_nvme_get_path_iostat -b Nvme0n1 >paths
same True "$(json 'all(p["stat"]["num_read_ops"] > 0 and
	p["stat"]["num_write_ops"] > 0 for p in j["stats"])' <paths)"
same True "$(json 'sum(p["stat"]["bytes_written"] for p in j["stats"])' <paths |
	xargs -I N python3 -c 'import json
j = json.load(open("stats"))["bdevs"][0]
print(j["bytes_written"] == N == j["num_write_ops"] * 4096)')"
rpc bdev_nvme_detach_controller Nvme0
same '[]' "$(rpc bdev_nvme_get_controllers | tr -d ' \n')"

# Failover: the second address is connected when the first one fails.
attach() {
	rpc bdev_nvme_attach_controller -b Nvme0 -t tcp -a $1 -s $2 -f ipv4 \
		-n $nqn -x failover -l -1 -o 1
}
alternate() {
	rpc bdev_nvme_get_controllers | json "j[0]['ctrlrs'][0][
		'alternate_trids'][0]['traddr']"
}
same '["Nvme0n1"]' "$(attach $one 4420 | tr -d ' \n')"
same '[]' "$(attach $two 5520 | tr -d ' \n')"
same $two "$(alternate)"
load &
load=$!
carries $one
same 0 "$(ss -tnH state established "dst $two" | wc -l)"
hawser rpc nvmf_subsystem_remove_listener -t tcp -a $one -s 4420 $nqn
carries $two
same $one "$(alternate)"
same 1 "$(rpc bdev_nvme_get_io_paths | json 'len(
	j["poll_groups"][0]["io_paths"])')"
end_load

kill $perf
wait $perf
