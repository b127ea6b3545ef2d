/* SPDX-License-Identifier: Apache-2.0 */
/* What is attached to the host of bdev_nvme_*, and how its paths are. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "base/uuid.h"
#include "rpc/nvmei.h"

/* ------------------------------------------------------------- controllers */

static const char *state_of(const struct nvmei_controller_info *c)
{
	if (c->disabled)
		return "disabled";
	if (c->connected)
		return "enabled";
	return c->connecting ? "resetting" : "reconnect_is_delayed";
}

static json_t *describe_controller(const struct rpc_call *call,
				   const struct nvmei_controller_info *c)
{
	json_t *standbys = NULL;

	if (c->n_standbys > 0)
		standbys = json_array();
	for (unsigned i = 0; i < c->n_standbys; i++)
		json_array_append_new(standbys,
				      nvmei_describe_trid(&c->standbys[i],
							  c->subnqn));
	return json_pack("{s:s, s:o, s:o*, s:i, s:{s:s, s:s, s:s, s:b}}",
			 "state", state_of(c), "trid",
			 nvmei_describe_trid(&c->addr, c->subnqn),
			 "alternate_trids", standbys, "cntlid", c->cntlid,
			 "host", "nqn",
			 nvmei_set_options(call->env->hosts)->nqn, "addr", "",
			 "svcid", "", "no_shn_notification", 0);
}

/* The entry of that name, made if it is not there yet; borrowed. */
static json_t *entry_of(json_t *list, const char *name)
{
	json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		if (strcmp(json_string_value(json_object_get(entry, "name")),
			   name) == 0)
			return entry;
	}
	entry = json_pack("{s:s, s:[]}", "name", name, "ctrlrs");
	json_array_append_new(list, entry);
	return entry;
}

static int get_controllers(struct rpc_call *call)
{
	struct nvmei *h = nvmei_set_first(call->env->hosts);
	const char *name = rpc_string(call, "name");
	struct nvmei_controller_info info;
	json_t *list = json_array();

	for (unsigned i = 0; nvmei_controller_get(h, i, &info); i++) {
		if (name != NULL && strcmp(name, info.name) != 0)
			continue;
		json_array_append_new(json_object_get(entry_of(list, info.name),
						      "ctrlrs"),
				      describe_controller(call, &info));
	}
	call->result = list;
	if (name == NULL || json_array_size(list) > 0)
		return 0;
	json_decref(list);
	call->result = NULL;
	return rpc_refuse(call, -EINVAL, "Controller %.63s does not exist",
			  name);
}

static json_t *describe_service(const struct addr *addr)
{
	return nvmei_describe_trid(addr,
				   "nqn.2014-08.org.nvmexpress.discovery");
}

static json_t *describe_referrals(const struct nvmei *h, unsigned i)
{
	json_t *list = json_array();
	struct addr addr;

	for (unsigned j = 0; nvmei_discovery_referral(h, i, j, &addr); j++)
		json_array_append_new(list, describe_service(&addr));
	return list;
}

static int get_discovery_info(struct rpc_call *call)
{
	struct nvmei *h = nvmei_set_first(call->env->hosts);
	struct nvmei_discovery_info info;

	call->result = json_array();
	for (unsigned i = 0; nvmei_discovery_get(h, i, &info); i++)
		json_array_append_new(
			call->result,
			json_pack("{s:s, s:o, s:o, s:b, s:i}", "name",
				  info.name, "trid",
				  describe_service(&info.addr), "referrals",
				  describe_referrals(h, i), "connected",
				  (int)info.connected, "attached",
				  (int)info.attached));
	return 0;
}

/* ------------------------------------------------------------------- paths */

static bool is_connected(const struct path_info *p)
{
	return p->state == PATH_LIVE || p->state == PATH_SUSPECT;
}

