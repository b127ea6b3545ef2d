# SPDX-License-Identifier: Apache-2.0
# What idle connections of NVMe/TCP cost, and that hosts that stop reading cost
# nobody else anything.
nqn=nqn.2022-02.io.example:hosts
second_config config # for an address
hawser rpc nvmf_create_transport -t tcp
hawser rpc bdev_malloc_create 16 512 -b m
hawser rpc nvmf_create_subsystem $nqn -a -m 1000
hawser rpc nvmf_subsystem_add_ns $nqn m
hawser rpc nvmf_subsystem_add_listener $nqn -t tcp -a "127.$octet.11.21" -s 4420
pid=$(hawser info --json | json 'j["pid"]')

mkfifo go
python3 "$HAWSER_TESTS/cli/nvme_hosts.py" "127.$octet.11.21" 4420 $nqn "$pid" \
	<go >found 2>&1 &
hosts=$!
exec 3>go
is_stuck() { grep -q stuck found || ! kill -0 $hosts 2>/dev/null; }
eventually is_stuck
hawser perf nvme -q 8 -o 4k -w verify -t 2 --subnqn $nqn \
	"127.$octet.11.21:4420" --json >perf || fail "$(cat found)"
echo >&3
wait $hosts || fail "$(cat found)"
cat found
