# SPDX-License-Identifier: Apache-2.0
# hawser perf nvme: the multipath HOWTO, target and initiator, with the commands
# that it has; each workload runs; mistakes and wrong data are told.

nqn=nqn.2022-02.io.spdk:cnode0
octet=$(hawser subnet list --json | json 'j[0]["cidr"].split(".")[1]')
one=127.$octet.1.9 two=127.$octet.2.9

hawser rpc nvmf_create_transport -t tcp -o -u 8192
hawser rpc nvmf_create_subsystem $nqn -a -s SPDK00000000000001 -r
hawser rpc bdev_malloc_create 64 512 -b Malloc0
hawser rpc bdev_error_create Malloc0
hawser rpc nvmf_subsystem_add_ns $nqn EE_Malloc0
hawser rpc nvmf_subsystem_add_listener -t tcp -a $one -s 4420 $nqn
hawser rpc nvmf_subsystem_add_listener -t tcp -a $two -s 5520 $nqn

# load OPTION…: a run on both paths that succeeds; its numbers are in `out`
load() {
	hawser perf nvme -q 8 -o 4096 -t 1 --json --subnqn $nqn "$@" \
		$one:4420 $two:5520 >out 2>err || fail "$*: $(cat err)"
	same 0 "$(json 'j["results"][0]["io_failed"]' <out)"
	same True "$(json 'j["results"][0]["iops"] > 0' <out)"
}
for workload in read write randread randwrite verify flush unmap write_zeroes
do
	load -w $workload
done
load -w rw -M 70
load -w randrw -M 30 -o 16384
load -w verify -m 3 -C
same 2 "$(json 'len(j["results"])' <out)"
hawser perf nvme -q 8 -o 4096 -t 1 -w verify --discover $one:4420 |
	grep -q "$one:4420"

# Wrong data are found.
hawser rpc bdev_error_inject_error EE_Malloc0 read corrupt_data -n 1 \
	-o 100 -v 16
if hawser perf nvme -q 8 -o 4096 -t 1 -w verify --subnqn $nqn $one >out 2>err
then
	fail "a flipped bit was not found"
fi
grep -q 'wrong contents' err || fail "not: $(cat err)"

# The HOWTO.
sock=$PWD/perf.sock
hawser perf nvme -z -r "$sock" -q 16 -o 4096 -w verify -t 15 >perf.log 2>&1 &
perf=$!
trap 'kill $perf 2>/dev/null || :' EXIT
eventually grep -q ready perf.log
rpc() { hawser rpc -s "$sock" "$@"; }
rpc bdev_nvme_set_options -r -1
same Nvme0n1 "$(rpc bdev_nvme_attach_controller -b Nvme0 -t tcp -a $one \
	-s 4420 -f ipv4 -n $nqn -l -1 -o 10 | json 'j[0]')"
rpc bdev_nvme_attach_controller -b Nvme0 -t tcp -a $two -s 5520 -f ipv4 \
	-n $nqn -x multipath -l -1 -o 10 >/dev/null
rpc perform_tests >result &
test=$!

# traffic ADDRESS: do requests take that path now?
requests() {
	rpc bdev_nvme_get_io_paths -n Nvme0n1 | json "[p['requests']
		for p in j['poll_groups'][0]['io_paths']
		if p['transport']['traddr'] == '$1'][0]"
}
traffic() {
	before=$(requests $1)
	sleep 0.1
	[ "$(requests $1)" -gt "$before" ]
}
eventually traffic $one
! traffic $two || fail "active_passive takes both paths"
hawser rpc nvmf_subsystem_listener_set_ana_state $nqn -t tcp -a $one -s 4420 \
	-n non_optimized
eventually traffic $two
! traffic $one || fail "a path that is not optimized is taken"
hawser rpc nvmf_subsystem_listener_set_ana_state $nqn -t tcp -a $one -s 4420 \
	-n optimized
rpc bdev_nvme_set_preferred_path -b Nvme0n1 -c "$(rpc bdev_nvme_get_controllers |
	json 'j[0]["ctrlrs"][0]["cntlid"]')"
eventually traffic $one
rpc bdev_nvme_set_multipath_policy -b Nvme0n1 -p active_active
eventually traffic $two
traffic $one || fail "active_active leaves a path out"
hawser rpc nvmf_subsystem_remove_listener -t tcp -a $one -s 4420 $nqn
rpc bdev_nvme_get_io_paths -n Nvme0n1 >paths
same False "$(json 'j["poll_groups"][0]["io_paths"][0]["connected"]' <paths)"
hawser rpc nvmf_subsystem_add_listener -t tcp -a $one -s 4420 $nqn
rpc bdev_nvme_reset_controller Nvme0
wait $test || fail "perform_tests: $(cat result)"
same 0 "$(json 'j["results"][0]["io_failed"]' <result)"
same finished "$(json 'j["results"][0]["status"]' <result)"
rpc bdev_nvme_detach_controller Nvme0
same '[]' "$(rpc bdev_nvme_get_controllers | tr -d ' \n')"
kill $perf
wait $perf