/* The members that SPDK has, and then ours. */
static json_t *describe_path(const char *volume,
			     const struct nvmei_path_info *p)
{
	const struct path_info *i = &p->path;
	json_t *out =
		json_pack("{s:s, s:i, s:b, s:b, s:b, s:o}", "bdev_name", volume,
			  "cntlid", p->cntlid, "current", (int)i->preferred,
			  "connected", (int)is_connected(i), "accessible",
			  (int)(i->access <= PATH_NON_OPTIMIZED), "transport",
			  nvmf_describe_address(&p->addr));
	json_t *more = json_pack("{s:s, s:s, s:i, s:f, s:I, s:I, s:I, s:I}",
				 "state", path_state_name(i->state),
				 "ana_state", path_access_name(i->access),
				 "inflight", (int)i->inflight, "latency_us",
				 (double)i->latency / USEC(1), "requests",
				 (json_int_t)i->requests, "bytes",
				 (json_int_t)i->bytes, "failovers",
				 (json_int_t)i->failovers, "losses",
				 (json_int_t)i->losses);

	json_object_update(out, more);
	json_decref(more);
	return out;
}

static void add_paths(json_t *list, struct nvmei_volume *v)
{
	struct nvmei_path_info paths[PATH_MAX_PATHS];
	struct nvmei_volume_info info;
	unsigned n = nvmei_get_paths(v, paths, PATH_MAX_PATHS);

	nvmei_get_info(v, &info);
	for (unsigned i = 0; i < MIN(n, (unsigned)PATH_MAX_PATHS); i++)
		json_array_append_new(list,
				      describe_path(info.name, &paths[i]));
}

struct paths_job {
	const char *name; /* NULL: of all volumes */
	json_t *groups;
	int reactor;
};

/* On the host's reactor, while ours waits. */
static int get_paths_one(struct nvmei *h, void *arg)
{
	struct paths_job *job = arg;
	struct nvmei_volume_info info;
	struct nvmei_volume *v = NULL;
	json_t *list = json_array();
	char thread[32];

	while ((v = nvmei_next(h, v)) != NULL) {
		nvmei_get_info(v, &info);
		if (job->name == NULL || strcmp(job->name, info.name) == 0)
			add_paths(list, v);
	}
	snprintf(thread, sizeof(thread), "reactor_%d", job->reactor++);
	if (json_array_size(list) > 0)
		json_array_append_new(job->groups,
				      json_pack("{s:s, s:O}", "thread", thread,
						"io_paths", list));
	json_decref(list);
	return 0;
}

static int get_io_paths(struct rpc_call *call)
{
	struct paths_job job = { .name = rpc_string(call, "name"),
				 .groups = json_array() };
	int rc = nvmei_set_each(call->env->hosts, get_paths_one, &job);

	call->result = json_pack("{s:o}", "poll_groups", job.groups);
	return rc;
}

/* ----------------------------------------------------------------- volumes */

/* Names of ours in SPDK's spelling. */
static json_t *spell(const char *name)
{
	char word[32];

	snprintf(word, sizeof(word), "%s", name);
	*strchrnul(word, '-') = '_';
	return json_string(word);
}

static const char *ana_state_of(const struct nvmei_volume *v,
				const struct addr *a)
{
	struct nvmei_path_info paths[PATH_MAX_PATHS];
	unsigned n = nvmei_get_paths(v, paths, PATH_MAX_PATHS);

	for (unsigned i = 0; i < MIN(n, (unsigned)PATH_MAX_PATHS); i++)
		if (addr_equal(&paths[i].addr, a))
			return path_access_name(paths[i].path.access);
	return NULL;
}

static json_t *describe_way(const struct nvmei_volume *v, uint32_t nsid,
			    const struct nvmei_controller_info *c)
{
	const char *ana = ana_state_of(v, &c->addr);
	char vendor[8], version[16];

	if (ana == NULL)
		return NULL;
	snprintf(vendor, sizeof(vendor), "0x%04x", c->vendor);
	snprintf(version, sizeof(version), "%u.%u", c->version >> 16,
		 c->version >> 8 & 0xff);
	return json_pack(
		"{s:o, s:{s:i, s:s, s:s, s:s, s:s, s:s, s:b, s:b}, s:{s:s}, "
		"s:{s:I, s:o, s:b}}",
		"trid", nvmei_describe_trid(&c->addr, c->subnqn), "ctrlr_data",
		"cntlid", c->cntlid, "vendor_id", vendor, "model_number",
		c->model, "serial_number", c->serial, "firmware_revision",
		c->firmware, "subnqn", c->subnqn, "multi_ctrlr", 1,
		"ana_reporting", (int)c->ana, "vs", "nvme_version", version,
		"ns_data", "id", (json_int_t)nsid, "ana_state", spell(ana),
		"can_share", 1);
}

