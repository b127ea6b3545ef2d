/* SPDX-License-Identifier: Apache-2.0 */
/*
 * COMPOUND: decode an operation, check what its row in the table says, run it,
 * encode its result; until one fails (RFC 8881 2.3, 16.2).
 *
 *	nfsd_compound_main ─ run_ops ─ run_op ─▶ row->run (op_*.c)
 *	        │                 └─ the first may be nfsd_op_sequence, which
 *	        │                    finds the slot; a repeat ends here
 *	        └─ nfsd_slot_end ─ nfsd_call_finish ─ nfsd_conn_send
 *
 * Size of the reply: the session bounds it, and for a reply that is to be
 * cached more tightly.  An operation that changes something is refused before
 * it runs when its result might not fit; of the others a result that turned
 * out too long is taken back.
 */
#include "nfs/server/export.h"
#include "nfs/server/internal.h"

enum {
	OP_HEAD = 8,   /* number and status */
	OP_ERROR = 12, /* the most that an error takes (SETATTR) */
	RPC_REPLY_HEAD = 24,
	MAX_TAG = 1024, /* it comes back, and must leave room for results */
};

size_t nfsd_compound_reply_left(const struct nfsd_compound *c)
{
	size_t later = c->index + 1 < c->nops ? OP_ERROR : 0;
	size_t used = xdr_length(c->out) + RPC_REPLY_HEAD + later;

	return used > c->max_reply ? 0 : c->max_reply - used;
}

size_t nfsd_compound_room(const struct nfsd_compound *c)
{
	size_t buffer = c->out->end - c->out->p;

	if (buffer < OP_ERROR) /* for an error of the next one */
		return 0;
	return MIN(nfsd_compound_reply_left(c), buffer - OP_ERROR);
}

nfsstat4 nfsd_compound_bulk(struct nfsd_compound *c, size_t size, void **data)
{
	if (c->call->nbulk == XDR_BULK_MAX)
		return c->too_big;
	*data = nfsd_call_bulk(c->call, size);
	return *data == NULL ? NFS4ERR_DELAY : NFS4_OK;
}

stateid4 nfsd_resolve_stateid(const struct nfsd_compound *c, const stateid4 *id)
{
	return stateid4_equal(id, &stateid4_current) ? c->cfh_state : *id;
}

/* -------------------------------------------------------- before it runs */

/* Where may the operation stand (RFC 8881 2.10.2.1, 15.1.3, 18.46)? */
static nfsstat4 check_position(const struct nfsd_compound *c,
			       const struct nfsd_op *op)
{
	if (c->arg.argop == OP_SEQUENCE)
		return c->index == 0 ? NFS4_OK : NFS4ERR_SEQUENCE_POS;
	if (c->session != NULL)
		return NFS4_OK;
	if (!(op->flags & OP_SOLE))
		return NFS4ERR_OP_NOT_IN_SESSION;
	return c->nops == 1 ? NFS4_OK : NFS4ERR_NOT_ONLY_OP;
}

/* Who may not mount the whole file system still finds his way from its root to
 * an export. */
static bool is_on_the_way(const struct nfsd_compound *c)
{
	if (c->export != NULL || c->cfh != ENGINE_ROOT)
		return false;
	switch (c->arg.argop) {
	case OP_ACCESS:
	case OP_GETATTR:
	case OP_GETFH:
	case OP_LOOKUP:
	case OP_SAVEFH:
	case OP_SECINFO:
	case OP_SECINFO_NO_NAME:
		return true;
	default:
		return false;
	}
}

/* Not so over TLS, where the certificate names the export, and a mount that is
 * refused should fail at once.  Linux says "access denied by server", which
 * mount.efs looks for, if it gets the root and its attributes, but no more:
 * what refuses the root it takes for want of another security flavor (EPERM).
 */
static bool is_a_look_at_the_root(const struct nfsd_compound *c)
{
	return c->by_root &&
	       (c->arg.argop == OP_GETFH || c->arg.argop == OP_GETATTR ||
		c->arg.argop == OP_SECINFO_NO_NAME);
}

static bool may_use(const struct nfsd_compound *c)
{
	if (c->rights & NFS_RIGHT_MOUNT)
		return true;
	return c->call->conn->who.secure ? is_a_look_at_the_root(c)
					 : is_on_the_way(c);
}

static nfsstat4 check_op(const struct nfsd_compound *c,
			 const struct nfsd_op *op)
{
	nfsstat4 status = check_position(c, op);

	if (status != NFS4_OK)
		return status;
	if (c->uncached && c->index > 0)
		return NFS4ERR_RETRY_UNCACHED_REP;
	if ((op->flags & OP_NEEDS_FH) && c->cfh == 0)
		return NFS4ERR_NOFILEHANDLE;
	if ((op->flags & OP_NEEDS_SAVED_FH) && c->sfh == 0)
		return NFS4ERR_NOFILEHANDLE;
	if ((op->flags & OP_NEEDS_FH) && !may_use(c))
		return NFS4ERR_ACCESS;
	if (!(op->flags & OP_MUTATES))
		return NFS4_OK;
	if ((op->flags & OP_NEEDS_FH) && !(op->flags & OP_READ_ONLY_OK) &&
	    nfsd_read_only(c))
		return NFS4ERR_ROFS;
	return nfsd_compound_room(c) < OP_HEAD + op->reply ? c->too_big
							   : NFS4_OK;
}

