/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection: one task that reads, one for each call in progress, and for
 * moments one that writes.
 *
 *	conn_main ── receive ──▶ nfsd_call_start ──▶ task: nfsd_compound_main
 *	                 ▲                                     │
 *	                 └── room ── write_ready ◀── ready ◀── nfsd_conn_send
 *
 * While nothing arrives the reader holds no buffer, and there is no other
 * task: an idle connection is this struct and one small stack.
 *
 * Replies are gathered: the first one that becomes ready starts the writer as
 * a task behind those that are runnable now, so all replies of one turn of the
 * loop leave in one writev().
 *
 * What a peer can cost is bounded: at most NFSD_CONN_CALLS calls, whose
 * requests, bulk data and replies hold about NFSD_CONN_BYTES, count until their
 * reply is written; beyond that nothing more is read.  When all connections of
 *the reactor hold too much together (load.h), each has one call at a time.  A
 * record must be complete within NFSD_RECORD_TIMEOUT, a write make progress
 * within NFSD_WRITE_TIMEOUT.  A connection over which no session is used has to
 * say something once in options.unused_timeout, or make room for one that does.
 *
 * A path that was silent and comes back is reset.  The Linux client never moves
 * a request from a silent connection to another one; it holds it until TCP's
 * next repetition, which after a minute of silence is half a minute away.  A
 * reset makes it connect and send everything again at once, and the reply cache
 * answers what had been done already (RFC 8881, 2.10.6).  So, for each
 * connection with a session:
 *
 *	          no answer for NFSD_SILENT           an answer
 *	ANSWERING ─────────────────────────▶ SILENT ─────────────▶ reset
 */
#include <errno.h>

#include "base/log.h"
#include "nfs/server/export.h"
#include "nfs/server/callback.h"
#include "nfs/server/conn.h"
#include "nfs/server/internal.h"
#include "nfs/server/load.h"

struct nfsd_conn *nfsd_conn_new(struct nfs_server *srv, struct stream *s,
				struct reactor *reactor)
{
	struct nfsd_conn *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	list_init(&c->link);
	atomic_init(&c->refs, 1);
	c->srv = srv;
	c->reactor = reactor;
	c->stream = s;
	c->local = *stream_local(s);
	c->peer = *stream_peer(s);
	c->since = reactor_now();
	record_reader_init(&c->reader, NFSD_MAX_MESSAGE);
	waitq_init(&c->room);
	list_init(&c->ready);
	list_init(&c->in_crowd);
	list_init(&c->callbacks);
	return c;
}

struct nfsd_conn *nfsd_conn_ref(struct nfsd_conn *c)
{
	atomic_fetch_add(&c->refs, 1);
	return c;
}

void nfsd_conn_put(struct nfsd_conn *c)
{
	if (atomic_fetch_sub(&c->refs, 1) != 1)
		return;
	nfsd_export_put(c->last_export);
	free(c);
}

void nfsd_conn_abort(struct nfsd_conn *c)
{
	c->broken = true;
	if (c->stream != NULL)
		stream_abort(c->stream);
	waitq_wake_all(&c->room);
}

/* ---------------------------------------------------------------- sessions */

static void unbind(struct nfsd_conn *c, unsigned i)
{
	nfsd_session_put(c->bound[i]);
	memmove(&c->bound[i], &c->bound[i + 1],
		(--c->nbound - i) * sizeof(c->bound[0]));
}

static void bind_session(struct nfsd_conn *c, struct nfsd_session *s)
{
	for (unsigned i = c->nbound; i > 0; i--) /* an end frees memory */
		if (nfsd_session_dead(c->bound[i - 1]))
			unbind(c, i - 1);
	if (c->nbound == NFSD_CONN_BOUND)
		unbind(c, c->nbound - 1);
	memmove(&c->bound[1], &c->bound[0], c->nbound * sizeof(c->bound[0]));
	c->bound[0] = s;
	c->nbound++;
}

struct nfsd_session *nfsd_conn_find_session(struct nfsd_conn *c,
					    const sessionid4 *id)
{
	struct nfsd_session *s = nfsd_session_get(c->srv, id);

	if (s == NULL || s->client->principal.identity == c->who_hash)
		return s;
	nfsd_session_put(s);
	return NULL;
}

struct nfsd_session *nfsd_conn_session(struct nfsd_conn *c,
				       const sessionid4 *id)
{
	struct nfsd_session *s;

	for (unsigned i = 0; i < c->nbound; i++) {
		s = c->bound[i];
		if (!sessionid4_equal(s->id, *id))
			continue;
		memmove(&c->bound[1], &c->bound[0], i * sizeof(c->bound[0]));
		c->bound[0] = s;
		return nfsd_session_ref(s);
	}
	s = nfsd_conn_find_session(c, id);
	if (s == NULL)
		return NULL;
	bind_session(c, s);
	return nfsd_session_ref(s);
}

