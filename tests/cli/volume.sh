# SPDX-License-Identifier: Apache-2.0
# Volumes: one command makes the file, the subsystem and a listener on every
# subnet, and one takes them away, whatever was in between.

second_config config
unset HAWSER_RPC
export HAWSER_STATE="$PWD/state"
start_hawserd one --state state --config config

id=$(hawser volume create --size 10G --name db)
expr "$id" : 'vol-[0-9a-f]\{17\}$' >/dev/null || fail "id $id"
same $((10 << 30)) "$(stat -c %s "state/volumes/$id")"
same 0 "$(stat -c %b "state/volumes/$id")"
same 600 "$(stat -c %a "state/volumes/$id")"
hawser volume list | grep -q "^$id  available  10G  .* 2  *db\$"
hawser volume show db | grep -q '^state *available$'
nqn=$(hawser volume show db --json | json 'j["nqn"]')
same "127.$octet.11.1:4420 127.$octet.12.1:4420" "$(hawser rpc \
	nvmf_get_subsystems "$nqn" |
	json '*sorted(a["traddr"] + ":" + a["trsvcid"]
		for a in j[0]["listen_addresses"])')"
hawser volume connect-info db >info
same 2 "$(grep -c "^nvme connect -t tcp -a 127.* -s 4420 -n $nqn\$" info)"

# The second one shares the addresses; or it goes into the subsystem of another.
two=$(hawser volume create --size 1M --name two --block-size 512)
hawser rpc nvmf_create_subsystem nqn.2016-06.io.spdk:shared -a
three=$(hawser volume create --size 1M --name three \
	--subsystem nqn.2016-06.io.spdk:shared)
same "$three" "$(hawser rpc nvmf_get_subsystems nqn.2016-06.io.spdk:shared |
	json '*(n["bdev_name"] for n in j[0]["namespaces"])')"

refused 1 'exists already' hawser volume create --size 1G --name db
refused 1 'multiple of 4096' hawser volume create --size 1000 --name odd
refused 2 'size like 10G' hawser volume create --size x --name odd
refused 2 '--size is missing' hawser volume create --name odd
refused 1 'There is no subsystem' hawser volume create --size 1M --name odd \
	--subsystem nqn.2016-06.io.spdk:none
refused 1 "'nosuch' does not exist" hawser volume show nosuch
refused 1 'not less' hawser volume resize db 1G
# Its parts go with it only.
refused 1 'belongs to a volume' hawser rpc bdev_aio_delete "$id"
refused 1 'belongs to a volume' hawser rpc nvmf_delete_subsystem "$nqn"
refused 1 'belongs to a volume' hawser rpc nvmf_subsystem_remove_ns "$nqn" 1
refused 1 "Volume $three is in it" \
	hawser rpc nvmf_delete_subsystem nqn.2016-06.io.spdk:shared

# What else was asked for of its subsystem is kept, and goes with it.
hawser volume resize db 12G
hawser rpc nvmf_subsystem_add_host "$nqn" nqn.2014-08.org.nvmexpress:h
hawser rpc nvmf_subsystem_allow_any_host --no-allow-any-host "$nqn"
hawser rpc nvmf_subsystem_listener_set_ana_state -t tcp \
	-a "127.$octet.11.1" -s 4420 "$nqn" -n inaccessible
restored() {
	test "$(hawser rpc framework_get_missing | json j)" = '[]'
}
everything() {
	hawser rpc volume_get
	hawser rpc nvmf_get_subsystems
	hawser rpc nvmf_subsystem_get_listeners "$nqn"
	hawser rpc save_config
}
everything >before
for signal in KILL TERM; do
	kill -$signal "$(cat one.pid)"
	wait "$(cat one.pid)" || true
	start_hawserd one --state state --config config
	eventually restored
	everything | diff before -
done
same $((12 << 30)) "$(stat -c %s "state/volumes/$id")"

# Elsewhere the saved configuration makes the same volumes, empty.
hawser rpc save_config >saved
stop_hawserd one
start_hawserd other --state other --config config
HAWSER_STATE=$PWD/other
hawser rpc load_config -j saved
hawser rpc save_config | diff saved -
stop_hawserd other

# A volume whose file is gone is an error, and can be deleted.
HAWSER_STATE=$PWD/state
rm "state/volumes/$two"
start_hawserd one --state state --config config
hawser volume list | grep "^$two  error "
for volume in db two three; do
	hawser volume delete $volume
done
same 0 "$(hawser volume list --json | json 'len(j)')"
same '' "$(ls state/volumes)"
same 0 "$(hawser rpc save_config | grep -c "$nqn" || :)"
hawser rpc nvmf_delete_subsystem nqn.2016-06.io.spdk:shared
