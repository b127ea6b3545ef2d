# SPDX-License-Identifier: Apache-2.0
# Any method by hawser rpc; its parameters as words or as JSON.

same "$HAWSER_STATE" "$(hawser rpc hawserd_get_info | json 'j["state"]')"
hawser rpc fs_create name=a >a.json
hawser rpc fs_create '{"name": "b"}' >b.json
same 'a b' "$(hawser rpc fs_get | json '*(fs["name"] for fs in j)')"
id=$(json 'j["id"]' <b.json)
same b "$(hawser rpc fs_get id="$id" | json 'j[0]["name"]')"
same True "$(hawser rpc fs_delete id="$id" | json j)"

refused 1 'Method not found' hawser rpc no_such_method
refused 1 "no parameter 'nme'" hawser rpc fs_create nme=x
refused 1 'must be of type string' hawser rpc fs_create name=5
refused 1 'parameter fs is missing' hawser rpc mount_target_create port=5
refused 1 'requires no parameters' hawser rpc subnet_get x=1

# The log level takes effect at once.
same True "$(hawser rpc log_set_level level=error | json j)"
refused 1 'level is error' hawser rpc log_set_level level=loud

# Arguments and options as SPDK's rpc.py takes them; names stand alone, and
# success says nothing.
same '' "$(hawser rpc log_set_level DEBUG)"
same DEBUG "$(hawser rpc log_get_level)"
same '"DEBUG"' "$(hawser rpc --json log_get_level)"
same '' "$(hawser rpc -s "$HAWSER_RPC" -t 5 log_set_level ERROR)"
same list "$(hawser rpc rpc_get_methods -c -i | json 'type(j).__name__')"
refused 2 "unknown option '-x'" hawser rpc log_set_level -x
refused 2 'level is missing' hawser rpc log_set_level --
refused 1 'Method not found' hawser rpc no_such_method -x
hawser rpc log_set_level --help | grep -q '^usage: hawser rpc log_set_level'
