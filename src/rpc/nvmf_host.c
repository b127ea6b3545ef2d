/* SPDX-License-Identifier: Apache-2.0 */
/* Which hosts may connect to a subsystem, and by which keys they prove it. */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "rpc/nvmf.h"

struct keys {
	char dhchap[NVMF_KEY_SIZE], ctrlr[NVMF_KEY_SIZE], psk[NVMF_KEY_SIZE];
};

static int read_key(struct rpc_call *call, const char *param,
		    char key[NVMF_KEY_SIZE], const char **out)
{
	const char *name = rpc_string(call, param);

	*out = name ? key : NULL;
	return name ? keyring_read(call, name, key) : 0;
}

static int host_path(struct rpc_call *call, char path[LEDGER_PATH_SIZE])
{
	return rpc_path(call, path, "subsystem", rpc_string(call, "nqn"),
			"host", rpc_string(call, "host"));
}

static int read_dhchap(struct rpc_call *call, struct keys *keys,
		       struct nvmet_host *h)
{
	int r = read_key(call, "dhchap_key", keys->dhchap, &h->dhchap_key);

	if (r != 0)
		return r;
	return read_key(call, "dhchap_ctrlr_key", keys->ctrlr,
			&h->dhchap_ctrlr_key);
}

static int add_with(struct rpc_call *call, struct nvmet_subsystem *s,
		    struct keys *keys)
{
	struct nvmet_host h = { .nqn = rpc_string(call, "host") };
	char text[256] = "";
	int r = read_dhchap(call, keys, &h);

	if (r == 0)
		r = read_key(call, "psk", keys->psk, &h.psk);
	if (r != 0)
		return r;
	r = nvmet_host_add(s, &h, text);
	return r < 0 ? rpc_fail(call, RPC_INVALID_PARAMS, r, text) : 0;
}

static int add_host(struct rpc_call *call)
{
	struct nvmet_subsystem *s = nvmf_find(call, RPC_INVALID_PARAMS);
	char path[LEDGER_PATH_SIZE];
	struct keys keys;
	int r;

	if (s == NULL)
		return call->code;
	r = host_path(call, path);
	if (r == 0)
		r = rpc_check_new(call, path, RPC_INVALID_PARAMS);
	if (r == 0)
		r = add_with(call, s, &keys);
	explicit_bzero(&keys, sizeof(keys));
	if (r != 0)
		return r;
	r = rpc_record(call, "nvmf", path, rpc_params_copy(call));
	if (r != 0)
		nvmet_host_remove(s, rpc_string(call, "host"));
	call->result = json_true();
	return r;
}

/* The host's entry in the ledger says what it was added with; from now on, with
 * these keys. */
static int record_keys(struct rpc_call *call, const char *path)
{
	static const char *const names[] = { "dhchap_key", "dhchap_ctrlr_key" };
	const struct ledger_entry *e = rpc_entry(call, path);
	json_t *params = json_deep_copy(e->params);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *name = rpc_string(call, names[i]);

		if (name != NULL)
			json_object_set_new(params, names[i],
					    json_string(name));
		else
			json_object_del(params, names[i]);
	}
	ledger_set(call->env->ledger, e->section, path, e->method, params);
	return rpc_commit(call);
}

static int set_keys(struct rpc_call *call)
{
	struct nvmet_subsystem *s = nvmf_find(call, RPC_INVALID_PARAMS);
	struct nvmet_host h = { .nqn = rpc_string(call, "host") };
	char path[LEDGER_PATH_SIZE];
	struct keys keys;
	int r;

	if (s == NULL)
		return call->code;
	r = host_path(call, path);
	if (r == 0)
		r = nvmf_check_own(call, path, false, RPC_INVALID_PARAMS,
				   "host of the subsystem");
	if (r == 0)
		r = read_dhchap(call, &keys, &h);
	if (r == 0 && h.dhchap_ctrlr_key != NULL && h.dhchap_key == NULL)
		r = rpc_refuse(call, RPC_INVALID_PARAMS,
			       "dhchap_ctrlr_key: not without dhchap_key");
	if (r == 0)
		r = record_keys(call, path);
	/* Not restored at the start: its entry is all there is. */
	if (r == 0 && nvmet_host_set_keys(s, &h) == -ENOMEM)
		r = rpc_refuse(call, -ENOMEM,
			       "out of memory; written down, "
			       "and in force after a restart");
	explicit_bzero(&keys, sizeof(keys));
	call->result = json_true();
	return r;
}

static int remove_host(struct rpc_call *call)
{
	struct nvmet_subsystem *s =
		nvmet_subsystem_find(call->env->nvmet, rpc_string(call, "nqn"));
	char path[LEDGER_PATH_SIZE];
	int r = host_path(call, path);

	if (r == 0)
		r = nvmf_check_own(call, path, false, RPC_INVALID_PARAMS,
				   "host of the subsystem");
	if (r == 0)
		r = rpc_forget(call, path);
	if (r != 0)
		return r;
	if (s != NULL)
		nvmet_host_remove(s, rpc_string(call, "host"));
	call->result = json_true();
	return 0;
}

static const struct rpc_param add_host_params[] = {
	NVMF_NQN,
	{ "host", RPC_STRING, RPC_REQUIRED, "NQN of the host", "=" },
	{ "psk", RPC_STRING, RPC_OPTIONAL, "name of its key for TLS", "--psk" },
	{ "dhchap_key", RPC_STRING, RPC_OPTIONAL,
	  "name of the key by which it proves who it is", "--dhchap-key" },
	{ "dhchap_ctrlr_key", RPC_STRING, RPC_OPTIONAL,
	  "name of the key by which the subsystem does", "--dhchap-ctrlr-key" },
	NVMF_TARGET_NAME,
	{},
};
static const struct rpc_param set_keys_params[] = {
	NVMF_NQN,
	{ "host", RPC_STRING, RPC_REQUIRED, "NQN of the host", "=" },
	{ "dhchap_key", RPC_STRING, RPC_OPTIONAL,
	  "name of the key by which it proves who it is; absent: none",
	  "--dhchap-key" },
	{ "dhchap_ctrlr_key", RPC_STRING, RPC_OPTIONAL,
	  "name of the key by which the subsystem does; absent: none",
	  "--dhchap-ctrlr-key" },
	NVMF_TARGET_NAME,
	{},
};
static const struct rpc_param remove_host_params[] = {
	NVMF_NQN,
	{ "host", RPC_STRING, RPC_REQUIRED, "NQN of the host", "=" },
	{ "timeout_ms", RPC_UINT64, RPC_IGNORED, "it takes what it takes",
	  "-T" },
	NVMF_TARGET_NAME,
	{},
};

const struct rpc_method rpc_nvmf_host_methods[] = {
	{ "nvmf_subsystem_add_host", add_host, "Lets a host connect.",
	  add_host_params, RPC_CHANGES },
	{ "nvmf_subsystem_set_keys", set_keys,
	  "Gives a host other keys, from its next connect on.", set_keys_params,
	  RPC_CHANGES },
	{ "nvmf_subsystem_remove_host", remove_host,
	  "Lets it connect no more; it is disconnected.", remove_host_params,
	  RPC_CHANGES },
	{},
};
