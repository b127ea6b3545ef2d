/* SPDX-License-Identifier: Apache-2.0 */
/*
 * perform_tests, as bdevperf has it; and calls that this process makes to
 * itself: from the command line, and from a file in the form of SPDK's
 * save_config.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "perf/nvme.h"

/* ----------------------------------------------------------- perform_tests */

static int take_params(struct rpc_call *call, struct nvme_settings *s)
{
	const char *name = rpc_string(call, "workload_type");
	const char *size = rpc_string(call, "io_size");
	int depth = rpc_integer(call, "queue_depth", (int)s->depth);
	char *end = NULL;

	if (name != NULL)
		s->workload = nvme_workload_find(name);
	if (s->workload == NULL)
		return rpc_refuse(call, RPC_INVALID_PARAMS,
				  "There is no workload '%.64s'",
				  name ? name : "");
	if (size != NULL)
		s->io_size = (uint32_t)strtoul(size, &end, 0);
	if ((end != NULL && *end != '\0') || s->io_size == 0 || depth < 1 ||
	    depth > 65536)
		return rpc_refuse(call, RPC_INVALID_PARAMS,
				  "io_size and queue_depth are needed, and "
				  "have sensible values");
	s->depth = (unsigned)depth;
	s->duration = SEC(
		rpc_integer(call, "time_in_sec", (int)(s->duration / SEC(1))));
	s->read_percent = (unsigned)rpc_integer(call, "rw_percentage",
						(int)s->read_percent);
	if (s->duration <= 0 || (s->workload->mixed && s->read_percent > 100))
		return rpc_refuse(call, RPC_INVALID_PARAMS,
				  "time_in_sec is needed, and rw_percentage "
				  "for a mixed workload");
	return 0;
}

static int perform_tests(struct rpc_call *call)
{
	struct perf_nvme *p = call->env->user;
	struct nvme_settings s = p->defaults;
	char text[LANE_TEXT] = "";
	struct nvme_run *r;
	int rc;

	if (p->busy)
		return rpc_refuse(call, -EBUSY, "A test is running");
	rc = take_params(call, &s);
	if (rc != 0)
		return rc;
	rc = nvme_run_create(p, &s, &r, text);
	if (rc < 0)
		return rpc_fail(call, RPC_INVALID_PARAMS, rc, text);
	p->defaults = s;
	p->busy = true;
	nvme_run_do(p, r);
	p->busy = false;
	if (!p->json)
		nvme_report_text(r);
	call->result = nvme_report_json(r);
	nvme_run_destroy(r);
	return 0;
}

static const struct rpc_param perform_params[] = {
	{ "queue_depth", RPC_INTEGER, RPC_OPTIONAL, "requests in flight",
	  "-q" },
	{ "io_size", RPC_STRING, RPC_OPTIONAL, "bytes, as text", "-o" },
	{ "time_in_sec", RPC_INTEGER, RPC_OPTIONAL, "how long", "-t" },
	{ "workload_type", RPC_STRING, RPC_OPTIONAL,
	  "as -w of hawser perf nvme", "-w" },
	{ "rw_percentage", RPC_INTEGER, RPC_OPTIONAL, "of reads", "-M" },
	{},
};

const struct rpc_method nvme_perf_methods[] = {
	{ "perform_tests", perform_tests,
	  "Runs a test on all volumes, and tells what came out. Parameters "
	  "hold for the tests that follow, too.",
	  perform_params },
	{},
};

/* --------------------------------------------------------------- own calls */

/* Why the reply is an error; false: it is none. */
static bool get_error(const char *reply, char text[LANE_TEXT])
{
	json_t *value = json_loads(reply, 0, NULL);
	const char *message = NULL;

	json_unpack(value, "{s:{s:s}}", "error", "message", &message);
	if (message != NULL)
		snprintf(text, LANE_TEXT, "%s", message);
	json_decref(value);
	return message != NULL;
}

int nvme_call(struct perf_nvme *p, const char *method, json_t *params,
	      char text[LANE_TEXT])
{
	json_t *request = json_pack("{s:i, s:s, s:o*}", "id", 1, "method",
				    method, "params", params);
	char *message = json_dumps(request, JSON_COMPACT), *reply = NULL;
	bool failed;
	size_t len;
	int rc;

	json_decref(request);
	if (message == NULL)
		return -ENOMEM;
	rc = rpc_dispatch(&p->env, message, strlen(message), &reply, &len);
	free(message);
	if (rc < 0 || reply == NULL)
		return rc < 0 ? rc : -ENOMEM;
	reply[len - 1] = '\0';
	failed = get_error(reply, text);
	free(reply);
	return failed ? -EIO : 0;
}

/* Calls that have no meaning here are left out, as a file is for more. */
static int make_call(struct perf_nvme *p, json_t *call, char text[LANE_TEXT])
{
	json_t *params = json_object_get(call, "params");
	const char *method = json_string_value(json_object_get(call, "method"));
	char why[LANE_TEXT] = "";
	int rc;

	if (method == NULL || rpc_method_find(&p->env, method) == NULL)
		return 0;
	rc = nvme_call(p, method, json_incref(params), why);
	if (rc < 0)
		snprintf(text, LANE_TEXT, "%.40s: %.200s", method, why);
	return rc;
}

int nvme_load_config(struct perf_nvme *p, const char *path,
		     char text[LANE_TEXT])
{
	json_error_t error;
	json_t *file = json_load_file(path, 0, &error), *subsystem, *call;
	size_t i, n;
	int rc = 0;

	if (file == NULL) {
		snprintf(text, LANE_TEXT, "%.100s: %.120s", path, error.text);
		return -EINVAL;
	}
	json_array_foreach(json_object_get(file, "subsystems"), i, subsystem)
	{
		json_array_foreach(json_object_get(subsystem, "config"), n,
				   call)
		{
			if (rc == 0)
				rc = make_call(p, call, text);
		}
	}
	json_decref(file);
	return rc;
}
