/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call: one compound from the first byte of the request to the verdict on
 * its reply.
 *
 *	call_start()	slot_get(); writes RPC header and SEQUENCE
 *	  (the caller)	writes the operations
 *	call_run()	path_group_submit(): a path, or the group keeps it until
 *			there is one; parks.  When the path is lost, the group
 *			sends the same bytes on another: same xid, same slot,
 *			same sequence id
 *	call_reply()	(the reader) takes the record, gives the slot back
 *	judge()		done; or once more from call_start()
 *
 * NFS4ERR_DELAY of SEQUENCE itself is different: when the request is a repeat
 *it means that the first one is still being worked on.  So the slot is kept,
 *and the same bytes go again, until there is a reply.
 *
 * Once more, because the request did not take effect and may now: the server
 * asked for patience (DELAY, GRACE), the session is gone, the reply to a repeat
 * was not kept, or a stateid was mended.  In the second and third case it may
 * have run before; what is not idempotent asks call_met_itself().  A
 * compound is not run again from the start when an operation with an effect in
 * it succeeded and a later one failed: `effect` says which one that is.
 */
#include "nfs/client/internal.h"

#include <errno.h>

enum { DELAY_FIRST = 1000 * 1000 * 5, DELAY_MAX = 1000 * 1000 * 500 };

void call_init(struct call *k, struct nfs_client *c,
	       const struct nfs_cred *cred, unsigned flags)
{
	memset(k, 0, offsetof(struct call, own_buffer));
	k->client = c;
	k->cred = cred;
	k->flags = flags;
	k->slot = -1;
	k->again = true;
	k->begun = reactor_now();
	k->buffer = k->own_buffer;
	k->size = sizeof(k->own_buffer);
	list_init(&k->message.link);
	list_init(&k->direct_link);
	list_init(&k->request.link);
}

static void fail(struct call *k, int error, nfsstat4 status)
{
	if (k->error == 0) {
		k->error = error;
		k->status = status;
	}
}

void call_fail_status(struct call *k, nfsstat4 status)
{
	fail(k, nfs_errno(status), status);
}

/* ------------------------------------------------------------- the request */

static bool write_header(struct call *k, struct xdr *x)
{
	struct nfs_client *c = k->client;
	struct rpc_call rpc = {
		.xid = k->xid,
		.prog = NFS4_PROGRAM,
		.vers = NFS_V4,
		.proc = NFSPROC4_COMPOUND,
		.cred = { .flavor = AUTH_SYS },
		.sys = { .machinename = xdr_text(c->hostname),
			 .uid = k->cred->uid,
			 .gid = k->cred->gid,
			 .ngids = MIN(k->cred->ngids,
				      (uint32_t)RPC_MAX_GROUPS) },
	};
	COMPOUND4args_head head = { .minorversion = c->minorversion };

	for (uint32_t i = 0; i < rpc.sys.ngids; i++)
		rpc.sys.gids[i] = k->cred->gids[i];
	if (!xdr_inline(x, RECORD_HEADER) || !xdr_rpc_call(x, &rpc) ||
	    !xdr_COMPOUND4args_head(x, &head))
		return false;
	k->count = x->p - 4;
	return true;
}

static bool write_sequence(struct call *k, struct xdr *x)
{
	struct session *s = &k->client->session;
	SEQUENCE4args args = {
		.sa_sessionid = s->id,
		.sa_sequenceid = k->sequence,
		.sa_slotid = k->slot,
		.sa_highest_slotid = slot_highest(s),
		.sa_cachethis = k->flags & CALL_CACHED,
	};

	call_op(k, OP_SEQUENCE);
	return xdr_SEQUENCE4args(x, &args);
}

static uint32_t new_xid(struct nfs_client *c)
{
	if (c->next_xid == 0) /* a probe's "none" */
		c->next_xid++;
	return c->next_xid++;
}

bool call_start(struct call *k)
{
	struct nfs_client *c = k->client;
	struct xdr *x = &k->message.xdr;
	int rc = 0;

	if (!k->again || k->error != 0)
		return false;
	k->again = false;
	record_put(&k->reply);
	if (c->dead)
		rc = -ESHUTDOWN;
	else if (!(k->flags & CALL_SESSIONLESS))
		rc = slot_get(k);
	if (rc < 0) {
		fail(k, rc, NFS4_OK);
		return false;
	}
	k->nops = 0;
	k->effect = UINT32_MAX;
	k->xid = new_xid(c);
	xdr_encode_init(x, k->buffer, k->size, SIZE_MAX);
	if (!write_header(k, x) || (k->slot >= 0 && !write_sequence(k, x)))
		fail(k, -ENOBUFS, NFS4_OK);
	return true;
}

struct xdr *call_op(struct call *k, nfs_opnum4 op)
{
	uint32_t number = op;

	xdr_u32(&k->message.xdr, &number);
	k->nops++;
	return &k->message.xdr;
}

