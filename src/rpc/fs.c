/* SPDX-License-Identifier: Apache-2.0 */
/* File systems, mount targets, subnets: calls of control/, and what they say.
 */
#include <errno.h>
#include <string.h>

#include "nfs/server/server.h"
#include "rpc/internal.h"

static json_t *describe_fs(const struct control_fs *fs)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:i, s:I, s:I}", "id", fs->id,
			 "name", fs->name, "state",
			 control_state_name(fs->state), "created",
			 rpc_describe_time(fs->created), "mount_targets",
			 fs->mount_targets, "used_bytes",
			 (json_int_t)fs->used_bytes, "used_files",
			 (json_int_t)fs->used_files);
}

static json_t *describe_target(const struct control_mount_target *t)
{
	char host[ADDR_TEXT_MAX];

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:o}", "id",
			 t->id, "fs", t->fs, "subnet", t->subnet, "zone",
			 t->zone, "address",
			 addr_format_host(&t->address, host), "port",
			 (int)addr_port(&t->address), "state",
			 control_state_name(t->state), "created",
			 rpc_describe_time(t->created));
}

/* ---------------------------------------------------------- file systems */

static int fs_create(struct rpc_call *call)
{
	struct control_fs fs;
	int r = control_fs_create(call->env->control, rpc_string(call, "name"),
				  &fs, &call->error);

	if (r == 0)
		call->result = describe_fs(&fs);
	return r;
}

static int fs_get(struct rpc_call *call)
{
	struct control_fs *list;
	int n = control_fs_list(call->env->control, rpc_string(call, "id"),
				&list, &call->error);

	if (n < 0)
		return n;
	call->result = json_array();
	for (int i = 0; i < n; i++)
		json_array_append_new(call->result, describe_fs(&list[i]));
	free(list);
	return 0;
}

static int fs_delete(struct rpc_call *call)
{
	int r = control_fs_delete(call->env->control, rpc_string(call, "id"),
				  &call->error);

	call->result = json_true();
	return r;
}

static int fs_get_stats(struct rpc_call *call)
{
	struct nfs_server_stats st;
	int r = control_fs_stats(call->env->control, rpc_string(call, "id"),
				 &st, &call->error);

	if (r < 0)
		return r;
	call->result =
		json_pack("{s:I, s:I, s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:I,"
			  " s:I, s:I, s:I, s:f, s:f}",
			  "connections", (json_int_t)st.connections, "clients",
			  (json_int_t)st.clients, "sessions",
			  (json_int_t)st.sessions, "in_grace", (int)st.in_grace,
			  "compounds", (json_int_t)st.compounds, "operations",
			  (json_int_t)st.operations, "replays",
			  (json_int_t)st.replays, "bytes_read",
			  (json_int_t)st.bytes_read, "bytes_written",
			  (json_int_t)st.bytes_written, "bad_requests",
			  (json_int_t)st.bad_requests, "bytes_metered",
			  (json_int_t)st.bytes_metered, "throttled",
			  (json_int_t)st.throttled, "waiting",
			  (json_int_t)st.waiting, "permitted_throughput",
			  st.permitted, "burst_credits", st.credits);
	return 0;
}

/* --------------------------------------------------------- mount targets */

static int mount_target_create(struct rpc_call *call)
{
	struct control_mount_target_spec spec = {
		.fs = rpc_string(call, "fs"),
		.subnet = rpc_string(call, "subnet"),
		.address = rpc_string(call, "address"),
		.port = rpc_integer(call, "port", 0),
	};
	struct control_mount_target t;
	int r = control_mount_target_create(call->env->control, &spec, &t,
					    &call->error);

	if (r == 0)
		call->result = describe_target(&t);
	return r;
}

static int mount_target_get(struct rpc_call *call)
{
	struct control_mount_target *list;
	int n = control_mount_target_list(call->env->control,
					  rpc_string(call, "id"),
					  rpc_string(call, "fs"), &list,
					  &call->error);

	if (n < 0)
		return n;
	call->result = json_array();
	for (int i = 0; i < n; i++)
		json_array_append_new(call->result, describe_target(&list[i]));
	free(list);
	return 0;
}

