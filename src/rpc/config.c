/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration as a whole: what the ledger holds, by section, as calls
 * that would make it again.  Keys of accel_crypto_key_create are left out: a
 * secret is told to nobody.
 */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "rpc/internal.h"

/* In the order in which they have to be made. */
static const struct {
	const char *name, *needs[3];
} sections[] = {
	{ "keyring", {} },
	{ "accel", {} },
	{ "bdev", { "keyring", "accel" } },
	{ "nvmf", { "keyring", "bdev" } },
	{ "volume", { "nvmf" } },
};

static int get_subsystems(struct rpc_call *call)
{
	call->result = json_array();
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		json_t *needs = json_array();

		for (size_t n = 0; n < 3 && sections[i].needs[n]; n++)
			json_array_append_new(
				needs, json_string(sections[i].needs[n]));
		json_array_append_new(call->result,
				      json_pack("{s:s, s:o}", "subsystem",
						sections[i].name, "depends_on",
						needs));
	}
	return 0;
}

static bool is_section(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		if (strcmp(sections[i].name, name) == 0)
			return true;
	return false;
}

static int get_config(struct rpc_call *call)
{
	const char *name = rpc_string(call, "name");
	struct ledger_entry *e = NULL;

	if (!is_section(name))
		return rpc_refuse(call, RPC_INVALID_PARAMS,
				  "Subsystem '%.64s' not found", name);
	call->result = json_array();
	while ((e = ledger_next(call->env->ledger, e)) != NULL)
		if (strcmp(e->section, name) == 0 &&
		    strcmp(e->section, "accel") != 0)
			json_array_append_new(call->result,
					      json_pack("{s:s, s:O}", "method",
							e->method, "params",
							e->params));
	return 0;
}

static int get_missing(struct rpc_call *call)
{
	struct ledger_entry *e = NULL;

	call->result = json_array();
	while ((e = ledger_next(call->env->ledger, e)) != NULL) {
		json_t *one;

		if (e->error == 0)
			continue;
		one = json_pack("{s:s, s:s, s:i}", "method", e->method,
				"message", e->text, "code", e->error);
		if (strcmp(e->section, "accel") != 0)
			json_object_set(one, "params", e->params);
		json_array_append_new(call->result, one);
	}
	return 0;
}

static const struct rpc_param get_config_params[] = {
	{ "name", RPC_STRING, RPC_REQUIRED, "see framework_get_subsystems",
	  "=" },
	{ "with_batches", RPC_BOOLEAN, RPC_IGNORED, "there are none",
	  "--with-batches --no-with-batches=false" },
	{},
};

const struct rpc_method rpc_config_methods[] = {
	{ "framework_get_subsystems", get_subsystems,
	  "Lists the parts of the configuration." },
	{ "framework_get_config", get_config,
	  "Lists the calls that make a part of the configuration as it is. "
	  "Secrets are not among them.",
	  get_config_params, RPC_READS },
	{ "framework_get_missing", get_missing,
	  "Lists the calls of the configuration that could not be made again "
	  "at the start, and why; the service goes on trying.",
	  NULL, RPC_READS },
	{},
};
