/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the console shows: everything at a glance, as other methods say it, and
 * the history of a file system.  And the key to its door.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "control/alarm.h"
#include "control/door.h"
#include "control/metric.h"
#include "nfs/server/server.h"
#include "reactor/reactor.h"
#include "rpc/internal.h"

enum {
	CLIENTS_SHOWN = 200, /* of a file system */
	POINTS_SHOWN = 200,
	HOURS_MAX = 72,
};

/* ------------------------------------------------------------ overview --- */

/* What another method says; null if it refuses. */
static json_t *ask(struct rpc_call *call, const char *name, json_t *params)
{
	struct rpc_call other = { .env = call->env, .params = params };

	other.method = rpc_method_find(call->env, name);
	if (other.method != NULL)
		rpc_run(&other);
	json_decref(params);
	if (other.method != NULL && other.code == 0)
		return other.result;
	json_decref(other.result);
	return json_null();
}

/* Connections, as they are while nobody may come or go: quickly. */
struct conn {
	struct addr local, peer;
	nsec since;
};
struct conns {
	struct conn *list;
	size_t n, room;
};

/* nfs_server_conn_fn */
static void add_conn(void *arg, const struct addr *local,
		     const struct addr *peer, nsec since)
{
	struct conns *c = arg;
	struct conn *more;

	if (c->n == c->room) {
		more = realloc(c->list, (2 * c->room + 16) * sizeof(*more));
		if (more == NULL)
			return;
		c->list = more;
		c->room = 2 * c->room + 16;
	}
	c->list[c->n++] = (struct conn){ *local, *peer, since };
}

/* One row for each address of a client and each of ours. */
static json_t *describe_clients(const struct conns *c, json_int_t *more)
{
	json_t *rows = json_array(), *by_key = json_object(), *row, *n;
	char ours[ADDR_TEXT_MAX], theirs[ADDR_TEXT_MAX],
		key[2 * ADDR_TEXT_MAX + 1];
	double now = (double)reactor_realtime() / SEC(1);

	*more = 0;
	for (size_t i = 0; i < c->n; i++) {
		const struct conn *conn = &c->list[i];

		addr_format(&conn->local, ours);
		addr_format_host(&conn->peer, theirs);
		snprintf(key, sizeof(key), "%s %s", ours, theirs);
		row = json_object_get(by_key, key);
		if (row == NULL && json_array_size(rows) == CLIENTS_SHOWN) {
			++*more;
			continue;
		}
		if (row == NULL) {
			row = json_pack(
				"{s:s, s:s, s:i, s:f}", "target", ours,
				"client", theirs, "connections", 0, "since",
				now - (double)(reactor_now() - conn->since) /
						SEC(1));
			json_object_set(by_key, key, row);
			json_array_append_new(rows, row);
		}
		n = json_object_get(row, "connections");
		json_integer_set(n, json_integer_value(n) + 1);
	}
	json_decref(by_key);
	return rows;
}

static json_t *describe_fs(struct rpc_call *call, json_t *fs)
{
	const char *id = json_string_value(json_object_get(fs, "id"));
	struct conns conns = {};
	struct control_error none;
	json_int_t more;

	control_fs_each_connection(call->env->control, id, add_conn, &conns,
				   &none);
	json_object_set_new(fs, "clients", describe_clients(&conns, &more));
	json_object_set_new(fs, "more_clients", json_integer(more));
	free(conns.list);
	json_object_set_new(fs, "stats",
			    ask(call, "fs_get_stats",
				json_pack("{s:s}", "id", id)));
	return fs;
}

static json_t *file_systems(struct rpc_call *call)
{
	json_t *list = ask(call, "fs_get", NULL), *fs;
	size_t i;

	json_array_foreach(list, i, fs) describe_fs(call, fs);
	return list;
}

static json_t *subsystems(struct rpc_call *call)
{
	json_t *list = ask(call, "nvmf_get_subsystems", NULL), *s;
	json_t *out = json_array();
	size_t i;

	json_array_foreach(list, i, s)
	{
		json_t *nqn = json_object_get(s, "nqn");

		if (strcmp(json_string_value(json_object_get(s, "subtype")),
			   "NVMe") != 0)
			continue;
		json_array_append_new(
			out,
			json_pack("{s:O, s:O, s:o, s:o}", "nqn", nqn,
				  "namespaces",
				  json_object_get(s, "namespaces"), "listeners",
				  ask(call, "nvmf_subsystem_get_listeners",
				      json_pack("{s:O}", "nqn", nqn)),
				  "controllers",
				  ask(call, "nvmf_subsystem_get_controllers",
				      json_pack("{s:O}", "nqn", nqn))));
	}
	json_decref(list);
	return out;
}

static json_t *all_alarms(struct rpc_call *call)
{
	static const char *const members[] = {
		"StateValue",	      "StateReason", "StateUpdatedTimestamp",
		"MetricName",	      "Dimensions",  "Threshold",
		"ComparisonOperator",
	};
	json_t *out = json_array(), *alarm, *one;
	const char *name;

	json_object_foreach((json_t *)alarms(call->env->control), name, alarm)
	{
		one = json_pack("{s:s}", "name", name);
		for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
			json_object_set(one, members[i],
					json_object_get(alarm, members[i]));
		json_array_append_new(out, one);
	}
	return out;
}

