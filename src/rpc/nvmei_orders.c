/* SPDX-License-Identifier: Apache-2.0 */
/* Controllers of bdev_nvme_* are reset, disabled, enabled, and looked after. */
#include <errno.h>

#include "nvme/pdu/log.h"
#include "rpc/nvmei.h"

/* --------------------------------------------------- reset, disable, enable */

typedef int order_fn(struct nvmei *h, const char *name,
		     const struct addr *addr);

/* A controller is named by an identifier of any reactor; the others' hosts have
 * theirs by the same address. */
struct order {
	order_fn *fn;
	const char *name;
	int cntlid; /* 0: all of the name */
	struct addr addr;
	bool found;
	char text[256];
};

static int find_one(struct nvmei *h, void *arg)
{
	struct order *o = arg;
	struct nvmei_controller_info info;

	for (unsigned i = 0; nvmei_controller_get(h, i, &info); i++) {
		if (strcmp(info.name, o->name) != 0 ||
		    (o->cntlid != 0 && info.cntlid != o->cntlid))
			continue;
		o->addr = info.addr;
		o->found = true;
		return -EEXIST; /* enough of it */
	}
	return 0;
}

static const struct addr *addr_of(const struct order *o)
{
	return o->cntlid != 0 ? &o->addr : NULL;
}

static int obey_one(struct nvmei *h, void *arg)
{
	struct order *o = arg;

	return o->fn(h, o->name, addr_of(o));
}

static int await_one(struct nvmei *h, void *arg)
{
	struct order *o = arg;

	return nvmei_await(h, o->name, addr_of(o), o->text);
}

static int give_order(struct rpc_call *call, order_fn *fn)
{
	struct order o = { .fn = fn,
			   .name = rpc_string(call, "name"),
			   .cntlid = rpc_integer(call, "cntlid", 0) };
	int rc;

	if (o.cntlid < 0 || o.cntlid > UINT16_MAX)
		return rpc_refuse(call, RPC_INVALID_PARAMS,
				  "cntlid is 1 to 65535");
	nvmei_set_each(call->env->hosts, find_one, &o);
	if (!o.found)
		return o.cntlid == 0 ? nvmei_no_controller(call, o.name)
				     : rpc_refuse(call, -ENODEV,
						  "%.63s has no controller %d",
						  o.name, o.cntlid);
	rc = nvmei_set_each(call->env->hosts, obey_one, &o);
	if (rc == 0)
		rc = nvmei_set_each(call->env->hosts, await_one, &o);
	if (rc < 0)
		return rpc_fail(call, rc, rc, o.text);
	call->result = json_true();
	return 0;
}

static int reset_controller(struct rpc_call *call)
{
	return give_order(call, nvmei_reset);
}

static int disable_controller(struct rpc_call *call)
{
	return give_order(call, nvmei_disable);
}

static int enable_controller(struct rpc_call *call)
{
	return give_order(call, nvmei_enable);
}

/* ------------------------------------------------------------------ health */

struct health_job {
	const char *name;
	struct nvme_smart_log log;
};

/* In a task of its own, as it parks. */
static int get_health(struct nvmei *h, void *arg)
{
	struct health_job *job = arg;
	int rc = nvmei_get_health(h, job->name, &job->log);

	return rc == 0 ? -EEXIST : rc; /* one is enough */
}

/* Of 128 bits, as far as JSON's integers go here. */
static json_t *number(uint64_t low, uint64_t high)
{
	return json_integer(high != 0 || low > INT64_MAX ? INT64_MAX
							 : (json_int_t)low);
}

static json_t *describe_health(const struct nvmei_controller_info *c,
			       const struct nvme_smart_log *log)
{
	char host[ADDR_TEXT_MAX];

	return json_pack(
		"{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:o, s:o, s:o, "
		"s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I}",
		"model_number", c->model, "serial_number", c->serial,
		"firmware_revision", c->firmware, "traddr",
		addr_format_host(&c->addr, host), "critical_warning", log->cw,
		"temperature_celsius", log->ctemp - 273,
		"available_spare_percentage", log->avsp,
		"available_spare_threshold_percentage", log->avspt,
		"percentage_used", log->pused, "data_units_read",
		number(log->dur[0], log->dur[1]), "data_units_written",
		number(log->duw[0], log->duw[1]), "host_read_commands",
		number(log->hrc[0], log->hrc[1]), "host_write_commands",
		number(log->hwc[0], log->hwc[1]), "controller_busy_time",
		number(log->cbt[0], log->cbt[1]), "power_cycles",
		number(log->pwrc[0], log->pwrc[1]), "power_on_hours",
		number(log->poh[0], log->poh[1]), "unsafe_shutdowns",
		number(log->upl[0], log->upl[1]), "media_errors",
		number(log->mdie[0], log->mdie[1]), "num_err_log_entries",
		number(log->neile[0], log->neile[1]),
		"warning_temperature_time_minutes", (json_int_t)log->wctt,
		"critical_composite_temperature_time_minutes",
		(json_int_t)log->cctt);
}

static int get_controller_health_info(struct rpc_call *call)
{
	struct health_job job = { .name = rpc_string(call, "name") };
	struct nvmei_controller_info info;
	int rc = nvmei_set_each(call->env->hosts, get_health, &job);

	if (rc == -ENOENT)
		return nvmei_no_controller(call, job.name);
	if (rc != -EEXIST)
		return rpc_fail(call, rc, rc, NULL);
	for (unsigned i = 0;
	     nvmei_controller_get(nvmei_set_first(call->env->hosts), i, &info);
	     i++) {
		if (strcmp(info.name, job.name) != 0)
			continue;
		call->result = describe_health(&info, &job.log);
		return 0;
	}
	return nvmei_no_controller(call, job.name);
}

/* --------------------------------------------------------------- the table */

static const struct rpc_param order_params[] = {
	{ "name", RPC_STRING, RPC_REQUIRED, "of the controller", "=" },
	{ "cntlid", RPC_INTEGER, RPC_OPTIONAL,
	  "of one of its paths; default: all", "-c --cntlid" },
	{},
};
static const struct rpc_param health_params[] = {
	{ "name", RPC_STRING, RPC_REQUIRED, "of the controller", "-c" },
	{},
};

const struct rpc_method rpc_nvmei_order_methods[] = {
	{ "bdev_nvme_reset_controller", reset_controller,
	  "Connects all paths of a name anew, or one.", order_params },
	{ "bdev_nvme_disable_controller", disable_controller,
	  "Takes all paths of a name out of use, or one: they stay attached, "
	  "and are not connected. Requests that have no other path fail.",
	  order_params },
	{ "bdev_nvme_enable_controller", enable_controller,
	  "Connects paths again that are disabled.", order_params },
	{ "bdev_nvme_get_controller_health_info", get_controller_health_info,
	  "Tells what a controller's health log says.", health_params },
	{},
};
