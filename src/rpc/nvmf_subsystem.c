/* SPDX-License-Identifier: Apache-2.0 */
/* What a subsystem has: namespaces, listeners, and their ANA states. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "base/uuid.h"
#include "block/block.h"
#include "rpc/nvmf.h"

/* ---------------------------------------------------------- namespaces --- */

static int namespace_path(struct rpc_call *call, char path[LEDGER_PATH_SIZE],
			  uint32_t nsid)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", nsid);
	return rpc_path(call, path, "subsystem", rpc_string(call, "nqn"), "ns",
			number);
}

static bool has_namespace(const struct nvmet_subsystem *s, uint32_t nsid,
			  struct nvmet_namespace *ns)
{
	return nsid > 0 && nvmet_namespace_next(s, nsid - 1, ns) &&
	       ns->nsid == nsid;
}

/* The first that is neither there nor expected. */
static int choose_nsid(struct rpc_call *call, const struct nvmet_subsystem *s,
		       uint32_t *nsid)
{
	char path[LEDGER_PATH_SIZE];
	struct nvmet_namespace ns;
	int r;

	for (*nsid = 1;; ++*nsid) {
		r = namespace_path(call, path, *nsid);
		if (r != 0 || (!has_namespace(s, *nsid, &ns) &&
			       rpc_entry(call, path) == NULL))
			return r;
	}
}

static int bad_member(struct rpc_call *call, const char *name, const char *text)
{
	return rpc_refuse(call, RPC_INVALID_PARAMS,
			  "namespace: %s can't be '%.64s'", name, text);
}

static int read_namespace(struct rpc_call *call, struct nvmet_namespace *ns)
{
	const char *nguid = NULL, *eui64 = NULL, *uuid = NULL;
	json_int_t nsid = 0, group = 0;
	int hidden = 0;

	memset(ns, 0, sizeof(*ns));
	json_unpack(rpc_object(call, "namespace"),
		    "{s:s, s?I, s?s, s?s, s?s, s?I, s?b}", "bdev_name",
		    &ns->device, "nsid", &nsid, "nguid", &nguid, "eui64",
		    &eui64, "uuid", &uuid, "anagrpid", &group,
		    "no_auto_visible", &hidden);
	if (nguid && !hex_parse(nguid, ns->nguid, sizeof(ns->nguid)))
		return bad_member(call, "nguid", nguid);
	if (eui64 && !hex_parse(eui64, ns->eui64, sizeof(ns->eui64)))
		return bad_member(call, "eui64", eui64);
	if (uuid && !uuid_parse(uuid, ns->uuid))
		return bad_member(call, "uuid", uuid);
	if (nsid < 0 || group < 0)
		return rpc_refuse(call, RPC_INVALID_PARAMS,
				  "namespace: nsid and anagrpid can't be "
				  "negative");
	ns->nsid = nsid;
	ns->anagrpid = group;
	ns->no_auto_visible = hidden;
	return 0;
}

/* As it has become, so that it becomes the same again. */
static json_t *describe_namespace(const struct nvmet_namespace *ns)
{
	static const uint8_t none[8];
	char uuid[UUID_TEXT_SIZE], nguid[33], eui64[17];
	json_t *out = json_pack("{s:i, s:s, s:s, s:s, s:i, s:b}", "nsid",
				(int)ns->nsid, "bdev_name", ns->device, "nguid",
				hex_format(ns->nguid, sizeof(ns->nguid), nguid),
				"uuid", uuid_format(ns->uuid, uuid), "anagrpid",
				(int)ns->anagrpid, "no_auto_visible",
				(int)ns->no_auto_visible);

	if (memcmp(ns->eui64, none, sizeof(none)) != 0)
		json_object_set_new(
			out, "eui64",
			json_string(hex_format(ns->eui64, 8, eui64)));
	return out;
}

