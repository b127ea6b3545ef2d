/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated network.
 *
 * A connection is two pipes, one for each direction; a pipe is a queue of
 * segments, each with a timer that says when it arrives.  Segments of a pipe
 * arrive in order.  An end (FIN) and a reset (RST) travel as segments, too, so
 * what happens to a link happens to them.
 *
 *	client                     connection                    server
 *	  ├── writes ▶ pipe[0]: seg seg seg … ──────────── reads ──▶┤
 *	  ◀── reads ──────────────── … seg seg :pipe[1] ◀ writes ───┤
 *
 * On a silent link timers fire in vain; when it is up again, what has not
 * arrived is sent anew.
 */
#include <errno.h>
#include <string.h>

#include "reactor/sim_internal.h"

enum {
	WINDOW = 256 << 10, /* bytes of a pipe, in flight and unread */
	SEGMENT = 16 << 10,
	BACKLOG = 1024,
	FIRST_PORT = 40000,
};

static const nsec syn_timeout = SEC(127); /* of Linux */

struct sim_address { /* what sim.h calls a link */
	struct list link;
	struct addr addr;
	enum sim_link state;
	struct list connections;
	struct waitq changed;
};

enum kind { DATA, FIN, RST };

struct segment {
	struct list link; /* in pipe->segments */
	struct pipe *pipe;
	struct timer arrival;
	bool arrived;
	enum kind kind;
	size_t len, taken;
	char data[];
};

struct pipe {
	struct connection *connection;
	struct sim_stream *reader;
	struct list segments;
	size_t bytes;
	nsec last_arrival;
	bool ended, reset; /* FIN or RST is in it, RST is in it */
};

struct sim_stream {
	struct stream stream;
	struct connection *connection;
	struct pipe *in, *out;
	int error; /* of all calls from now on */
	bool closed;
	struct task *reading, *writing; /* parked */
};

struct connection {
	struct list link; /* in address->connections */
	struct sim_address *address;
	struct pipe pipe[2];
	struct sim_stream end[2]; /* the client's, the server's */
	struct list queued;	  /* in the listener's backlog */
};

struct sim_listener {
	struct listener listener;
	struct list link;
	struct list backlog;
	int backlog_len;
	bool cancelled;
	struct waitq waiting;
};

static const struct stream_ops sim_stream_ops;
static const struct listener_ops sim_listener_ops;

static struct sim_stream *end_of(const struct stream *s)
{
	return container_of(s, struct sim_stream, stream);
}

static nsec net_delay(void)
{
	const struct sim_faults *f = &sim_current()->faults;

	return sim_random_delay(f->delay_min, f->delay_max);
}

static struct sim_address *address_get(const struct addr *addr)
{
	struct sim *sim = sim_current();
	struct sim_address *a;

	list_for_each (a, &sim->links, link)
		if (addr_equal(&a->addr, addr))
			return a;
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		abort();
	a->addr = *addr;
	list_init(&a->connections);
	waitq_init(&a->changed);
	list_append(&sim->links, &a->link);
	return a;
}

/* Segments */

static void wake(struct task *t)
{
	if (t != NULL)
		task_wake(t);
}

static void end_fail(struct sim_stream *e, int error)
{
	if (e->error == 0)
		e->error = error;
	wake(e->reading);
	wake(e->writing);
}

static void segment_free(struct timers *timers, struct segment *seg)
{
	seg->pipe->bytes -= seg->len - seg->taken;
	timer_cancel(timers, &seg->arrival);
	list_del(&seg->link);
	free(seg);
}

static void pipe_clear(struct timers *timers, struct pipe *p)
{
	while (!list_empty(&p->segments))
		segment_free(timers,
			     list_first(&p->segments, struct segment, link));
}

static struct pipe *other_way(struct pipe *p)
{
	struct pipe *pipes = p->connection->pipe;

	return p == &pipes[0] ? &pipes[1] : &pipes[0];
}

