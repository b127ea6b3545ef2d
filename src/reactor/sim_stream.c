/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Simulated streams.  Segments of a pipe arrive in order.  An end (FIN) and a
 * reset (RST) travel as segments, too, so what happens to a link happens to
 * them.  On a silent link timers fire in vain; when it is up again, what has
 * not arrived is sent anew.
 */
#include <errno.h>
#include <string.h>

#include "reactor/sim_net.h"

enum {
	WINDOW = 256 << 10, /* bytes of a pipe, in flight and unread */
	SEGMENT = 16 << 10,
};

enum kind { DATA, FIN, RST };

struct segment {
	struct list link; /* in pipe->segments */
	struct sim_pipe *pipe;
	struct timer arrival;
	bool arrived;
	enum kind kind;
	size_t len, taken;
	char data[];
};

static const struct stream_ops sim_stream_ops;

static struct sim_stream *end_of(const struct stream *s)
{
	return container_of(s, struct sim_stream, stream);
}

nsec sim_net_delay(void)
{
	const struct sim_faults *f = &sim_current()->faults;

	return sim_random_delay(f->delay_min, f->delay_max);
}

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

static void pipe_clear(struct timers *timers, struct sim_pipe *p)
{
	while (!list_empty(&p->segments))
		segment_free(timers,
			     list_first(&p->segments, struct segment, link));
}

static struct sim_pipe *other_way(struct sim_pipe *p)
{
	struct sim_pipe *pipes = p->connection->pipe;

	return p == &pipes[0] ? &pipes[1] : &pipes[0];
}

static void send_again(struct segment *seg)
{
	struct sim_pipe *p = seg->pipe;

	p->last_arrival = MAX(reactor_now() + sim_net_delay(), p->last_arrival);
	timer_set(&reactor_current->timers, &seg->arrival, p->last_arrival);
}

static void segment_arrives(struct timer *timer);

/* Returns where the data goes. */
static char *pipe_send(struct sim_pipe *p, enum kind kind, size_t len)
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

static void pipe_reset(struct sim_pipe *p)
{
	if (!p->reset)
		pipe_send(p, RST, 0);
}

static void segment_arrives(struct timer *timer)
{
	struct segment *seg = container_of(timer, struct segment, arrival);
	struct sim_pipe *p = seg->pipe, *back = other_way(p);
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

static void lose_patience(struct timer *timer)
{
	end_fail(container_of(timer, struct sim_stream, impatience),
		 -ETIMEDOUT);
}

static void end_init(struct sim_connection *c, int i, const struct addr *local,
		     const struct addr *peer)
{
	struct sim_stream *e = &c->end[i];

	stream_init(&e->stream, &sim_stream_ops);
	e->stream.local = *local;
	e->stream.peer = *peer;
	e->connection = c;
	timer_init(&e->impatience, lose_patience);
	e->out = &c->pipe[i];
	e->in = &c->pipe[1 - i];
	e->in->reader = e;
	list_init(&c->pipe[i].segments);
	c->pipe[i].connection = c;
}

struct sim_connection *sim_connection_create(struct sim_address *a,
					     const struct addr *from)
{
	struct sim_connection *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	c->address = a;
	end_init(c, 0, from, &a->addr);
	end_init(c, 1, &a->addr, from);
	list_init(&c->queued);
	list_append(&a->connections, &c->link);
	return c;
}

void sim_connection_destroy(struct timers *timers, struct sim_connection *c)
{
	pipe_clear(timers, &c->pipe[0]);
	pipe_clear(timers, &c->pipe[1]);
	timer_cancel(timers, &c->end[0].impatience);
	timer_cancel(timers, &c->end[1].impatience);
	list_del(&c->link);
	free(c);
}

void sim_connection_reset(struct sim_connection *c)
{
	pipe_clear(&reactor_current->timers, &c->pipe[0]);
	pipe_clear(&reactor_current->timers, &c->pipe[1]);
	c->pipe[0].ended = c->pipe[1].ended = true;
	c->pipe[0].reset = c->pipe[1].reset = true;
	end_fail(&c->end[0], -ECONNRESET);
	end_fail(&c->end[1], -ECONNRESET);
}

static void pipe_send_again(struct sim_pipe *p)
{
	struct segment *seg;

	list_for_each (seg, &p->segments, link)
		if (!seg->arrived)
			send_again(seg);
}

void sim_connection_resume(struct sim_connection *c)
{
	for (int i = 0; i < 2; i++) {
		pipe_send_again(&c->pipe[i]);
		timer_cancel(&reactor_current->timers, &c->end[i].impatience);
	}
}

void sim_connection_pause(struct sim_connection *c)
{
	for (int i = 0; i < 2; i++)
		if (c->end[i].patience > 0)
			timer_set(&reactor_current->timers,
				  &c->end[i].impatience,
				  reactor_now() + c->end[i].patience);
}

/* As the fault of a write: what is under way still arrives, and then a reset on
 * both sides. */
static void connection_cut(struct sim_connection *c)
{
	pipe_reset(&c->pipe[0]);
	pipe_reset(&c->pipe[1]);
}

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

static void send_iov(struct sim_pipe *p, struct iovec *iov, int n, size_t len)
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
	struct sim_connection *c = e->connection;

	assert(e->reading == NULL && e->writing == NULL);
	/* As TCP does: data that nobody will read is answered by a reset. */
	if (e->in->bytes > 0)
		pipe_reset(e->out);
	sim_shutdown_write(stream);
	e->closed = true;
	if (c->end[0].closed && c->end[1].closed)
		sim_connection_destroy(&reactor_current->timers, c);
}

static int sim_peer_uid(const struct stream *s, uid_t *uid)
{
	if (s->local.sa.sa_family != AF_UNIX)
		return -ENOTSUP;
	*uid = getuid();
	return 0;
}

static void sim_set_keepalive(struct stream *stream, nsec interval,
			      nsec patience)
{
	end_of(stream)->patience = patience;
}

/* Who keeps alive is always owed an answer; others are when they have sent. */
static nsec sim_silence(const struct stream *stream)
{
	struct sim_stream *e = end_of(stream);
	struct sim_address *a = e->connection->address;

	if (a->state != SIM_LINK_SILENT ||
	    (e->patience == 0 && e->out->bytes == 0))
		return 0;
	return reactor_now() - a->silent_since;
}

static const struct stream_ops sim_stream_ops = {
	.readv = sim_readv,
	.wait_readable = sim_wait_readable,
	.writev = sim_writev,
	.abort = sim_abort,
	.shutdown_write = sim_shutdown_write,
	.close = sim_close,
	.peer_uid = sim_peer_uid,
	.set_keepalive = sim_set_keepalive,
	.silence = sim_silence,
};
