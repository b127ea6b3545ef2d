/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bdev_nvme_*: controllers of NVMe/TCP targets are attached to this process, on
 * each of its reactors, and their volumes used by it.  SPDK's parameters and
 * results.
 */
#include "rpc/nvmei.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "reactor/reactor.h"

/* ------------------------------------------------------------------ shared */

json_t *nvmei_volume_names(struct nvmei *h, const char *controller)
{
	struct nvmei_volume_info info;
	struct nvmei_volume *v = NULL;
	json_t *list = json_array();

	while ((v = nvmei_next(h, v)) != NULL) {
		nvmei_get_info(v, &info);
		if (controller == NULL ||
		    strcmp(info.controller, controller) == 0)
			json_array_append_new(list, json_string(info.name));
	}
	return list;
}

int nvmei_no_controller(struct rpc_call *call, const char *name)
{
	return rpc_refuse(call, -ENODEV, "There is no controller '%.63s'",
			  name);
}

struct nvmei_volume *nvmei_need(struct rpc_call *call)
{
	const char *name = rpc_string(call, "name");
	struct nvmei_volume *v =
		nvmei_find(nvmei_set_first(call->env->hosts), name);

	if (v == NULL)
		rpc_fail(call, -ENODEV, -ENODEV, NULL);
	return v;
}

json_t *nvmei_describe_trid(const struct addr *a, const char *subnqn)
{
	json_t *trid = nvmf_describe_address(a);

	json_object_set_new(trid, "subnqn", json_string(subnqn));
	return trid;
}

/* ------------------------------------------------------------------ attach */

struct attach_job {
	struct nvmei_attach a;
	bool discovery;
	unsigned done; /* reactors on which it was attached */
	char keys[3][KEYFILE_SIZE], text[256];
};

static int attach_one(struct nvmei *h, void *arg)
{
	struct attach_job *job = arg;

	int rc = job->discovery ? nvmei_discovery_start(h, &job->a, job->text)
				: nvmei_attach(h, &job->a, job->text);

	job->done += rc == 0;
	return rc;
}

/* On the reactors that it was attached on, if it failed on another: those are
 * the first.  What was refused has changed nothing. */
static int undo_one(struct nvmei *h, void *arg)
{
	struct attach_job *job = arg;

	if (job->done == 0)
		return -ECANCELED;
	job->done--;
	if (job->discovery)
		nvmei_discovery_stop(h, job->a.name);
	else
		nvmei_detach(h, job->a.name, &job->a.addr);
	return 0;
}

static enum nvmei_multipath multipath_of(const struct rpc_call *call)
{
	const char *text = rpc_string(call, "multipath");

	if (text != NULL && strcmp(text, "disable") == 0)
		return NVMEI_MULTIPATH_DISABLE;
	if (text != NULL && strcmp(text, "failover") == 0)
		return NVMEI_MULTIPATH_FAILOVER;
	return NVMEI_MULTIPATH;
}

static int fill_in(struct rpc_call *call, struct attach_job *job)
{
	struct nvmei_attach *a = &job->a;
	int rc = nvmf_address(call, call->params, &a->addr);

	if (rc == 0)
		rc = nvmei_take_policy(call, rpc_object(call, "multipath_opts"),
				       "min_io", &a->policy, &a->rr_min_io);

	a->name = rpc_string(call, "name");
	a->subnqn = rpc_string(call, "subnqn");
	a->multipath = multipath_of(call);
	a->header_digest = rpc_boolean(call, "hdgst", false);
	a->data_digest = rpc_boolean(call, "ddgst", false);
	a->ctrlr_loss_timeout_sec =
		rpc_integer(call, "ctrlr_loss_timeout_sec", 0);
	a->reconnect_delay_sec = rpc_integer(call, "reconnect_delay_sec", 0);
	a->fast_io_fail_timeout_sec =
		rpc_integer(call, "fast_io_fail_timeout_sec", 0);
	if (rc == 0)
		rc = nvmei_key(call, "dhchap_key", job->keys[0],
			       &a->dhchap_key);
	if (rc == 0)
		rc = nvmei_key(call, "dhchap_ctrlr_key", job->keys[1],
			       &a->dhchap_ctrlr_key);
	if (rc == 0)
		rc = nvmei_key(call, "psk", job->keys[2], &a->psk);
	if (rc == 0)
		rc = nvmei_check_hostnqn(call, rpc_string(call, "hostnqn"));
	return rc;
}