/* -------------------------------------------------------------------- room */

void nfsd_conn_take(struct nfsd_conn *c, size_t bytes)
{
	c->calls++;
	c->bytes += bytes;
	c->load->calls++;
	c->load->bytes += bytes;
}

/* Connections that wait for others to give something back. */
static void wake_crowd(struct nfsd_load *load)
{
	struct nfsd_conn *c, *tmp;

	list_for_each_safe (c, tmp, &load->crowd, in_crowd) {
		list_del(&c->in_crowd);
		waitq_wake_all(&c->room);
	}
}

/* To be woken when the load is not full any more. */
static bool crowded(struct nfsd_conn *c)
{
	if (!nfsd_load_full(c->load))
		return false;
	if (list_empty(&c->in_crowd))
		list_append(&c->load->crowd, &c->in_crowd);
	return true;
}

void nfsd_conn_give_back(struct nfsd_conn *c, size_t bytes)
{
	bool was_full = nfsd_load_full(c->load);

	c->calls--;
	c->bytes -= bytes;
	c->load->calls--;
	c->load->bytes -= bytes;
	if (was_full && !nfsd_load_full(c->load))
		wake_crowd(c->load);
}

/* When the reader has to look at the peer again. */
static nsec next_look(const struct nfsd_conn *c)
{
	if (c->nbound == 0)
		return NSEC_NEVER;
	return reactor_now() + (c->silence > 0 ? NFSD_LOOK_SILENT : NFSD_LOOK);
}

static void look_at_peer(struct nfsd_conn *c)
{
	nsec silence = stream_silence(c->stream);
	char text[ADDR_TEXT_MAX];

	if (silence >= NFSD_SILENT) {
		c->silence = silence;
	} else if (c->silence > 0) {
		log_info("nfs path %s is back after %.1f s: connection reset, "
			 "so that its requests come again at once",
			 addr_format(&c->peer, text), (double)c->silence / 1e9);
		nfsd_conn_abort(c);
	}
}

/* One call at a time is served whatever others hold. */
static bool has_room(struct nfsd_conn *c)
{
	if (c->broken || c->calls == 0)
		return true;
	return c->calls < NFSD_CONN_CALLS && c->bytes < NFSD_CONN_BYTES &&
	       !crowded(c);
}

static void wait_for_room(struct nfsd_conn *c)
{
	while (!has_room(c))
		if (!waitq_wait(&c->room, next_look(c)))
			look_at_peer(c);
}

/* The same for bulk data of a call that has none yet: those that have some can
 * end, whoever else waits. */
static bool has_bulk_room(struct nfsd_call *call)
{
	struct nfsd_conn *c = call->conn;
	size_t request = call->record.bytes.len;

	if (c->broken || call->charged > request || c->calls == 1)
		return true;
	return c->bytes <= NFSD_CONN_BYTES + request && !crowded(c);
}

/* false: a repeat of the request has come on another connection, as this one
 * does not deliver, and it must not wait for that, too; or the session has
 * ended. */
static bool wait_aside(struct nfsd_call *call)
{
	if (call->session != NULL)
		nfsd_slot_pause(call->session);
	waitq_wait(&call->conn->room, reactor_now() + NFSD_ROOM_LOOK);
	return call->session == NULL ||
	       nfsd_slot_resume(call->session, call->slotid);
}

void nfsd_conn_hold(struct nfsd_call *call, size_t bytes)
{
	struct nfsd_conn *c = call->conn;

	call->charged += bytes;
	c->bytes += bytes;
	c->load->bytes += bytes;
}

bool nfsd_conn_charge(struct nfsd_call *call, size_t bytes)
{
	while (!has_bulk_room(call))
		if (!wait_aside(call))
			return false;
	nfsd_conn_hold(call, bytes);
	return true;
}

/* ----------------------------------------------------------------- writing */

enum { WRITE_PIECES = 128, CALL_PIECES = 2 + 2 * XDR_BULK_MAX };

static int call_pieces(struct nfsd_call *call, struct iovec *iov)
{
	int n = 1;

	iov[0] = (struct iovec){ call->head, call->head_len };
	if (call->replay != NULL)
		iov[n++] =
			(struct iovec){ call->replay->data, call->replay->len };
	else if (call->out.start != NULL)
		n += xdr_iovec(&call->out, iov + n);
	return n;
}

static void call_done(struct nfsd_conn *c, struct nfsd_call *call)
{
	nfsd_conn_give_back(c, call->charged);
	nfsd_call_free(call);
}