static int add_ns(struct rpc_call *call)
{
	struct nvmet_subsystem *s = nvmf_find(call, RPC_INVALID_PARAMS);
	char path[LEDGER_PATH_SIZE], text[256] = "";
	const struct block_device *d;
	struct nvmet_namespace ns;
	int64_t nsid;
	int r;

	if (s == NULL)
		return call->code;
	r = read_namespace(call, &ns);
	if (r == 0 && ns.nsid == 0)
		r = choose_nsid(call, s, &ns.nsid);
	if (r == 0)
		r = namespace_path(call, path, ns.nsid);
	if (r == 0)
		r = rpc_check_new(call, path, RPC_INVALID_PARAMS);
	if (r != 0)
		return r;
	d = block_find(call->env->blocks, ns.device);
	if (d != NULL)
		ns.device = block_name(d); /* it may have been the UUID */
	nsid = nvmet_namespace_add(s, &ns, text);
	if (nsid < 0)
		return rpc_fail(call, RPC_INVALID_PARAMS, (int)nsid, text);
	has_namespace(s, ns.nsid, &ns);
	r = rpc_record(call, "nvmf", path,
		       json_pack("{s:s, s:o}", "nqn", rpc_string(call, "nqn"),
				 "namespace", describe_namespace(&ns)));
	if (r != 0)
		nvmet_namespace_remove(s, ns.nsid);
	call->result = json_integer(nsid);
	return r;
}

static int remove_ns(struct rpc_call *call)
{
	struct nvmet_subsystem *s =
		nvmet_subsystem_find(call->env->nvmet, rpc_string(call, "nqn"));
	uint32_t nsid = rpc_integer(call, "nsid", 0);
	char path[LEDGER_PATH_SIZE];
	struct nvmet_namespace ns;
	int r = namespace_path(call, path, nsid);
	bool there = s != NULL && has_namespace(s, nsid, &ns);

	if (r == 0)
		r = nvmf_check_own(call, path, there, RPC_INVALID_PARAMS,
				   "namespace");
	if (r == 0)
		r = rpc_forget(call, path);
	if (r != 0)
		return r;
	if (there)
		nvmet_namespace_remove(s, nsid);
	call->result = json_true();
	return 0;
}

static int set_ns_ana_group(struct rpc_call *call)
{
	struct nvmet_subsystem *s = nvmf_find(call, RPC_INVALID_PARAMS);
	uint32_t nsid = rpc_integer(call, "nsid", 0);
	uint32_t group = rpc_integer(call, "anagrpid", 0);
	char path[LEDGER_PATH_SIZE], number[16];
	int r;

	if (s == NULL)
		return call->code;
	snprintf(number, sizeof(number), "%u", nsid);
	r = rpc_path(call, path, "subsystem", rpc_string(call, "nqn"), "ns",
		     number, "group");
	if (r != 0)
		return r;
	r = nvmet_namespace_set_ana_group(s, nsid, group);
	if (r < 0)
		return rpc_refuse(call, RPC_INTERNAL_ERROR,
				  r == -ENOENT ? "There is no namespace %u"
					       : "The ANA group of namespace "
						 "%u can't be that",
				  nsid);
	call->result = json_true();
	return rpc_record(call, "nvmf", path, rpc_params_copy(call));
}

static int ns_host_path(struct rpc_call *call, char path[LEDGER_PATH_SIZE])
{
	char number[16];

	snprintf(number, sizeof(number), "%d", rpc_integer(call, "nsid", 0));
	return rpc_path(call, path, "subsystem", rpc_string(call, "nqn"), "ns",
			number, "host", rpc_string(call, "host"));
}

static int ns_add_host(struct rpc_call *call)
{
	struct nvmet_subsystem *s = nvmf_find(call, RPC_INVALID_PARAMS);
	char path[LEDGER_PATH_SIZE], text[256] = "";
	int r;

	if (s == NULL)
		return call->code;
	r = ns_host_path(call, path);
	if (r == 0)
		r = rpc_check_new(call, path, RPC_INVALID_PARAMS);
	if (r != 0)
		return r;
	r = nvmet_namespace_add_host(s, rpc_integer(call, "nsid", 0),
				     rpc_string(call, "host"), text);
	if (r < 0)
		return rpc_fail(call, RPC_INVALID_PARAMS, r, text);
	r = rpc_record(call, "nvmf", path, rpc_params_copy(call));
	if (r != 0)
		nvmet_namespace_remove_host(s, rpc_integer(call, "nsid", 0),
					    rpc_string(call, "host"));
	call->result = json_true();
	return r;
}

