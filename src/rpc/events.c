/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of the last EVENTS_MAX; ids count from 0 and never come again. */
#include "rpc/events.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "rpc/internal.h"

enum { EVENTS_MAX = 1024, CONTEXT_SIZE = 128 };

static const char *const types[] = { "bdev_register", "bdev_unregister" };

struct rpc_events {
	uint64_t next; /* id */
	struct {
		const char *type;
		char context[CONTEXT_SIZE];
	} ring[EVENTS_MAX];
};

struct rpc_events *rpc_events_create(void)
{
	return calloc(1, sizeof(struct rpc_events));
}

void rpc_events_destroy(struct rpc_events *n)
{
	free(n);
}

void rpc_event(struct rpc_events *log, const char *type, const char *context)
{
	uint64_t i;

	if (log == NULL)
		return;
	i = log->next++ % EVENTS_MAX;
	log->ring[i].type = type;
	snprintf(log->ring[i].context, CONTEXT_SIZE, "%s", context);
}

static int get_types(struct rpc_call *call)
{
	call->result = json_array();
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		json_array_append_new(call->result, json_string(types[i]));
	return 0;
}

static int get_notifications(struct rpc_call *call)
{
	const struct rpc_events *log = call->env->events;
	uint64_t oldest = log->next > EVENTS_MAX ? log->next - EVENTS_MAX : 0;
	uint64_t id = MAX(rpc_uint64(call, "id", 0), oldest);
	uint64_t left = rpc_uint64(call, "max", EVENTS_MAX);

	call->result = json_array();
	for (; id < log->next && left > 0; id++, left--)
		json_array_append_new(
			call->result,
			json_pack("{s:s, s:s, s:I}", "type",
				  log->ring[id % EVENTS_MAX].type, "ctx",
				  log->ring[id % EVENTS_MAX].context, "id",
				  (json_int_t)id));
	return 0;
}

static const struct rpc_param get_notifications_params[] = {
	{ "id", RPC_UINT64, RPC_OPTIONAL, "the first; default: the oldest",
	  "-i" },
	{ "max", RPC_UINT64, RPC_OPTIONAL, "how many at most", "-n" },
	{},
};

const struct rpc_method rpc_notify_methods[] = {
	{ "notify_get_types", get_types, "Lists the kinds of notifications." },
	{ "notify_get_notifications", get_notifications,
	  "Lists which devices have come and gone, of the last 1024.",
	  get_notifications_params },
	{},
};
