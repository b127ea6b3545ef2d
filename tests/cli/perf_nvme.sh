# SPDX-License-Identifier: Apache-2.0
# hawser perf nvme: each workload runs, over two paths; wrong data are told.

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
