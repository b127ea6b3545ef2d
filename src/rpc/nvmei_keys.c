/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keyring of a host: names of files with keys, in env->host_keys, for as
 * long as the process lives.  (hawserd's own is in its ledger: keyring.c.)
 */
#include <errno.h>

#include "rpc/nvmei.h"

int nvmei_key(struct rpc_call *call, const char *param, char key[KEYFILE_SIZE],
	      const char **out)
{
	const char *name = rpc_string(call, param), *path;
	char text[256];
	int rc;

	*out = NULL;
	if (name == NULL)
		return 0;
	path = json_string_value(json_object_get(call->env->host_keys, name));
	if (path == NULL)
		return rpc_refuse(call, -ENOKEY,
				  "The keyring has no key '%.64s'", name);
	rc = keyfile_read(path, key, text);
	if (rc < 0)
		return rpc_fail(call, RPC_INVALID_PARAMS, rc, text);
	*out = key;
	return 0;
}

static int add_key(struct rpc_call *call)
{
	const char *name = rpc_string(call, "name");
	json_t *keys = call->env->host_keys;
	char text[256];
	int rc;

	if (json_object_get(keys, name) != NULL)
		return rpc_refuse(call, -EEXIST, "'%.64s' exists already",
				  name);
	rc = keyfile_read(rpc_string(call, "path"), NULL, text);
	if (rc < 0)
		return rpc_fail(call, rc, rc, text);
	json_object_set(keys, name, rpc_object(call, "path"));
	call->result = json_true();
	return 0;
}

static int remove_key(struct rpc_call *call)
{
	const char *name = rpc_string(call, "name");

	if (json_object_del(call->env->host_keys, name) < 0)
		return rpc_refuse(call, -ENOKEY,
				  "The keyring has no key '%.64s'", name);
	call->result = json_true();
	return 0;
}

static int get_keys(struct rpc_call *call)
{
	const char *name;
	json_t *path;

	call->result = json_array();
	json_object_foreach(call->env->host_keys, name, path)
		json_array_append_new(call->result,
				      json_pack("{s:s, s:s, s:b, s:b, s:O}",
						"name", name, "module",
						"keyring_file", "removed", 0,
						"probed", 1, "path", path));
	return 0;
}

static const struct rpc_param add_key_params[] = {
	{ "name", RPC_STRING, RPC_REQUIRED, "of the key", "=" },
	{ "path", RPC_STRING, RPC_REQUIRED,
	  "absolute; of a file that only its owner may read", "=" },
	{},
};
static const struct rpc_param remove_key_params[] = {
	{ "name", RPC_STRING, RPC_REQUIRED, "of the key", "=" },
	{},
};

const struct rpc_method rpc_nvmei_key_methods[] = {
	{ "keyring_file_add_key", add_key, "Names a key that is in a file.",
	  add_key_params },
	{ "keyring_file_remove_key", remove_key,
	  "Forgets a key; who was attached with it stays.", remove_key_params },
	{ "keyring_get_keys", get_keys, "Lists the keys, not what they are." },
	{},
};
