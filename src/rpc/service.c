/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service itself: what runs, how busy its event loops are, what it logs,
 * and its end.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/util.h"
#include "reactor/reactor.h"
#include "rpc/internal.h"

json_t *rpc_describe_time(nsec t)
{
	return json_real((double)t / SEC(1));
}

/* ---------------------------------------------------------------- what --- */

static int hawserd_get_info(struct rpc_call *call)
{
	const struct rpc_environment *env = call->env;

	call->result = json_pack("{s:s, s:i, s:s, s:o, s:i}", "version",
				 HAWSER_VERSION, "pid", (int)getpid(), "state",
				 env->directory, "started",
				 rpc_describe_time(env->started), "reactors",
				 reactor_set_count(env->reactors));
	return 0;
}

static int spdk_get_version(struct rpc_call *call)
{
	int major = 0, minor = 0, patch = 0;

	sscanf(HAWSER_VERSION, "%d.%d.%d", &major, &minor, &patch);
	call->result =
		json_pack("{s:s, s:{s:i, s:i, s:i, s:s}}", "version",
			  "hawserd " HAWSER_VERSION, "fields", "major", major,
			  "minor", minor, "patch", patch, "suffix", "");
	return 0;
}

/* The members that SPDK has, too, and then what this reactor counts. */
static json_t *describe_reactor(const struct reactor *r, int i)
{
	struct reactor_stats st;

	reactor_get_stats(r, &st);
	return json_pack("{s:i, s:b, s:[], s:s, s:I, s:I, s:I, s:I, s:I, s:I}",
			 "lcore", i, "in_interrupt", 1, "lw_threads", "backend",
			 reactor_backend_name(r), "turns", (json_int_t)st.turns,
			 "switches", (json_int_t)st.switches, "sleeps",
			 (json_int_t)st.sleeps, "polls_hit",
			 (json_int_t)st.polls_hit, "wakeups",
			 (json_int_t)st.wakeups, "tasks", (json_int_t)st.tasks);
}

static int framework_get_reactors(struct rpc_call *call)
{
	struct reactor_set *set = call->env->reactors;
	json_t *list = json_array();

	for (int i = 0; i < reactor_set_count(set); i++)
		json_array_append_new(
			list, describe_reactor(reactor_set_get(set, i), i));
	call->result =
		json_pack("{s:I, s:i, s:o}", "tick_rate", (json_int_t)SEC(1),
			  "pid", (int)getpid(), "reactors", list);
	return 0;
}

/* The socket answers when everything has started. */
static int framework_is_ready(struct rpc_call *call)
{
	call->result = json_true();
	return 0;
}

static int spdk_kill_instance(struct rpc_call *call)
{
	static const struct {
		const char *name;
		int number;
	} signals[] = {
		{ "SIGINT", SIGINT },
		{ "SIGTERM", SIGTERM },
		{ "SIGKILL", SIGKILL },
	};
	const char *name = rpc_string(call, "sig_name");

	call->result = json_true();
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (strcmp(signals[i].name, name) == 0)
			return kill(getpid(), signals[i].number) < 0 ? -errno
								     : 0;
	return -EINVAL; /* the table lets none through */
}

/* ---------------------------------------------------------------- logs --- */

/* SPDK's names, which programs compare with, and our own. */
static const struct {
	const char *name, *ours;
} levels[] = {
	{ "ERROR", "error" }, { "WARNING", "warn" }, { "INFO", "info" },
	{ "NOTICE", "info" }, { "DEBUG", "debug" },  { "warn", "warn" },
};

static int set_level(struct rpc_call *call)
{
	const char *level = rpc_string(call, "level");

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (strcasecmp(levels[i].name, level) == 0) {
			log_set_level(levels[i].ours);
			call->result = json_true();
			return 0;
		}
	return rpc_refuse(call, RPC_INVALID_PARAMS,
			  "log_set_level: level is error, warn, info or debug, "
			  "not '%.64s'",
			  level);
}

static int get_level(struct rpc_call *call)
{
	static const char *const names[] = {
		[LOG_ERROR] = "ERROR",
		[LOG_WARN] = "WARNING",
		[LOG_INFO] = "INFO",
		[LOG_DEBUG] = "DEBUG",
	};

	call->result = json_string(names[log_level]);
	return 0;
}

/* ------------------------------------------------------------- the table */

static const struct rpc_param level_params[] = {
	{ "level", RPC_STRING, RPC_REQUIRED,
	  "error, warn, info or debug; SPDK's names do, too", "=" },
	{},
};
static const struct rpc_param kill_params[] = {
	{ "sig_name", RPC_STRING, RPC_REQUIRED, "the signal", "=",
	  "SIGINT|SIGTERM|SIGKILL" },
	{},
};

const struct rpc_method rpc_service_methods[] = {
	{ "hawserd_get_info", hawserd_get_info,
	  "Tells version, process id and state directory." },
	{ "spdk_get_version", spdk_get_version,
	  "Tells Hawser's version, in the form in which SPDK tells its own." },
	{ "spdk_kill_instance", spdk_kill_instance,
	  "Sends the service a signal: SIGTERM ends it.", kill_params },
	{ "framework_get_reactors", framework_get_reactors,
	  "Tells what each event loop has done so far." },
	{ "framework_wait_init", framework_is_ready,
	  "Returns when the service has started: at once." },
	{ "framework_start_init", framework_is_ready,
	  "Has nothing to do: the service starts by itself." },
	{ "log_set_level", set_level,
	  "Sets up to which level the service logs.", level_params },
	{ "log_get_level", get_level,
	  "Tells up to which level the service logs." },
	{ "log_set_print_level", set_level,
	  "The same as log_set_level: there is one log, on stderr.",
	  level_params },
	{ "log_get_print_level", get_level, "The same as log_get_level." },
	{},
};