static void send_again(struct segment *seg)
{
	struct pipe *p = seg->pipe;

	p->last_arrival = MAX(reactor_now() + net_delay(), p->last_arrival);
	timer_set(&reactor_current->timers, &seg->arrival, p->last_arrival);
}

static void segment_arrives(struct timer *timer);

/* Returns where the data goes. */
static char *pipe_send(struct pipe *p, enum kind kind, size_t len)
{
	struct segment *seg = malloc(sizeof(*seg) + len);

	if (seg == NULL)
		abort();
	*seg = (struct segment){ .pipe = p, .kind = kind, .len = len };
	timer_init(&seg->arrival, segment_arrives);
	list_append(&p->segments, &seg->link);
	p->bytes += len;
	p->ended |= kind != DATA;
	p->reset |= kind == RST;
	send_again(seg);
	return seg->data;
}

static void pipe_reset(struct pipe *p)
{
	if (!p->reset)
		pipe_send(p, RST, 0);
}

static void segment_arrives(struct timer *timer)
{
	struct segment *seg = container_of(timer, struct segment, arrival);
	struct pipe *p = seg->pipe, *back = other_way(p);
	enum kind kind = seg->kind;

	if (p->connection->address->state == SIM_LINK_SILENT)
		return;
	seg->arrived = true;
	if (p->reader->closed) {
		segment_free(&reactor_current->timers, seg);
		if (kind == DATA)
			pipe_reset(back);
	} else if (kind == RST) {
		segment_free(&reactor_current->timers, seg);
		end_fail(p->reader, -ECONNRESET);
	} else {
		wake(p->reader->reading);
	}
}

/* Connections */

static void end_init(struct connection *c, int i, const struct addr *local,
		     const struct addr *peer)
{
	struct sim_stream *e = &c->end[i];

	stream_init(&e->stream, &sim_stream_ops);
	e->stream.local = *local;
	e->stream.peer = *peer;
	e->connection = c;
	e->out = &c->pipe[i];
	e->in = &c->pipe[1 - i];
	e->in->reader = e;
	list_init(&c->pipe[i].segments);
	c->pipe[i].connection = c;
}

static struct connection *connection_create(struct sim_address *a,
					    const struct addr *from)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	c->address = a;
	end_init(c, 0, from, &a->addr);
	end_init(c, 1, &a->addr, from);
	list_init(&c->queued);
	list_append(&a->connections, &c->link);
	return c;
}

static void connection_destroy(struct timers *timers, struct connection *c)
{
	pipe_clear(timers, &c->pipe[0]);
	pipe_clear(timers, &c->pipe[1]);
	list_del(&c->link);
	free(c);
}

/* At once, and for both. */
static void connection_reset(struct connection *c)
{
	pipe_clear(&reactor_current->timers, &c->pipe[0]);
	pipe_clear(&reactor_current->timers, &c->pipe[1]);
	c->pipe[0].ended = c->pipe[1].ended = true;
	c->pipe[0].reset = c->pipe[1].reset = true;
	end_fail(&c->end[0], -ECONNRESET);
	end_fail(&c->end[1], -ECONNRESET);
}

/* As the fault of a write: what is under way still arrives, and then a reset on
 * both sides. */
static void connection_cut(struct connection *c)
{
	pipe_reset(&c->pipe[0]);
	pipe_reset(&c->pipe[1]);
}

/* Streams */

/* Parks until something changes; 0 or -ETIMEDOUT. */
static int end_park(struct task **who, nsec deadline)
{
	bool woken;

	assert(*who == NULL);
	*who = task_self();
	woken = task_park(deadline);
	*who = NULL;
	return woken ? 0 : -ETIMEDOUT;
}

static struct segment *readable(struct sim_stream *e)
{
	struct segment *seg =
		list_first(&e->in->segments, struct segment, link);

	return seg != NULL && seg->arrived ? seg : NULL;
}

static size_t take(struct sim_stream *e, struct segment *seg, char *to,
		   size_t len)
{
	len = MIN(len, seg->len - seg->taken);
	memcpy(to, seg->data + seg->taken, len);
	seg->taken += len;
	e->in->bytes -= len;
	if (seg->taken == seg->len)
		segment_free(&reactor_current->timers, seg);
	return len;
}