static json_t *describe_ways(struct nvmei *h, const struct nvmei_volume *v,
			     const struct nvmei_volume_info *info)
{
	struct nvmei_controller_info c;
	json_t *list = json_array(), *way;

	for (unsigned i = 0; nvmei_controller_get(h, i, &c); i++) {
		if (strcmp(c.name, info->controller) != 0)
			continue;
		way = describe_way(v, info->nsid, &c);
		if (way != NULL)
			json_array_append_new(list, way);
	}
	return list;
}

/* The policy in SPDK's words. */
static void describe_policy(json_t *out, const struct nvmei_volume_info *info)
{
	bool one = strcmp(info->policy, "active-passive") == 0;

	json_object_set_new(out, "mp_policy",
			    json_string(one ? "active_passive"
					    : "active_active"));
	if (one)
		return;
	json_object_set_new(out, "selector", spell(info->policy));
	if (strcmp(info->policy, "round-robin") == 0)
		json_object_set_new(out, "rr_min_io",
				    json_integer(info->rr_min_io));
}

static json_t *describe_volume(struct nvmei *h, struct nvmei_volume *v)
{
	struct nvmei_volume_info info;
	char uuid[UUID_TEXT_SIZE];
	json_t *specific;

	nvmei_get_info(v, &info);
	uuid_format(info.uuid, uuid);
	specific = json_pack("{s:o}", "nvme", describe_ways(h, v, &info));
	describe_policy(specific, &info);
	return json_pack("{s:s, s:[s], s:s, s:I, s:I, s:s, s:i, s:b, s:b, "
			 "s:{s:b, s:b, s:b, s:b, s:b, s:b, s:b}, s:o}",
			 "name", info.name, "aliases", uuid, "product_name",
			 "NVMe disk", "block_size", (json_int_t)info.block_size,
			 "num_blocks", (json_int_t)info.blocks, "uuid", uuid,
			 "numa_id", -1, "claimed", 0, "zoned", 0,
			 "supported_io_types", "read", 1, "write", 1, "unmap",
			 (int)info.can_deallocate, "flush", 1, "write_zeroes",
			 (int)info.can_zero, "compare", 1, "reset", 0,
			 "driver_specific", specific);
}

static int get_bdevs(struct rpc_call *call)
{
	struct nvmei *h = nvmei_set_first(call->env->hosts);
	const char *name = rpc_string(call, "name");
	struct nvmei_volume *v = NULL;

	if (name != NULL) {
		v = nvmei_need(call);
		if (v == NULL)
			return -ENODEV;
		call->result = json_array();
		json_array_append_new(call->result, describe_volume(h, v));
		return 0;
	}
	call->result = json_array();
	while ((v = nvmei_next(h, v)) != NULL)
		json_array_append_new(call->result, describe_volume(h, v));
	return 0;
}

/* --------------------------------------------------------------- the table */

static const struct rpc_param controllers_params[] = {
	{ "name", RPC_STRING, RPC_OPTIONAL, "of the controller", "-n" },
	{},
};
static const struct rpc_param paths_params[] = {
	{ "name", RPC_STRING, RPC_OPTIONAL, "of the volume", "-n" },
	{},
};
static const struct rpc_param bdevs_params[] = {
	{ "name", RPC_STRING, RPC_OPTIONAL, "of the volume", "-b" },
	{ "timeout", RPC_UINT64, RPC_IGNORED, "it is there or not", "-t" },
	{},
};

const struct rpc_method rpc_nvmei_show_methods[] = {
	{ "bdev_nvme_get_controllers", get_controllers,
	  "Lists the controllers, and how they are.", controllers_params },
	{ "bdev_nvme_get_io_paths", get_io_paths,
	  "Lists the paths of volumes, with state, load and latency.",
	  paths_params },
	{ "bdev_nvme_get_discovery_info", get_discovery_info,
	  "Lists the discovery services that are followed." },
	{ "bdev_get_bdevs", get_bdevs, "Lists the volumes.", bdevs_params },
	{},
};
