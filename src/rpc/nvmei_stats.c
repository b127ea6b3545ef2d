/* SPDX-License-Identifier: Apache-2.0 */
/* What volumes of bdev_nvme_* have done, and what each of their paths has. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "reactor/reactor.h"

#include "rpc/bdev.h"
#include "rpc/nvmei.h"

static void add(struct block_stats *to, const struct block_stats *st)
{
	for (int op = 0; op < BLOCK_OPS; op++) {
		to->ios[op] += st->ios[op];
		to->bytes[op] += st->bytes[op];
		to->latency[op] += st->latency[op];
	}
	to->errors += st->errors;
}

/* A volume, or with `addr` its path there, on all reactors. */
struct stats_job {
	const char *name;
	const struct addr *addr;
	struct block_stats sum;
};

static void add_path(struct stats_job *job, const struct nvmei_volume *v)
{
	struct block_stats st;
	struct addr addr;

	for (unsigned i = 0; nvmei_get_path_stats(v, i, &addr, &st); i++)
		if (addr_equal(&addr, job->addr))
			add(&job->sum, &st);
}

static int add_one(struct nvmei *h, void *arg)
{
	struct stats_job *job = arg;
	const struct nvmei_volume *v = nvmei_find(h, job->name);
	struct block_stats st;

	if (v == NULL) /* it has just gone */
		return 0;
	if (job->addr != NULL) {
		add_path(job, v);
		return 0;
	}
	nvmei_get_stats(v, &st);
	add(&job->sum, &st);
	return 0;
}

/* ------------------------------------------------------------------ volumes */

static int add_volume(struct rpc_call *call, const char *name, json_t *list)
{
	struct stats_job job = { .name = name };
	int rc = nvmei_set_each(call->env->hosts, add_one, &job);

	json_array_append_new(list, bdev_describe_use(name, &job.sum));
	return rc;
}

static bool is_there(const json_t *all, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach(all, i, one)
	{
		if (strcmp(json_string_value(one), name) == 0)
			return true;
	}
	return false;
}

static int get_iostat(struct rpc_call *call)
{
	json_t *all =
		nvmei_volume_names(nvmei_set_first(call->env->hosts), NULL);
	const json_t *names = rpc_object(call, "names"), *one;
	json_t *list = json_array();
	const char *name;
	int rc = 0;
	size_t i;

	if (names == NULL)
		names = all;
	json_array_foreach(names, i, one)
	{
		name = json_string_value(one);
		if (rc != 0)
			break;
		rc = is_there(all, name)
			     ? add_volume(call, name, list)
			     : rpc_refuse(call, -ENODEV,
					  "There is no volume '%.64s'", name);
	}
	json_decref(all);
	call->result = bdev_wrap_stats(list);
	return rc;
}

/* -------------------------------------------------------------------- paths */

static json_t *describe_path(struct rpc_call *call, const char *name,
			     const char *subnqn, const struct addr *addr)
{
	struct stats_job job = { .name = name, .addr = addr };

	nvmei_set_each(call->env->hosts, add_one, &job);
	return json_pack("{s:o, s:o}", "trid",
			 nvmei_describe_trid(addr, subnqn), "stat",
			 bdev_describe_stats(&job.sum));
}

static int get_path_iostat(struct rpc_call *call)
{
	const char *name = rpc_string(call, "name");
	struct nvmei_volume *v = nvmei_need(call);
	struct nvmei_volume_info info;
	struct block_stats st;
	struct addr addr;
	json_t *list;

	if (v == NULL)
		return -ENODEV;
	nvmei_volume_get(v); /* its paths may come and go meanwhile */
	nvmei_get_info(v, &info);
	list = json_array();
	for (unsigned i = 0; nvmei_get_path_stats(v, i, &addr, &st); i++)
		json_array_append_new(list, describe_path(call, name,
							  info.subnqn, &addr));
	nvmei_volume_put(v);
	call->result = json_pack("{s:s, s:o}", "name", name, "stats", list);
	return 0;
}

/* ---------------------------------------------------------------- transport */

struct traffic_job {
	struct reactor_set *reactors;
	json_t *groups;
	int reactor;
};

/* An event loop that sleeps has found nothing to do. */
static int add_traffic(struct nvmei *h, void *arg)
{
	struct traffic_job *job = arg;
	struct nvmei_traffic t;
	struct reactor_stats st;
	char thread[32];

	nvmei_get_traffic(h, &t);
	reactor_get_stats(reactor_set_get(job->reactors, job->reactor), &st);
	snprintf(thread, sizeof(thread), "reactor_%d", job->reactor++);
	json_array_append_new(
		job->groups,
		json_pack("{s:s, s:[{s:s, s:I, s:I, s:I, s:I, s:I, s:I}]}",
			  "thread", thread, "transports", "trname", "TCP",
			  "polls", (json_int_t)st.turns, "idle_polls",
			  (json_int_t)st.sleeps, "socket_completions",
			  (json_int_t)t.receptions, "nvme_completions",
			  (json_int_t)t.completed, "queued_requests",
			  (json_int_t)t.queued, "submitted_requests",
			  (json_int_t)t.submitted));
	return 0;
}

static int get_transport_statistics(struct rpc_call *call)
{
	struct traffic_job job = { .reactors = call->env->reactors,
				   .groups = json_array() };
	int rc = nvmei_set_each(call->env->hosts, add_traffic, &job);

	call->result = json_pack("{s:o}", "poll_groups", job.groups);
	return rc;
}

/* --------------------------------------------------------------- the table */

static const struct rpc_param iostat_params[] = {
	{ "names", RPC_STRINGS, RPC_OPTIONAL, "only of these", "--names" },
	{ "per_channel", RPC_BOOLEAN, RPC_REFUSED, "for each event loop",
	  "-c" },
	{},
};
static const struct rpc_param path_iostat_params[] = {
	{ "name", RPC_STRING, RPC_REQUIRED, "of the volume", "-b" },
	{},
};

const struct rpc_method rpc_nvmei_stats_methods[] = {
	{ "bdev_get_iostat", get_iostat,
	  "Tells what volumes have done since they were found.",
	  iostat_params },
	{ "bdev_nvme_get_path_iostat", get_path_iostat,
	  "Tells what each path of a volume has done.", path_iostat_params },
	{ "bdev_nvme_get_transport_statistics", get_transport_statistics,
	  "Tells what each event loop has carried for NVMe/TCP." },
	{},
};
