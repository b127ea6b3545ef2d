/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket of a mount.  A line "paths" is answered by a line of JSON
 * (report.c); anything else by { "error": … }.  The connection stays open as
 * long as the daemon lives: who waits for its end reads until there is nothing
 * more.
 */
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "fuse/internal.h"
#include "fuse/mountpoint.h"
#include "fuse/report.h"
#include "reactor/stream.h"

enum { LINE_SIZE = 64, CLIENTS_MAX = 32 };

struct client {
	struct list link; /* mount.clients */
	struct mount *mount;
	struct stream *stream;
	size_t used;
	char line[LINE_SIZE];
};

static int answer(struct client *c)
{
	json_t *reply =
		strcmp(c->line, "paths") == 0
			? report(c->mount)
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
	struct mount *m = c->mount;

	list_del(&c->link);
	m->nclients--;
	stream_close(c->stream);
	free(c);
	waitq_wake_all(&m->idle);
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

static int client_start(struct mount *m, struct stream *stream)
{
	struct client *c;

	if (m->nclients >= CLIENTS_MAX)
		return -EAGAIN;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return -ENOMEM;
	*c = (struct client){ .mount = m, .stream = stream };
	list_append(&m->clients, &c->link);
	m->nclients++;
	if (task_spawn("control", serve_client, c) < 0)
		client_destroy(c);
	return 0;
}

static void accept_clients(void *arg)
{
	struct mount *m = arg;
	struct stream *stream;

	while (stream_accept(m->control, &stream) == 0)
		if (client_start(m, stream) < 0)
			stream_close(stream);
	listener_close(m->control);
	m->control = NULL;
	waitq_wake_all(&m->idle);
}

static int make_address(const struct mount *m, struct addr *a)
{
	char path[PATH_MAX], text[PATH_MAX + 8];

	mountpoint_socket_directory(path);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return -errno;
	mountpoint_socket(m->options->mountpoint, path);
	snprintf(text, sizeof(text), "unix:%s", path);
	return addr_parse(a, text, 0);
}

void control_start(struct mount *m)
{
	struct addr a;
	int r = make_address(m, &a);

	if (r == 0)
		r = stream_listen(&a, &m->control);
	if (r == 0) {
		r = task_spawn("control", accept_clients, m);
		if (r < 0) {
			listener_close(m->control);
			m->control = NULL;
		}
	}
	if (r < 0)
		log_warn("%s: no control socket: %s", m->options->mountpoint,
			 strerror(-r));
}

void control_stop(struct mount *m)
{
	char path[PATH_MAX];

	if (m->control == NULL)
		return;
	listener_cancel(m->control);
	mountpoint_socket(m->options->mountpoint, path);
	unlink(path);
}

void control_end(struct mount *m)
{
	struct client *c;

	list_for_each (c, &m->clients, link)
		stream_abort(c->stream);
	while (m->nclients > 0 || m->control != NULL)
		waitq_wait(&m->idle, NSEC_NEVER);
}