/* A reader may get less than there is, wherever the network likes. */
static size_t limit_read(const struct iovec *iov, int n)
{
	struct sim *sim = sim_current();
	size_t len = iov_len(iov, n);

	if (len > 1 && rng_chance(&sim->rng, sim->faults.short_read))
		len = 1 + rng_below(&sim->rng, len - 1);
	return len;
}

static ssize_t take_all(struct sim_stream *e, const struct iovec *iov, int n)
{
	size_t left = limit_read(iov, n), done = 0, at = 0, len;
	struct segment *seg;

	while (left > 0 && n > 0 && (seg = readable(e)) != NULL &&
	       seg->kind == DATA) {
		len = MIN(left, iov->iov_len - at);
		len = take(e, seg, (char *)iov->iov_base + at, len);
		done += len;
		left -= len;
		at += len;
		if (at == iov->iov_len) {
			iov++;
			n--;
			at = 0;
		}
	}
	wake(other_way(e->in)->reader->writing);
	return done;
}

static int sim_wait_readable(struct stream *stream, nsec deadline)
{
	struct sim_stream *e = end_of(stream);
	int err = 0;

	while (err == 0) {
		if (e->error == -ECONNABORTED)
			return e->error;
		if (readable(e) != NULL || e->error != 0)
			return 0;
		err = end_park(&e->reading, deadline);
	}
	return err;
}

static ssize_t sim_readv(struct stream *stream, const struct iovec *iov, int n)
{
	struct sim_stream *e = end_of(stream);
	nsec deadline = nsec_after(reactor_now(), stream->read_timeout);
	int err = sim_wait_readable(stream, deadline);

	if (err != 0)
		return err;
	if (readable(e) == NULL)
		return e->error;
	return readable(e)->kind == FIN ? 0 : take_all(e, iov, n);
}

static void send_iov(struct pipe *p, struct iovec *iov, int n, size_t len)
{
	char *to = pipe_send(p, DATA, len);

	for (int i = 0; len > 0 && i < n; i++) {
		size_t part = MIN(len, iov[i].iov_len);

		memcpy(to, iov[i].iov_base, part);
		to += part;
		len -= part;
	}
}

static int wait_for_window(struct sim_stream *e)
{
	nsec deadline = nsec_after(reactor_now(), e->stream.write_timeout);
	int err = 0;

	while (err == 0 && e->error == 0 && e->out->bytes >= WINDOW)
		err = end_park(&e->writing, deadline);
	return e->error != 0 ? e->error : err;
}

static int sim_writev(struct stream *stream, struct iovec *iov, int n)
{
	struct sim_stream *e = end_of(stream);
	struct sim *sim = sim_current();
	bool cut = rng_chance(&sim->rng, sim->faults.cut);
	size_t len;
	int err;

	for (iov_advance(&iov, &n, 0); n > 0; iov_advance(&iov, &n, len)) {
		err = wait_for_window(e);
		if (err != 0)
			return err;
		if (e->out->ended)
			return -EPIPE;
		len = 0;
		for (int i = 0; i < n && len < SEGMENT; i++)
			len += iov[i].iov_len;
		len = MIN(len, (size_t)SEGMENT);
		if (cut && rng_chance(&sim->rng, 0.5))
			len = 1 + rng_below(&sim->rng, len);
		send_iov(e->out, iov, n, len);
		if (cut)
			connection_cut(e->connection);
	}
	return 0;
}

static void sim_abort(struct stream *stream)
{
	struct sim_stream *e = end_of(stream);

	pipe_reset(e->out);
	e->error = 0;
	end_fail(e, -ECONNABORTED);
}

static void sim_shutdown_write(struct stream *stream)
{
	struct sim_stream *e = end_of(stream);

	if (!e->out->ended)
		pipe_send(e->out, FIN, 0);
}

