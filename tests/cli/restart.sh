# SPDX-License-Identifier: Apache-2.0
# Resources outlive the process, however it ends; one process owns a directory.

second_config config
start_hawserd one --state state --config config
export HAWSER_STATE="$PWD/state"
unset HAWSER_RPC
fs=$(hawser fs create --name kept)
hawser mount-target create "$fs" >target
hawser mount-target create "$fs" >down
hawser mount-target down "$(cut -d ' ' -f 1 down)"
hawser fs list --json >fs.before
hawser mount-target list --json >targets.before

refused 1 'in use by another hawserd' hawserd --state state --config config
same 700 "$(stat -c %a state)"
same 600 "$(stat -c %a state/rpc.sock)"
same 'hawserd: ready' "$(cat one.out)"
stop_hawserd one

for signal in TERM KILL; do
	start_hawserd two --state state --config config
	hawser fs list --json | cmp fs.before
	hawser mount-target list --json | cmp targets.before
	kill -$signal "$(cat two.pid)"
	wait "$(cat two.pid)" || true
done
