/* SPDX-License-Identifier: Apache-2.0 */
/* Methods are found here, and tell which there are. */
#include <string.h>

#include "rpc/internal.h"

static int rpc_get_methods(struct rpc_call *call)
{
	bool verbose = rpc_boolean(call, "verbose", false);
	const struct rpc_method *m;

	call->result = json_array();
	for (size_t i = 0; (m = rpc_method_at(call->env, i)) != NULL; i++)
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

const struct rpc_method rpc_own_methods[] = {
	{ "rpc_get_methods", rpc_get_methods, "Lists the methods.",
	  get_methods_params },
	{},
};

const struct rpc_method *rpc_method_at(const struct rpc_environment *env,
				       size_t i)
{
	for (size_t t = 0; env->methods[t] != NULL; t++)
		for (const struct rpc_method *m = env->methods[t]; m->name; m++)
			if (i-- == 0)
				return m;
	return NULL;
}

const struct rpc_method *rpc_method_find(const struct rpc_environment *env,
					 const char *name)
{
	const struct rpc_method *m;

	for (size_t i = 0; (m = rpc_method_at(env, i)) != NULL; i++)
		if (strcmp(m->name, name) == 0)
			return m;
	return NULL;
}