static void sim_close(struct stream *stream)
{
	struct sim_stream *e = end_of(stream);
	struct connection *c = e->connection;

	assert(e->reading == NULL && e->writing == NULL);
	/* As TCP does: data that nobody will read is answered by a reset. */
	if (e->in->bytes > 0)
		pipe_reset(e->out);
	sim_shutdown_write(stream);
	e->closed = true;
	if (c->end[0].closed && c->end[1].closed)
		connection_destroy(&reactor_current->timers, c);
}

static int sim_peer_uid(const struct stream *s, uid_t *uid)
{
	if (s->local.sa.sa_family != AF_UNIX)
		return -ENOTSUP;
	*uid = getuid();
	return 0;
}

static const struct stream_ops sim_stream_ops = {
	.readv = sim_readv,
	.wait_readable = sim_wait_readable,
	.writev = sim_writev,
	.abort = sim_abort,
	.shutdown_write = sim_shutdown_write,
	.close = sim_close,
	.peer_uid = sim_peer_uid,
};

/* Listeners */

static bool is_wildcard(const struct addr *a)
{
	switch (a->sa.sa_family) {
	case AF_INET:
		return a->in.sin_addr.s_addr == htonl(INADDR_ANY);
	case AF_INET6:
		return IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
	default:
		return false;
	}
}

static bool reaches(const struct addr *to, const struct addr *listener)
{
	return addr_equal(to, listener) ||
	       (is_wildcard(listener) &&
		to->sa.sa_family == listener->sa.sa_family &&
		addr_port(to) == addr_port(listener));
}

static struct sim_listener *listener_find(const struct addr *to)
{
	struct sim_listener *l;

	list_for_each (l, &sim_current()->listeners, link)
		if (reaches(to, &l->listener.addr))
			return l;
	return NULL;
}

static void give_port(struct addr *a)
{
	struct sim *sim = sim_current();

	if (a->sa.sa_family == AF_UNIX || addr_port(a) != 0)
		return;
	addr_set_port(a, sim->next_port++);
	if (sim->next_port == 0)
		sim->next_port = FIRST_PORT;
}

static int sim_listen(const struct addr *at, struct listener **out)
{
	struct sim_listener *l;

	if (listener_find(at) != NULL)
		return -EADDRINUSE;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return -ENOMEM;
	listener_init(&l->listener, &sim_listener_ops);
	l->listener.addr = *at;
	give_port(&l->listener.addr);
	list_init(&l->backlog);
	waitq_init(&l->waiting);
	list_append(&sim_current()->listeners, &l->link);
	*out = &l->listener;
	return 0;
}

static struct sim_listener *sim_listener_of(struct listener *l)
{
	return container_of(l, struct sim_listener, listener);
}

static struct connection *backlog_take(struct sim_listener *l)
{
	struct connection *c =
		list_first(&l->backlog, struct connection, queued);

	if (c != NULL) {
		list_del(&c->queued);
		l->backlog_len--;
	}
	return c;
}

static int sim_accept(struct listener *listener, struct stream **out)
{
	struct sim_listener *l = sim_listener_of(listener);
	struct connection *c;

	for (;;) {
		if (l->cancelled)
			return -ECANCELED;
		c = backlog_take(l);
		if (c != NULL)
			break;
		waitq_wait(&l->waiting, NSEC_NEVER);
	}
	*out = &c->end[1].stream;
	return 0;
}

static void sim_listener_cancel(struct listener *listener)
{
	struct sim_listener *l = sim_listener_of(listener);

	l->cancelled = true;
	waitq_wake_all(&l->waiting);
}

static void sim_listener_close(struct listener *listener)
{
	struct sim_listener *l = sim_listener_of(listener);
	struct connection *c;

	while ((c = backlog_take(l)) != NULL) {
		sim_abort(&c->end[1].stream);
		sim_close(&c->end[1].stream);
	}
	list_del(&l->link);
	free(l);
}

static const struct listener_ops sim_listener_ops = {
	.accept = sim_accept,
	.cancel = sim_listener_cancel,
	.close = sim_listener_close,
};