static int overview_get(struct rpc_call *call)
{
	const struct rpc_environment *env = call->env;

	call->result =
		json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "service",
			  ask(call, "hawserd_get_info", NULL), "now",
			  rpc_describe_time(reactor_realtime()), "file_systems",
			  file_systems(call), "mount_targets",
			  ask(call, "mount_target_get", NULL), "access_points",
			  rpc_points(call, POINTS_SHOWN), "volumes",
			  ask(call, "volume_get", NULL), "subsystems",
			  env->nvmet ? subsystems(call) : json_array(),
			  "alarms", all_alarms(call));
	return call->result ? 0 : -ENOMEM;
}

/* ------------------------------------------------------------- history --- */

static const struct {
	const char *name;
	enum metric_id id;
	bool rate; /* a second; else what it was on average */
} shown[] = {
	{ "read", METRIC_READ, true },
	{ "written", METRIC_WRITE, true },
	{ "metered", METRIC_METERED, true },
	{ "permitted", METRIC_PERMITTED, false },
	{ "credits", METRIC_BURST_CREDITS, false },
	{ "connections", METRIC_CONNECTIONS, false },
};

struct range {
	int64_t start, now;
	unsigned period, n;
};

/* Up to the period that is not over. */
static struct range last_hours(int hours)
{
	struct range r = { .now = reactor_realtime() / SEC(1) };

	r.period = hours <= 12 ? 60 : 300;
	r.n = hours * 3600 / r.period;
	r.start = r.now - r.now % r.period - (int64_t)(r.n - 1) * r.period;
	return r;
}

static json_t *values(const struct range *r, const struct metric_point *points,
		      const bool *there, bool rate)
{
	int64_t last = r->now - (r->start + (int64_t)(r->n - 1) * r->period);
	json_t *list = json_array();

	for (unsigned i = 0; i < r->n; i++) {
		const struct metric_point *p = &points[i];
		double by = !rate	   ? p->count
			    : i + 1 < r->n ? r->period
					   : (double)MAX(last, 1);

		json_array_append_new(list, there[i] && by > 0
						    ? json_real(p->sum / by)
						    : json_null());
	}
	return list;
}

static int fs_get_history(struct rpc_call *call)
{
	const char *id = rpc_string(call, "id");
	int hours = rpc_integer(call, "hours", 3);
	struct range range;
	struct metric_point *points;
	struct control_fs *list;
	bool *there;
	int r;

	if (hours < 1 || hours > HOURS_MAX)
		return rpc_refuse(call, RPC_INVALID_PARAMS,
				  "fs_get_history: hours is 1 to %d",
				  HOURS_MAX);
	r = control_fs_list(call->env->control, id, &list, &call->error);
	if (r < 0)
		return r;
	free(list);
	range = last_hours(hours);
	points = calloc(range.n, sizeof(*points));
	there = calloc(range.n, sizeof(*there));
	call->result = json_pack("{s:I, s:i}", "start", (json_int_t)range.start,
				 "period", (int)range.period);
	for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
		r = points && there
			    ? metric_read(call->env->control, id, shown[i].id,
					  range.start, range.period, range.n,
					  points, there)
			    : -ENOMEM;
		if (r == 0)
			json_object_set_new(call->result, shown[i].name,
					    values(&range, points, there,
						   shown[i].rate));
	}
	free(points);
	free(there);
	return 0;
}

/* ---------------------------------------------------------------- door --- */

static int console_open(struct rpc_call *call)
{
	const char *url = call->env->api_url;
	char token[DOOR_KEY_SIZE];

	if (url == NULL || url[0] == '\0')
		return rpc_refuse(call, -ENOENT,
				  "There is no console: no address for the API "
				  "is configured (api: http or https).");
	door_token(control_door(call->env->control), token);
	call->result =
		json_pack("{s:o, s:i}", "url",
			  json_sprintf("%s/console?token=%s", url, token),
			  "seconds", (int)(DOOR_WAIT / SEC(1)));
	return 0;
}

static const struct rpc_param history_params[] = {
	{ "id", RPC_STRING, RPC_REQUIRED, "of the file system" },
	{ "hours", RPC_INTEGER, RPC_OPTIONAL,
	  "up to now: 1 to 72; default: 3" },
	{},
};

const struct rpc_method rpc_console_methods[] = {
	{ "overview_get", overview_get,
	  "Tells everything that the console shows at a glance: file systems "
	  "with their figures and clients, mount targets, access points (up to "
	  "200), volumes, subsystems and alarms." },
	{ "fs_get_history", fs_get_history,
	  "Tells what a file system carried, in bytes a second, minute by "
	  "minute (beyond 12 hours: in steps of five); null: not known.",
	  history_params },
	{ "console_open", console_open,
	  "Tells a URL of the console, which lets in who opens it first, "
	  "within a minute." },
	{},
};