struct xdr *call_op_effect(struct call *k, nfs_opnum4 op)
{
	if (k->effect == UINT32_MAX)
		k->effect = k->nops;
	return call_op(k, op);
}

void call_op_done(struct call *k, bool ok)
{
	if (!ok)
		fail(k, -ENAMETOOLONG, NFS4_OK);
}

/* ------------------------------------------------------------ the exchange */

static void submit(struct call *k)
{
	struct nfs_client *c = k->client;
	struct path *path;

	k->request.bytes = xdr_length(&k->message.xdr);
	htable_insert(&c->calls, &k->by_xid, hash_u64(k->xid));
	c->counters.calls++;
	if (k->wire != NULL) {
		list_append(&k->wire->direct, &k->direct_link);
		wire_send(k->wire, &k->message);
		return;
	}
	path = path_group_submit(c->group, &k->request, reactor_now());
	if (path != NULL) {
		struct conn *conn = path_owner(path);

		wire_send(conn->wire, &k->message);
	}
	paths_drain(c);
}

static void finish(struct call *k, int outcome)
{
	struct nfs_client *c = k->client;

	htable_remove(&c->calls, &k->by_xid);
	list_del(&k->direct_link);
	list_del(&k->message.link);
	k->outcome = outcome;
	k->finished = true;
	if (k->request.tries > 1)
		c->counters.longest_stall = MAX(c->counters.longest_stall,
						reactor_now() - k->begun);
	/* The path group may refuse it at once; a wake-up of ourselves would
	 * end our next wait. */
	if (k->task != task_self())
		task_wake(k->task);
}

void call_fail(struct call *k, int error)
{
	if (k->slot >= 0) {
		if (k->request.tries > 0 || k->in_progress)
			slot_retire(k);
		else
			slot_put(k, false);
	}
	finish(k, error);
}

/* What SEQUENCE's result means for the session. */
static void note_sequence(struct call *k, const SEQUENCE4resok *r)
{
	struct session *s = &k->client->session;

	if (k->generation != s->generation)
		return;
	s->renewed = reactor_now();
	s->target = MAX(r->sr_target_highest_slotid + 1, 1u);
	if (r->sr_status_flags & SEQ4_STATUS_RESTART_RECLAIM_NEEDED)
		session_needs_reclaim(k->client);
}

/* Reads the reply up to and with SEQUENCE's result: 0 or -errno. */
static int read_head(struct call *k)
{
	struct xdr *x = &k->results;
	COMPOUND4res_head head;
	struct rpc_reply rpc;
	SEQUENCE4resok seq;
	uint32_t op = 0;

	xdr_decode_init(x, k->reply.bytes.data, k->reply.bytes.len, NULL);
	if (!xdr_rpc_reply(x, &rpc))
		return -EPROTO;
	if (rpc.status != RPC_SUCCESS) {
		log_warn("nfs: refused: %s", rpc_status_name(rpc.status));
		return rpc.status == RPC_AUTH_ERROR ? -EACCES : -EPROTO;
	}
	if (!xdr_COMPOUND4res_head(x, &head))
		return -EPROTO;
	k->compound_status = head.status;
	k->nresults = head.n;
	k->sequence_status = NFS4_OK;
	if (k->flags & CALL_SESSIONLESS || head.n == 0)
		return 0;
	if (!xdr_u32(x, &op) || op != OP_SEQUENCE ||
	    !xdr_enum(x, &k->sequence_status, 0, UINT32_MAX))
		return -EPROTO;
	if (k->sequence_status == NFS4_OK) {
		if (!xdr_SEQUENCE4resok(x, &seq))
			return -EPROTO;
		note_sequence(k, &seq);
	}
	return 0;
}

/* Also when it was a repeat of what ran, and the reply was not kept. */
static bool sequence_used(const struct call *k)
{
	return k->nresults > 0 &&
	       (k->sequence_status == NFS4_OK ||
		k->sequence_status == NFS4ERR_RETRY_UNCACHED_REP);
}

void call_reply(struct call *k, struct record *record)
{
	struct nfs_client *c = k->client;
	int rc;

	k->reply = *record;
	record->block = NULL;
	if (k->wire == NULL)
		path_request_done(c->group, &k->request, PATH_DONE,
				  k->request.bytes + k->reply.bytes.len,
				  reactor_now());
	rc = read_head(k);
	k->in_progress = rc == 0 && k->slot >= 0 && k->nresults > 0 &&
			 k->sequence_status == NFS4ERR_DELAY;
	if (k->slot >= 0 && !k->in_progress) {
		if (rc == -EPROTO)
			slot_retire(k);
		else
			slot_put(k, rc == 0 && sequence_used(k));
	}
	finish(k, rc);
}

/* ------------------------------------------------------------- the verdict */

static void once_more(struct call *k)
{
	k->again = true;
}

