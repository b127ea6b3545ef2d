/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What else there is to do with sessions: BIND_CONN_TO_SESSION (RFC 8881
 * 18.34), BACKCHANNEL_CTL (18.33), DESTROY_SESSION (18.37), and
 * RECLAIM_COMPLETE (18.51).
 */
#include "nfs/server/callback.h"
#include "nfs/server/internal.h"

/* How long DESTROY_SESSION waits for requests that are being worked on, before
 * it tells the client to come again. */
#define DESTROY_PATIENCE SEC(1)

/* Without state protection any connection is bound to the fore channel by using
 * it; to the back channel only by this, or by CREATE_SESSION. */
nfsstat4 nfsd_op_bind_conn_to_session(struct nfsd_compound *c)
{
	const BIND_CONN_TO_SESSION4args *arg = &c->arg.opbind_conn_to_session;
	BIND_CONN_TO_SESSION4resok *res = &c->res.opbind_conn_to_session;
	struct nfsd_session *s;

	if (c->session != NULL) /* 18.34.3: alone in its compound */
		return NFS4ERR_NOT_ONLY_OP;
	s = nfsd_conn_session(c->call->conn, &arg->bctsa_sessid);
	if (s == NULL || nfsd_session_dead(s)) {
		nfsd_session_put(s);
		return NFS4ERR_BADSESSION;
	}
	res->bctsr_sessid = arg->bctsa_sessid;
	res->bctsr_dir = arg->bctsa_dir == CDFC4_FORE	? CDFS4_FORE
			 : arg->bctsa_dir == CDFC4_BACK ? CDFS4_BACK
							: CDFS4_BOTH;
	res->bctsr_use_conn_in_rdma_mode = false;
	if (arg->bctsa_dir != CDFC4_FORE)
		nfsd_back_bind(s, c->call->conn);
	nfsd_session_put(s);
	return NFS4_OK;
}

nfsstat4 nfsd_op_backchannel_ctl(struct nfsd_compound *c)
{
	const BACKCHANNEL_CTL4args *arg = &c->arg.opbackchannel_ctl;

	nfsd_back_set(c->session, arg->bca_cb_program, arg->bca_sec_parms,
		      arg->nsec_parms);
	return NFS4_OK;
}

/* Its requests end first (RFC 7862 14.4). */
static nfsstat4 destroy(struct nfsd_compound *c, struct nfsd_session *s)
{
	struct nfs_server *srv = c->srv;
	nfsstat4 status = NFS4_OK;

	pthread_mutex_lock(&srv->clients_lock);
	if (nfsd_session_dead(s))
		status = NFS4ERR_BADSESSION;
	else if (nfsd_session_busy(s, c->session))
		status = NFS4ERR_DELAY;
	else
		nfsd_session_unlink(s);
	pthread_mutex_unlock(&srv->clients_lock);
	return status;
}

/* The session that the compound runs in may only be destroyed by its last
 * operation.  The reply is sent, but not kept. */
nfsstat4 nfsd_op_destroy_session(struct nfsd_compound *c)
{
	const sessionid4 *id = &c->arg.opdestroy_session.dsa_sessionid;
	nsec deadline = reactor_now() + DESTROY_PATIENCE;
	struct nfsd_session *s;
	nfsstat4 status;

	if (c->session != NULL && sessionid4_equal(c->session->id, *id) &&
	    c->index + 1 < c->nops)
		return NFS4ERR_NOT_ONLY_OP;
	s = nfsd_conn_find_session(c->call->conn, id);
	if (s == NULL)
		return NFS4ERR_BADSESSION;
	while ((status = destroy(c, s)) == NFS4ERR_DELAY &&
	       reactor_now() < deadline)
		task_sleep(MSEC(1));
	nfsd_session_put(s);
	return status;
}

/* The record has to be on disk before the client can have anything that it
 * might have to reclaim. */
nfsstat4 nfsd_op_reclaim_complete(struct nfsd_compound *c)
{
	struct nfsd_client *client = c->client;

	if (c->arg.opreclaim_complete.rca_one_fs)
		return c->cfh == 0 ? NFS4ERR_NOFILEHANDLE : NFS4_OK;
	if (atomic_load(&client->reclaimed))
		return NFS4ERR_COMPLETE_ALREADY;
	if (nfsd_record_put(client) < 0)
		return NFS4ERR_DELAY;
	nfsd_grace_reclaimed(client);
	atomic_store(&client->reclaimed, true);
	return NFS4_OK;
}
