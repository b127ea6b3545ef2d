/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program by which amazon-efs-utils' proxy asks, ahead of NFS and on the
 * same connection, whether it may spread a client over several connections
 * (ONC RPC 400123; known from the proxy's public source, not from a
 * specification).  It opens more of them until enough have come to the same
 * "partition".  Here they all do: a file system is one.
 */
#include "nfs/server/internal.h"

enum {
	VERSION = 1,
	PROC_NULL = 0,
	PROC_BIND = 2, /* bind_client_to_partition */

	IDENTIFIER_MAX = 16,
	INCARNATION_MAX = 8,
	PARTITION_ID = 64,
	READY = 3,

	/* When the proxy opens more: what it does of its own accord. */
	CONNECTIONS = 5,
	BYTES_PER_SECOND = 300 << 20,
	SECONDS = 1,
};

/* struct ProxyIdentifier: nothing depends on it. */
static bool decode(struct xdr *in)
{
	struct xdr_bytes identifier, incarnation;

	return xdr_bytes(in, &identifier, IDENTIFIER_MAX) &&
	       xdr_bytes(in, &incarnation, INCARNATION_MAX);
}

/* struct BindClientResponse. */
static bool encode(struct xdr *out, const struct nfs_server *srv)
{
	uint32_t ready = READY, connections = CONNECTIONS;
	uint32_t rate = BYTES_PER_SECOND, seconds = SECONDS;
	char id[PARTITION_ID] = "";

	memcpy(id, srv->owner_text, strlen(srv->owner_text));
	return xdr_u32(out, &ready) && xdr_fixed(out, id, sizeof(id)) &&
	       xdr_u32(out, &connections) && xdr_u32(out, &rate) &&
	       xdr_u32(out, &seconds) && xdr_u32(out, &seconds);
}

void nfsd_partition_call(struct nfsd_call *call, struct rpc_reply *reply)
{
	if (call->rpc.vers != VERSION) {
		reply->status = RPC_PROG_MISMATCH;
		reply->low = reply->high = VERSION;
	} else if (call->rpc.proc == PROC_BIND) {
		nfsd_call_begin_reply(call);
		if (!decode(&call->in) ||
		    !encode(&call->out, call->conn->srv)) {
			call->out.start = NULL;
			reply->status = RPC_GARBAGE_ARGS;
		}
	} else if (call->rpc.proc != PROC_NULL) {
		reply->status = RPC_PROC_UNAVAIL;
	}
}
