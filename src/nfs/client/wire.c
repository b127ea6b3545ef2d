/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One TCP connection: how it comes up, carries records both ways, and ends.
 *
 *	connector	connect; EXCHANGE_ID: is it the server we know?;
 *			BIND_CONN_TO_SESSION; then tells the path group
 *	reader		cuts what comes into records: replies wake the calls
 *			that wait, calls of the server go to callback.c
 *	writer		sends what is queued, all of it in one writev
 *
 * Requests queued by all tasks that ran in one turn of the loop leave together,
 * because the writer is put behind them in the ready list.  In the same way the
 * reader yields after each read: the tasks it woke decode their replies and let
 * go of the buffer before it is filled again.
 *
 * Whoever finds the wire broken calls wire_fail(); from then on it is `dead`
 * and its tasks fall off one by one.
 */
#include "nfs/client/internal.h"

#include <errno.h>

enum { IOV_ROOM = 128, IOV_OF_MESSAGE = 2 * XDR_BULK_MAX + 1 };

static struct wire *wire_get(struct wire *w)
{
	w->refs++;
	return w;
}

static void free_queue(struct list *queue)
{
	struct outgoing *m, *next;

	list_for_each_safe (m, next, queue, link) {
		list_del(&m->link);
		if (m->owned)
			free(m);
	}
}

static void wire_put(struct wire *w)
{
	if (--w->refs > 0)
		return;
	assert(w->dead && list_empty(&w->direct));
	free_queue(&w->queue);
	record_reader_fini(&w->in);
	if (w->stream != NULL)
		stream_close(w->stream);
	free(w);
}

/* A task of the wire ends: the last thing it does. */
static void task_ends(struct wire *w)
{
	struct nfs_client *c = w->client;

	wire_put(w);
	client_task_ended(c);
}

static int spawn(struct wire *w, const char *name, task_fn *fn)
{
	int rc = client_spawn(w->client, name, fn, wire_get(w));

	if (rc < 0)
		wire_put(w);
	return rc;
}

/* ------------------------------------------------------------------ ending */

void wire_kill(struct wire *w)
{
	struct call *k, *next;

	if (w->dead)
		return;
	w->dead = true;
	w->conn->wire = NULL;
	w->conn = NULL;
	if (w->stream != NULL)
		stream_abort(w->stream);
	/* Calls belong to their tasks: none of them may stay in here. */
	free_queue(&w->queue);
	list_for_each_safe (k, next, &w->direct, direct_link)
		call_fail(k, -ECONNABORTED);
	if (w->idle)
		task_wake(w->writer);
	waitq_wake_all(&w->client->usable); /* see shake_hands() */
	wire_put(w);
}

/* path/ says that a path is lost, and when it is back; why, only we know. */
static void report(struct conn *conn, const struct wire *w, int error)
{
	if (w->up)
		log_info("nfs: %s: %s", conn->label, strerror(-error));
	else if (!conn->reported)
		log_warn("nfs: %s: no connection: %s%s%s", conn->label,
			 strerror(-error), w->why[0] ? ": " : "", w->why);
	conn->reported = true;
}

void wire_fail(struct wire *w, int error)
{
	struct conn *conn = w->conn;
	struct nfs_client *c = w->client;

	if (w->dead)
		return;
	report(conn, w, error);
	if (w->up)
		discover_soon(c);
	if (!c->identity.known) {
		c->establish_error = error;
		snprintf(c->establish_why, sizeof(c->establish_why), "%s",
			 w->why);
	}
	wire_kill(w);
	path_failed(conn->path, reactor_now());
	paths_drain(c);
}

/* ----------------------------------------------------------------- writing */

struct outgoing *outgoing_create(size_t size)
{
	struct outgoing *m = malloc(sizeof(*m) + RECORD_HEADER + size);

	if (m == NULL)
		return NULL;
	list_init(&m->link);
	m->owned = true;
	xdr_encode_init(&m->xdr, m + 1, RECORD_HEADER + size, SIZE_MAX);
	xdr_inline(&m->xdr, RECORD_HEADER);
	return m;
}

void wire_send(struct wire *w, struct outgoing *m)
{
	record_header(m->xdr.start, xdr_length(&m->xdr) - RECORD_HEADER);
	list_del(&m->link); /* from the queue of a wire that is lost */
	list_append(&w->queue, &m->link);
	if (w->idle) {
		w->idle = false;
		task_wake(w->writer);
	}
}

/* Takes what fits into one writev out of the queue; what was allocated for it
 * goes to `written`. */
