/* SPDX-License-Identifier: Apache-2.0 */
/* What there is of the NVMe target, who uses it, and what it has done. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "base/uuid.h"
#include "reactor/reactor.h"
#include "rpc/nvmf.h"

/* ---------------------------------------------------------- subsystems --- */

/* Newest first, as SPDK has them. */
static json_t *describe_listeners(const struct nvmet_subsystem *s)
{
	json_t *list = json_array();
	struct nvmet_listener l;

	for (size_t i = 0; nvmet_listener_get(s, i, &l); i++)
		json_array_insert_new(list, 0, nvmf_describe_address(&l.addr));
	return list;
}

/* Names of keys are in the ledger, the target has only the keys. */
static void add_key_names(const struct rpc_call *call, const char *nqn,
			  json_t *host)
{
	static const char *const members[] = { "dhchap_key", "dhchap_ctrlr_key",
					       "psk" };
	char path[LEDGER_PATH_SIZE];
	const struct ledger_entry *e;

	if (!ledger_path(path, "subsystem", nqn, "host",
			 json_string_value(json_object_get(host, "nqn")), NULL))
		return;
	e = rpc_entry(call, path);
	for (size_t i = 0; e != NULL && i < ARRAY_SIZE(members); i++) {
		json_t *name = json_object_get(e->params, members[i]);

		if (name != NULL)
			json_object_set(host, members[i], name);
	}
}

static json_t *describe_hosts(const struct rpc_call *call,
			      const struct nvmet_subsystem *s, const char *nqn)
{
	json_t *list = json_array(), *host;
	struct nvmet_host h;

	for (size_t i = 0; nvmet_host_get(s, i, &h); i++) {
		host = json_pack("{s:s}", "nqn", h.nqn);
		add_key_names(call, nqn, host);
		json_array_append_new(list, host);
	}
	return list;
}

