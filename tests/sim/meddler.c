/* SPDX-License-Identifier: Apache-2.0 */
#include "meddler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nfs/xdr/nfs4_cb.h"
#include "nfs/xdr/nfs4_ops.h"
#include "nfs/xdr/record.h"
#include "reactor/stream.h"

/* A client's connection and ours to the server; each direction has a task. */
struct pair {
	struct meddler *m;
	struct stream *client, *server;
	unsigned refs;
	bool writing; /* to the client; both tasks do */
	struct waitq turn;
};

/* What is asked for, as far as it matters here. */
struct request {
	uint32_t xid, minor, n;
	bool sequenced;
	SEQUENCE4args seq;
	uint32_t ops[2]; /* behind SEQUENCE and PUTFH */
};

static void pair_put(struct pair *p)
{
	struct world *w = p->m->w;

	if (--p->refs == 0) {
		stream_close(p->client);
		stream_close(p->server);
		free(p);
	}
	world_task_ended(w);
}

/* One has ended: so does the other. */
static void pair_end(struct pair *p)
{
	stream_abort(p->client);
	stream_abort(p->server);
	pair_put(p);
}

static int send_record(struct stream *s, const void *data, size_t len)
{
	uint8_t header[RECORD_HEADER];
	struct iovec iov[2] = { { header, sizeof(header) },
				{ (void *)data, len } };

	record_header(header, len);
	return stream_writev(s, iov, 2);
}

static int send_to_client(struct pair *p, const void *data, size_t len)
{
	int rc;

	while (p->writing)
		waitq_wait(&p->turn, NSEC_NEVER);
	p->writing = true;
	rc = send_record(p->client, data, len);
	p->writing = false;
	waitq_wake_all(&p->turn);
	return rc;
}

/* ---------------------------------------------------------------- requests */

static bool parse(const struct record *rec, struct request *r)
{
	COMPOUND4args_head head;
	struct rpc_reply reply;
	struct rpc_call call;
	uint32_t op = 0;
	PUTFH4args fh;
	struct xdr x;

	memset(r, 0, sizeof(*r));
	xdr_decode_init(&x, rec->bytes.data, rec->bytes.len, NULL);
	if (!rpc_call_decode(&x, &call, &reply) || call.proc != 1 ||
	    !xdr_COMPOUND4args_head(&x, &head) || !xdr_u32(&x, &op))
		return false;
	r->xid = call.xid;
	r->n = head.n;
	r->sequenced = op == OP_SEQUENCE && xdr_SEQUENCE4args(&x, &r->seq);
	if (r->sequenced && head.n > 1 && xdr_u32(&x, &r->ops[0]) &&
	    r->ops[0] == OP_PUTFH && head.n > 2 && xdr_PUTFH4args(&x, &fh))
		xdr_u32(&x, &r->ops[1]);
	return true;
}

/* Answers: SEQUENCE with `seq`, and if that is NFS4_OK, PUTFH, and `op` with
 * `status`. */
static int answer(struct pair *p, const struct request *r, nfsstat4 seq,
		  nfsstat4 status)
{
	struct rpc_reply reply = { .xid = r->xid };
	nfs_resop4 res[3] = { { .resop = OP_SEQUENCE, .status = seq },
			      { .resop = OP_PUTFH },
			      { .resop = r->ops[1], .status = status } };
	struct nfs4_compound_patch patch;
	uint32_t n = seq == NFS4_OK ? 3 : 1;
	uint8_t buf[512];
	struct xdr x;

	res[0].opsequence = (SEQUENCE4resok){
		r->seq.sa_sessionid,
		r->seq.sa_sequenceid,
		r->seq.sa_slotid,
		127,
		127,
		0,
	};
	xdr_encode_init(&x, buf, sizeof(buf), SIZE_MAX);
	CHECK(xdr_rpc_reply(&x, &reply));
	CHECK(nfs4_compound_begin(&x, xdr_text(""), &patch));
	for (uint32_t i = 0; i < n; i++)
		CHECK(xdr_nfs_resop4(&x, &res[i]));
	nfs4_compound_end(&patch, res[n - 1].status, n);
	return send_to_client(p, buf, xdr_length(&x));
}

