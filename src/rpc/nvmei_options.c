/* SPDX-License-Identifier: Apache-2.0 */
/* How the host of bdev_nvme_* behaves: options, and policies of its volumes. */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "base/uuid.h"
#include "nvme/auth/auth.h"
#include "rpc/nvmei.h"

static int configure(struct rpc_call *call, const struct nvmei_options *o)
{
	int rc = nvmei_set_configure(call->env->hosts, o);

	if (rc == -EBUSY)
		return rpc_refuse(call, -EPERM,
				  "RPC not permitted with nvme controllers "
				  "already attached");
	return rc < 0 ? rpc_fail(call, rc, rc, NULL) : 0;
}

/* The identifier is the UUID of the name, if that is of one, so that a name is
 * always the same host. */
static void identify(struct nvmei_options *o)
{
	const char *uuid = strstr(o->nqn, ":uuid:");

	if (uuid == NULL || !uuid_parse(uuid + 6, o->id))
		uuid_random(o->id);
}

int nvmei_check_hostnqn(struct rpc_call *call, const char *hostnqn)
{
	struct nvmei_options o = *nvmei_set_options(call->env->hosts);

	if (hostnqn == NULL || strcmp(hostnqn, o.nqn) == 0)
		return 0;
	o.nqn = hostnqn;
	identify(&o);
	if (configure(call, &o) == 0)
		return 0;
	return rpc_refuse(call, -EINVAL,
			  "hostnqn is one for all controllers, and a valid "
			  "NQN: here it is %.223s",
			  nvmei_set_options(call->env->hosts)->nqn);
}

/* ---------------------------------------------------------------- policies */

/* Their names are those of path.h, with other dashes. */
static const char *selector_of(const char *name)
{
	static const struct {
		const char *name, *policy;
	} selectors[] = {
		{ "round_robin", "round-robin" },
		{ "queue_depth", "queue-depth" },
		{ "service_time", "service-time" },
	};

	for (size_t i = 1; i < ARRAY_SIZE(selectors) && name != NULL; i++)
		if (strcmp(selectors[i].name, name) == 0)
			return selectors[i].policy;
	return selectors[0].policy;
}

int nvmei_take_policy(struct rpc_call *call, const json_t *from,
		      const char *count, const char **policy,
		      unsigned *rr_min_io)
{
	const json_t *n = json_object_get(from, count);
	const char *name = json_string_value(json_object_get(from, "policy"));
	const char *selector =
		json_string_value(json_object_get(from, "selector"));

	if (name == NULL)
		return n == NULL && selector == NULL
			       ? 0
			       : rpc_refuse(call, RPC_INVALID_PARAMS,
					    "selector and %s need a policy",
					    count);
	*policy = "active-passive";
	if (strcmp(name, "active_passive") == 0)
		return 0;
	*policy = selector_of(selector);
	if (n == NULL)
		return 0;
	if (json_integer_value(n) < 1 || json_integer_value(n) > UINT32_MAX)
		return rpc_refuse(call, -EINVAL, "%s is at least 1", count);
	*rr_min_io = (unsigned)json_integer_value(n);
	return 0;
}

struct policy_job {
	const char *name, *policy;
	unsigned rr_min_io;
	uint16_t cntlid;
	unsigned found;
};

static int set_policy_one(struct nvmei *h, void *arg)
{
	struct policy_job *job = arg;
	struct nvmei_volume *v = nvmei_find(h, job->name);

	return v == NULL ? -ENODEV
			 : nvmei_set_policy(v, job->policy, job->rr_min_io);
}

