/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that have names: each is a file that only its owner may read, and is
 * read again whenever it is used.  What is in it is told to nobody.
 */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "rpc/nvmf.h"

int keyring_read(struct rpc_call *call, const char *name,
		 char key[NVMF_KEY_SIZE])
{
	char path[LEDGER_PATH_SIZE], text[256];
	const struct ledger_entry *e;
	int r = rpc_path(call, path, "key", name);

	if (r != 0)
		return r;
	e = rpc_entry(call, path);
	if (e == NULL) {
		call->error_number = -ENOKEY;
		return rpc_refuse(call, RPC_INVALID_PARAMS,
				  "The keyring has no key '%.64s'", name);
	}
	r = keyfile_read(json_string_value(json_object_get(e->params, "path")),
			 key, text);
	return r < 0 ? rpc_fail(call, RPC_INVALID_PARAMS, r, text) : 0;
}

static int add_key(struct rpc_call *call)
{
	char path[LEDGER_PATH_SIZE], text[256];
	int r = rpc_path(call, path, "key", rpc_string(call, "name"));

	if (r == 0)
		r = rpc_check_new(call, path, -EEXIST);
	if (r != 0)
		return r;
	r = keyfile_read(rpc_string(call, "path"), NULL, text);
	if (r < 0)
		return rpc_fail(call, r, r, text);
	call->result = json_true();
	return rpc_record(call, "keyring", path, rpc_params_copy(call));
}

/* A host that uses the key. */
static const char *find_user(const struct rpc_call *call, const char *name)
{
	static const char *const members[] = { "psk", "dhchap_key",
					       "dhchap_ctrlr_key" };
	struct ledger_entry *e = NULL;

	while ((e = ledger_next(call->env->ledger, e)) != NULL) {
		for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
			const char *used = json_string_value(
				json_object_get(e->params, members[i]));

			if (used != NULL && strcmp(used, name) == 0)
				return json_string_value(
					json_object_get(e->params, "host"));
		}
	}
	return NULL;
}

static int remove_key(struct rpc_call *call)
{
	const char *name = rpc_string(call, "name");
	const char *user = find_user(call, name);
	char path[LEDGER_PATH_SIZE];
	int r = rpc_path(call, path, "key", name);

	if (r == 0 && rpc_entry(call, path) == NULL)
		r = rpc_refuse(call, -ENOKEY, "The keyring has no key '%.64s'",
			       name);
	if (r == 0 && user != NULL)
		r = rpc_refuse(call, -EBUSY, "Host %.160s uses it", user);
	if (r != 0)
		return r;
	call->result = json_true();
	return rpc_forget(call, path);
}

static int get_keys(struct rpc_call *call)
{
	struct ledger_entry *e = NULL;

	call->result = json_array();
	while ((e = ledger_next(call->env->ledger, e)) != NULL)
		if (strncmp(e->path, "key\t", 4) == 0)
			json_array_append_new(
				call->result,
				json_pack("{s:O, s:s, s:b, s:b, s:O}", "name",
					  json_object_get(e->params, "name"),
					  "module", "keyring_file", "removed",
					  0, "probed", (int)(e->error == 0),
					  "path",
					  json_object_get(e->params, "path")));
	return 0;
}

static const struct rpc_param add_key_params[] = {
	{ "name", RPC_STRING, RPC_REQUIRED, "of the key", "=" },
	{ "path", RPC_STRING, RPC_REQUIRED,
	  "absolute; of a file that only its owner may read, with a key as "
	  "nvme gen-dhchap-key or gen-tls-key make it",
	  "=" },
	{},
};
static const struct rpc_param remove_key_params[] = {
	{ "name", RPC_STRING, RPC_REQUIRED, "of the key", "=" },
	{},
};

const struct rpc_method rpc_keyring_methods[] = {
	{ "keyring_file_add_key", add_key, "Names a key that is in a file.",
	  add_key_params, RPC_CHANGES },
	{ "keyring_file_remove_key", remove_key,
	  "Forgets a key that no host uses; the file stays.", remove_key_params,
	  RPC_CHANGES },
	{ "keyring_get_keys", get_keys, "Lists the keys, not what they are.",
	  NULL, RPC_READS },
	{},
};
