/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CREATE_SESSION (RFC 8881 18.36).
 *
 * A client id has one slot for it, with a sequence id of its own: a repeat gets
 * the cached result, also when it comes inside another session or without.
 * What is wrong with the channel attributes, and that somebody else asks, is
 * told before that slot is touched.  Neither does NFS4ERR_DELAY use up the
 * sequence id: Linux asks again with the same one.
 */
#include "nfs/server/callback.h"
#include "nfs/server/internal.h"

enum {
	VALID_FLAGS = CREATE_SESSION4_FLAG_PERSIST |
		      CREATE_SESSION4_FLAG_CONN_BACK_CHAN |
		      CREATE_SESSION4_FLAG_CONN_RDMA,
};

/* A principal may only confirm what it has asked for (18.36.4, phase 3). */
static bool may_confirm(const struct nfsd_compound *c,
			const struct nfsd_client *client)
{
	const struct nfsd_principal *p = &c->call->principal;

	if (client->principal.identity != p->identity)
		return false;
	return client->confirmed || (client->principal.flavor == p->flavor &&
				     client->principal.uid == p->uid);
}

static nfsstat4 create(struct nfsd_compound *c, struct nfsd_client *client,
		       channel_attrs4 *fore, const channel_attrs4 *back,
		       struct nfsd_client **replaced)
{
	const CREATE_SESSION4args *arg = &c->arg.opcreate_session;
	CREATE_SESSION4resok *res = &client->cs_res;
	struct nfsd_client *old = nfsd_client_older_self(client);
	struct nfsd_session *s;
	nfsstat4 status;

	if (old != NULL && nfsd_client_busy(old, c->session))
		return NFS4ERR_DELAY; /* what it had begun ends first */
	status = nfsd_session_new(client, fore, back, c->minorversion, &s);
	if (status != NFS4_OK)
		return status;
	*replaced = nfsd_client_confirm(client);
	nfsd_client_renew(client);
	res->csr_sessionid = s->id;
	res->csr_sequence = arg->csa_sequence;
	nfsd_back_set(s, arg->csa_cb_program, arg->csa_sec_parms,
		      arg->nsec_parms);
	if (arg->csa_flags & CREATE_SESSION4_FLAG_CONN_BACK_CHAN)
		nfsd_back_bind(s, c->call->conn);
	/* Neither is the reply cache on disk, nor is there RDMA. */
	res->csr_flags = arg->csa_flags & CREATE_SESSION4_FLAG_CONN_BACK_CHAN;
	res->csr_fore_chan_attrs = s->fore;
	res->csr_back_chan_attrs = s->back;
	return NFS4_OK;
}

static nfsstat4 sequenced(struct nfsd_compound *c,
			  struct nfsd_client **replaced)
{
	const CREATE_SESSION4args *arg = &c->arg.opcreate_session;
	channel_attrs4 fore = arg->csa_fore_chan_attrs;
	channel_attrs4 back = arg->csa_back_chan_attrs;
	struct nfsd_client *client;
	nfsstat4 status;

	client = nfsd_client_find(c->srv, arg->csa_clientid);
	if (client == NULL)
		return NFS4ERR_STALE_CLIENTID;
	if (arg->csa_sequence == client->cs_seqid && client->cs_cached) {
		c->res.opcreate_session = client->cs_res;
		return client->cs_status;
	}
	if (arg->csa_sequence != client->cs_seqid + 1)
		return NFS4ERR_SEQ_MISORDERED;
	if (!may_confirm(c, client))
		return NFS4ERR_CLID_INUSE;
	status = nfsd_session_negotiate(&fore, &back);
	if (status == NFS4_OK)
		status = create(c, client, &fore, &back, replaced);
	if (status == NFS4ERR_TOOSMALL || status == NFS4ERR_DELAY)
		return status;
	client->cs_seqid = arg->csa_sequence;
	client->cs_cached = true;
	client->cs_status = status;
	c->res.opcreate_session = client->cs_res;
	return status;
}

nfsstat4 nfsd_op_create_session(struct nfsd_compound *c)
{
	struct nfsd_client *replaced = NULL;
	nfsstat4 status;

	if (c->arg.opcreate_session.csa_flags & ~VALID_FLAGS)
		return NFS4ERR_INVAL;
	pthread_mutex_lock(&c->srv->clients_lock);
	status = sequenced(c, &replaced);
	pthread_mutex_unlock(&c->srv->clients_lock);
	if (replaced != NULL)
		nfsd_client_bury(replaced, "the client has restarted");
	return status;
}