static int set_multipath_policy(struct rpc_call *call)
{
	struct policy_job job = { .name = rpc_string(call, "name"),
				  .rr_min_io = 1 };
	int rc = nvmei_take_policy(call, call->params, "rr_min_io", &job.policy,
				   &job.rr_min_io);

	if (rc != 0)
		return rc;
	if (strcmp(job.policy, "active-passive") == 0 &&
	    rpc_string(call, "selector") != NULL)
		return rpc_refuse(call, RPC_INVALID_PARAMS,
				  "selector is for policy active_active");
	rc = nvmei_set_each(call->env->hosts, set_policy_one, &job);
	if (rc < 0)
		return rpc_fail(call, rc, rc, NULL);
	call->result = json_true();
	return 0;
}

/* Each reactor's host has controllers of its own: the one that was named, and
 * those by the same address on the others. */
struct preferred_job {
	const char *name;
	uint16_t cntlid;
	struct addr addr;
};

static int find_addr(struct nvmei *h, void *arg)
{
	struct preferred_job *job = arg;
	struct nvmei_path_info paths[PATH_MAX_PATHS];
	struct nvmei_volume *v = nvmei_find(h, job->name);
	unsigned n = v != NULL ? nvmei_get_paths(v, paths, PATH_MAX_PATHS) : 0;

	for (unsigned i = 0; i < MIN(n, (unsigned)PATH_MAX_PATHS); i++)
		if (paths[i].cntlid == job->cntlid)
			job->addr = paths[i].addr;
	return 0;
}

static int prefer_one(struct nvmei *h, void *arg)
{
	struct preferred_job *job = arg;
	struct nvmei_path_info paths[PATH_MAX_PATHS];
	struct nvmei_volume *v = nvmei_find(h, job->name);
	unsigned n = v != NULL ? nvmei_get_paths(v, paths, PATH_MAX_PATHS) : 0;

	for (unsigned i = 0; i < MIN(n, (unsigned)PATH_MAX_PATHS); i++)
		if (addr_equal(&paths[i].addr, &job->addr))
			return nvmei_set_preferred(v, paths[i].cntlid);
	return -ENODEV;
}

static int set_preferred_path(struct rpc_call *call)
{
	struct preferred_job job = {
		.name = rpc_string(call, "name"),
	};
	int cntlid = rpc_integer(call, "cntlid", 0);
	int rc;

	if (nvmei_need(call) == NULL)
		return -ENODEV;
	if (cntlid < 0 || cntlid > UINT16_MAX)
		return rpc_refuse(call, RPC_INVALID_PARAMS,
				  "cntlid is 1 to 65535");
	job.cntlid = (uint16_t)cntlid;
	nvmei_set_each(call->env->hosts, find_addr, &job);
	rc = job.addr.len == 0
		     ? -ENODEV
		     : nvmei_set_each(call->env->hosts, prefer_one, &job);
	if (rc < 0)
		return rpc_refuse(call, rc,
				  "%.63s has no path by controller %d",
				  job.name, job.cntlid);
	call->result = json_true();
	return 0;
}

/* ----------------------------------------------------------------- options */

/* Bits 1 << number of each name; *bits stays as it is without the parameter. */
static int take_names(struct rpc_call *call, const char *param,
		      int (*parse)(const char *name), unsigned *bits)
{
	json_t *names = rpc_object(call, param), *name;
	unsigned set = 0;
	size_t i;
	int n;

	json_array_foreach(names, i, name)
	{
		n = parse(json_string_value(name));
		if (n < 0)
			return rpc_refuse(call, RPC_INVALID_PARAMS,
					  "%s has no '%.32s'", param,
					  json_string_value(name));
		set |= 1u << n;
	}
	if (names != NULL)
		*bits = set;
	return 0;
}

