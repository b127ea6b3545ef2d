/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An RPC call: its header, who calls, and how it is answered if it never gets
 * as far as a compound.
 *
 * What is no NFSv4 compound is answered at once, on the reader's stack: NULL,
 * unknown programs (PROG_UNAVAIL; a client that asks must not have to wait for
 * a timeout), bad versions, bad credentials.  What is no call at all ends the
 * connection.
 */
#include "nfs/server/callback.h"
#include "nfs/server/internal.h"
#include "nfs/xdr/explain.h"

enum { CALL_SIZE = 128 << 10 };

static struct nfsd_call *call_new(struct nfsd_conn *c, struct record *record)
{
	struct nfsd_call *call;
	size_t size;

	call = pool_get(CALL_SIZE, &size);
	if (call == NULL)
		return NULL;
	memset(call, 0, offsetof(struct nfsd_call, scratch));
	list_init(&call->link);
	call->conn = c;
	call->record = *record;
	arena_init(&call->arena, call->scratch, sizeof(call->scratch),
		   NFSD_CALL_ARENA);
	xdr_decode_init(&call->in, record->bytes.data, record->bytes.len,
			&call->arena);
	call->charged = record->bytes.len;
	nfsd_conn_take(c, call->charged);
	return call;
}

void nfsd_call_free(struct nfsd_call *call)
{
	for (unsigned i = 0; i < call->nbulk; i++)
		pool_put(call->bulk[i].data, call->bulk[i].size);
	nfsd_reply_put(call->replay);
	arena_fini(&call->arena);
	record_put(&call->record);
	pool_put(call, CALL_SIZE);
}

void *nfsd_call_bulk(struct nfsd_call *call, size_t size)
{
	struct nfsd_bulk *b = &call->bulk[call->nbulk];

	if (call->nbulk == XDR_BULK_MAX || !nfsd_conn_charge(call, size))
		return NULL;
	b->data = pool_get(size, &b->size);
	if (b->data != NULL)
		call->nbulk++;
	return b->data;
}

void nfsd_call_begin_reply(struct nfsd_call *call)
{
	xdr_encode_init(&call->out, call->buffer,
			CALL_SIZE - offsetof(struct nfsd_call, buffer),
			SIZE_MAX);
}

static size_t result_len(const struct nfsd_call *call)
{
	if (call->replay != NULL)
		return call->replay->len;
	return call->out.start == NULL ? 0 : xdr_length(&call->out);
}

static void finish(struct nfsd_call *call, struct rpc_reply *reply)
{
	struct xdr x;

	reply->xid = call->rpc.xid;
	xdr_encode_init(&x, call->head + RECORD_HEADER,
			sizeof(call->head) - RECORD_HEADER, SIZE_MAX);
	if (!xdr_rpc_reply(&x, reply))
		assert(!"the header of a reply always fits");
	call->head_len = RECORD_HEADER + xdr_length(&x);
	record_header(call->head, xdr_length(&x) + result_len(call));
	if (call->out.start != NULL) /* until it is written */
		nfsd_conn_hold(call, call->out.p - call->out.start);
}

void nfsd_call_finish(struct nfsd_call *call, enum rpc_status status)
{
	struct rpc_reply reply = { .status = status };

	if (status != RPC_SUCCESS)
		call->out.start = NULL;
	finish(call, &reply);
}

struct nfsd_call *nfsd_call_outgoing(struct nfsd_conn *c)
{
	struct nfsd_call *call = call_new(c, &(struct record){});

	if (call != NULL)
		nfsd_call_begin_reply(call);
	return call;
}

void nfsd_call_finish_outgoing(struct nfsd_call *call)
{
	call->head_len = RECORD_HEADER;
	record_header(call->head, xdr_length(&call->out));
}

/* ------------------------------------------------------------ who calls */

/* AUTH_NONE is nobody, whatever it wants; root may be squashed to that.  Only
 * the ids that are root are squashed, so that a group that happens to be 0
 * does not cost the caller his own identity. */
static void set_cred(struct nfsd_call *call)
{
	const struct nfs_server_options *o = &call->conn->srv->options;
	authsys_parms *sys = &call->rpc.sys;
	struct cred *cred = &call->cred;

	call->principal.flavor = call->rpc.cred.flavor;
	call->principal.identity = call->conn->who_hash;
	if (call->rpc.cred.flavor != AUTH_SYS) {
		*cred = (struct cred){ o->anon_uid, o->anon_gid, 0, NULL };
		return;
	}
	call->principal.uid = sys->uid;
	*cred = (struct cred){ sys->uid, sys->gid, sys->ngids, sys->gids };
	if (!o->root_squash)
		return;
	if (cred->uid == 0)
		cred->uid = o->anon_uid;
	if (cred->gid == 0)
		cred->gid = o->anon_gid;
	for (uint32_t i = 0; i < sys->ngids; i++)
		if (sys->gids[i] == 0)
			sys->gids[i] = o->anon_gid;
}

/* RPC_SUCCESS: a compound, to be run. */
static void classify(const struct rpc_call *rpc, struct rpc_reply *reply)
{
	if (rpc->prog != NFS4_PROGRAM) {
		reply->status = RPC_PROG_UNAVAIL;
	} else if (rpc->vers != NFS_V4) {
		reply->status = RPC_PROG_MISMATCH;
		reply->low = reply->high = NFS_V4;
	} else if (rpc->proc > NFSPROC4_COMPOUND) {
		reply->status = RPC_PROC_UNAVAIL;
	} else if (rpc->proc == NFSPROC4_COMPOUND &&
		   rpc->cred.flavor != AUTH_SYS &&
		   rpc->cred.flavor != AUTH_NONE) {
		reply->status = RPC_AUTH_ERROR;
		reply->auth_stat = AUTH_REJECTEDCRED;
	}
}

static bool is_reply(const struct record *record)
{
	uint32_t xid, type;

	return rpc_peek(record->bytes.data, record->bytes.len, &xid, &type) &&
	       type == RPC_MSG_REPLY;
}

bool nfsd_call_start(struct nfsd_conn *c, struct record *record)
{
	struct rpc_reply reply = {};
	struct nfsd_call *call;
	bool is_ours;

	if (is_reply(record)) {
		nfsd_callback_reply(c, record);
		record_put(record);
		return true;
	}
	call = call_new(c, record);
	if (call == NULL) {
		record_put(record);
		return false;
	}
	if (!rpc_call_decode(&call->in, &call->rpc, &reply)) {
		nfsd_count(c, bad_requests, 1);
		nfsd_conn_give_back(c, call->charged);
		nfsd_call_free(call);
		return false;
	}
	is_ours = call->rpc.prog == NFS4_PROGRAM;
	if (reply.status == RPC_SUCCESS &&
	    call->rpc.prog == NFSD_PARTITION_PROGRAM)
		nfsd_partition_call(call, &reply);
	else if (reply.status == RPC_SUCCESS &&
		 call->rpc.prog == EXPLAIN_PROGRAM)
		nfsd_explain_call(call, &reply);
	else if (reply.status == RPC_SUCCESS)
		classify(&call->rpc, &reply);
	if (reply.status != RPC_SUCCESS)
		nfsd_count(c, bad_requests, 1);
	if (reply.status != RPC_SUCCESS || !is_ours ||
	    call->rpc.proc == NFSPROC4_NULL) {
		finish(call, &reply);
		nfsd_conn_send(call);
		return true;
	}
	set_cred(call);
	if (task_spawn("nfs-compound", nfsd_compound_main, call) < 0)
		nfsd_compound_main(call);
	return true;
}
