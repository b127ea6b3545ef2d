/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EXCHANGE_ID (RFC 8881 18.35) and DESTROY_CLIENTID (18.50).  Which record
 * comes out of it is decided in client.c.
 *
 * Server owner and scope are the same on every address of the file system and
 * after every restart: that is what clients trunk by, and keep their state by.
 */
#include "nfs/server/internal.h"

enum {
	VALID_FLAGS =
		EXCHGID4_FLAG_SUPP_MOVED_REFER | EXCHGID4_FLAG_SUPP_MOVED_MIGR |
		EXCHGID4_FLAG_BIND_PRINC_STATEID | EXCHGID4_FLAG_MASK_PNFS |
		EXCHGID4_FLAG_UPD_CONFIRMED_REC_A,
};

/* 4.2: before DESTROY_SESSION, or the EXCHANGE_ID of a restarted client, is
 * answered, all requests of before have ended (RFC 7862 14.4). */
static uint32_t fence_flag(const struct nfsd_compound *c)
{
	return c->minorversion >= 2 ? EXCHGID4_FLAG_SUPP_FENCE_OPS : 0;
}

/* Machine credentials and SSV need RPCSEC_GSS, which there is none of. */
static nfsstat4 check_protection(state_protect_how4 how)
{
	switch (how) {
	case SP4_NONE:
		return NFS4_OK;
	case SP4_MACH_CRED:
		return NFS4ERR_INVAL;
	case SP4_SSV:
		return NFS4ERR_ENCR_ALG_UNSUPP;
	}
	return NFS4ERR_BADXDR;
}

/* Of one host and one identity.  What is beyond that takes the place of one
 * that has been away for a lease; or, when there is none, shares the first. */
enum { TUNNELS_MAX = 256 };

static void try_otherwise(struct nfsd_exchange *x)
{
	if (x->inherits)
		x->tunnel = NULL;
	x->inherits = true;
}

static nfsstat4 exchange(struct nfsd_compound *c, struct nfsd_exchange *x,
			 unsigned *tunnel)
{
	EXCHANGE_ID4args *arg = &c->arg.opexchange_id;
	const struct xdr_bytes given = arg->eia_clientowner.co_ownerid;
	struct nfsd_conn *conn = c->call->conn;
	nfsstat4 status;

	x->tunnel = conn->who.tunnel ? conn : NULL;
	for (*tunnel = 0;; ++*tunnel) {
		if (*tunnel == TUNNELS_MAX) {
			try_otherwise(x);
			*tunnel = 0;
		}
		arg->eia_clientowner.co_ownerid = given;
		if (!nfsd_identity_owner(c, *tunnel,
					 &arg->eia_clientowner.co_ownerid))
			return NFS4ERR_DELAY;
		status = nfsd_client_exchange(c->srv, x);
		if (!x->taken)
			return status;
	}
}

nfsstat4 nfsd_op_exchange_id(struct nfsd_compound *c)
{
	EXCHANGE_ID4args *arg = &c->arg.opexchange_id;
	EXCHANGE_ID4resok *res = &c->res.opexchange_id;
	struct nfsd_exchange x = { .args = arg,
				   .principal = c->call->principal,
				   .session = c->session };
	const char *self;
	nfsstat4 status;
	unsigned tunnel;

	if (arg->eia_flags & ~(VALID_FLAGS | fence_flag(c)))
		return NFS4ERR_INVAL;
	status = check_protection(arg->eia_state_protect.spa_how);
	if (status != NFS4_OK)
		return status;
	status = exchange(c, &x, &tunnel);
	if (status != NFS4_OK)
		return status;
	self = nfsd_identity_server(c, tunnel);
	if (self == NULL) {
		nfsd_client_put(x.client);
		return NFS4ERR_DELAY;
	}
	res->eir_clientid = x.client->id;
	res->eir_sequenceid = x.seqid;
	res->eir_flags = EXCHGID4_FLAG_USE_NON_PNFS | fence_flag(c) |
			 (x.confirmed ? EXCHGID4_FLAG_CONFIRMED_R : 0);
	res->eir_state_protect.spr_how = SP4_NONE;
	res->eir_server_owner.so_major_id = xdr_text(self);
	res->eir_server_scope = xdr_text(self);
	res->has_impl_id = true;
	res->eir_server_impl_id.nii_domain = xdr_text("hawser");
	res->eir_server_impl_id.nii_name = xdr_text("hawserd " HAWSER_VERSION);
	nfsd_client_put(x.client);
	return NFS4_OK;
}

nfsstat4 nfsd_op_destroy_clientid(struct nfsd_compound *c)
{
	clientid4 id = c->arg.opdestroy_clientid.dca_clientid;
	struct nfsd_client *client;
	bool gone;

	pthread_mutex_lock(&c->srv->clients_lock);
	client = nfsd_client_find(c->srv, id);
	if (client != NULL &&
	    client->principal.identity != c->call->principal.identity)
		client = NULL; /* somebody else's */
	if (client != NULL)
		nfsd_client_ref(client);
	pthread_mutex_unlock(&c->srv->clients_lock);
	if (client == NULL)
		return NFS4ERR_STALE_CLIENTID;
	gone = nfsd_client_expel(client, nfsd_client_idle, "DESTROY_CLIENTID");
	nfsd_client_put(client);
	return gone ? NFS4_OK : NFS4ERR_CLIENTID_BUSY;
}
