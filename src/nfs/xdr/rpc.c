/* SPDX-License-Identifier: Apache-2.0 */
#include "nfs/xdr/rpc.h"

enum reply_stat { MSG_ACCEPTED = 0, MSG_DENIED = 1 };
enum reject_stat { REJECT_RPC_MISMATCH = 0, REJECT_AUTH_ERROR = 1 };

bool xdr_authsys_parms(struct xdr *x, authsys_parms *v)
{
	if (!xdr_u32(x, &v->stamp) ||
	    !xdr_bytes(x, &v->machinename, RPC_MAX_MACHINENAME) ||
	    !xdr_u32(x, &v->uid) || !xdr_u32(x, &v->gid) ||
	    !xdr_u32(x, &v->ngids))
		return false;
	if (v->ngids > RPC_MAX_GROUPS)
		return xdr_fail(x, XDR_INVALID);
	for (uint32_t i = 0; i < v->ngids; i++)
		if (!xdr_u32(x, &v->gids[i]))
			return false;
	return true;
}

bool xdr_opaque_auth(struct xdr *x, opaque_auth *v)
{
	return xdr_u32(x, &v->flavor) &&
	       xdr_bytes(x, &v->body, RPC_MAX_AUTH_BYTES);
}

/* An AUTH_SYS credential: its body's length is known afterwards. */
static bool encode_sys_cred(struct xdr *x, authsys_parms *sys)
{
	uint32_t flavor = AUTH_SYS;
	uint8_t *len;

	if (!xdr_u32(x, &flavor) || !(len = xdr_inline(x, 4)) ||
	    !xdr_authsys_parms(x, sys))
		return false;
	store_be32(len, x->p - len - 4);
	return true;
}

static bool decode_sys_cred(struct rpc_call *call)
{
	struct xdr x;

	xdr_decode_init(&x, call->cred.body.data, call->cred.body.len, NULL);
	return xdr_authsys_parms(&x, &call->sys) && xdr_left(&x) == 0;
}

static bool xdr_call_numbers(struct xdr *x, struct rpc_call *v)
{
	return xdr_u32(x, &v->prog) && xdr_u32(x, &v->vers) &&
	       xdr_u32(x, &v->proc);
}

bool xdr_rpc_call(struct xdr *x, struct rpc_call *v)
{
	uint32_t type = RPC_MSG_CALL;
	struct rpc_reply reply;

	if (x->decoding)
		return rpc_call_decode(x, v, &reply) &&
		       reply.status == RPC_SUCCESS;
	v->rpcvers = RPC_VERSION;
	if (!xdr_u32(x, &v->xid) || !xdr_u32(x, &type) ||
	    !xdr_u32(x, &v->rpcvers) || !xdr_call_numbers(x, v))
		return false;
	if (v->cred.flavor == AUTH_SYS ? !encode_sys_cred(x, &v->sys)
				       : !xdr_opaque_auth(x, &v->cred))
		return false;
	return xdr_opaque_auth(x, &v->verf);
}

static bool deny(struct rpc_reply *reply, enum rpc_auth_stat stat)
{
	reply->status = RPC_AUTH_ERROR;
	reply->auth_stat = stat;
	return true;
}

bool rpc_call_decode(struct xdr *x, struct rpc_call *call,
		     struct rpc_reply *reply)
{
	uint32_t type = 0;

	*reply = (struct rpc_reply){ .status = RPC_GARBAGE_ARGS };
	call->sys.ngids = 0;
	if (!xdr_u32(x, &call->xid) || !xdr_u32(x, &type) ||
	    type != RPC_MSG_CALL)
		return false;
	reply->xid = call->xid;
	if (!xdr_u32(x, &call->rpcvers))
		return true;
	if (call->rpcvers != RPC_VERSION) {
		reply->status = RPC_MISMATCH;
		reply->low = reply->high = RPC_VERSION;
		return true;
	}
	if (!xdr_call_numbers(x, call))
		return true;
	if (!xdr_opaque_auth(x, &call->cred))
		return deny(reply, AUTH_BADCRED);
	if (!xdr_opaque_auth(x, &call->verf))
		return deny(reply, AUTH_BADVERF);
	if (call->cred.flavor == AUTH_SYS && !decode_sys_cred(call))
		return deny(reply, AUTH_BADCRED);
	reply->status = RPC_SUCCESS;
	return true;
}

static bool xdr_versions(struct xdr *x, struct rpc_reply *v)
{
	return xdr_u32(x, &v->low) && xdr_u32(x, &v->high);
}

static bool xdr_accepted(struct xdr *x, struct rpc_reply *v)
{
	if (!xdr_opaque_auth(x, &v->verf) ||
	    !xdr_enum(x, &v->status, RPC_SUCCESS, RPC_SYSTEM_ERR))
		return false;
	return v->status != RPC_PROG_MISMATCH || xdr_versions(x, v);
}

static bool xdr_denied(struct xdr *x, struct rpc_reply *v)
{
	enum reject_stat stat = v->status == RPC_MISMATCH ? REJECT_RPC_MISMATCH
							  : REJECT_AUTH_ERROR;

	if (!xdr_enum(x, &stat, REJECT_RPC_MISMATCH, REJECT_AUTH_ERROR))
		return false;
	if (stat == REJECT_RPC_MISMATCH) {
		v->status = RPC_MISMATCH;
		return xdr_versions(x, v);
	}
	v->status = RPC_AUTH_ERROR;
	/* RPCSEC_GSS has numbers of its own above AUTH_FAILED. */
	return xdr_enum(x, &v->auth_stat, AUTH_OK, UINT32_MAX);
}

bool xdr_rpc_reply(struct xdr *x, struct rpc_reply *v)
{
	uint32_t type = RPC_MSG_REPLY;
	enum reply_stat stat = MSG_ACCEPTED;

	if (x->decoding)
		*v = (struct rpc_reply){};
	else if (v->status == RPC_MISMATCH || v->status == RPC_AUTH_ERROR)
		stat = MSG_DENIED;
	if (!xdr_u32(x, &v->xid) || !xdr_u32(x, &type))
		return false;
	if (type != RPC_MSG_REPLY)
		return xdr_fail(x, XDR_INVALID);
	if (!xdr_enum(x, &stat, MSG_ACCEPTED, MSG_DENIED))
		return false;
	return stat == MSG_ACCEPTED ? xdr_accepted(x, v) : xdr_denied(x, v);
}

bool rpc_peek(const void *record, size_t len, uint32_t *xid, uint32_t *type)
{
	if (len < 8)
		return false;
	*xid = load_be32(record);
	*type = load_be32((const char *)record + 4);
	return true;
}

const char *rpc_status_name(enum rpc_status status)
{
	switch (status) {
	case RPC_SUCCESS:
		return "SUCCESS";
	case RPC_PROG_UNAVAIL:
		return "PROG_UNAVAIL";
	case RPC_PROG_MISMATCH:
		return "PROG_MISMATCH";
	case RPC_PROC_UNAVAIL:
		return "PROC_UNAVAIL";
	case RPC_GARBAGE_ARGS:
		return "GARBAGE_ARGS";
	case RPC_SYSTEM_ERR:
		return "SYSTEM_ERR";
	case RPC_MISMATCH:
		return "RPC_MISMATCH";
	case RPC_AUTH_ERROR:
		return "AUTH_ERROR";
	}
	return "unknown";
}
