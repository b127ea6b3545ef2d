# SPDX-License-Identifier: Apache-2.0
# SPDK's multipath HOWTO, its target side line by line; what it makes, ANA
# states included, is there again after a restart, however the process ended.

second_config config
unset HAWSER_RPC
HAWSER_STATE=$PWD/state
export HAWSER_STATE
one=127.$octet.11.13 two=127.$octet.12.13
nqn=nqn.2022-02.io.spdk:cnode0

start_hawserd one --state state --config config
hawser rpc nvmf_create_transport -t tcp -o -u 8192
hawser rpc nvmf_create_subsystem $nqn -a -s SPDK00000000000001 -r
same Malloc0 "$(hawser rpc bdev_malloc_create 64 512 -b Malloc0)"
hawser rpc nvmf_subsystem_add_ns $nqn Malloc0
hawser rpc nvmf_subsystem_add_listener -t tcp -a "$one" -s 4420 $nqn
hawser rpc nvmf_subsystem_add_listener -t tcp -a "$two" -s 5520 $nqn
hawser rpc nvmf_subsystem_listener_set_ana_state $nqn -t tcp -a "$one" \
	-s 4420 -n non_optimized
hawser rpc nvmf_subsystem_listener_set_ana_state $nqn -t tcp -a "$two" \
	-s 5520 -n inaccessible -g 7

# ana ADDRESS GROUP: its state there.
ana() {
	hawser rpc nvmf_subsystem_get_listeners $nqn | json '[
		s["ana_state"] for l in j for s in l["ana_states"]
		if l["address"]["traddr"] == "'"$1"'"
		and s["ana_group"] == '"$2"'][0]'
}

everything() {
	for method in bdev_get_bdevs nvmf_get_transports nvmf_get_subsystems; do
		hawser rpc $method
	done
	hawser rpc nvmf_subsystem_get_listeners $nqn
	hawser rpc save_config
}

# An address may be the dead process's for a moment.
restored() {
	test "$(hawser rpc framework_get_missing | json j)" = '[]'
}

same non_optimized "$(ana "$one" 1)"
same optimized "$(ana "$two" 1)"
same inaccessible "$(ana "$two" 7)"
same False "$(hawser rpc nvmf_get_transports | json 'j[0]["c2h_success"]')"
same "$two" "$(hawser rpc nvmf_get_subsystems $nqn |
	json 'j[0]["listen_addresses"][0]["traddr"]')"
everything >before
for signal in KILL TERM KILL; do
	kill -$signal "$(cat one.pid)"
	wait "$(cat one.pid)" || true
	start_hawserd one --state state --config config
	eventually restored
	everything | diff before -
done

# The file that save_config writes makes the same elsewhere.
hawser rpc save_config >saved
kill -TERM "$(cat one.pid)"
wait "$(cat one.pid)" || true
start_hawserd other --state other --config config
HAWSER_STATE=$PWD/other
hawser rpc load_config -j saved
everything | diff before -
refused 1 "'TCP' already exists" hawser rpc load_subsystem_config <<END
{"subsystem": "nvmf", "config": [
	{"method": "nvmf_create_transport", "params": {"trtype": "TCP"}}]}
END
