/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CLOSE, OPEN_DOWNGRADE (RFC 8881 18.2, 18.18), TEST_STATEID, FREE_STATEID
 * (18.48, 18.38).
 */
#include "nfs/server/internal.h"

/* The open of the current file that the argument names.  Wants client.lock. */
static nfsstat4 find_open(struct nfsd_compound *c, const stateid4 *id,
			  struct nfsd_state **out)
{
	stateid4 meant = nfsd_resolve_stateid(c, id);
	nfsstat4 status =
		nfsd_state_find(c->client, &meant, NFSD_WANT_OPEN, out);

	if (status == NFS4_OK && (*out)->file->ino != c->cfh)
		status = NFS4ERR_BAD_STATEID;
	return status;
}

/* Locks that are still held go with the open (18.2.3 leaves it to us). */
nfsstat4 nfsd_op_close(struct nfsd_compound *c)
{
	struct nfsd_client *client = c->client;
	struct nfsd_dropped *files = NULL;
	struct nfsd_state *s;
	nfsstat4 status;

	pthread_mutex_lock(&client->lock);
	status = find_open(c, &c->arg.opclose.open_stateid, &s);
	if (status == NFS4_OK)
		nfsd_state_drop(s, &files);
	pthread_mutex_unlock(&client->lock);
	nfsd_files_put(files);
	if (status != NFS4_OK)
		return status;
	c->res.opclose.open_stateid = stateid4_invalid;
	c->cfh_state = stateid4_invalid;
	return NFS4_OK;
}

nfsstat4 nfsd_op_open_downgrade(struct nfsd_compound *c)
{
	const OPEN_DOWNGRADE4args *arg = &c->arg.opopen_downgrade;
	unsigned access = arg->share_access & OPEN4_SHARE_ACCESS_BOTH;
	struct nfsd_client *client = c->client;
	struct nfsd_state *s;
	nfsstat4 status;

	if (access == 0 || arg->share_deny > OPEN4_SHARE_DENY_BOTH)
		return NFS4ERR_INVAL;
	pthread_mutex_lock(&client->lock);
	status = find_open(c, &arg->open_stateid, &s);
	if (status == NFS4_OK)
		status = nfsd_open_downgrade(s, access, arg->share_deny);
	if (status == NFS4_OK)
		c->cfh_state = nfsd_state_id(c->srv, s);
	pthread_mutex_unlock(&client->lock);
	c->res.opopen_downgrade.open_stateid = c->cfh_state;
	return status;
}

nfsstat4 nfsd_op_test_stateid(struct nfsd_compound *c)
{
	const TEST_STATEID4args *arg = &c->arg.optest_stateid;
	TEST_STATEID4resok *res = &c->res.optest_stateid;
	struct nfsd_state *s;

	res->tsr_status_codes = arena_calloc(&c->call->arena, arg->n,
					     sizeof(res->tsr_status_codes[0]));
	if (res->tsr_status_codes == NULL && arg->n > 0)
		return NFS4ERR_DELAY;
	res->n = arg->n;
	pthread_mutex_lock(&c->client->lock);
	for (uint32_t i = 0; i < arg->n; i++)
		res->tsr_status_codes[i] = nfsd_state_find(
			c->client, &arg->ts_stateids[i], NFSD_WANT_ANY, &s);
	pthread_mutex_unlock(&c->client->lock);
	return NFS4_OK;
}

/* Frees the stateid of a lock-owner that holds no locks any more. */
nfsstat4 nfsd_op_free_stateid(struct nfsd_compound *c)
{
	stateid4 id =
		nfsd_resolve_stateid(c, &c->arg.opfree_stateid.fsa_stateid);
	struct nfsd_client *client = c->client;
	struct nfsd_dropped *files = NULL;
	struct nfsd_state *s;
	nfsstat4 status;

	pthread_mutex_lock(&client->lock);
	status = nfsd_state_find(client, &id, NFSD_WANT_ANY, &s);
	if (status == NFS4_OK) {
		if (!s->is_lock || !list_empty(&s->ranges))
			status = NFS4ERR_LOCKS_HELD;
		else
			nfsd_state_drop(s, &files);
	}
	pthread_mutex_unlock(&client->lock);
	nfsd_files_put(files);
	return status;
}