static int ns_remove_host(struct rpc_call *call)
{
	struct nvmet_subsystem *s =
		nvmet_subsystem_find(call->env->nvmet, rpc_string(call, "nqn"));
	char path[LEDGER_PATH_SIZE];
	int r = ns_host_path(call, path);

	if (r == 0)
		r = nvmf_check_own(call, path, false, RPC_INVALID_PARAMS,
				   "host of the namespace");
	if (r == 0)
		r = rpc_forget(call, path);
	if (r != 0)
		return r;
	if (s != NULL)
		nvmet_namespace_remove_host(s, rpc_integer(call, "nsid", 0),
					    rpc_string(call, "host"));
	call->result = json_true();
	return 0;
}

/* ----------------------------------------------------------- listeners --- */

static const struct {
	const char *name;
	enum nvmet_ana state;
} states[] = {
	{ "optimized", NVMET_ANA_OPTIMIZED },
	{ "non_optimized", NVMET_ANA_NON_OPTIMIZED },
	{ "inaccessible", NVMET_ANA_INACCESSIBLE },
	{ "persistent_loss", NVMET_ANA_PERSISTENT_LOSS },
	{ "change", NVMET_ANA_CHANGE },
};
static const char state_values[] =
	"optimized|non_optimized|inaccessible|persistent_loss|change";

/* 0: none was given. */
static enum nvmet_ana read_state(const struct rpc_call *call)
{
	const char *name = rpc_string(call, "ana_state");

	for (size_t i = 0; name && i < ARRAY_SIZE(states); i++)
		if (strcmp(states[i].name, name) == 0)
			return states[i].state;
	return 0;
}

static int listener_path(struct rpc_call *call, struct addr *a,
			 char path[LEDGER_PATH_SIZE])
{
	char text[ADDR_TEXT_MAX];
	int r = nvmf_address(call, rpc_object(call, "listen_address"), a);

	return r ? r
		 : rpc_path(call, path, "subsystem", rpc_string(call, "nqn"),
			    "listener", addr_format(a, text));
}

static bool has_listener(const struct nvmet_subsystem *s, const struct addr *a)
{
	struct nvmet_listener l;

	for (size_t i = 0; nvmet_listener_get(s, i, &l); i++)
		if (addr_equal(&l.addr, a))
			return true;
	return false;
}

static bool is_discovery(const struct rpc_call *call)
{
	const char *nqn = rpc_string(call, "nqn");

	return strcmp(nqn, NVMET_DISCOVERY_NQN) == 0 ||
	       strcmp(nqn, "discovery") == 0;
}

/* It answers wherever a subsystem listens; that may be asked for. */
static int discovery_listener(struct rpc_call *call)
{
	struct nvmet_subsystem *s = NULL;
	struct addr a;
	int r = nvmf_address(call, rpc_object(call, "listen_address"), &a);

	if (r != 0)
		return r;
	while ((s = nvmet_subsystem_next(call->env->nvmet, s)) != NULL) {
		if (has_listener(s, &a)) {
			call->result = json_true();
			return 0;
		}
	}
	return rpc_refuse(call, RPC_INVALID_PARAMS,
			  "The discovery subsystem answers at the addresses of "
			  "the other subsystems' listeners; none has this one");
}

static json_t *listener_params(const struct rpc_call *call,
			       const struct addr *a)
{
	json_t *params = rpc_params_copy(call);

	json_object_set_new(params, "listen_address", nvmf_describe_address(a));
	return params;
}

