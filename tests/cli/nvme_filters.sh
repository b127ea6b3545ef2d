# SPDX-License-Identifier: Apache-2.0
# Devices that stand on others: they come back in order, with what was changed,
# and go in order.

second_config config
unset HAWSER_RPC
export HAWSER_STATE="$PWD/state"
start_hawserd one --state state --config config
hawser rpc bdev_malloc_create 4 512 -b base
same slow "$(hawser rpc bdev_delay_create -b base -d slow -r 10 -t 20 -w 30 \
	-n 40)"
hawser rpc bdev_error_create slow
refused 1 'in use' hawser rpc bdev_delay_create -b base -d more -r 1 -t 1 \
	-w 1 -n 1
refused 1 "no device 'none'" hawser rpc bdev_error_create none
refused 1 'is one of' hawser rpc bdev_delay_update_latency slow worst 1
refused 1 'more than an hour' hawser rpc bdev_delay_update_latency slow \
	avg_read 3600000001
hawser rpc bdev_delay_update_latency slow avg_read 77
hawser rpc bdev_error_inject_error EE_slow read failure -n 3
hawser rpc bdev_error_inject_error EE_slow clear failure
refused 1 "base of 'EE_slow'" hawser rpc bdev_delay_delete slow
refused 1 'of another kind' hawser rpc bdev_malloc_delete slow
same 'base slow EE_slow' "$(hawser rpc bdev_get_bdevs |
	json '*(d["name"] for d in j)')"

hawser rpc bdev_get_bdevs >before
stop_hawserd one
start_hawserd one --state state --config config
hawser rpc bdev_get_bdevs | diff before -
same 77 "$(hawser rpc bdev_get_bdevs -b slow |
	json 'j[0]["driver_specific"]["delay"]["avg_read_latency"]')"
hawser rpc bdev_error_delete EE_slow
hawser rpc bdev_delay_delete slow
hawser rpc bdev_malloc_delete base
same '[]' "$(hawser rpc bdev_get_bdevs | json j)"
same 'bdev_register bdev_unregister' "$(hawser rpc notify_get_notifications |
	json '*sorted({n["type"] for n in j})')"