/* The next operation's arguments.  The number stays valid for the reply. */
static nfsstat4 decode_op(struct nfsd_compound *c)
{
	const struct nfs4_op_info *info;

	if (xdr_left(c->in) < 4) {
		c->arg.argop = OP_ILLEGAL;
		return NFS4ERR_BADXDR;
	}
	info = nfs4_op_find(load_be32(c->in->p));
	if (info->name == NULL || info->minorversion > c->minorversion) {
		c->arg.argop = OP_ILLEGAL;
		return NFS4ERR_OP_ILLEGAL;
	}
	if (xdr_nfs_argop4(c->in, &c->arg))
		return NFS4_OK;
	if (c->in->error == XDR_NOMEM)
		return NFS4ERR_DELAY;
	return info->known ? NFS4ERR_BADXDR : NFS4ERR_NOTSUPP;
}

/* --------------------------------------------------------------- running */

/* Has the reply, as it is now, room for an error of the next operation? */
static bool fits(const struct nfsd_compound *c)
{
	size_t later = c->index + 1 < c->nops ? OP_ERROR : 0;

	return xdr_length(c->out) + RPC_REPLY_HEAD + later <= c->max_reply &&
	       (size_t)(c->out->end - c->out->p) >= later;
}

static void encode_status(struct nfsd_compound *c, struct xdr_mark start,
			  nfsstat4 status)
{
	uint32_t *p;

	xdr_rewind(c->out, start);
	p = xdr_inline(c->out, OP_HEAD);
	assert(p != NULL); /* MAX_TAG and fits() kept it free */
	store_be32(p, c->arg.argop);
	store_be32(p + 1, status);
	if (c->arg.argop == OP_SETATTR) /* its bitmap comes with every status */
		xdr_u32(c->out, &(uint32_t){ 0 });
}

/* Errors that come with more than a status. */
static bool has_body(nfs_opnum4 op, nfsstat4 status)
{
	return op == OP_SETATTR ||
	       ((op == OP_LOCK || op == OP_LOCKT) && status == NFS4ERR_DENIED);
}

static nfsstat4 encode_result(struct nfsd_compound *c, struct xdr_mark start,
			      const struct nfsd_op *op, nfsstat4 status)
{
	bool ok = true;

	if (status == NFS4_OK || has_body(c->arg.argop, status)) {
		if (!(op->flags & OP_ENCODES)) {
			xdr_rewind(c->out, start);
			c->res.resop = c->arg.argop;
			c->res.status = status;
			ok = xdr_nfs_resop4(c->out, &c->res);
		}
		if (ok && fits(c))
			return status;
		assert(!(op->flags & OP_MUTATES) || status != NFS4_OK);
		status = c->too_big;
	}
	encode_status(c, start, status);
	return status;
}

static nfsstat4 run_op(struct nfsd_compound *c)
{
	struct xdr_mark start = xdr_mark(c->out);
	const struct nfsd_op *op;
	nfsstat4 status = decode_op(c);

	if (status != NFS4_OK) {
		encode_status(c, start, status);
		return status;
	}
	op = nfsd_op_find(c->arg.argop);
	if (op == NULL) {
		encode_status(c, start, NFS4ERR_NOTSUPP);
		return NFS4ERR_NOTSUPP;
	}
	memset(&c->res, 0, sizeof(c->res));
	status = check_op(c, op);
	if (status == NFS4_OK) {
		status = nfsd_meter_op(c, op);
	}
	if (status == NFS4_OK) {
		if (op->flags & OP_ENCODES)
			encode_status(c, start, NFS4_OK);
		status = op->run(c);
	}
	if (c->call->replay != NULL)
		return NFS4_OK; /* SEQUENCE found the whole reply */
	return encode_result(c, start, op, status);
}

static nfsstat4 run_ops(struct nfsd_compound *c, uint32_t *done)
{
	nfsstat4 status = NFS4_OK;

	if (c->minorversion < 1 || c->minorversion > 2) {
		*done = 0;
		return NFS4ERR_MINOR_VERS_MISMATCH;
	}
	for (c->index = 0; c->index < c->nops && status == NFS4_OK;
	     c->index++) {
		status = run_op(c);
		if (c->call->replay != NULL)
			break;
	}
	*done = c->index;
	return status;
}

/* false: not even the head is XDR, or it is out of all proportion. */
static bool run(struct nfsd_compound *c)
{
	struct nfsd_call *call = c->call;
	struct nfs4_compound_patch patch;
	COMPOUND4args_head head;
	nfsstat4 status;
	uint32_t done;

	if (!xdr_COMPOUND4args_head(c->in, &head) || head.tag.len > MAX_TAG)
		return false;
	nfsd_call_begin_reply(call);
	if (!nfs4_compound_begin(c->out, head.tag, &patch))
		return false;
	c->minorversion = head.minorversion;
	c->nops = head.n;
	status = run_ops(c, &done);
	if (call->replay == NULL)
		nfs4_compound_end(&patch, status, done);
	nfsd_count(call->conn, compounds, 1);
	nfsd_count(call->conn, operations, done);
	return true;
}

void nfsd_compound_main(void *arg)
{
	struct nfsd_call *call = arg;
	struct nfsd_compound c = {
		.srv = call->conn->srv,
		.call = call,
		.in = &call->in,
		.out = &call->out,
		.cred = &call->cred,
		.max_reply = NFSD_MAX_MESSAGE,
		.too_big = NFS4ERR_REP_TOO_BIG,
	};
	bool ok = run(&c);

	if (!ok)
		nfsd_count(call->conn, bad_requests, 1);
	if (c.holds_slot) {
		nfsd_client_renew(c.client); /* it may have taken long */
		nfsd_slot_end(c.session, call->slotid, c.out, c.cache_this);
	}
	nfsd_export_put(c.export);
	nfsd_export_put(c.saved_export);
	call->session = NULL;
	nfsd_session_put(c.session);
	nfsd_call_finish(call, ok ? RPC_SUCCESS : RPC_GARBAGE_ARGS);
	nfsd_conn_send(call);
}
