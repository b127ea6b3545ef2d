/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The back channel: calls that the server makes on our connections.  We hold no
 * delegations and no layouts, so the one of interest is CB_NOTIFY_LOCK.
 *
 * All that we do for a call may be done twice, so no replies are kept: a repeat
 * (the same sequence id again) is simply served again.
 */
#include "nfs/client/internal.h"
#include "nfs/xdr/nfs4_cb.h"

enum { REPLY_SIZE = 4096, OPS_MAX = 8 };

static nfsstat4 cb_sequence(struct nfs_client *c, const CB_SEQUENCE4args *a,
			    CB_SEQUENCE4resok *r)
{
	struct session *s = &c->session;

	if (!s->exists || !sessionid4_equal(a->csa_sessionid, s->id))
		return NFS4ERR_BADSESSION;
	if (a->csa_slotid >= CALLBACK_SLOTS)
		return NFS4ERR_BADSLOT;
	if (a->csa_sequenceid == s->cb_sequence[a->csa_slotid])
		s->cb_sequence[a->csa_slotid]++;
	else if (a->csa_sequenceid + 1 != s->cb_sequence[a->csa_slotid])
		return NFS4ERR_SEQ_MISORDERED;
	*r = (CB_SEQUENCE4resok){
		.csr_sessionid = a->csa_sessionid,
		.csr_sequenceid = a->csa_sequenceid,
		.csr_slotid = a->csa_slotid,
		.csr_highest_slotid = CALLBACK_SLOTS - 1,
		.csr_target_highest_slotid = CALLBACK_SLOTS - 1,
	};
	return NFS4_OK;
}

static nfsstat4 run(struct nfs_client *c, const nfs_cb_argop4 *a,
		    nfs_cb_resop4 *r)
{
	switch (a->argop) {
	case OP_CB_SEQUENCE:
		return cb_sequence(c, &a->opcbsequence, &r->opcbsequence);
	case OP_CB_NOTIFY_LOCK:
		waitq_wake_all(&c->lock_news);
		return NFS4_OK;
	case OP_CB_RECALL: /* we have none */
		return NFS4ERR_BADHANDLE;
	case OP_CB_GETATTR:
	case OP_CB_LAYOUTRECALL:
	case OP_CB_NOTIFY:
	case OP_CB_PUSH_DELEG:
	case OP_CB_RECALL_ANY:
	case OP_CB_RECALLABLE_OBJ_AVAIL:
	case OP_CB_RECALL_SLOT:
	case OP_CB_WANTS_CANCELLED:
	case OP_CB_NOTIFY_DEVICEID:
	case OP_CB_OFFLOAD:
		return NFS4ERR_NOTSUPP;
	case OP_CB_ILLEGAL:
		break;
	}
	return NFS4ERR_OP_ILLEGAL;
}

/* One operation: false when the compound ends with it. */
static bool one_op(struct nfs_client *c, struct xdr *in, struct xdr *out,
		   uint32_t number, nfsstat4 *status)
{
	nfs_cb_argop4 a = { .argop = OP_CB_ILLEGAL };
	nfs_cb_resop4 r = {};
	bool ok = xdr_nfs_cb_argop4(in, &a);

	r.resop = a.argop;
	if (number == 0 && a.argop != OP_CB_SEQUENCE)
		r.status = NFS4ERR_OP_NOT_IN_SESSION;
	else if (number > 0 && a.argop == OP_CB_SEQUENCE)
		r.status = NFS4ERR_SEQUENCE_POS;
	else if (!ok &&
		 (a.argop == OP_CB_SEQUENCE || a.argop == OP_CB_NOTIFY_LOCK ||
		  a.argop == OP_CB_RECALL))
		r.status = NFS4ERR_BADXDR;
	else
		r.status = run(c, &a, &r);
	*status = r.status;
	return xdr_nfs_cb_resop4(out, &r) && r.status == NFS4_OK;
}

static void compound(struct nfs_client *c, struct xdr *in, struct xdr *out)
{
	struct nfs4_compound_patch patch;
	CB_COMPOUND4args_head head;
	nfsstat4 status = NFS4_OK;
	uint32_t n = 0;

	if (!xdr_CB_COMPOUND4args_head(in, &head)) {
		head = (CB_COMPOUND4args_head){};
		status = NFS4ERR_BADXDR;
	} else if (head.minorversion != c->minorversion) {
		head.n = 0;
		status = NFS4ERR_MINOR_VERS_MISMATCH;
	} else if (head.n > OPS_MAX) {
		head.n = 0;
		status = NFS4ERR_TOO_MANY_OPS;
	}
	if (!nfs4_compound_begin(out, head.tag, &patch))
		return;
	while (n < head.n && one_op(c, in, out, n++, &status))
		;
	nfs4_compound_end(&patch, status, n);
}

static enum rpc_status check(const struct rpc_call *call)
{
	if (call->prog != CALLBACK_PROGRAM)
		return RPC_PROG_UNAVAIL;
	if (call->vers != NFS_CB_VERSION)
		return RPC_PROG_MISMATCH;
	return call->proc <= CB_COMPOUND ? RPC_SUCCESS : RPC_PROC_UNAVAIL;
}

void callback_serve(struct wire *w, const struct record *record)
{
	char memory[1024];
	struct arena arena;
	struct outgoing *m;
	struct rpc_reply reply;
	struct rpc_call call;
	struct xdr in;

	arena_init(&arena, memory, sizeof(memory), KIB(16));
	xdr_decode_init(&in, record->bytes.data, record->bytes.len, &arena);
	m = outgoing_create(REPLY_SIZE);
	if (m == NULL || !rpc_call_decode(&in, &call, &reply)) {
		free(m);
		arena_fini(&arena);
		return;
	}
	if (reply.status == RPC_SUCCESS) {
		reply.status = check(&call);
		reply.low = reply.high = NFS_CB_VERSION;
	}
	xdr_rpc_reply(&m->xdr, &reply);
	if (reply.status == RPC_SUCCESS && call.proc == CB_COMPOUND)
		compound(w->client, &in, &m->xdr);
	wire_send(w, m);
	arena_fini(&arena);
}