static int gather(struct wire *w, struct iovec *iov, struct list *written)
{
	int n = 0;

	while (!list_empty(&w->queue) && n + IOV_OF_MESSAGE <= IOV_ROOM) {
		struct outgoing *m =
			list_first(&w->queue, struct outgoing, link);

		n += xdr_iovec(&m->xdr, iov + n);
		w->conn->sent += xdr_length(&m->xdr);
		list_del(&m->link);
		if (m->owned)
			list_append(written, &m->link);
	}
	return n;
}

static void writer(void *arg)
{
	struct iovec iov[IOV_ROOM];
	struct list written;
	struct wire *w = arg;
	int n, rc;

	list_init(&written);
	w->writer = task_self();
	while (!w->dead) {
		if (list_empty(&w->queue)) {
			w->idle = true;
			task_park(NSEC_NEVER);
			w->idle = false;
			continue;
		}
		n = gather(w, iov, &written);
		rc = stream_writev(w->stream, iov, n);
		free_queue(&written);
		if (rc < 0)
			wire_fail(w, rc);
	}
	task_ends(w);
}

/* ----------------------------------------------------------------- reading */

static void probe_answered(struct wire *w)
{
	w->probe_xid = 0;
	path_probe_answered(w->conn->path, reactor_now());
}

static void handle_reply(struct wire *w, struct record *record, uint32_t xid)
{
	struct nfs_client *c = w->client;
	struct call *k;

	if (xid == w->probe_xid && xid != 0) {
		probe_answered(w);
		return;
	}
	htable_for_each_match (k, &c->calls, hash_u64(xid), by_xid)
		if (k->xid == xid) {
			/* Sent here, now or in an earlier life? */
			if (k->wire == w || (k->wire == NULL &&
					     k->request.path == w->conn->path))
				call_reply(k, record);
			return;
		}
}

static void handle_record(struct wire *w, struct record *record)
{
	uint32_t xid, type;

	if (!rpc_peek(record->bytes.data, record->bytes.len, &xid, &type))
		wire_fail(w, -EPROTO);
	else if (type == RPC_MSG_CALL)
		callback_serve(w, record);
	else
		handle_reply(w, record, xid);
	if (record->block != NULL)
		record_put(record);
}

/* All records that are complete: 0, or why the wire can't go on. */
static int handle_records(struct wire *w)
{
	struct record record;
	int rc = 0;

	while (!w->dead && (rc = record_reader_next(&w->in, &record)) > 0)
		handle_record(w, &record);
	return rc < 0 ? rc : 0;
}

static int read_some(struct wire *w)
{
	void *p;
	size_t room = record_reader_room(&w->in, &p);
	ssize_t n;

	if (room == 0)
		return -ENOMEM;
	n = stream_read(w->stream, p, room);
	if (n <= 0)
		return n < 0 ? (int)n : -ECONNRESET;
	record_reader_filled(&w->in, n);
	if (w->dead)
		return 0;
	w->conn->received += n;
	path_heard(w->conn->path, reactor_now());
	return handle_records(w);
}

static void reader(void *arg)
{
	struct wire *w = arg;
	int rc;

	while (!w->dead) {
		rc = read_some(w);
		if (rc < 0)
			wire_fail(w, rc);
		else
			paths_drain(w->client);
		if (!w->dead)
			task_yield();
	}
	task_ends(w);
}

/* ----------------------------------------------------------------- probing */

int wire_probe(struct wire *w)
{
	struct outgoing *m;
	struct rpc_call call = {
		.xid = w->client->next_xid++,
		.prog = NFS4_PROGRAM,
		.vers = NFS_V4,
		.proc = NFSPROC4_NULL,
	};

	if (call.xid == 0)
		call.xid = w->client->next_xid++;
	m = outgoing_create(RPC_HEADER_MAX);
	if (m == NULL)
		return -ENOMEM;
	xdr_rpc_call(&m->xdr, &call);
	w->probe_xid = call.xid;
	w->conn->probes++;
	wire_send(w, m);
	return 0;
}

/* --------------------------------------------------------------- coming up */

