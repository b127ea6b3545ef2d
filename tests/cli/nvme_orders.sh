# SPDX-License-Identifier: Apache-2.0
# What users order of attached controllers, with SPDK's parameters and codes:
# what is refused leaves what is there alone; paths are detached, disabled,
# enabled and reset, one or all, under load.

nqn=nqn.2022-02.io.spdk:cnode0
other=nqn.2022-02.io.spdk:cnode1
octet=$(hawser subnet list --json | json 'j[0]["cidr"].split(".")[1]')
one=127.$octet.1.13 two=127.$octet.2.13

hawser rpc nvmf_create_transport -t tcp
for subsystem in $nqn $other; do
	hawser rpc nvmf_create_subsystem $subsystem -a -r
	bdev=$(hawser rpc bdev_malloc_create 16 512)
	hawser rpc nvmf_subsystem_add_ns $subsystem "$bdev" >/dev/null
	for address in $one $two; do
		hawser rpc nvmf_subsystem_add_listener -t tcp -a $address \
			-s 4420 $subsystem
	done
done

sock=$PWD/perf.sock
hawser perf nvme -m 0x1 -z -r "$sock" -q 8 -o 4096 -w verify -t 1 \
	>perf.log 2>&1 &
perf=$!
eventually grep -q ready perf.log
rpc() { hawser rpc -s "$sock" "$@"; }
attach() {
	rpc bdev_nvme_attach_controller -b Nvme0 -t tcp -f ipv4 -s 4420 "$@"
}
# refuses CODE METHOD PARAMETERS
refuses() {
	same "$1" "$(python3 - "$sock" "$2" "$3" <<'END'
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
request = {"id": 1, "method": sys.argv[2], "params": json.loads(sys.argv[3])}
s.sendall(json.dumps(request).encode())
print(json.loads(s.makefile().readline()).get("error", {}).get("code", 0))
END
)"
}
# controllers EXPRESSION: of c, the list of those of Nvme0.
controllers() {
	rpc bdev_nvme_get_controllers -n Nvme0 |
		json "(lambda c: $1)(j[0]['ctrlrs'])"
}
states() { controllers "[one['state'] for one in c]"; }

# Options that contradict each other are refused before anything is attached.
refuses -22 bdev_nvme_set_options '{"reconnect_delay_sec": 5}'
refuses -22 bdev_nvme_set_options '{"fast_io_fail_timeout_sec": 5}'
refuses -22 bdev_nvme_set_options '{"multipath_opts":
	{"policy": "active_active", "min_io": 0}}'
rpc bdev_nvme_set_options -r -1 --policy active_active --selector queue_depth

# One that is refused takes nothing away.
attach -a $one -n $nqn >/dev/null
at='"name": "Nvme0", "trtype": "tcp", "trsvcid": "4420", "traddr"'
refuses -114 bdev_nvme_attach_controller \
	'{'"$at"': "'$one'", "subnqn": "'$other'"}'
refuses -22 bdev_nvme_attach_controller \
	'{'"$at"': "'$two'", "subnqn": "'$other'"}'
refuses -22 bdev_nvme_attach_controller \
	'{'"$at"': "'$two'", "subnqn": "'$nqn'", "multipath": "failover"}'
refuses -22 bdev_nvme_attach_controller '{'"$at"': "'$two'",
	"subnqn": "'$nqn'", "multipath_opts": {"policy": "active_passive"}}'
refuses -17 bdev_nvme_attach_controller '{"name": "Other", "trtype": "tcp",
	"trsvcid": "4420", "traddr": "'$one'", "subnqn": "'$nqn'"}'
same "['enabled']" "$(states)"
same "active_active queue_depth" "$(rpc bdev_get_bdevs -b Nvme0n1 | json '
	"%s %s" % (j[0]["driver_specific"]["mp_policy"],
		   j[0]["driver_specific"]["selector"])')"

# All that a detach names has to fit.
attach -a $two -n $nqn >/dev/null
refuses -6 bdev_nvme_detach_controller \
	'{'"$at"': "'$two'", "subnqn": "'$other'"}'
refuses -6 bdev_nvme_detach_controller \
	'{"name": "Nvme0", "traddr": "'$two'", "trsvcid": "4421"}'
rpc bdev_nvme_detach_controller Nvme0 -a $two
same "['$one']" "$(controllers "[one['trid']['traddr'] for one in c]")"
attach -a $two -n $nqn --policy active_active --selector queue_depth >/dev/null
same $two "$(controllers "c[1]['trid']['traddr']")"

# Under load one path is disabled, enabled, and reset.
refuses -19 bdev_nvme_disable_controller '{"name": "Nvme0", "cntlid": 999}'
refuses -32602 bdev_nvme_reset_controller '{"name": "Nvme0", "cntlid": 65536}'
refuses -19 bdev_nvme_set_preferred_path '{"name": "Nvme0n1", "cntlid": 999}'
rpc perform_tests >result &
test=$!
rpc bdev_nvme_disable_controller Nvme0 -c "$(controllers "c[0]['cntlid']")"
same "['disabled', 'enabled']" "$(states)"
rpc bdev_nvme_reset_controller Nvme0
same "['disabled', 'enabled']" "$(states)"
rpc bdev_nvme_enable_controller Nvme0
same "['enabled', 'enabled']" "$(states)"
before=$(controllers "c[1]['cntlid']")
rpc bdev_nvme_reset_controller Nvme0 -c "$before"
same "['enabled', 'enabled']" "$(states)"
same True "$(controllers "c[1]['cntlid'] != $before")"
wait $test || fail "$(cat result)"
same 0 "$(json 'j["results"][0]["io_failed"]' <result)"

# With none there is nothing to wait for.
rpc bdev_nvme_disable_controller Nvme0
same "['disabled', 'disabled']" "$(states)"
rpc perform_tests >result
same failed "$(json 'j["results"][0]["status"]' <result)"
rpc bdev_nvme_enable_controller Nvme0
rpc perform_tests >result
same finished "$(json 'j["results"][0]["status"]' <result)"

# One that can't be connected again is told.
hawser rpc nvmf_subsystem_remove_listener -t tcp -a $two -s 4420 $nqn
refused 1 "$two:4420: no connection" rpc bdev_nvme_reset_controller Nvme0

same True "$(rpc bdev_nvme_get_controller_health_info -c Nvme0 |
	json 'j["host_write_commands"] > 0')"
same True "$(rpc bdev_nvme_get_transport_statistics | json '(lambda t:
	t["submitted_requests"] >= t["nvme_completions"] > 1000 and
	t["socket_completions"] > 0)(j["poll_groups"][0]["transports"][0])')"
kill $perf
wait $perf