/* One gather write of what is ready, as far as it goes. */
static void write_some(struct nfsd_conn *c)
{
	struct iovec iov[WRITE_PIECES];
	struct list sent = LIST_INIT(sent);
	struct nfsd_call *call, *tmp;
	int n = 0;

	while (!list_empty(&c->ready) && n + CALL_PIECES <= WRITE_PIECES) {
		call = list_first(&c->ready, struct nfsd_call, link);
		n += call_pieces(call, iov + n);
		list_del(&call->link);
		list_append(&sent, &call->link);
	}
	if (!c->broken && stream_writev(c->stream, iov, n) < 0)
		nfsd_conn_abort(c);
	list_for_each_safe (call, tmp, &sent, link)
		call_done(c, call);
	waitq_wake_all(&c->room);
}

static void write_ready(void *arg)
{
	struct nfsd_conn *c = arg;

	while (!list_empty(&c->ready))
		write_some(c);
	c->writing = false;
	waitq_wake_all(&c->room);
}

void nfsd_conn_send(struct nfsd_call *call)
{
	struct nfsd_conn *c = call->conn;

	list_append(&c->ready, &call->link);
	if (c->writing)
		return;
	c->writing = true;
	if (task_spawn("nfs-write", write_ready, c) < 0)
		write_ready(c);
}

/* ----------------------------------------------------------------- reading */

/* 0: there are bytes, or the end. */
static int wait_for_bytes(struct nfsd_conn *c, nsec deadline)
{
	int rc;

	do {
		rc = stream_wait_readable(c->stream,
					  MIN(deadline, next_look(c)));
		if (rc != -ETIMEDOUT || reactor_now() >= deadline)
			return rc;
		look_at_peer(c);
	} while (!c->broken);
	return -ECONNABORTED;
}

/* 0, or why the connection ends. */
static int handle_records(struct nfsd_conn *c)
{
	struct record record;
	int rc;

	while ((rc = record_reader_next(&c->reader, &record)) > 0) {
		wait_for_room(c);
		if (c->broken) {
			record_put(&record);
			return -ECONNABORTED;
		}
		if (!nfsd_call_start(c, &record))
			return -EPROTO;
	}
	return rc;
}

/* Bytes into the reader; 0: the peer has ended. */
static ssize_t receive(struct nfsd_conn *c, nsec deadline)
{
	size_t room;
	ssize_t n;
	void *p;
	int rc;

	if (!record_reader_partial(&c->reader))
		record_reader_idle(&c->reader);
	rc = wait_for_bytes(c, deadline);
	if (rc < 0)
		return rc;
	room = record_reader_room(&c->reader, &p);
	if (room == 0)
		return -ENOMEM;
	n = stream_read(c->stream, p, room);
	if (n > 0)
		record_reader_filled(&c->reader, n);
	return n;
}

static bool has_session(const struct nfsd_conn *c)
{
	for (unsigned i = 0; i < c->nbound; i++)
		if (!nfsd_session_dead(c->bound[i]))
			return true;
	return false;
}

/* The start of a record: 0, or why the connection ends. */
static int wait_for_record(struct nfsd_conn *c)
{
	ssize_t n;

	do {
		n = receive(c, reactor_now() + c->srv->options.unused_timeout);
	} while (n == -ETIMEDOUT && (has_session(c) || c->calls > 0));
	return (int)n;
}

static int serve(struct nfsd_conn *c)
{
	nsec deadline = NSEC_NEVER;
	ssize_t n;
	int rc;

	for (;;) {
		n = record_reader_partial(&c->reader) ? receive(c, deadline)
						      : wait_for_record(c);
		if (n <= 0)
			return (int)n;
		rc = handle_records(c);
		if (rc < 0)
			return rc;
		if (!record_reader_partial(&c->reader))
			deadline = NSEC_NEVER;
		else if (deadline == NSEC_NEVER)
			deadline = reactor_now() + NFSD_RECORD_TIMEOUT;
	}
}

void nfsd_conn_run(struct nfsd_conn *c)
{
	char text[ADDR_TEXT_MAX];
	int rc;

	c->load = nfsd_load_self();
	stream_set_timeouts(c->stream, NFSD_RECORD_TIMEOUT, NFSD_WRITE_TIMEOUT);
	stream_set_keepalive(c->stream, NFSD_KEEPALIVE, NFSD_PATIENCE);
	rc = nfsd_greet(c);
	if (rc > 0)
		rc = serve(c);
	if (rc < 0 && rc != -ECONNRESET && rc != -ECONNABORTED)
		log_debug("nfs connection from %s: %s",
			  addr_format(&c->peer, text), strerror(-rc));
	if (rc < 0)
		nfsd_conn_abort(c);
	atomic_store(&c->ended, true);
	nfsd_callback_fail_all(c);
	while (c->calls > 0 || c->writing)
		waitq_wait(&c->room, NSEC_NEVER);
	list_del(&c->in_crowd);
	record_reader_fini(&c->reader);
	if (c->stream != NULL) /* a handshake that failed has closed it */
		stream_close(c->stream);
	c->stream = NULL;
	while (c->nbound > 0)
		unbind(c, c->nbound - 1);
}
