# SPDX-License-Identifier: Apache-2.0
# What the target refuses, with SPDK's error codes, and why in words.

# code METHOD…: the code of the error that the call ends with.
code() {
	python3 - "$HAWSER_RPC" "$1" "$2" <<'END'
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
request = {"id": 1, "method": sys.argv[2], "params": json.loads(sys.argv[3])}
s.sendall(json.dumps(request).encode())
print(json.loads(s.makefile().readline())["error"]["code"])
END
}

nqn=nqn.2022-02.io.spdk:cnode0
octet=$(hawser subnet list --json | json 'j[0]["cidr"].split(".")[1]')
at="-t tcp -a 127.$octet.1.9 -s 4420"

hawser rpc nvmf_create_subsystem $nqn -r
refused 1 transport hawser rpc nvmf_subsystem_add_listener $at $nqn
hawser rpc nvmf_create_transport -t tcp
refused 1 "Transport type 'tcp' already exists" \
	hawser rpc nvmf_create_transport -t tcp
same -32603 "$(code nvmf_create_transport '{"trtype": "tcp"}')"
same -32602 "$(code nvmf_create_transport '{"trtype": "rdma"}')"

refused 1 "'$nqn' exists already" hawser rpc nvmf_create_subsystem $nqn
same -32603 "$(code nvmf_create_subsystem '{"nqn": "'$nqn'"}')"
refused 1 'Unable to create subsystem not-an-nqn' \
	hawser rpc nvmf_create_subsystem not-an-nqn
same -32603 "$(code nvmf_create_subsystem '{"nqn": "not-an-nqn"}')"
same -32602 "$(code nvmf_create_subsystem '{"nqn": "nqn.2016-06.io.spdk:x",
	"serial_number": "0123456789012345678901"}')"
same -19 "$(code nvmf_get_subsystems '{"nqn": "nqn.2016-06.io.spdk:no"}')"
same -32602 "$(code nvmf_delete_subsystem '{"nqn": "nqn.2016-06.io.spdk:no"}')"

# Automatic names skip those that are taken.
hawser rpc bdev_malloc_create 4 512 -b Malloc0
same Malloc1 "$(hawser rpc bdev_malloc_create 1.5 4096)"
same 384 "$(hawser rpc bdev_get_bdevs -b Malloc1 | json 'j[0]["num_blocks"]')"
same -17 "$(code bdev_malloc_create '{"num_blocks": 8, "block_size": 512,
	"name": "Malloc0"}')"
same -22 "$(code bdev_malloc_create '{"num_blocks": 0, "block_size": 512}')"
same -22 "$(code bdev_malloc_create '{"num_blocks": 8, "block_size": 100}')"
refused 1 'md_size is not supported' \
	hawser rpc bdev_malloc_create 4 512 -m 8
same -19 "$(code bdev_malloc_delete '{"name": "none"}')"
same -19 "$(code bdev_get_bdevs '{"name": "none"}')"

same 1 "$(hawser rpc nvmf_subsystem_add_ns $nqn Malloc0)"
refused 1 Malloc0 hawser rpc nvmf_subsystem_add_ns $nqn Malloc0
for ns in '"bdev_name": "none"' '"bdev_name": "Malloc0"' \
	'"bdev_name": "Malloc1", "nsid": 1' '"bdev_name": "Malloc1", "nsid": 99'
do
	same -32602 "$(code nvmf_subsystem_add_ns \
		'{"nqn": "'$nqn'", "namespace": {'"$ns"'}}')"
done
refused 1 "has no parameter 'bdev'" \
	hawser rpc nvmf_subsystem_add_ns nqn=$nqn 'namespace={"bdev": "x"}'

# Here SPDK says "Invalid parameters" to everything.
hawser rpc nvmf_subsystem_add_listener $at $nqn
for bad in '"traddr": "127.'$octet'.1.9", "trsvcid": "4420"' \
	'"traddr": "127.0.0.1", "trsvcid": "99999"' \
	'"traddr": "192.0.2.1", "trsvcid": "4420"'; do
	same -32602 "$(code nvmf_subsystem_add_listener '{"nqn": "'$nqn'",
		"listen_address": {"trtype": "tcp", '"$bad"'}}')"
done
refused 1 'Cannot assign' hawser rpc nvmf_subsystem_add_listener -t tcp \
	-a 192.0.2.1 -s 4420 $nqn
refused 1 'is a port' hawser rpc nvmf_subsystem_add_listener -t tcp \
	-a 127.0.0.1 -s 99999 $nqn
refused 2 '-a is missing' hawser rpc nvmf_subsystem_add_listener -t tcp $nqn
refused 1 'ana_state is one of optimized|' \
	hawser rpc nvmf_subsystem_listener_set_ana_state $at $nqn -n bogus
for group in 33 2000; do
	same -32603 "$(code nvmf_subsystem_listener_set_ana_state \
		'{"nqn": "'$nqn'", "listen_address": {"trtype": "tcp",
		"traddr": "127.0.0.1", "trsvcid": "'$group'"},
		"ana_state": "optimized"}')"
done

# A device goes, and its namespace with it.
hawser rpc bdev_malloc_delete Malloc0
same '[]' "$(hawser rpc nvmf_get_subsystems $nqn | json 'j[0]["namespaces"]')"
same 0 "$(hawser rpc save_config | grep -c Malloc0 || :)"
hawser rpc nvmf_delete_subsystem $nqn
same 1 "$(hawser rpc nvmf_get_subsystems | json 'len(j)')"