static int set_options(struct rpc_call *call)
{
	struct nvmei_options o = *nvmei_set_options(call->env->hosts);
	int retry = rpc_integer(call, "bdev_retry_count", o.retry_count);
	char text[256];
	int rc;

	if (retry < -1)
		return rpc_fail(call, -EINVAL, -EINVAL, NULL);
	if (rpc_object(call, "bdev_retry_count") != NULL)
		o.retry_count = retry == 0 ? -2 : retry;
	o.kato_ms =
		(uint32_t)rpc_uint64(call, "keep_alive_timeout_ms", o.kato_ms);
	o.timeout_ms = (uint32_t)(rpc_uint64(call, "timeout_us",
					     o.timeout_ms * 1000ULL) /
				  1000);
	o.ctrlr_loss_timeout_sec = rpc_integer(call, "ctrlr_loss_timeout_sec",
					       o.ctrlr_loss_timeout_sec);
	o.reconnect_delay_sec =
		rpc_integer(call, "reconnect_delay_sec", o.reconnect_delay_sec);
	o.fast_io_fail_timeout_sec = rpc_integer(
		call, "fast_io_fail_timeout_sec", o.fast_io_fail_timeout_sec);
	o.no_failback =
		rpc_boolean(call, "disable_auto_failback", o.no_failback);
	rc = nvmei_check_timeouts(o.ctrlr_loss_timeout_sec,
				  o.reconnect_delay_sec,
				  o.fast_io_fail_timeout_sec, text);
	if (rc < 0)
		return rpc_fail(call, rc, rc, text);
	rc = nvmei_take_policy(call, rpc_object(call, "multipath_opts"),
			       "min_io", &o.policy, &o.rr_min_io);
	if (rc != 0)
		return rc;
	rc = take_names(call, "dhchap_digests", nvme_auth_hash_parse,
			&o.dhchap_hashes);
	if (rc == 0)
		rc = take_names(call, "dhchap_dhgroups", nvme_auth_group_parse,
				&o.dhchap_groups);
	if (rc == 0)
		rc = configure(call, &o);
	if (rc == 0)
		call->result = json_true();
	return rc;
}

/* --------------------------------------------------------------- the table */

#define VOLUME_NAME                                                            \
	{                                                                      \
		"name", RPC_STRING, RPC_REQUIRED, "of the volume", "-b"        \
	}
#define POLICY(rule, flag, selector_flag)                                      \
	{ "policy",                                                            \
	  RPC_STRING,                                                          \
	  rule,                                                                \
	  "one path at a time, or all",                                        \
	  flag "--policy",                                                     \
	  "active_passive|active_active" },                                    \
	{                                                                      \
		"selector", RPC_STRING, RPC_OPTIONAL,                          \
			"of active_active; default: round_robin",              \
			selector_flag "--selector",                            \
			"round_robin|queue_depth|service_time"                 \
	}
#define NOTHING(name, type, flags)                                             \
	{                                                                      \
		name, type, RPC_IGNORED, "has no meaning here", flags          \
	}

