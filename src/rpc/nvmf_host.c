/* SPDX-License-Identifier: Apache-2.0 */
/* Which hosts may connect to a subsystem, and by which keys they prove it. */
#include <errno.h>
#include <string.h>

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

static int add_with(struct rpc_call *call, struct nvmet_subsystem *s,
		    struct keys *keys)
{
	struct nvmet_host h = { .nqn = rpc_string(call, "host") };
	char text[256] = "";
	int r = read_key(call, "dhchap_key", keys->dhchap, &h.dhchap_key);

	if (r == 0)
		r = read_key(call, "dhchap_ctrlr_key", keys->ctrlr,
			     &h.dhchap_ctrlr_key);
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
	{ "nvmf_subsystem_remove_host", remove_host,
	  "Lets it connect no more; it is disconnected.", remove_host_params,
	  RPC_CHANGES },
	{},
};
