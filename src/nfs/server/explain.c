/* SPDX-License-Identifier: Apache-2.0 */
/* Why a connection may not mount (nfs/xdr/explain.h). */
#include "nfs/xdr/explain.h"

#include <stdio.h>

#include "nfs/server/export.h"
#include "nfs/server/internal.h"

/* The export by which the connection would mount: *e, with a reference, or NULL
 * for the root.  false: its certificate names one that is not there. */
static bool find_export(struct nfsd_conn *c, struct xdr_bytes name,
			struct nfsd_export **e)
{
	if (c->who.export != 0)
		*e = nfsd_export_find(c->srv, c->who.export);
	else
		*e = nfsd_export_find_name(c->srv, name.data, name.len);
	return *e != NULL || c->who.export == 0;
}

static void explain(struct nfsd_conn *c, struct xdr_bytes name,
		    char why[NFS_WHY_SIZE])
{
	const struct nfs_server_options *o = &c->srv->options;
	struct nfsd_export *e = NULL;

	why[0] = '\0';
	if (c->refusal != NULL) {
		snprintf(why, NFS_WHY_SIZE,
			 "the client's certificate is refused: %s", c->refusal);
		return;
	}
	if (!find_export(c, name, &e))
		snprintf(why, NFS_WHY_SIZE,
			 "the access point in the client's certificate is none "
			 "of this file system's");
	else if (o->rights != NULL &&
		 (o->rights(o->rights_arg, e ? e->label : NULL, &c->peer,
			    &c->who, why) &
		  NFS_RIGHT_MOUNT))
		why[0] = '\0';
	nfsd_export_put(e);
}

static bool answer(struct nfsd_call *call)
{
	char why[NFS_WHY_SIZE];
	struct xdr_bytes name, text;

	if (!xdr_bytes(&call->in, &name, EXPLAIN_TEXT_MAX))
		return false;
	explain(call->conn, name, why);
	text = xdr_text(why);
	return xdr_bytes(&call->out, &text, EXPLAIN_TEXT_MAX);
}

void nfsd_explain_call(struct nfsd_call *call, struct rpc_reply *reply)
{
	if (call->rpc.vers != EXPLAIN_VERSION) {
		reply->status = RPC_PROG_MISMATCH;
		reply->low = reply->high = EXPLAIN_VERSION;
	} else if (call->rpc.proc == EXPLAIN_MOUNT) {
		nfsd_call_begin_reply(call);
		if (!answer(call)) {
			call->out.start = NULL;
			reply->status = RPC_GARBAGE_ARGS;
		}
	} else if (call->rpc.proc != EXPLAIN_NULL) {
		reply->status = RPC_PROC_UNAVAIL;
	}
}
