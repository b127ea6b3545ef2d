/* SPDX-License-Identifier: Apache-2.0 */
#include "status/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/list.h"
#include "reactor/stream.h"
#include "reactor/task.h"

enum { LINE_SIZE = 64, CLIENTS_MAX = 32 };

struct status {
	status_report_fn *report;
	void *arg;
	char path[PATH_MAX];
	struct listener *listener; /* NULL: nobody is accepted */
	struct list clients;
	int nclients;
	struct waitq ended; /* one of its tasks has */
};

struct client {
	struct list link; /* status.clients */
	struct status *status;
	struct stream *stream;
	size_t used;
	char line[LINE_SIZE];
};

static int answer(struct client *c)
{
	json_t *reply =
		strcmp(c->line, "paths") == 0
			? c->status->report(c->status->arg)
			: json_pack("{s:s}", "error",
				    "unknown request; \"paths\" is one");
	char *text = reply ? json_dumps(reply, JSON_COMPACT) : NULL;
	struct iovec iov[] = { { text, text ? strlen(text) : 0 },
			       { (char *)"\n", 1 } };
	int r = text ? stream_writev(c->stream, iov, 2) : -ENOMEM;

	free(text);
	json_decref(reply);
	return r;
}

/* Answers the lines that are complete.  A longer one than any that we know
 * ends the connection. */
static int answer_lines(struct client *c)
{
	char *newline;
	int r = 0;

	while (r == 0 && (newline = memchr(c->line, '\n', c->used))) {
		size_t len = newline + 1 - c->line;

		*newline = '\0';
		r = answer(c);
		c->used -= len;
		memmove(c->line, c->line + len, c->used);
	}
	return r < 0 ? r : c->used < LINE_SIZE ? 0 : -EMSGSIZE;
}

static void client_destroy(struct client *c)
{
	struct status *s = c->status;

	list_del(&c->link);
	s->nclients--;
	stream_close(c->stream);
	free(c);
	waitq_wake_all(&s->ended);
}

static void serve_client(void *arg)
{
	struct client *c = arg;
	ssize_t n;

	do {
		n = stream_read(c->stream, c->line + c->used,
				LINE_SIZE - c->used);
		if (n > 0)
			c->used += (size_t)n;
	} while (n > 0 && answer_lines(c) == 0);
	client_destroy(c);
}

static int client_start(struct status *s, struct stream *stream)
{
	struct client *c;

	if (s->nclients >= CLIENTS_MAX)
		return -EAGAIN;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return -ENOMEM;
	*c = (struct client){ .status = s, .stream = stream };
	list_append(&s->clients, &c->link);
	s->nclients++;
	if (task_spawn("status", serve_client, c) < 0)
		client_destroy(c);
	return 0;
}

static void accept_clients(void *arg)
{
	struct status *s = arg;
	struct stream *stream;

	while (stream_accept(s->listener, &stream) == 0)
		if (client_start(s, stream) < 0)
			stream_close(stream);
	listener_close(s->listener);
	s->listener = NULL;
	waitq_wake_all(&s->ended);
}

static int serve(struct status *s)
{
	char text[PATH_MAX + 8];
	struct addr a;
	int r;

	status_directory(text);
	if (mkdir(text, 0755) < 0 && errno != EEXIST)
		return -errno;
	snprintf(text, sizeof(text), "unix:%s", s->path);
	r = addr_parse(&a, text, 0);
	if (r == 0)
		r = stream_listen(&a, &s->listener);
	if (r < 0)
		return r;
	r = task_spawn("status", accept_clients, s);
	if (r < 0)
		listener_close(s->listener);
	return r;
}

int status_start(const char *path, status_report_fn *report, void *arg,
		 struct status **out)
{
	struct status *s = calloc(1, sizeof(*s));
	int r;

	*out = NULL;
	if (s == NULL)
		return -ENOMEM;
	s->report = report;
	s->arg = arg;
	list_init(&s->clients);
	waitq_init(&s->ended);
	snprintf(s->path, sizeof(s->path), "%s", path);
	r = serve(s);
	if (r < 0)
		free(s);
	else
		*out = s;
	return r;
}

void status_stop(struct status *s)
{
	if (s == NULL || s->listener == NULL)
		return;
	listener_cancel(s->listener);
	unlink(s->path);
}

void status_end(struct status *s)
{
	struct client *c;

	if (s == NULL)
		return;
	status_stop(s);
	list_for_each (c, &s->clients, link)
		stream_abort(c->stream);
	while (s->nclients > 0 || s->listener != NULL)
		waitq_wait(&s->ended, NSEC_NEVER);
	free(s);
}
