# SPDX-License-Identifier: Apache-2.0
# What can't be restored at a start stays in the configuration, says why, and
# comes back when it can; the rest is served meanwhile.

second_config config
unset HAWSER_RPC
export HAWSER_STATE="$PWD/state"
nqn=nqn.2022-02.io.spdk:cnode0

start_hawserd one --state state --config config
truncate -s 8M disk disk2
hawser rpc nvmf_create_transport -t tcp
hawser rpc nvmf_create_subsystem $nqn -a
same disk "$(hawser rpc bdev_aio_create "$PWD/disk" disk 512)"
same disk2 "$(hawser rpc bdev_aio_create disk2 disk2)"
hawser rpc bdev_set_qos_limit disk --rw-ios-per-sec 20000
hawser rpc nvmf_subsystem_add_ns $nqn disk
hawser rpc nvmf_subsystem_add_ns $nqn disk2
hawser rpc save_config >before
kill -KILL "$(cat one.pid)"
wait "$(cat one.pid)" || true

mv disk away
start_hawserd one --state state --config config
grep -q "bdev_aio_create disk can't be restored yet" one.err
hawser rpc save_config | diff before -
hawser rpc framework_get_missing >missing
same 'bdev_aio_create bdev_set_qos_limit nvmf_subsystem_add_ns' \
	"$(json '*(m["method"] for m in j)' <missing)"
same disk2 "$(hawser rpc nvmf_get_subsystems $nqn |
	json '*(n["bdev_name"] for n in j[0]["namespaces"])')"
refused 1 'could not be restored' hawser rpc bdev_aio_create "$PWD/disk" disk
# Its number is not given away.
same Malloc0 "$(hawser rpc bdev_malloc_create 4 512)"
same 3 "$(hawser rpc nvmf_subsystem_add_ns $nqn Malloc0)"

mv away disk
restored() {
	test "$(hawser rpc framework_get_missing | json j)" = '[]'
}
eventually restored
same 'disk disk2 Malloc0' "$(hawser rpc nvmf_get_subsystems $nqn |
	json '*(n["bdev_name"] for n in j[0]["namespaces"])')"
same 20000 "$(hawser rpc bdev_get_bdevs -b disk |
	json 'j[0]["assigned_rate_limits"]["rw_ios_per_sec"]')"

# What a killed process still held for a moment is waited for.
kill -KILL "$(cat one.pid)"
wait "$(cat one.pid)" || true
: >one.err
python3 -c 'if True:
	import fcntl, struct, time
	disk = open("disk2", "r+b")
	fcntl.fcntl(disk, fcntl.F_OFD_SETLK,
		    struct.pack("hhlli", fcntl.F_WRLCK, 0, 0, 0, 0))
	print("locked", flush=True)
	while "disk2 is in use" not in open("one.err").read():
		time.sleep(0.001)' >lock &
eventually grep -q locked lock
start_hawserd one --state state --config config
same '[]' "$(hawser rpc framework_get_missing | json j)"
grep -q 'bdev_aio_create disk2 is restored' one.err

# What is missing can be deleted.
stop_hawserd one
rm disk
start_hawserd one --state state --config config
hawser rpc bdev_aio_delete disk
same '[]' "$(hawser rpc framework_get_missing | json j)"
same 'disk2 Malloc0' "$(hawser rpc nvmf_get_subsystems $nqn |
	json '*(n["bdev_name"] for n in j[0]["namespaces"])')"