static void pause_a_little(struct call *k)
{
	nsec pause = (nsec)DELAY_FIRST << MIN(k->delays, 10u);

	record_put(&k->reply);
	k->delays++;
	k->client->counters.delays++;
	task_sleep(MIN(pause, (nsec)DELAY_MAX));
}

static void after_a_pause(struct call *k)
{
	pause_a_little(k);
	once_more(k);
}

static void after_mending(struct call *k)
{
	int rc = -EIO;

	if (k->open != NULL && k->recoveries++ < 8)
		rc = open_mend(k->open, k->compound_status);
	if (rc == 0)
		once_more(k);
	else if (k->open != NULL)
		fail(k, rc, k->compound_status);
}

static void after_a_new_session(struct call *k, nfsstat4 why)
{
	session_broken(k->client, k->generation, why);
	/* The way to a session is begun again from its start. */
	if (k->flags & CALL_RECOVERY)
		fail(k, -EAGAIN, why);
	else
		once_more(k);
}

/* SEQUENCE itself failed: nothing was run by the request that was answered.
 * `sent_before`: but maybe by one that was not. */
static void judge_sequence(struct call *k, bool sent_before)
{
	switch (k->sequence_status) {
	case NFS4ERR_RETRY_UNCACHED_REP:
		k->may_have_run = true;
		once_more(k);
		return;
	case NFS4ERR_BADSESSION:
	case NFS4ERR_DEADSESSION:
	case NFS4ERR_BADSLOT:
	case NFS4ERR_BAD_HIGH_SLOT:
	case NFS4ERR_SEQ_MISORDERED:
	case NFS4ERR_SEQ_FALSE_RETRY:
	case NFS4ERR_CONN_NOT_BOUND_TO_SESSION:
	case NFS4ERR_STALE_CLIENTID:
		k->may_have_run |= sent_before;
		after_a_new_session(k, k->sequence_status);
		return;
	default: /* too large, too many operations: ours to get right */
		call_fail_status(k, k->sequence_status);
		return;
	}
}

bool call_had_effect(const struct call *k)
{
	return k->effect != UINT32_MAX && k->nresults > k->effect + 1;
}

bool call_met_itself(const struct call *k, int error)
{
	return k->may_have_run && k->error == error;
}

static void judge_compound(struct call *k)
{
	switch (k->compound_status) {
	case NFS4ERR_DELAY:
	case NFS4ERR_GRACE:
		if (!call_had_effect(k))
			after_a_pause(k);
		return;
	case NFS4ERR_RETRY_UNCACHED_REP:
		once_more(k);
		return;
	case NFS4ERR_STALE_CLIENTID:
		if (!(k->flags & CALL_SESSIONLESS))
			after_a_new_session(k, k->compound_status);
		return;
	case NFS4ERR_EXPIRED:
	case NFS4ERR_BAD_STATEID:
	case NFS4ERR_STALE_STATEID:
	case NFS4ERR_OLD_STATEID:
	case NFS4ERR_ADMIN_REVOKED:
		after_mending(k);
		return;
	default: /* the caller's, result by result */
		return;
	}
}

static void exchange(struct call *k)
{
	k->finished = false;
	submit(k);
	while (!k->finished)
		task_park(NSEC_NEVER);
}

void call_run(struct call *k)
{
	bool sent_before;

	call_op_done(k, k->message.xdr.error == XDR_OK);
	if (k->error != 0) {
		if (k->slot >= 0)
			slot_put(k, false);
		return;
	}
	if (k->wire != NULL && k->wire->dead) {
		fail(k, -ECONNABORTED, NFS4_OK);
		return;
	}
	store_be32(k->count, k->nops);
	k->task = task_self();
	exchange(k);
	sent_before = k->request.tries > 1;
	while (k->finished && k->in_progress) {
		sent_before = true;
		pause_a_little(k);
		exchange(k);
	}
	if (k->outcome < 0)
		fail(k, k->outcome, NFS4_OK);
	else if (k->sequence_status != NFS4_OK)
		judge_sequence(k, sent_before);
	else
		judge_compound(k);
}

/* ------------------------------------------------------------- the results */

bool call_result(struct call *k, nfs_opnum4 op)
{
	uint32_t number = 0;
	nfsstat4 status = NFS4_OK;

	if (k->error != 0)
		return false;
	if (!xdr_u32(&k->results, &number) ||
	    !xdr_enum(&k->results, &status, 0, UINT32_MAX) ||
	    (number != op && number != OP_ILLEGAL)) {
		fail(k, -EIO, NFS4_OK);
		return false;
	}
	if (status != NFS4_OK)
		call_fail_status(k, status);
	return status == NFS4_OK;
}

void call_result_done(struct call *k, bool ok)
{
	if (!ok)
		fail(k, -EIO, NFS4_OK);
}

int call_end(struct call *k)
{
	record_put(&k->reply);
	if (k->buffer != k->own_buffer)
		free(k->buffer);
	return k->error;
}