static bool either(void)
{
	return rng_chance(sim_rng(), 0.5);
}

static bool decide(struct meddler *m, enum meddling what)
{
	if (!rng_chance(sim_rng(), m->chance[what]))
		return false;
	m->done[what]++;
	return true;
}

static int find_late(const struct meddler *m, uint32_t xid)
{
	for (int i = 0; i < MEDDLER_LATE; i++)
		if (m->late[i].xid == xid)
			return i;
	return -1;
}

/* 1: answered or lost; 0: to be passed on; or -errno. */
static int meddle(struct pair *p, const struct request *r)
{
	struct meddler *m = p->m;
	int rc, late;

	if (!r->sequenced)
		return 0;
	late = find_late(m, r->xid);
	if (late >= 0 && m->late[late].lost) {
		m->late[late].xid = 0;
		rc = answer(p, r, NFS4ERR_DELAY, 0);
		return rc < 0 ? rc : 1;
	}
	late = find_late(m, 0);
	if (late >= 0 && decide(m, MEDDLE_LATE)) {
		m->late[late].xid = r->xid;
		m->late[late].lost = false;
		return 0;
	}
	if (decide(m, MEDDLE_LOSE))
		return 1;
	if (decide(m, MEDDLE_DELAY))
		rc = answer(p, r, NFS4ERR_DELAY, 0);
	else if (decide(m, MEDDLE_SESSION))
		rc = answer(p, r,
			    either() ? NFS4ERR_BADSESSION : NFS4ERR_DEADSESSION,
			    0);
	else if (!r->seq.sa_cachethis && decide(m, MEDDLE_UNCACHED))
		rc = answer(p, r, NFS4ERR_RETRY_UNCACHED_REP, 0);
	else if (r->ops[1] != 0 && decide(m, MEDDLE_DELAY_OP))
		rc = answer(p, r, NFS4_OK,
			    either() ? NFS4ERR_DELAY : NFS4ERR_GRACE);
	else if (r->ops[1] == OP_READ && decide(m, MEDDLE_STATEID))
		rc = answer(p, r, NFS4_OK,
			    either() ? NFS4ERR_BAD_STATEID : NFS4ERR_EXPIRED);
	else
		return 0;
	return rc < 0 ? rc : 1;
}

/* A reply of the client to our own call: its status. */
static int take_reply(struct pair *p, const struct record *rec)
{
	COMPOUND4res_head head;
	struct rpc_reply reply;
	struct xdr x;

	xdr_decode_init(&x, rec->bytes.data, rec->bytes.len, NULL);
	CHECK(xdr_rpc_reply(&x, &reply) && reply.status == RPC_SUCCESS);
	CHECK(xdr_COMPOUND4res_head(&x, &head));
	if (p->m->reply != NULL)
		completion_done(p->m->reply, (int)head.status);
	p->m->reply = NULL;
	return 0;
}

static int pass_on(struct pair *p, const struct record *rec)
{
	struct request r;
	uint32_t xid, type;
	int rc;

	CHECK(rpc_peek(rec->bytes.data, rec->bytes.len, &xid, &type));
	if (type == RPC_MSG_REPLY)
		return take_reply(p, rec);
	rc = parse(rec, &r) ? meddle(p, &r) : 0;
	if (r.sequenced)
		p->m->session = r.seq.sa_sessionid;

	if (rc != 0)
		return rc;
	rc = send_record(p->server, rec->bytes.data, rec->bytes.len);
	if (rc == 0 && r.sequenced && decide(p->m, MEDDLE_TWICE))
		rc = send_record(p->server, rec->bytes.data, rec->bytes.len);
	return rc;
}

static int pass_all(struct pair *p, struct record_reader *in)
{
	struct record rec;
	int rc;

	while ((rc = record_reader_next(in, &rec)) > 0) {
		rc = pass_on(p, &rec);
		record_put(&rec);
		if (rc < 0)
			return rc;
	}
	return rc;
}

static void client_to_server(void *arg)
{
	struct record_reader in;
	struct pair *p = arg;
	ssize_t n;
	void *at;

	record_reader_init(&in, MIB(2));
	for (;;) {
		size_t room = record_reader_room(&in, &at);

		n = stream_read(p->client, at, room);
		if (n <= 0)
			break;
		record_reader_filled(&in, n);
		if (pass_all(p, &in) < 0)
			break;
	}
	record_reader_fini(&in);
	pair_end(p);
}

