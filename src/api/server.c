/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API as a whole: its addresses, which are tried until they can be listened
 * on, their connections' deadlines, and its end.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/cert.h"
#include "api/http.h"
#include "base/log.h"
#include "base/util.h"
#include "reactor/reactor.h"

extern const struct api_service api_metrics;

static const nsec try_again = SEC(1), look_again = MSEC(5);

struct server {
	struct api_server api;
	/* With the ports that were chosen. */
	struct addr http, https, metrics;
	struct cert cert;
	bool trying, watching; /* there is a task that does */
	struct waitq changed;  /* a task has ended, or all should */
};

static struct server *server_of(const struct api_server *s)
{
	return container_of(s, struct server, api);
}

/* On a worker thread: the library starts threads, and waits for them. */
struct starting {
	struct server *server;
	const struct api_service *open;
	struct addr *at;
	const struct api_tls *tls;
	struct api_http **http;
};

static int start_http(void *arg)
{
	struct starting *t = arg;

	return api_http_start(&t->server->api, t->at, t->tls, t->open, t->http);
}

static int stop_http(void *arg)
{
	api_http_stop(arg);
	return 0;
}

/* 0, also if it is not wanted or there already. */
static int start(struct server *s, struct addr *at, bool secure,
		 const struct api_service *open, struct api_http **http)
{
	struct api_tls tls = { s->cert.certificate, s->cert.key };
	struct api_http *made = NULL;
	struct starting t = { s, open, at, secure ? &tls : NULL, &made };
	int r = at->len == 0 || *http != NULL ? 0 : offload(start_http, &t);

	if (made != NULL)
		*http = made;
	return r;
}

static void complain(const struct addr *at, int error)
{
	char text[ADDR_TEXT_MAX];

	if (error < 0)
		log_error("api: %s can't be listened on yet: %s",
			  addr_format(at, text), strerror(-error));
}

static bool start_all(struct server *s, bool first)
{
	int plain = start(s, &s->http, false, NULL, &s->api.http);
	int secure = start(s, &s->https, true, NULL, &s->api.https);
	int metrics =
		start(s, &s->metrics, false, &api_metrics, &s->api.metrics);

	if (first) {
		complain(&s->http, plain);
		complain(&s->https, secure);
		complain(&s->metrics, metrics);
	}
	return plain == 0 && secure == 0 && metrics == 0;
}

static void start_task(void *arg)
{
	struct server *s = arg;

	do
		waitq_wait(&s->changed, nsec_after(reactor_now(), try_again));
	while (!s->api.stopping && !start_all(s, false));
	s->trying = false;
	waitq_wake_all(&s->changed);
}

static void watch_task(void *arg)
{
	struct server *s = arg;
	nsec next = reactor_now();

	while (!s->api.stopping) {
		next = nsec_after(next, SEC(1));
		while (!s->api.stopping && reactor_now() < next)
			waitq_wait(&s->changed, next);
		if (s->api.http != NULL)
			api_http_enforce(s->api.http);
		if (s->api.https != NULL)
			api_http_enforce(s->api.https);
		if (s->api.metrics != NULL)
			api_http_enforce(s->api.metrics);
	}
	s->watching = false;
	waitq_wake_all(&s->changed);
}

int api_server_create(const struct api_options *options,
		      struct api_server **out)
{
	struct server *s = calloc(1, sizeof(*s));
	int r;

	if (s == NULL)
		return -ENOMEM;
	s->api.options = *options;
	s->api.reactor = reactor_self();
	s->http = options->http;
	s->https = options->https;
	s->metrics = options->metrics;
	pthread_mutex_init(&s->api.lock, NULL);
	waitq_init(&s->api.changed);
	waitq_init(&s->changed);
	if (s->https.len != 0) {
		r = cert_load(options->certificate, options->private_key,
			      &s->cert);
		if (r < 0) {
			api_server_destroy(&s->api);
			return r;
		}
	}
	if (!start_all(s, true))
		s->trying = task_spawn("api start", start_task, s) == 0;
	s->watching = task_spawn("api watch", watch_task, s) == 0;
	*out = &s->api;
	return 0;
}

static void wait_for_calls(struct api_server *s)
{
	unsigned running;

	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_mutex_unlock(&s->lock);
	for (;;) {
		pthread_mutex_lock(&s->lock);
		running = s->running;
		pthread_mutex_unlock(&s->lock);
		if (running == 0)
			return;
		waitq_wait(&s->changed, nsec_after(reactor_now(), look_again));
	}
}

void api_server_destroy(struct api_server *api)
{
	struct server *s = server_of(api);
	struct api_http *all[3];

	wait_for_calls(api);
	while (s->trying || s->watching) {
		waitq_wake_all(&s->changed);
		waitq_wait(&s->changed, nsec_after(reactor_now(), look_again));
	}
	all[0] = api->http;
	all[1] = api->https;
	all[2] = api->metrics;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (all[i] == NULL)
			continue;
		api_http_quiesce(all[i]);
		offload(stop_http, all[i]);
	}
	cert_unload(&s->cert);
	pthread_mutex_destroy(&api->lock);
	free(s);
}

void api_server_url(const struct api_server *api, char url[API_URL_SIZE])
{
	const struct server *s = server_of(api);
	const struct addr *at = api->http ? &s->http : &s->https;
	char text[ADDR_TEXT_MAX];

	url[0] = '\0';
	if (api->http != NULL || api->https != NULL)
		snprintf(url, API_URL_SIZE, "http%s://%s", api->http ? "" : "s",
			 addr_format(at, text));
}

void api_server_metrics_url(const struct api_server *api,
			    char url[API_URL_SIZE])
{
	char text[ADDR_TEXT_MAX];

	url[0] = '\0';
	if (api->metrics != NULL)
		snprintf(url, API_URL_SIZE, "http://%s/metrics",
			 addr_format(&server_of(api)->metrics, text));
}
