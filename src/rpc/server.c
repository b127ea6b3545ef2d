/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket.  One task accepts, one task serves each connection: read, find
 * the end of a message, answer, in this order; so a client that does not read
 * its replies stops its own requests and nothing else.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/list.h"
#include "base/log.h"
#include "reactor/reactor.h"
#include "reactor/stream.h"
#include "rpc/internal.h"
#include "base/json_scan.h"

enum { READ_MIN = 4096 };

/* All of it belongs to the reactor that created it. */
struct rpc_server {
	const struct rpc_environment *env;
	struct listener *listener;
	struct list connections;
	unsigned n_connections;
	bool accepting;
	struct waitq changed; /* a connection or the acceptor has ended */
};

struct connection {
	struct list link;
	struct rpc_server *server;
	struct stream *stream;
	char *buf; /* of `size` bytes; `used` of them hold what was not
		      answered yet */
	size_t size, used;
};

/* Makes room for more bytes behind those in use; 0 or -errno. */
static int make_room(struct connection *c)
{
	size_t size = c->size ? c->size * 2 : READ_MIN;
	char *buf;

	if (c->size - c->used >= READ_MIN / 2)
		return 0;
	if (size > RPC_MESSAGE_MAX)
		return -EMSGSIZE;
	buf = realloc(c->buf, size);
	if (buf == NULL)
		return -ENOMEM;
	c->buf = buf;
	c->size = size;
	return 0;
}

static int answer_message(struct connection *c, const char *text, size_t len)
{
	auto_free char *reply = NULL;
	size_t reply_len;
	int r = rpc_dispatch(c->server->env, text, len, &reply, &reply_len);

	if (r < 0 || reply == NULL)
		return r;
	return stream_write(c->stream, reply, reply_len);
}

/* Answers what is complete, starting at the bytes that were not scanned yet,
 * and moves the rest to the front. */
static int answer_complete(struct connection *c, struct json_scan *scan,
			   size_t scanned)
{
	size_t start = 0;
	ssize_t n;
	int r;

	while ((n = json_scan(scan, c->buf + scanned, c->used - scanned)) > 0) {
		scanned += n;
		r = answer_message(c, c->buf + start, scanned - start);
		if (r < 0)
			return r;
		start = scanned;
		memset(scan, 0, sizeof(*scan));
	}
	if (n < 0)
		return n;
	memmove(c->buf, c->buf + start, c->used - start);
	c->used -= start;
	return 0;
}

static int serve(struct connection *c)
{
	struct json_scan scan = {};
	size_t scanned;
	ssize_t n;
	int r;

	for (;;) {
		r = make_room(c);
		if (r < 0)
			return r;
		scanned = c->used;
		n = stream_read(c->stream, c->buf + c->used, c->size - c->used);
		if (n <= 0)
			return n;
		c->used += n;
		r = answer_complete(c, &scan, scanned);
		if (r < 0)
			return r;
	}
}

static void connection_close(struct connection *c)
{
	struct rpc_server *s = c->server;

	list_del(&c->link);
	s->n_connections--;
	stream_close(c->stream);
	free(c->buf);
	free(c);
	waitq_wake_all(&s->changed);
}

static bool is_allowed(const struct stream *stream)
{
	uid_t uid;

	return stream_peer_uid(stream, &uid) == 0 &&
	       (uid == 0 || uid == geteuid());
}

static void connection_task(void *arg)
{
	struct connection *c = arg;
	int r = is_allowed(c->stream) ? serve(c) : -EACCES;

	if (r < 0 && r != -ECONNABORTED && r != -ECONNRESET && r != -EPIPE)
		log_warn("rpc: connection closed: %s", strerror(-r));
	connection_close(c);
}

static int connection_start(struct rpc_server *s, struct stream *stream)
{
	struct connection *c = calloc(1, sizeof(*c));
	int r;

	if (c == NULL)
		return -ENOMEM;
	c->server = s;
	c->stream = stream;
	r = task_spawn("rpc connection", connection_task, c);
	if (r < 0) {
		free(c);
		return r;
	}
	list_append(&s->connections, &c->link);
	s->n_connections++;
	return 0;
}

static void accept_task(void *arg)
{
	struct rpc_server *s = arg;
	struct stream *stream;
	int r;

	for (;;) {
		while (s->n_connections >= RPC_CONNECTIONS_MAX)
			waitq_wait(&s->changed, NSEC_NEVER);
		r = stream_accept(s->listener, &stream);
		if (r == -ECANCELED)
			break;
		if (r == 0 && (r = connection_start(s, stream)) < 0)
			stream_close(stream);
		if (r < 0) { /* out of descriptors or memory: give it time */
			log_error("rpc: accept: %s", strerror(-r));
			task_sleep(MSEC(100));
		}
	}
	listener_close(s->listener);
	s->accepting = false;
	waitq_wake_all(&s->changed);
}

static int start(struct rpc_server *s, const char *path)
{
	char text[ADDR_TEXT_MAX];
	struct addr at;
	int r;

	if ((size_t)snprintf(text, sizeof(text), "unix:%s", path) >=
		    sizeof(text) ||
	    addr_parse(&at, text, 0) < 0)
		return -ENAMETOOLONG;
	/* The directory is ours alone, so whoever listens there is dead; but
	 * its socket may outlive it by a moment. */
	unlink(path);
	r = stream_listen(&at, &s->listener);
	if (r < 0)
		return r;
	/* Until here only is_allowed() keeps others out. */
	if (chmod(path, 0600) < 0)
		r = -errno;
	else
		r = task_spawn("rpc accept", accept_task, s);
	if (r < 0)
		listener_close(s->listener);
	return r;
}

int rpc_server_create(const char *path, const struct rpc_environment *env,
		      struct rpc_server **out)
{
	struct rpc_server *s = calloc(1, sizeof(*s));
	int r;

	if (s == NULL)
		return -ENOMEM;
	s->env = env;
	s->accepting = true;
	list_init(&s->connections);
	waitq_init(&s->changed);
	r = start(s, path);
	if (r < 0) {
		log_error("rpc: listening on %s: %s", path, strerror(-r));
		free(s);
		return r;
	}
	*out = s;
	return 0;
}

void rpc_server_destroy(struct rpc_server *s)
{
	struct connection *c;

	listener_cancel(s->listener);
	list_for_each (c, &s->connections, link)
		stream_abort(c->stream);
	while (s->accepting || s->n_connections > 0)
		waitq_wait(&s->changed, NSEC_NEVER);
	free(s);
}