static bool lose_reply(struct meddler *m, const struct record *rec)
{
	uint32_t xid, type;
	int late;

	if (!rpc_peek(rec->bytes.data, rec->bytes.len, &xid, &type))
		return false;
	late = find_late(m, xid);
	if (late < 0 || m->late[late].lost)
		return false;
	m->late[late].lost = true;
	return true;
}

/* Byte by byte would do: replies are not looked at.  A record that we answer
 * ourselves has to go between two of them, so whole records it is. */
static void server_to_client(void *arg)
{
	struct record_reader in;
	struct pair *p = arg;
	struct record rec;
	ssize_t n;
	int rc = 0;
	void *at;

	record_reader_init(&in, MIB(2));
	while (rc >= 0) {
		size_t room = record_reader_room(&in, &at);

		n = stream_read(p->server, at, room);
		if (n <= 0)
			break;
		record_reader_filled(&in, n);
		while ((rc = record_reader_next(&in, &rec)) > 0) {
			if (!lose_reply(p->m, &rec))
				rc = send_to_client(p, rec.bytes.data,
						    rec.bytes.len);
			record_put(&rec);
			if (rc < 0)
				break;
		}
	}
	record_reader_fini(&in);
	pair_end(p);
}

/* ------------------------------------------------------------- connections */

static void meet(struct meddler *m, struct stream *client)
{
	struct pair *p = calloc(1, sizeof(*p));

	CHECK(p != NULL);
	p->m = m;
	p->client = client;
	waitq_init(&p->turn);
	if (stream_connect(&m->w->addr[0], NULL, &p->server) < 0) {
		stream_abort(client);
		stream_close(client);
		free(p);
		return;
	}
	p->refs = 2;
	m->newest = p;
	world_spawn(m->w, client_to_server, p);
	world_spawn(m->w, server_to_client, p);
}

static void accept_all(void *arg)
{
	struct meddler *m = arg;
	struct stream *s;

	while (stream_accept(m->listener, &s) == 0)
		meet(m, s);
	listener_close(m->listener);
	world_task_ended(m->w);
}

void meddler_start(struct meddler *m, struct world *w)
{
	m->w = w;
	CHECK_OK(addr_parse(&m->at, "127.101.50.1", 2049));
	CHECK_OK(stream_listen(&m->at, &m->listener));
	world_spawn(w, accept_all, m);
}

void meddler_stop(struct meddler *m)
{
	listener_cancel(m->listener);
}

/* --------------------------------------------------------------- callbacks */

enum { CALLBACK_PROGRAM = 0x40000000 }; /* the client's choice */

static size_t write_callback(struct meddler *m, uint32_t sequence, uint8_t *buf,
			     size_t size)
{
	struct rpc_call call = { .xid = 0x77777777,
				 .prog = CALLBACK_PROGRAM,
				 .vers = NFS_CB_VERSION,
				 .proc = CB_COMPOUND };
	CB_COMPOUND4args_head head = { .minorversion = 2, .n = 2 };
	nfs_cb_argop4 seq = {
		.argop = OP_CB_SEQUENCE,
		.opcbsequence = { .csa_sessionid = m->session,
				  .csa_sequenceid = sequence },
	};
	nfs_cb_argop4 notify = { .argop = OP_CB_NOTIFY_LOCK };
	struct xdr x;

	xdr_encode_init(&x, buf, size, SIZE_MAX);
	CHECK(xdr_rpc_call(&x, &call) && xdr_CB_COMPOUND4args_head(&x, &head) &&
	      xdr_nfs_cb_argop4(&x, &seq) && xdr_nfs_cb_argop4(&x, &notify));
	return xdr_length(&x);
}

nfsstat4 meddler_notify_lock(struct meddler *m, uint32_t sequence)
{
	struct completion reply;
	uint8_t buf[512];
	size_t len = write_callback(m, sequence, buf, sizeof(buf));

	completion_init(&reply);
	m->reply = &reply;
	CHECK_OK(send_to_client(m->newest, buf, len));
	return (nfsstat4)completion_wait(&reply);
}