/* One path belongs to one name: two would not know of each other what is in
 * flight. */
static int check_elsewhere(struct rpc_call *call, const struct nvmei_attach *a)
{
	const struct nvmei *h = nvmei_set_first(call->env->hosts);
	struct nvmei_controller_info c;

	for (unsigned i = 0; nvmei_controller_get(h, i, &c); i++)
		if (strcmp(c.name, a->name) != 0 &&
		    strcmp(c.subnqn, a->subnqn) == 0 &&
		    addr_equal(&c.addr, &a->addr))
			return rpc_refuse(call, -EEXIST,
					  "That path is attached as %.63s",
					  c.name);
	return 0;
}

/* A target that can't be reached is an input/output error to SPDK's users. */
static int code_of(int rc)
{
	switch (rc) {
	case -EINVAL:
	case -EALREADY:
	case -EEXIST:
	case -EACCES:
	case -ENOMEM:
	case -ENOSPC:
		return rc;
	default:
		return -EIO;
	}
}

static int run_attach(struct rpc_call *call, struct attach_job *job)
{
	int rc = fill_in(call, job);

	if (rc == 0 && !job->discovery)
		rc = check_elsewhere(call, &job->a);
	if (rc != 0)
		return rc;
	rc = nvmei_set_each(call->env->hosts, attach_one, job);
	if (rc == 0)
		return 0;
	nvmei_set_each(call->env->hosts, undo_one, job);
	return rpc_fail(call, code_of(rc), rc, job->text);
}

static int with_job(struct rpc_call *call, bool discovery)
{
	struct attach_job *job = calloc(1, sizeof(*job));
	int rc;

	if (job == NULL)
		return -ENOMEM;
	job->discovery = discovery;
	rc = run_attach(call, job);
	explicit_bzero(job, sizeof(*job));
	free(job);
	return rc;
}

static bool is_name(struct rpc_call *call, const char *name)
{
	struct nvmei_controller_info info;

	for (unsigned i = 0;
	     nvmei_controller_get(nvmei_set_first(call->env->hosts), i, &info);
	     i++)
		if (strcmp(info.name, name) == 0)
			return true;
	return false;
}

static int attach_controller(struct rpc_call *call)
{
	bool stands_by = multipath_of(call) == NVMEI_MULTIPATH_FAILOVER &&
			 is_name(call, rpc_string(call, "name"));
	int rc = with_job(call, false);

	if (rc == 0 && stands_by) /* it brings no volume */
		call->result = json_array();
	else if (rc == 0)
		call->result =
			nvmei_volume_names(nvmei_set_first(call->env->hosts),
					   rpc_string(call, "name"));
	return rc;
}

static int start_discovery(struct rpc_call *call)
{
	int rc = with_job(call, true);

	if (rc == 0)
		call->result = json_true();
	return rc;
}

/* ------------------------------------------------------------------ detach */

struct name_job {
	const char *name;
	const struct addr *addr;
};

static int detach_one(struct nvmei *h, void *arg)
{
	struct name_job *job = arg;

	return nvmei_detach(h, job->name, job->addr);
}

/* Is it the value of the parameter?  Without one, anything is. */
static bool fits(const struct rpc_call *call, const char *param,
		 const char *value)
{
	const char *wanted = rpc_string(call, param);

	return wanted == NULL || strcasecmp(wanted, value) == 0;
}

static bool is_wanted(const struct rpc_call *call, const struct addr *a,
		      const char *subnqn)
{
	json_t *trid = nvmei_describe_trid(a, subnqn);
	const char *param;
	json_t *value;
	bool all = true;

	json_object_foreach(trid, param, value) all =
		all && fits(call, param, json_string_value(value));
	json_decref(trid);
	return all;
}

enum { WANTED_MAX = PATH_MAX_PATHS + NVMEI_STANDBYS_MAX };