int wire_bind(struct wire *w)
{
	struct nfs_client *c = w->client;
	BIND_CONN_TO_SESSION4args args = {
		.bctsa_sessid = c->session.id,
		.bctsa_dir = CDFC4_FORE_OR_BOTH,
	};
	BIND_CONN_TO_SESSION4resok res;
	struct nfs_cred cred = {};
	struct call k;
	struct xdr *x;

	call_init(&k, c, &cred, CALL_SESSIONLESS | CALL_RECOVERY);
	k.wire = wire_get(w);
	while (call_start(&k)) {
		x = call_op(&k, OP_BIND_CONN_TO_SESSION);
		call_op_done(&k, xdr_BIND_CONN_TO_SESSION4args(x, &args));
		call_run(&k);
	}
	if (call_result(&k, OP_BIND_CONN_TO_SESSION))
		call_result_done(&k, xdr_BIND_CONN_TO_SESSION4resok(&k.results,
								    &res));
	wire_put(w);
	return call_end(&k);
}

/* Which server is meant, the first address says that can be reached, in the
 * order in which they were given; each has one attempt to be it. */
static bool comes_first(const struct wire *w)
{
	struct conn *conn;

	list_for_each (conn, &w->client->conns, link) {
		if (conn->wire == w)
			return true;
		if (conn->connects == 0 ||
		    (conn->wire != NULL && conn->connects == 1))
			return false;
	}
	return true;
}

/*
 * Is it the server that we know, and the same life of it?  The first connection
 * while there is no session is not asked: the session is made over it, and that
 * begins with the same question.  Others wait until that is done, because each
 * EXCHANGE_ID takes back the client id that the one before it gave, as long as
 * no session was made with it (RFC 8881 section 18.35.4).
 *
 * A server that was restarted is as good a path as any, and so is one that does
 * not know the session any more: it is made again over it.
 */
static int shake_hands(struct wire *w)
{
	struct nfs_client *c = w->client;
	EXCHANGE_ID4resok id;
	uint64_t generation;
	int rc;

	while (!c->session.usable) {
		if (!paths_any_up(c, w) &&
		    (c->identity.known || comes_first(w)))
			return 0;
		waitq_wait(&c->usable, NSEC_NEVER);
		if (w->dead)
			return -ECONNABORTED;
	}
	generation = c->session.generation;
	rc = exchange_id(c, w, &id);
	if (rc == -ESTALE) {
		session_broken(c, generation, NFS4ERR_STALE_CLIENTID);
		return 0;
	}
	if (rc < 0 || c->session.generation != generation)
		return rc;
	rc = wire_bind(w);
	if (rc < 0 && !w->dead) {
		session_broken(c, generation, NFS4ERR_BADSESSION);
		rc = 0;
	}
	return rc;
}

/* Meanwhile wire_kill() may abort the stream below. */
static int secure(struct wire *w, nsec deadline)
{
	const struct nfs_options *o = &w->client->options;
	struct stream *stream;
	struct addr to = w->conn->address;
	int rc;

	rc = o->secure(o->secure_arg, &to, w->stream, deadline, &stream, w->why,
		       sizeof(w->why));
	w->stream = rc == 0 ? stream : NULL;
	return rc;
}

static int connect_and_start(struct wire *w)
{
	nsec timeout = w->client->options.path.connect_timeout;
	struct stream_connect_options options = {
		.timeout = timeout > 0 ? timeout : SEC(3),
	};
	struct addr to = w->conn->address;
	int rc = stream_connect(&to, &options, &w->stream);

	if (rc == 0 && !w->dead && w->client->options.secure != NULL)
		rc = secure(w, nsec_after(reactor_now(), options.timeout));
	if (rc < 0)
		return rc;
	if (w->dead)
		return -ECONNABORTED;
	rc = spawn(w, "nfs-reader", reader);
	if (rc == 0)
		rc = spawn(w, "nfs-writer", writer);
	return rc;
}

static void connector(void *arg)
{
	struct wire *w = arg;
	int rc = connect_and_start(w);

	if (rc == 0)
		rc = shake_hands(w);
	if (rc < 0) {
		wire_fail(w, rc);
	} else if (!w->dead) {
		w->up = true;
		w->conn->reported = false;
		path_connected(w->conn->path, reactor_now());
		paths_drain(w->client);
	}
	task_ends(w);
}

int wire_start(struct conn *conn)
{
	struct wire *w = calloc(1, sizeof(*w));
	int rc;

	if (w == NULL)
		return -ENOMEM;
	w->conn = conn;
	w->client = conn->client;
	w->refs = 1;
	list_init(&w->queue);
	list_init(&w->direct);
	record_reader_init(&w->in, MAX(conn->client->options.rsize, KIB(64)) +
					   REPLY_OVERHEAD);
	conn->wire = w;
	conn->connects++;
	rc = spawn(w, "nfs-connect", connector);
	if (rc < 0)
		wire_kill(w);
	return rc;
}
