/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ONC RPC version 2 (RFC 5531): headers of calls and replies, the credentials
 * AUTH_NONE and AUTH_SYS.  Record marking is in record.h.
 *
 * A server decodes a call with rpc_call_decode(), which says how to answer if
 * not with a result; the answer is xdr_rpc_reply(), followed by the result if
 * the status is RPC_SUCCESS.  A client encodes with xdr_rpc_call(), followed by
 * the arguments.
 */
#ifndef NFS_XDR_RPC_H
#define NFS_XDR_RPC_H

#include "nfs/xdr/xdr.h"

enum {
	RPC_VERSION = 2,
	RPC_MSG_CALL = 0,
	RPC_MSG_REPLY = 1,
	RPC_MAX_AUTH_BYTES = 400,
	RPC_MAX_MACHINENAME = 255,
	RPC_MAX_GROUPS = 16,
	/* A call or reply header with AUTH_SYS never takes more. */
	RPC_HEADER_MAX = 1024,
};

enum rpc_auth_flavor {
	AUTH_NONE = 0,
	AUTH_SYS = 1,
	AUTH_SHORT = 2,
	RPCSEC_GSS = 6,
	AUTH_TLS = 7, /* RFC 9289 */
};

enum rpc_auth_stat {
	AUTH_OK = 0,
	AUTH_BADCRED = 1,
	AUTH_REJECTEDCRED = 2,
	AUTH_BADVERF = 3,
	AUTH_REJECTEDVERF = 4,
	AUTH_TOOWEAK = 5,
	AUTH_INVALIDRESP = 6,
	AUTH_FAILED = 7,
};

/* RFC 5531 appendix A, also used by NFSv4.1 callbacks. */
typedef struct {
	uint32_t stamp;
	struct xdr_bytes machinename;
	uint32_t uid, gid;
	uint32_t ngids;
	uint32_t gids[RPC_MAX_GROUPS];
} authsys_parms;
bool xdr_authsys_parms(struct xdr *x, authsys_parms *v);

typedef struct {
	uint32_t flavor; /* enum rpc_auth_flavor, or one that we don't know */
	struct xdr_bytes body;
} opaque_auth;
bool xdr_opaque_auth(struct xdr *x, opaque_auth *v);

struct rpc_call {
	uint32_t xid;
	uint32_t rpcvers; /* RPC_VERSION */
	uint32_t prog, vers, proc;
	opaque_auth cred, verf;
	authsys_parms sys; /* of `cred`, if its flavor is AUTH_SYS */
};
/* Encoding: for AUTH_SYS the credential's body is made from `sys`.  Decoding:
 * see rpc_call_decode(). */
bool xdr_rpc_call(struct xdr *x, struct rpc_call *v);

/* accept_stat and reject_stat in one list. */
enum rpc_status {
	RPC_SUCCESS,
	RPC_PROG_UNAVAIL,
	RPC_PROG_MISMATCH,
	RPC_PROC_UNAVAIL,
	RPC_GARBAGE_ARGS,
	RPC_SYSTEM_ERR,
	RPC_MISMATCH,	/* denied: not RPC version 2 */
	RPC_AUTH_ERROR, /* denied: see auth_stat */
};

struct rpc_reply {
	uint32_t xid;
	enum rpc_status status;
	uint32_t low, high; /* PROG_MISMATCH, MISMATCH: supported versions */
	enum rpc_auth_stat auth_stat; /* AUTH_ERROR */
	opaque_auth verf;	      /* of accepted replies */
};
bool xdr_rpc_reply(struct xdr *x, struct rpc_reply *v);

/*
 * A server's view of the header.  true: *reply->status is RPC_SUCCESS and the
 * call may be looked at (program, version and procedure are the caller's to
 * check), or it is the error that has to be sent back (RPC_MISMATCH,
 * RPC_AUTH_ERROR, RPC_GARBAGE_ARGS).  false: this is no call, or not even its
 * xid could be read: nothing can be answered, drop the connection.
 */
bool rpc_call_decode(struct xdr *x, struct rpc_call *call,
		     struct rpc_reply *reply);

/* The first words of a message: true if it has them.  *type: RPC_MSG_CALL,
 * RPC_MSG_REPLY.  Tells replies from callbacks on a shared connection. */
bool rpc_peek(const void *record, size_t len, uint32_t *xid, uint32_t *type);

const char *rpc_status_name(enum rpc_status status);

#endif