/* The addresses of that name that the parameters leave. */
static unsigned find_wanted(const struct rpc_call *call, const char *name,
			    struct addr list[WANTED_MAX])
{
	const struct nvmei *h = nvmei_set_first(call->env->hosts);
	struct nvmei_controller_info c;
	unsigned n = 0;

	for (unsigned i = 0; nvmei_controller_get(h, i, &c); i++) {
		if (strcmp(c.name, name) != 0)
			continue;
		for (unsigned k = 0; k < c.n_standbys && n < WANTED_MAX; k++)
			if (is_wanted(call, &c.standbys[k], c.subnqn))
				list[n++] = c.standbys[k];
		if (n < WANTED_MAX && is_wanted(call, &c.addr, c.subnqn))
			list[n++] = c.addr;
	}
	return n;
}

static int detach_controller(struct rpc_call *call)
{
	struct name_job job = { .name = rpc_string(call, "name") };
	bool all = json_object_size(call->params) == 1;
	struct addr wanted[WANTED_MAX];
	unsigned n = 1;
	int rc = 0;

	if (!is_name(call, job.name))
		return nvmei_no_controller(call, job.name);
	if (!all)
		n = find_wanted(call, job.name, wanted);
	if (n == 0)
		return rpc_fail(call, -ENXIO, -ENXIO, NULL);
	for (unsigned i = 0; i < n && rc == 0; i++) {
		job.addr = all ? NULL : &wanted[i];
		rc = nvmei_set_each(call->env->hosts, detach_one, &job);
	}
	if (rc == -ENOENT)
		return rpc_fail(call, -ENXIO, -ENXIO, NULL);
	if (rc == -EBUSY)
		return rpc_refuse(call, rc,
				  "%s is in use, or is being attached",
				  job.name);
	call->result = json_true();
	return rc;
}

static int stop_one(struct nvmei *h, void *arg)
{
	struct name_job *job = arg;

	return nvmei_discovery_stop(h, job->name);
}

static int stop_discovery(struct rpc_call *call)
{
	struct name_job job = { .name = rpc_string(call, "name") };
	int rc = nvmei_set_each(call->env->hosts, stop_one, &job);

	if (rc < 0)
		return rpc_fail(call, rc, rc, NULL);
	call->result = json_true();
	return 0;
}

/* --------------------------------------------------------------- the table */

#define ADDRESS(rule)                                                          \
	{ "trtype", RPC_STRING, rule, "tcp", "-t" },                           \
		{ "traddr", RPC_STRING, rule, "IP address", "-a" },            \
		{ "adrfam", RPC_STRING, RPC_OPTIONAL, "ipv4 or ipv6", "-f" },  \
	{                                                                      \
		"trsvcid", RPC_STRING, RPC_OPTIONAL, "port", "-s"              \
	}
#define TIMEOUTS                                                               \
	{ "ctrlr_loss_timeout_sec", RPC_INTEGER, RPC_OPTIONAL,                 \
	  "a lost path is given up after; -1: never", "-l" },                  \
		{ "reconnect_delay_sec", RPC_INTEGER, RPC_OPTIONAL,            \
		  "between attempts; default: 100 ms, growing to 5 s", "-o" }, \
	{                                                                      \
		"fast_io_fail_timeout_sec", RPC_INTEGER, RPC_OPTIONAL,         \
			"requests fail that long after the last path was "     \
			"lost; 0: never",                                      \
			"-u"                                                   \
	}
#define KEYS                                                                   \
	{ "psk", RPC_STRING, RPC_OPTIONAL, "key for TLS, in the keyring",      \
	  "-k --psk" },                                                        \
		{ "dhchap_key", RPC_STRING, RPC_OPTIONAL,                      \
		  "the host's key, in the keyring", "--dhchap-key" },          \
	{                                                                      \
		"dhchap_ctrlr_key", RPC_STRING, RPC_OPTIONAL,                  \
			"the controller's key, in the keyring",                \
			"--dhchap-ctrlr-key"                                   \
	}
