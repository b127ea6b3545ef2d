/* SPDX-License-Identifier: Apache-2.0 */
/* Methods for access keys of the API. */
#include <stdlib.h>

#include "control/key.h"
#include "control/rights.h"
#include "rpc/internal.h"

/* The secret is told once, to who had the key made. */
static json_t *describe_key(const struct access_key *key, bool secret)
{
	json_t *out =
		json_pack("{s:s, s:s, s:o}", "id", key->id, "user", key->user,
			  "created", rpc_describe_time(key->created));

	if (key->policy != NULL)
		json_object_set(out, "policy", key->policy);
	if (secret)
		json_object_set_new(out, "secret", json_string(key->secret));
	return out;
}

static int access_key_create_method(struct rpc_call *call)
{
	struct access_key key;
	int r = access_key_create(call->env->keys, rpc_string(call, "user"),
				  rpc_string(call, "policy"), &key,
				  &call->error);

	if (r == 0)
		call->result = describe_key(&key, true);
	return r;
}

static int access_key_get_method(struct rpc_call *call)
{
	struct access_key *list;
	int n = access_key_list(call->env->keys, &list, &call->error);

	if (n < 0)
		return n;
	call->result = json_array();
	for (int i = 0; i < n; i++)
		json_array_append_new(call->result,
				      describe_key(&list[i], false));
	free(list);
	return 0;
}

static int access_key_delete_method(struct rpc_call *call)
{
	int r = access_key_delete(call->env->keys, rpc_string(call, "id"),
				  &call->error);

	if (r == 0)
		control_rights_changed(call->env->control);
	call->result = json_true();
	return r;
}

static const struct rpc_param create_params[] = {
	{ "user", RPC_STRING, RPC_REQUIRED, "whom it belongs to" },
	{ "policy", RPC_STRING, RPC_OPTIONAL,
	  "what it may be used for, in IAM's JSON; default: everything" },
	{},
};
static const struct rpc_param delete_params[] = {
	{ "id", RPC_STRING, RPC_REQUIRED, "of the access key" },
	{},
};

const struct rpc_method rpc_key_methods[] = {
	{ "access_key_create", access_key_create_method,
	  "Makes an access key for the API; only this reply has its secret.",
	  create_params },
	{ "access_key_get", access_key_get_method, "Lists the access keys." },
	{ "access_key_delete", access_key_delete_method,
	  "Deletes an access key: what it signs is refused from now on.",
	  delete_params },
	{},
};