static int add_listener(struct rpc_call *call)
{
	struct nvmet_listener l = {
		.secure_channel = rpc_boolean(call, "secure_channel", false),
		.ana = read_state(call),
	};
	char path[LEDGER_PATH_SIZE], text[256] = "";
	struct nvmet_subsystem *s;
	int r;

	if (is_discovery(call))
		return discovery_listener(call);
	s = nvmf_find(call, RPC_INVALID_PARAMS);
	if (s == NULL)
		return call->code;
	r = listener_path(call, &l.addr, path);
	if (r == 0)
		r = rpc_check_new(call, path, RPC_INVALID_PARAMS);
	if (r != 0)
		return r;
	r = nvmet_listener_add(s, &l, text);
	if (r < 0)
		return rpc_fail(call, RPC_INVALID_PARAMS, r, text);
	r = rpc_record(call, "nvmf", path, listener_params(call, &l.addr));
	if (r != 0)
		nvmet_listener_remove(s, &l.addr);
	call->result = json_true();
	return r;
}

static int remove_listener(struct rpc_call *call)
{
	struct nvmet_subsystem *s =
		nvmet_subsystem_find(call->env->nvmet, rpc_string(call, "nqn"));
	char path[LEDGER_PATH_SIZE];
	struct addr a;
	bool there;
	int r;

	if (is_discovery(call))
		return discovery_listener(call);
	r = listener_path(call, &a, path);
	if (r != 0)
		return r;
	there = s != NULL && has_listener(s, &a);
	r = nvmf_check_own(call, path, there, RPC_INVALID_PARAMS, "listener");
	if (r == 0)
		r = rpc_forget(call, path);
	if (r != 0)
		return r;
	if (there)
		nvmet_listener_remove(s, &a);
	call->result = json_true();
	return 0;
}

/* One state of all groups takes the place of what single ones had. */
static int record_state(struct rpc_call *call, const char *listener,
			const struct addr *a, uint32_t group)
{
	char path[LEDGER_PATH_SIZE + 32];

	snprintf(path, sizeof(path), "%s\tana", listener);
	if (group == 0 && !call->replay)
		ledger_drop_below(call->env->ledger, path);
	snprintf(path, sizeof(path), "%s\tana\t%u", listener, group);
	return rpc_record(call, "nvmf", path, listener_params(call, a));
}

static int set_ana_state(struct rpc_call *call)
{
	struct nvmet_subsystem *s = nvmf_find(call, RPC_INVALID_PARAMS);
	int group = rpc_integer(call, "anagrpid", 0);
	char path[LEDGER_PATH_SIZE], text[256] = "";
	struct addr a;
	int r;

	if (s == NULL)
		return call->code;
	r = listener_path(call, &a, path);
	if (r != 0)
		return r;
	r = group < 0 ? -EINVAL
		      : nvmet_listener_set_ana(s, &a, group, read_state(call),
					       text);
	if (r < 0) {
		call->error_number = r;
		return rpc_refuse(call, RPC_INTERNAL_ERROR,
				  "error setting ANA state: %d: %s", -EINVAL,
				  text[0] ? text : strerror(-r));
	}
	call->result = json_true();
	return record_state(call, path, &a, group);
}

/* ------------------------------------------------------------- the table */

