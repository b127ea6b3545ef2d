/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SEQUENCE (RFC 8881 18.46): finds session and slot, and decides whether the
 * compound is run, answered from the reply cache, or refused.
 *
 * It binds the connection to the session, which is how the Linux client adds
 * paths to one (it sends no BIND_CONN_TO_SESSION).  And it renews the lease.
 */
#include "nfs/server/internal.h"

/* Enough of a request to tell it from another one with the same slot and
 * sequence id (a false retry): the operations behind SEQUENCE, and who asks.
 * Of long requests the beginning and the length must do. */
enum { FINGERPRINT_BYTES = 256 };

static uint64_t fingerprint(const struct nfsd_compound *c)
{
	size_t len = xdr_left(c->in);

	return hash_bytes(c->in->p, MIN(len, (size_t)FINGERPRINT_BYTES)) +
	       hash_u64(len ^ (uint64_t)c->call->principal.uid << 32);
}

/* What the session's channel bounds (RFC 8881 2.10.6.4), before the slot is
 * touched: the client may try again with the same sequence id. */
static nfsstat4 check_channel(struct nfsd_compound *c,
			      const struct nfsd_session *s)
{
	const channel_attrs4 *fore = &s->fore;
	const SEQUENCE4args *arg = &c->arg.opsequence;

	if (c->call->record.bytes.len > fore->ca_maxrequestsize)
		return NFS4ERR_REQ_TOO_BIG;
	if (c->nops > fore->ca_maxoperations)
		return NFS4ERR_TOO_MANY_OPS;
	c->max_reply = fore->ca_maxresponsesize;
	c->too_big = NFS4ERR_REP_TOO_BIG;
	c->cache_this = arg->sa_cachethis;
	if (c->cache_this &&
	    fore->ca_maxresponsesize_cached < fore->ca_maxresponsesize) {
		c->max_reply = fore->ca_maxresponsesize_cached;
		c->too_big = NFS4ERR_REP_TOO_BIG_TO_CACHE;
	}
	return NFS4_OK;
}

/* SEQUENCE's own result has to fit, too. */
static bool has_room(struct nfsd_compound *c)
{
	enum { RESULT = 8 + NFS4_SESSIONID_SIZE + 5 * 4 };

	return nfsd_compound_room(c) >= RESULT;
}

static void answer(struct nfsd_compound *c, const struct nfsd_session *s,
		   uint32_t status_flags)
{
	const SEQUENCE4args *arg = &c->arg.opsequence;

	c->res.opsequence = (SEQUENCE4resok){
		.sr_sessionid = arg->sa_sessionid,
		.sr_sequenceid = arg->sa_sequenceid,
		.sr_slotid = arg->sa_slotid,
		.sr_highest_slotid = s->nslots - 1,
		.sr_target_highest_slotid = s->nslots - 1,
		.sr_status_flags = status_flags,
	};
}

nfsstat4 nfsd_op_sequence(struct nfsd_compound *c)
{
	const SEQUENCE4args *arg = &c->arg.opsequence;
	struct nfsd_sequence q = {
		.slotid = arg->sa_slotid,
		.seqid = arg->sa_sequenceid,
		.fingerprint = fingerprint(c),
	};
	struct nfsd_session *s;
	nfsstat4 status;

	s = nfsd_conn_session(c->call->conn, &arg->sa_sessionid);
	if (s == NULL)
		return NFS4ERR_BADSESSION;
	c->session = s; /* put at the end of the compound */
	c->client = s->client;
	status = check_channel(c, s);
	if (status != NFS4_OK)
		return status;
	if (!has_room(c))
		return c->too_big;
	status = nfsd_slot_begin(s, &q, &c->call->replay);
	if (status != NFS4_OK && status != NFS4ERR_RETRY_UNCACHED_REP)
		return status;
	nfsd_client_renew(s->client);
	if (c->call->replay != NULL || status != NFS4_OK)
		nfsd_count(c->call->conn, replays, 1);
	c->uncached = status == NFS4ERR_RETRY_UNCACHED_REP;
	c->holds_slot = status == NFS4_OK && c->call->replay == NULL;
	c->call->slotid = arg->sa_slotid;
	c->call->session = c->holds_slot ? s : NULL;
	answer(c, s, q.status_flags);
	return NFS4_OK;
}
