/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of methods, in the order in which they are listed. */
#include <string.h>

#include "base/util.h"
#include "rpc/internal.h"

extern const struct rpc_method rpc_bdev_methods[], rpc_bdev_filter_methods[],
	rpc_bdev_show_methods[], rpc_config_methods[], rpc_fs_methods[],
	rpc_key_methods[], rpc_keyring_methods[], rpc_notify_methods[],
	rpc_nvmf_methods[], rpc_nvmf_host_methods[], rpc_nvmf_show_methods[],
	rpc_nvmf_subsystem_methods[], rpc_service_methods[],
	rpc_volume_methods[];

static int rpc_get_methods(struct rpc_call *call)
{
	bool verbose = rpc_boolean(call, "verbose", false);
	const struct rpc_method *m;

	call->result = json_array();
	for (size_t i = 0; (m = rpc_method_at(i)) != NULL; i++)
		json_array_append_new(call->result,
				      verbose ? rpc_describe_method(m)
					      : json_string(m->name));
	return 0;
}

/* All methods may be called at any time, and have one name each. */
static const struct rpc_param get_methods_params[] = {
	{ "verbose", RPC_BOOLEAN, RPC_OPTIONAL,
	  "with parameters, not names only", "--verbose" },
	{ "current", RPC_BOOLEAN, RPC_IGNORED,
	  "for SPDK's rpc.py; there are no states in which one can't be "
	  "called",
	  "-c" },
	{ "include_aliases", RPC_BOOLEAN, RPC_IGNORED,
	  "for SPDK's rpc.py; there are no aliases", "-i" },
	{},
};

static const struct rpc_method own_methods[] = {
	{ "rpc_get_methods", rpc_get_methods, "Lists the methods.",
	  get_methods_params },
	{},
};

static const struct rpc_method *const tables[] = {
	rpc_fs_methods,
	rpc_key_methods,
	rpc_volume_methods,
	rpc_bdev_methods,
	rpc_bdev_filter_methods,
	rpc_bdev_show_methods,
	rpc_nvmf_methods,
	rpc_nvmf_subsystem_methods,
	rpc_nvmf_host_methods,
	rpc_nvmf_show_methods,
	rpc_keyring_methods,
	rpc_config_methods,
	rpc_notify_methods,
	rpc_service_methods,
	own_methods,
};

const struct rpc_method *rpc_method_at(size_t i)
{
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
		for (const struct rpc_method *m = tables[t]; m->name; m++)
			if (i-- == 0)
				return m;
	return NULL;
}

const struct rpc_method *rpc_method_find(const char *name)
{
	const struct rpc_method *m;

	for (size_t i = 0; (m = rpc_method_at(i)) != NULL; i++)
		if (strcmp(m->name, name) == 0)
			return m;
	return NULL;
}
