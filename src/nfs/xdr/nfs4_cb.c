/* SPDX-License-Identifier: Apache-2.0 */
#include "nfs/xdr/nfs4_cb.h"

static bool xdr_referring_call4(struct xdr *x, referring_call4 *v)
{
	return xdr_u32(x, &v->rc_sequenceid) && xdr_u32(x, &v->rc_slotid);
}

static bool xdr_referring_call_list4(struct xdr *x, referring_call_list4 *v)
{
	return xdr_sessionid4(x, &v->rcl_sessionid) &&
	       xdr_array_of(x, v->n, v->rcl_referring_calls, NFS4_REFERRING_MAX,
			    8, xdr_referring_call4);
}

bool xdr_CB_SEQUENCE4args(struct xdr *x, CB_SEQUENCE4args *v)
{
	return xdr_sessionid4(x, &v->csa_sessionid) &&
	       xdr_u32(x, &v->csa_sequenceid) && xdr_u32(x, &v->csa_slotid) &&
	       xdr_u32(x, &v->csa_highest_slotid) &&
	       xdr_bool(x, &v->csa_cachethis) &&
	       xdr_array_of(x, v->nreferring, v->csa_referring_call_lists,
			    NFS4_REFERRING_MAX, 20, xdr_referring_call_list4);
}

bool xdr_CB_SEQUENCE4resok(struct xdr *x, CB_SEQUENCE4resok *v)
{
	return xdr_sessionid4(x, &v->csr_sessionid) &&
	       xdr_u32(x, &v->csr_sequenceid) && xdr_u32(x, &v->csr_slotid) &&
	       xdr_u32(x, &v->csr_highest_slotid) &&
	       xdr_u32(x, &v->csr_target_highest_slotid);
}

bool xdr_CB_NOTIFY_LOCK4args(struct xdr *x, CB_NOTIFY_LOCK4args *v)
{
	return xdr_nfs_fh4(x, &v->cnla_fh) &&
	       xdr_state_owner4(x, &v->cnla_lock_owner);
}

bool xdr_CB_RECALL4args(struct xdr *x, CB_RECALL4args *v)
{
	return xdr_stateid4(x, &v->stateid) && xdr_bool(x, &v->truncate) &&
	       xdr_nfs_fh4(x, &v->fh);
}

bool xdr_nfs_cb_argop4(struct xdr *x, nfs_cb_argop4 *v)
{
	uint32_t op = x->decoding ? 0 : v->argop;

	if (!xdr_u32(x, &op))
		return false;
	v->argop =
		op >= OP_CB_GETATTR && op <= OP_CB_OFFLOAD ? op : OP_CB_ILLEGAL;
	switch (op) {
	case OP_CB_SEQUENCE:
		return xdr_CB_SEQUENCE4args(x, &v->opcbsequence);
	case OP_CB_NOTIFY_LOCK:
		return xdr_CB_NOTIFY_LOCK4args(x, &v->opcbnotify_lock);
	case OP_CB_RECALL:
		return xdr_CB_RECALL4args(x, &v->opcbrecall);
	default:
		return xdr_fail(x, XDR_INVALID);
	}
}

bool xdr_nfs_cb_resop4(struct xdr *x, nfs_cb_resop4 *v)
{
	if (!xdr_enum(x, &v->resop, 0, UINT32_MAX) ||
	    !xdr_enum(x, &v->status, 0, UINT32_MAX))
		return false;
	if (v->status != NFS4_OK || v->resop != OP_CB_SEQUENCE)
		return true;
	return xdr_CB_SEQUENCE4resok(x, &v->opcbsequence);
}

bool xdr_CB_COMPOUND4args_head(struct xdr *x, CB_COMPOUND4args_head *v)
{
	return xdr_bytes(x, &v->tag, UINT32_MAX) &&
	       xdr_u32(x, &v->minorversion) && xdr_u32(x, &v->callback_ident) &&
	       xdr_u32(x, &v->n);
}