const struct rpc_param nvmei_multipath_fields[] = {
	POLICY(RPC_OPTIONAL, "", ""),
	{ "min_io", RPC_UINT64, RPC_OPTIONAL,
	  "requests in a row on a path, round_robin; default: 1", "--min-io" },
	{},
};
static const struct rpc_param policy_params[] = {
	VOLUME_NAME,
	POLICY(RPC_REQUIRED, "-p ", "-s "),
	{ "rr_min_io", RPC_UINT64, RPC_OPTIONAL,
	  "requests in a row on a path, round_robin", "-r --rr-min-io" },
	{},
};
static const struct rpc_param preferred_params[] = {
	VOLUME_NAME,
	{ "cntlid", RPC_INTEGER, RPC_REQUIRED, "of the path's controller",
	  "-c --cntlid" },
	{},
};
static const struct rpc_param options_params[] = {
	{ "bdev_retry_count", RPC_INTEGER, RPC_OPTIONAL,
	  "repeats of a request that failed with an error that may pass; -1: "
	  "for ever; default: 3",
	  "-r" },
	{ "keep_alive_timeout_ms", RPC_UINT64, RPC_OPTIONAL,
	  "at least 1000; default: 10000", "-k" },
	{ "timeout_us", RPC_UINT64, RPC_OPTIONAL,
	  "for an answer, before the controller is connected anew; default: "
	  "60 s",
	  "-t" },
	{ "ctrlr_loss_timeout_sec", RPC_INTEGER, RPC_OPTIONAL,
	  "of controllers attached without such options", "-l" },
	{ "reconnect_delay_sec", RPC_INTEGER, RPC_OPTIONAL, "the same", "-o" },
	{ "fast_io_fail_timeout_sec", RPC_INTEGER, RPC_OPTIONAL, "the same",
	  "-u" },
	{ "multipath_opts", RPC_OBJECT, RPC_OPTIONAL,
	  "how new volumes share their paths",
	  .fields = nvmei_multipath_fields },
	{ "disable_auto_failback", RPC_BOOLEAN, RPC_OPTIONAL,
	  "a preferred path that was lost does not take over again by itself; "
	  "one that was not preferred never does",
	  "-f" },
	NOTHING("action_on_timeout", RPC_STRING, "-a"),
	NOTHING("timeout_admin_us", RPC_UINT64, "--timeout-admin-us"),
	NOTHING("arbitration_burst", RPC_INTEGER, "--arbitration-burst"),
	NOTHING("low_priority_weight", RPC_INTEGER, "--low-priority-weight"),
	NOTHING("medium_priority_weight", RPC_INTEGER,
		"--medium-priority-weight"),
	NOTHING("high_priority_weight", RPC_INTEGER, "--high-priority-weight"),
	NOTHING("nvme_adminq_poll_period_us", RPC_UINT64, "-p"),
	NOTHING("nvme_ioq_poll_period_us", RPC_UINT64, "-i"),
	NOTHING("io_queue_requests", RPC_INTEGER, "-s"),
	NOTHING("delay_cmd_submit", RPC_BOOLEAN, "-d=false"),
	NOTHING("transport_retry_count", RPC_INTEGER, "-c"),
	NOTHING("transport_ack_timeout", RPC_INTEGER, "-e"),
	NOTHING("generate_uuids", RPC_BOOLEAN, "--generate-uuids"),
	NOTHING("transport_tos", RPC_INTEGER, "--transport-tos"),
	NOTHING("nvme_error_stat", RPC_BOOLEAN, "-m"),
	NOTHING("rdma_srq_size", RPC_INTEGER, "-q"),
	NOTHING("io_path_stat", RPC_BOOLEAN, "--io-path-stat"),
	NOTHING("allow_accel_sequence", RPC_BOOLEAN, "--allow-accel-sequence"),
	NOTHING("rdma_max_cq_size", RPC_INTEGER, "--rdma-max-cq-size"),
	NOTHING("rdma_cm_event_timeout_ms", RPC_INTEGER,
		"--rdma-cm-event-timeout-ms"),
	NOTHING("rdma_umr_per_io", RPC_BOOLEAN, "--rdma-umr-per-io"),
	{ "dhchap_digests", RPC_STRINGS, RPC_OPTIONAL,
	  "that may be used: sha256, sha384, sha512; default: all",
	  "--dhchap-digests" },
	{ "dhchap_dhgroups", RPC_STRINGS, RPC_OPTIONAL,
	  "that may be used: null, ffdhe2048, …; default: up to ffdhe4096",
	  "--dhchap-dhgroups" },
	NOTHING("tcp_connect_timeout_ms", RPC_INTEGER,
		"--tcp-connect-timeout-ms"),
	NOTHING("enable_flush", RPC_BOOLEAN, "--enable-flush"),
	{},
};

const struct rpc_method rpc_nvmei_options_methods[] = {
	{ "bdev_nvme_set_options", set_options,
	  "Sets how the host behaves, before anything is attached.",
	  options_params },
	{ "bdev_nvme_set_multipath_policy", set_multipath_policy,
	  "Sets which of a volume's paths take requests.", policy_params },
	{ "bdev_nvme_set_preferred_path", set_preferred_path,
	  "Sets the path that active_passive takes when it can.",
	  preferred_params },
	{},
};