#define OURS(name, flags)                                                      \
	{                                                                      \
		name, RPC_STRING, RPC_REFUSED, "the kernel chooses", flags     \
	}

static const struct rpc_param attach_params[] = {
	{ "name", RPC_STRING, RPC_REQUIRED,
	  "of the controller; its volumes are NAMEn1, …", "-b" },
	ADDRESS(RPC_REQUIRED),
	{ "subnqn", RPC_STRING, RPC_REQUIRED, "of the subsystem", "-n" },
	{ "hostnqn", RPC_STRING, RPC_OPTIONAL,
	  "ours; the same for all controllers", "-q" },
	{ "multipath", RPC_STRING, RPC_OPTIONAL,
	  "what a second address means; of a name, all are for multipath, or "
	  "none is; default: multipath",
	  "-x", "disable|failover|multipath" },
	TIMEOUTS,
	{ "hdgst", RPC_BOOLEAN, RPC_OPTIONAL, "digests of headers", "-e" },
	{ "ddgst", RPC_BOOLEAN, RPC_OPTIONAL, "digests of data", "-d" },
	KEYS,
	{ "num_io_queues", RPC_INTEGER, RPC_IGNORED, "there is one per core",
	  "--num-io-queues" },
	{ "fabrics_connect_timeout_us", RPC_UINT64, RPC_IGNORED,
	  "connecting has 3 s", "--fabrics-timeout" },
	{ "max_bdevs", RPC_INTEGER, RPC_IGNORED, "there is no limit",
	  "-m --max-bdevs" },
	{ "priority", RPC_STRING, RPC_REFUSED, "of a socket", "-p" },
	OURS("hostaddr", "-i"),
	OURS("hostsvcid", "-c"),
	{ "prchk_reftag", RPC_BOOLEAN, RPC_REFUSED, "protection information",
	  "-r" },
	{ "prchk_guard", RPC_BOOLEAN, RPC_REFUSED, "protection information",
	  "-g" },
	{ "allow_unrecognized_csi", RPC_BOOLEAN, RPC_IGNORED,
	  "only the NVM command set is used", "-U" },
	{ "multipath_opts", RPC_OBJECT, RPC_OPTIONAL,
	  "how its volumes share their paths",
	  .fields = nvmei_multipath_fields },
	{},
};
static const struct rpc_param discovery_params[] = {
	{ "name", RPC_STRING, RPC_REQUIRED,
	  "what is found is attached as NAME0, NAME1, …", "-b" },
	ADDRESS(RPC_REQUIRED),
	{ "hostnqn", RPC_STRING, RPC_OPTIONAL, "ours", "-q" },
	{ "wait_for_attach", RPC_BOOLEAN, RPC_IGNORED, "it always waits",
	  "-w" },
	{ "attach_timeout_ms", RPC_UINT64, RPC_IGNORED,
	  "connecting has 3 s for each address", "-T --attach-timeout-ms" },
	TIMEOUTS,
	KEYS,
	{},
};
static const struct rpc_param detach_params[] = {
	{ "name", RPC_STRING, RPC_REQUIRED, "of the controller", "=" },
	ADDRESS(RPC_OPTIONAL),
	{ "subnqn", RPC_STRING, RPC_OPTIONAL, "of the subsystem", "-n" },
	OURS("hostaddr", "-i"),
	OURS("hostsvcid", "-c"),
	{},
};
static const struct rpc_param stop_params[] = {
	{ "name", RPC_STRING, RPC_REQUIRED, "of the discovery", "-b" },
	{},
};

const struct rpc_method rpc_nvmei_methods[] = {
	{ "bdev_nvme_attach_controller", attach_controller,
	  "Connects to a subsystem by an address; tells its volumes.",
	  attach_params },
	{ "bdev_nvme_detach_controller", detach_controller,
	  "Closes all paths of a name, or those that are as the parameters "
	  "say.",
	  detach_params },
	{ "bdev_nvme_start_discovery", start_discovery,
	  "Attaches all that a discovery service lists, and follows it.",
	  discovery_params },
	{ "bdev_nvme_stop_discovery", stop_discovery,
	  "Detaches what was found by a discovery.", stop_params },
	{},
};