static const struct rpc_param namespace_fields[] = {
	{ "bdev_name", RPC_STRING, RPC_REQUIRED, "of its device, or the UUID",
	  "=" },
	{ "nsid", RPC_INTEGER, RPC_OPTIONAL, "default: the first that is free",
	  "-n" },
	{ "nguid", RPC_STRING, RPC_OPTIONAL,
	  "32 hexadecimal digits; default: made from the device's UUID", "-g" },
	{ "eui64", RPC_STRING, RPC_OPTIONAL,
	  "16 hexadecimal digits; default: none", "-e" },
	{ "uuid", RPC_STRING, RPC_OPTIONAL, "default: the device's", "-u" },
	{ "anagrpid", RPC_INTEGER, RPC_OPTIONAL,
	  "its ANA group; default: as nsid", "-a" },
	{ "no_auto_visible", RPC_BOOLEAN, RPC_OPTIONAL,
	  "only hosts that are added to it see it", "-i" },
	{ "hide_metadata", RPC_BOOLEAN, RPC_IGNORED, "there is none", "-N" },
	{ "ptpl_file", RPC_STRING, RPC_REFUSED,
	  "reservations that outlive the process", "-p" },
	{},
};
static const struct rpc_param add_ns_params[] = {
	NVMF_NQN,
	{ "namespace", RPC_OBJECT, RPC_REQUIRED, "what it is",
	  .fields = namespace_fields },
	NVMF_TARGET_NAME,
	{},
};
static const struct rpc_param remove_ns_params[] = {
	NVMF_NQN,
	{ "nsid", RPC_INTEGER, RPC_REQUIRED, "of the namespace", "=" },
	NVMF_TARGET_NAME,
	{},
};
static const struct rpc_param ns_group_params[] = {
	NVMF_NQN,
	{ "nsid", RPC_INTEGER, RPC_REQUIRED, "of the namespace", "=" },
	{ "anagrpid", RPC_INTEGER, RPC_REQUIRED, "its new ANA group", "=" },
	NVMF_TARGET_NAME,
	{},
};
static const struct rpc_param ns_host_params[] = {
	NVMF_NQN,
	{ "nsid", RPC_INTEGER, RPC_REQUIRED, "of the namespace", "=" },
	{ "host", RPC_STRING, RPC_REQUIRED, "NQN of the host", "=" },
	NVMF_TARGET_NAME,
	{},
};
static const struct rpc_param add_listener_params[] = {
	NVMF_NQN,
	NVMF_ADDRESS("listen_address", "where to listen"),
	{ "secure_channel", RPC_BOOLEAN, RPC_OPTIONAL, "only TLS", "-k" },
	{ "ana_state", RPC_STRING, RPC_OPTIONAL,
	  "of all groups; default: optimized", "-n", state_values },
	{ "sock_impl", RPC_STRING, RPC_IGNORED, "SPDK's", "-S" },
	{ "numa_id", RPC_INTEGER, RPC_IGNORED, "of VFIO", "--numa-id" },
	NVMF_TARGET_NAME_P,
	{},
};
static const struct rpc_param remove_listener_params[] = {
	NVMF_NQN,
	NVMF_ADDRESS("listen_address", "of the listener"),
	NVMF_TARGET_NAME_P,
	{},
};
static const struct rpc_param set_ana_state_params[] = {
	NVMF_NQN,
	NVMF_ADDRESS("listen_address", "of the listener"),
	{ "ana_state", RPC_STRING, RPC_REQUIRED, "the new state", "-n",
	  state_values },
	{ "anagrpid", RPC_INTEGER, RPC_OPTIONAL,
	  "of this ANA group only; default: of all", "-g" },
	NVMF_TARGET_NAME_P,
	{},
};

const struct rpc_method rpc_nvmf_subsystem_methods[] = {
	{ "nvmf_subsystem_add_ns", add_ns,
	  "Makes a namespace of a device, and answers with its nsid.",
	  add_ns_params, RPC_CHANGES },
	{ "nvmf_subsystem_remove_ns", remove_ns,
	  "Takes a namespace away; its device stays.", remove_ns_params,
	  RPC_CHANGES },
	{ "nvmf_subsystem_set_ns_ana_group", set_ns_ana_group,
	  "Puts a namespace into another ANA group.", ns_group_params,
	  RPC_CHANGES },
	{ "nvmf_ns_add_host", ns_add_host,
	  "Shows a host a namespace that is not for all.", ns_host_params,
	  RPC_CHANGES },
	{ "nvmf_ns_remove_host", ns_remove_host, "Hides it again.",
	  ns_host_params, RPC_CHANGES },
	{ "nvmf_subsystem_add_listener", add_listener,
	  "Serves a subsystem on an address.", add_listener_params,
	  RPC_CHANGES },
	{ "nvmf_subsystem_remove_listener", remove_listener,
	  "Serves it there no more; hosts are disconnected.",
	  remove_listener_params, RPC_CHANGES },
	{ "nvmf_subsystem_listener_set_ana_state", set_ana_state,
	  "Tells hosts whether to prefer this path. It is kept over restarts.",
	  set_ana_state_params, RPC_CHANGES },
	{},
};