static json_t *describe_namespaces(const struct nvmet_subsystem *s, bool ana)
{
	static const uint8_t none[8];
	char uuid[UUID_TEXT_SIZE], nguid[33], eui64[17];
	struct nvmet_namespace ns = {};
	json_t *list = json_array(), *one;

	while (nvmet_namespace_next(s, ns.nsid, &ns)) {
		one = json_pack("{s:i, s:s, s:s, s:s, s:s}", "nsid",
				(int)ns.nsid, "bdev_name", ns.device, "name",
				ns.device, "nguid",
				hex_format(ns.nguid, sizeof(ns.nguid), nguid),
				"uuid", uuid_format(ns.uuid, uuid));
		if (memcmp(ns.eui64, none, sizeof(none)) != 0)
			json_object_set_new(
				one, "eui64",
				json_string(hex_format(ns.eui64, 8, eui64)));
		if (ana)
			json_object_set_new(one, "anagrpid",
					    json_integer(ns.anagrpid));
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *describe_subsystem(const struct rpc_call *call,
				  const struct nvmet_subsystem *s)
{
	struct nvmet_subsystem_spec spec;

	nvmet_subsystem_get(s, &spec);
	return json_pack("{s:s, s:s, s:o, s:b, s:o, s:s, s:s, s:i, s:b, s:i, "
			 "s:i, s:b, s:o}",
			 "nqn", spec.nqn, "subtype", "NVMe", "listen_addresses",
			 describe_listeners(s), "allow_any_host",
			 (int)spec.allow_any_host, "hosts",
			 describe_hosts(call, s, spec.nqn), "serial_number",
			 spec.serial, "model_number", spec.model,
			 "max_namespaces", (int)spec.max_namespaces,
			 "passthrough", 0, "min_cntlid", (int)spec.min_cntlid,
			 "max_cntlid", (int)spec.max_cntlid, "ana_reporting",
			 (int)spec.ana_reporting, "namespaces",
			 describe_namespaces(s, spec.ana_reporting));
}

static json_t *describe_discovery(void)
{
	return json_pack("{s:s, s:s, s:[], s:b, s:[]}", "nqn",
			 NVMET_DISCOVERY_NQN, "subtype", "Discovery",
			 "listen_addresses", "allow_any_host", 1, "hosts");
}

static int get_subsystems(struct rpc_call *call)
{
	const char *nqn = rpc_string(call, "nqn");
	struct nvmet_subsystem *s = NULL;

	if (nqn != NULL && strcmp(nqn, NVMET_DISCOVERY_NQN) != 0) {
		s = nvmf_find(call, -ENODEV);
		if (s == NULL)
			return call->code;
		call->result = json_pack("[o]", describe_subsystem(call, s));
		return 0;
	}
	call->result = json_pack("[o]", describe_discovery());
	while (nqn == NULL &&
	       (s = nvmet_subsystem_next(call->env->nvmet, s)) != NULL)
		json_array_append_new(call->result,
				      describe_subsystem(call, s));
	return 0;
}

/* ----------------------------------------------------------- listeners --- */

static const char *state_name(enum nvmet_ana state)
{
	switch (state) {
	case NVMET_ANA_OPTIMIZED:
		return "optimized";
	case NVMET_ANA_NON_OPTIMIZED:
		return "non_optimized";
	case NVMET_ANA_INACCESSIBLE:
		return "inaccessible";
	case NVMET_ANA_PERSISTENT_LOSS:
		return "persistent_loss";
	case NVMET_ANA_CHANGE:
		return "change";
	}
	return "unknown";
}

static json_t *describe_states(const struct nvmet_subsystem *s,
			       const struct nvmet_listener *l, uint32_t groups)
{
	json_t *list = json_array();

	for (uint32_t g = 1; g <= groups; g++)
		json_array_append_new(
			list, json_pack("{s:i, s:s}", "ana_group", (int)g,
					"ana_state",
					state_name(nvmet_listener_get_ana(
						s, &l->addr, g))));
	return list;
}

static int get_listeners(struct rpc_call *call)
{
	struct nvmet_subsystem *s = nvmf_find(call, RPC_INVALID_PARAMS);
	struct nvmet_subsystem_spec spec;
	struct nvmet_listener l;
	json_t *one;

	if (s == NULL)
		return call->code;
	nvmet_subsystem_get(s, &spec);
	call->result = json_array();
	for (size_t i = 0; nvmet_listener_get(s, i, &l); i++) {
		one = json_pack("{s:o}", "address",
				nvmf_describe_address(&l.addr));
		if (spec.ana_reporting)
			json_object_set_new(
				one, "ana_states",
				describe_states(s, &l, spec.max_namespaces));
		if (l.secure_channel)
			json_object_set_new(one, "secure_channel", json_true());
		json_array_insert_new(call->result, 0, one);
	}
	return 0;
}

/* ------------------------------------------------- controllers, queues --- */

static int get_controllers(struct rpc_call *call)
{
	struct nvmet_subsystem *s = nvmf_find(call, RPC_INVALID_PARAMS);
	struct nvmet_controller_info *list;
	char uuid[UUID_TEXT_SIZE];
	int n;

	if (s == NULL)
		return call->code;
	n = nvmet_controllers(s, &list);
	if (n < 0)
		return rpc_fail(call, n, n, NULL);
	call->result = json_array();
	for (int i = 0; i < n; i++)
		json_array_append_new(
			call->result,
			json_pack("{s:i, s:s, s:s, s:s, s:i, s:i, s:o, s:o}",
				  "cntlid", (int)list[i].cntlid, "cntrltype",
				  "io", "hostnqn", list[i].host_nqn, "hostid",
				  uuid_format(list[i].host_id, uuid),
				  "num_io_qpairs", (int)list[i].io_queues,
				  "kato_ms", (int)list[i].kato_ms,
				  "listen_address",
				  nvmf_describe_address(&list[i].local),
				  "peer_address",
				  nvmf_describe_address(&list[i].peer)));
	free(list);
	return 0;
}

static const char *host_of(const struct nvmet_controller_info *list, int n,
			   uint16_t cntlid)
{
	for (int i = 0; i < n; i++)
		if (list[i].cntlid == cntlid)
			return list[i].host_nqn;
	return "";
}

static json_t *describe_queue(const struct nvmet_queue_info *q,
			      const char *host)
{
	char thread[32];

	snprintf(thread, sizeof(thread), "nvmf_tgt_poll_group_%03d",
		 q->reactor);
	return json_pack("{s:i, s:i, s:s, s:s, s:s, s:o, s:o, s:b, s:b, s:i, "
			 "s:i}",
			 "cntlid", (int)q->cntlid, "qid", (int)q->qid, "state",
			 q->live ? "enabled" : "connecting", "thread", thread,
			 "hostnqn", host, "listen_address",
			 nvmf_describe_address(&q->local), "peer_address",
			 nvmf_describe_address(&q->peer), "header_digest",
			 (int)q->header_digest, "data_digest",
			 (int)q->data_digest, "depth", (int)q->depth,
			 "in_flight", (int)q->in_flight);
}

static int get_qpairs(struct rpc_call *call)
{
	struct nvmet_subsystem *s = nvmf_find(call, RPC_INVALID_PARAMS);
	struct nvmet_controller_info *controllers = NULL;
	struct nvmet_queue_info *queues = NULL;
	int n, m;

	if (s == NULL)
		return call->code;
	n = nvmet_controllers(s, &controllers);
	m = n < 0 ? n : nvmet_queues(s, &queues);
	call->result = json_array();
	for (int i = 0; i < m; i++)
		json_array_append_new(
			call->result,
			describe_queue(&queues[i], host_of(controllers, n,
							   queues[i].cntlid)));
	if (n >= 0)
		free(controllers);
	if (m < 0)
		return rpc_fail(call, m, m, NULL);
	free(queues);
	return 0;
}

/* --------------------------------------------------------------- stats --- */

static json_t *describe_group(const struct nvmet *t, int i)
{
	struct nvmet_stats st;
	char name[32];

	nvmet_get_stats(t, i, &st);
	snprintf(name, sizeof(name), "nvmf_tgt_poll_group_%03d", i);
	return json_pack("{s:s, s:I, s:I, s:i, s:i, s:I, s:I, s:I, s:I, s:I, "
			 "s:I, s:[{s:s}]}",
			 "name", name, "admin_qpairs",
			 (json_int_t)st.admin_queues_ever, "io_qpairs",
			 (json_int_t)st.io_queues_ever, "current_admin_qpairs",
			 (int)st.admin_queues, "current_io_qpairs",
			 (int)st.io_queues, "pending_bdev_io",
			 (json_int_t)st.pending_data, "completed_nvme_io",
			 (json_int_t)st.io_commands, "completed_admin_commands",
			 (json_int_t)st.admin_commands, "bytes_read",
			 (json_int_t)st.bytes_read, "bytes_written",
			 (json_int_t)st.bytes_written, "protocol_errors",
			 (json_int_t)st.protocol_errors, "transports", "trtype",
			 "TCP");
}

static int get_stats(struct rpc_call *call)
{
	json_t *groups = json_array();

	for (int i = 0; i < reactor_set_count(call->env->reactors); i++)
		json_array_append_new(groups,
				      describe_group(call->env->nvmet, i));
	call->result = json_pack("{s:I, s:o}", "tick_rate", (json_int_t)SEC(1),
				 "poll_groups", groups);
	return 0;
}

/* ------------------------------------------------------------- the table */

static const struct rpc_param get_subsystems_params[] = {
	{ "nqn", RPC_STRING, RPC_OPTIONAL, "only this one", "=" },
	NVMF_TARGET_NAME,
	{},
};
static const struct rpc_param nqn_params[] = {
	NVMF_NQN,
	NVMF_TARGET_NAME,
	{},
};
static const struct rpc_param target_params[] = {
	NVMF_TARGET_NAME,
	{},
};

const struct rpc_method rpc_nvmf_show_methods[] = {
	{ "nvmf_get_subsystems", get_subsystems, "Lists the subsystems.",
	  get_subsystems_params, RPC_READS },
	{ "nvmf_subsystem_get_listeners", get_listeners,
	  "Lists a subsystem's listeners, and the ANA states there.",
	  nqn_params, RPC_READS },
	{ "nvmf_subsystem_get_controllers", get_controllers,
	  "Lists the hosts' controllers.", nqn_params, RPC_READS },
	{ "nvmf_subsystem_get_qpairs", get_qpairs,
	  "Lists the hosts' connections.", nqn_params, RPC_READS },
	{ "nvmf_get_stats", get_stats,
	  "Tells what each event loop has done for NVMe.", target_params,
	  RPC_READS },
	{},
};
