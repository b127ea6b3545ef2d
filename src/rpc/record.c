/* SPDX-License-Identifier: Apache-2.0 */
/* How methods write down in the ledger what they have changed. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rpc/internal.h"

int rpc_bad_path(struct rpc_call *call)
{
	return rpc_refuse(call, RPC_INVALID_PARAMS,
			  "%s: a name is too long, or has control characters",
			  call->method->name);
}

struct ledger_entry *rpc_entry(const struct rpc_call *call, const char *path)
{
	return ledger_find(call->env->ledger, path);
}

int rpc_check_new(struct rpc_call *call, const char *path, int code)
{
	const struct ledger_entry *e = rpc_entry(call, path);
	const char *name = strrchr(path, '\t') + 1;

	if (call->replay || e == NULL)
		return 0;
	if (e->error == 0)
		return rpc_refuse(call, code, "'%.200s' exists already", name);
	return rpc_refuse(call, code,
			  "'%.64s' exists already, but could not be restored: "
			  "%.120s",
			  name, e->text);
}

json_t *rpc_params_copy(const struct rpc_call *call)
{
	json_t *copy = call->params ? json_copy(call->params) : json_object();

	for (const struct rpc_param *p = call->method->params; p->name; p++)
		if (p->rule == RPC_IGNORED || p->rule == RPC_REFUSED)
			json_object_del(copy, p->name);
	return copy;
}

int rpc_commit(struct rpc_call *call)
{
	int r = ledger_commit(call->env->ledger);

	if (r == 0)
		return 0;
	return rpc_refuse(call, r, "%s can't be written down: %s",
			  call->method->name, strerror(-r));
}

/* What belongs to a volume's own subsystem can only be made behind it. */
static const char *section_for(const struct rpc_call *call, const char *section,
			       const char *path)
{
	char owner[LEDGER_PATH_SIZE];
	const char *end;

	if (strncmp(path, "subsystem\t", 10) != 0)
		return section;
	end = strchr(path + 10, '\t');
	if (end == NULL)
		return section;
	snprintf(owner, sizeof(owner), "%.*s", (int)(end - path), path);
	return rpc_entry(call, owner) ? section : "volume";
}

/* Would a start take these parameters?  If not, that is a mistake of ours, and
 * better known now. */
static bool can_be_made(struct rpc_call *call, json_t *params)
{
	struct rpc_call again = { .env = call->env, .params = params };

	if (rpc_check_params(&again, call->method) == 0)
		return true;
	rpc_refuse(call, RPC_INTERNAL_ERROR, "It can't be written down: %.200s",
		   again.error.text);
	return false;
}

int rpc_record(struct rpc_call *call, const char *section, const char *path,
	       json_t *params)
{
	if (call->replay) {
		json_decref(params);
		return 0;
	}
	if (!can_be_made(call, params)) {
		json_decref(params);
		return call->code;
	}
	ledger_set(call->env->ledger, section_for(call, section, path), path,
		   call->method->name, params);
	return rpc_commit(call);
}

int rpc_record_member(struct rpc_call *call, const char *path,
		      const char *member, json_t *value)
{
	const struct ledger_entry *e = rpc_entry(call, path);
	json_t *params;

	if (call->replay || e == NULL) {
		json_decref(value);
		return 0;
	}
	params = json_deep_copy(e->params);
	json_object_set_new(params, member, value);
	ledger_set(call->env->ledger, e->section, path, e->method, params);
	return rpc_commit(call);
}

int rpc_forget(struct rpc_call *call, const char *path)
{
	ledger_drop_below(call->env->ledger, path);
	call->forgotten = call->replay;
	return rpc_commit(call);
}
