/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call's life, and its way to the reactor and back.
 *
 * api_server.running counts the calls that are over there.  Once `stopping` is
 * set no more go, and when the last has come back nothing of the control is
 * touched any more.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/internal.h"
#include "base/log.h"
#include "reactor/reactor.h"

struct api_call *api_call_new(struct api_server *s, const char *uri)
{
	struct api_call *call = calloc(1, sizeof(*call));
	uint8_t id[UUID_BYTES];
	char *query;

	if (call == NULL)
		return NULL;
	call->server = s;
	/* The path is cut off where the query begins; the query stays. */
	call->uri = strdup(uri);
	if (call->uri == NULL) {
		free(call);
		return NULL;
	}
	query = strchr(call->uri, '?');
	if (query != NULL)
		*query++ = '\0';
	call->path = call->uri;
	call->query = query ? query : "";
	uuid_random(id);
	uuid_format(id, call->id);
	return call;
}

void api_call_free(struct api_call *call)
{
	json_decref(call->input);
	json_decref(call->output);
	json_decref(call->headers);
	json_decref(call->policy);
	free(call->uri);
	free(call->body);
	free(call);
}

const char *api_account(const struct api_call *call)
{
	return CONTROL_ACCOUNT;
}

const char *api_region(const struct api_call *call)
{
	return call->scope.region;
}

/* ------------------------------------------------------ the way over there */

static bool enter(struct api_server *s)
{
	bool ok;

	pthread_mutex_lock(&s->lock);
	ok = !s->stopping;
	s->running += ok;
	pthread_mutex_unlock(&s->lock);
	return ok;
}

static void leave(struct api_server *s)
{
	pthread_mutex_lock(&s->lock);
	s->running--;
	pthread_mutex_unlock(&s->lock);
}

static void run_task(void *arg)
{
	struct api_call *call = arg;
	struct api_server *s = call->server;
	int r = api_authorize(call);

	if (r == 0)
		r = call->operation->run(call);
	if (r < 0 && call->error.code == NULL)
		api_refuse(call, "InternalServerError", "%s.", strerror(-r));
	log_debug("api: %s %s: %s", call->user, call->operation->name,
		  call->error.code ? call->error.code : "done");
	api_http_resume(call); /* the call is its thread's from here on */
	leave(s);
	waitq_wake_all(&s->changed);
}

int api_call_start(struct api_call *call)
{
	struct api_server *s = call->server;
	int r;

	if (!enter(s))
		return api_refuse(call, "ServiceUnavailable",
				  "The service is stopping.");
	r = reactor_spawn(s->reactor, "api call", run_task, call);
	if (r < 0) {
		leave(s);
		return api_refuse(call, "ServiceUnavailable", "%s.",
				  strerror(-r));
	}
	return 0;
}