static int mount_target_delete(struct rpc_call *call)
{
	int r = control_mount_target_delete(
		call->env->control, rpc_string(call, "id"), &call->error);

	call->result = json_true();
	return r;
}

static int mount_target_set_state(struct rpc_call *call)
{
	const char *state = rpc_string(call, "state");
	struct control_mount_target t;
	int r;

	if (strcmp(state, "up") != 0 && strcmp(state, "down") != 0)
		return rpc_refuse(call, RPC_INVALID_PARAMS,
				  "mount_target_set_state: state is 'up' or "
				  "'down', not '%.64s'",
				  state);
	r = control_mount_target_set_state(call->env->control,
					   rpc_string(call, "id"),
					   strcmp(state, "up") == 0, &t,
					   &call->error);
	if (r == 0)
		call->result = describe_target(&t);
	return r;
}

static int subnet_get(struct rpc_call *call)
{
	const struct subnet *list;
	size_t n = control_subnets(call->env->control, &list);

	call->result = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(
			call->result,
			json_pack("{s:s, s:s, s:s}", "id", list[i].id, "cidr",
				  list[i].cidr, "zone", list[i].zone));
	return 0;
}

/* ------------------------------------------------------------- the table */

static const struct rpc_param fs_create_params[] = {
	{ "name", RPC_STRING, RPC_OPTIONAL,
	  "a name to tell it by; need not be unique" },
	{},
};
static const struct rpc_param fs_get_params[] = {
	{ "id", RPC_STRING, RPC_OPTIONAL, "only this one" },
	{},
};
static const struct rpc_param fs_get_stats_params[] = {
	{ "id", RPC_STRING, RPC_REQUIRED, "of the file system" },
	{},
};
static const struct rpc_param fs_delete_params[] = {
	{ "id", RPC_STRING, RPC_REQUIRED, "of the file system" },
	{},
};
static const struct rpc_param mount_target_create_params[] = {
	{ "fs", RPC_STRING, RPC_REQUIRED, "id of the file system" },
	{ "subnet", RPC_STRING, RPC_OPTIONAL,
	  "id; default: that of the address, or the one in which the file "
	  "system has the fewest" },
	{ "address", RPC_STRING, RPC_OPTIONAL,
	  "default: a free one of the subnet" },
	{ "port", RPC_INTEGER, RPC_OPTIONAL, "default: 2049" },
	{},
};
static const struct rpc_param mount_target_get_params[] = {
	{ "id", RPC_STRING, RPC_OPTIONAL, "only this one" },
	{ "fs", RPC_STRING, RPC_OPTIONAL, "only those of this file system" },
	{},
};
static const struct rpc_param mount_target_delete_params[] = {
	{ "id", RPC_STRING, RPC_REQUIRED, "of the mount target" },
	{},
};
static const struct rpc_param mount_target_set_state_params[] = {
	{ "id", RPC_STRING, RPC_REQUIRED, "of the mount target" },
	{ "state", RPC_STRING, RPC_REQUIRED,
	  "'down' resets its connections and refuses new ones; 'up'" },
	{},
};

const struct rpc_method rpc_fs_methods[] = {
	{ "fs_create", fs_create, "Creates a file system.", fs_create_params },
	{ "fs_get", fs_get, "Lists the file systems.", fs_get_params },
	{ "fs_get_stats", fs_get_stats,
	  "Tells who uses a file system, and what its server has done since "
	  "it started.",
	  fs_get_stats_params },
	{ "fs_delete", fs_delete,
	  "Deletes a file system that has no mount targets, and its data.",
	  fs_delete_params },
	{ "mount_target_create", mount_target_create,
	  "Serves a file system on an address.", mount_target_create_params },
	{ "mount_target_get", mount_target_get, "Lists the mount targets.",
	  mount_target_get_params },
	{ "mount_target_delete", mount_target_delete,
	  "Deletes a mount target; its connections are reset.",
	  mount_target_delete_params },
	{ "mount_target_set_state", mount_target_set_state,
	  "Takes a mount target down, or up again.",
	  mount_target_set_state_params },
	{ "subnet_get", subnet_get, "Lists the subnets of the configuration.",
	  NULL },
	{},
};