/* The caller's packet goes to the address, or the answer comes back: 0, or
 * -ETIMEDOUT while the link is silent, or -ECONNREFUSED. */
static int cross(struct sim_address *a, nsec deadline)
{
	do {
		task_sleep(net_delay());
		while (a->state == SIM_LINK_SILENT)
			if (!waitq_wait(&a->changed, deadline))
				return -ETIMEDOUT;
	} while (a->state == SIM_LINK_SILENT);
	return a->state == SIM_LINK_REFUSED ? -ECONNREFUSED : 0;
}

static void local_address(const struct addr *to, const struct addr *asked,
			  struct addr *local)
{
	static const struct in6_addr loopback6 = IN6ADDR_LOOPBACK_INIT;

	*local = asked != NULL ? *asked : *to;
	if (asked == NULL && to->sa.sa_family == AF_INET)
		local->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (asked == NULL && to->sa.sa_family == AF_INET6)
		local->in6.sin6_addr = loopback6;
	if (asked == NULL)
		addr_set_port(local, 0);
	give_port(local);
}

static int sim_connect(const struct addr *to, const struct addr *asked,
		       nsec deadline, struct stream **out)
{
	struct sim_address *a = address_get(to);
	struct sim_listener *l;
	struct connection *c;
	struct addr local;
	int err;

	deadline = MIN(deadline, reactor_now() + syn_timeout);
	local_address(to, asked, &local);
	err = cross(a, deadline);
	if (err != 0)
		return err;
	l = listener_find(to);
	if (l == NULL || l->cancelled || l->backlog_len >= BACKLOG) {
		err = cross(a, deadline);
		return err != 0 ? err : -ECONNREFUSED;
	}
	c = connection_create(a, &local);
	list_append(&l->backlog, &c->queued);
	l->backlog_len++;
	waitq_wake_one(&l->waiting);
	err = cross(a, deadline);
	if (err == 0)
		err = c->end[0].error;
	if (err != 0)
		sim_abort(&c->end[0].stream);
	if (err != 0)
		sim_close(&c->end[0].stream);
	else
		*out = &c->end[0].stream;
	return err;
}

const struct net_ops sim_net = {
	.connect = sim_connect,
	.listen = sim_listen,
};

/* What tests do to links */

static void pipe_send_again(struct pipe *p)
{
	struct segment *seg;

	list_for_each (seg, &p->segments, link)
		if (!seg->arrived)
			send_again(seg);
}

void sim_cut(const struct addr *listener)
{
	struct sim_address *a = address_get(listener);
	struct connection *c;

	list_for_each (c, &a->connections, link)
		connection_reset(c);
}

void sim_set_link(const struct addr *listener, enum sim_link state)
{
	struct sim_address *a = address_get(listener);
	bool was_silent = a->state == SIM_LINK_SILENT;
	struct connection *c;

	a->state = state;
	if (state == SIM_LINK_REFUSED)
		sim_cut(listener);
	if (state == SIM_LINK_UP && was_silent) {
		list_for_each (c, &a->connections, link) {
			pipe_send_again(&c->pipe[0]);
			pipe_send_again(&c->pipe[1]);
		}
	}
	waitq_wake_all(&a->changed);
}

void sim_net_init(struct sim *s)
{
	list_init(&s->links);
	list_init(&s->listeners);
	s->next_port = FIRST_PORT;
}

static void address_destroy(struct timers *timers, struct sim_address *a)
{
	while (!list_empty(&a->connections))
		connection_destroy(timers, list_first(&a->connections,
						      struct connection, link));
	list_del(&a->link);
	free(a);
}

void sim_net_fini(struct sim *s, struct timers *timers)
{
	while (!list_empty(&s->listeners)) {
		struct sim_listener *l =
			list_first(&s->listeners, struct sim_listener, link);

		list_del(&l->link);
		free(l);
	}
	while (!list_empty(&s->links))
		address_destroy(timers, list_first(&s->links,
						   struct sim_address, link));
}
