/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens and their share reservations (RFC 8881 9.7 to 9.9): which opens of a
 * file get along.  An OPEN is checked against every open of the file, its own
 * owner's not excepted.
 *
 * Hardly any client denies anything, so opens that do are counted, and the
 * others are walked only when one of the two sides denies.
 */
#include "nfs/server/internal.h"

struct nfsd_state *nfsd_share_conflict(const struct nfsd_file *f,
				       unsigned access, unsigned deny)
{
	struct nfsd_state *s;

	if (deny == 0 && f->ndenials == 0)
		return NULL;
	list_for_each (s, &f->opens, by_file)
		if ((access & s->deny) || (deny & s->access))
			return s;
	return NULL;
}

void nfsd_share_set(struct nfsd_state *s, unsigned access, unsigned deny)
{
	struct nfsd_file *f = s->file;

	if (list_empty(&s->by_file))
		list_append(&f->opens, &s->by_file);
	f->ndenials += (deny != 0) - (s->deny != 0);
	s->access = access;
	s->deny = deny;
}

void nfsd_share_drop(struct nfsd_state *s)
{
	if (list_empty(&s->by_file))
		return;
	s->file->ndenials -= s->deny != 0;
	list_del(&s->by_file);
}

/* ------------------------------------------------------------------- OPEN */

/* Wants client.lock and file.lock. */
static nfsstat4 add(struct nfsd_client *c, struct xdr_bytes owner,
		    struct nfsd_file *f, const struct nfsd_share *share,
		    stateid4 *id, bool *is_new)
{
	struct nfsd_state *s = nfsd_state_of_owner(c, owner, false, f);

	*is_new = s == NULL;
	if (s == NULL)
		s = nfsd_state_new(c, owner, false, f);
	else
		nfsd_state_bump(s);
	if (s == NULL)
		return NFS4ERR_DELAY;
	nfsd_share_set(s, s->access | share->access, s->deny | share->deny);
	s->access_seen |= 1 << share->access;
	s->deny_seen |= 1 << share->deny;
	*id = nfsd_state_id(c->srv, s);
	return NFS4_OK;
}

nfsstat4 nfsd_open_add(struct nfsd_client *c, struct xdr_bytes owner,
		       struct nfsd_file *f, const struct nfsd_share *share,
		       stateid4 *id, bool *is_new)
{
	struct nfsd_client *culprit;
	struct nfsd_state *conflict;
	nfsstat4 status;
	bool again;

	do {
		culprit = NULL;
		status = NFS4ERR_SHARE_DENIED;
		pthread_mutex_lock(&c->lock);
		pthread_mutex_lock(&f->lock);
		conflict = nfsd_share_conflict(f, share->access | share->once,
					       share->deny);
		if (conflict != NULL)
			culprit = nfsd_client_ref(conflict->owner->client);
		else if (atomic_load(&c->dead))
			status = NFS4ERR_DELAY; /* SEQUENCE will tell */
		else
			status = add(c, owner, f, share, id, is_new);
		pthread_mutex_unlock(&f->lock);
		pthread_mutex_unlock(&c->lock);
		if (culprit == NULL)
			break;
		again = nfsd_client_expel_expired(culprit);
		nfsd_client_put(culprit);
	} while (again);
	return status;
}

/* -------------------------------------------------------------- downgrade */

/* Is `mode` the union of some of the modes that were opened (RFC 8881 18.18.3)?
 * If so, *seen keeps those. */
static bool is_union(uint8_t *seen, unsigned mode)
{
	unsigned joined = 0, kept = 0;

	for (unsigned m = 0; m <= OPEN4_SHARE_ACCESS_BOTH; m++)
		if ((*seen >> m & 1) && (m & ~mode) == 0) {
			joined |= m;
			kept |= 1u << m;
		}
	if (joined != mode || kept == 0)
		return false;
	*seen = kept;
	return true;
}

nfsstat4 nfsd_open_downgrade(struct nfsd_state *s, unsigned access,
			     unsigned deny)
{
	uint8_t access_seen = s->access_seen, deny_seen = s->deny_seen;

	if (!is_union(&access_seen, access) || !is_union(&deny_seen, deny))
		return NFS4ERR_INVAL;
	pthread_mutex_lock(&s->file->lock);
	nfsd_share_set(s, access, deny);
	pthread_mutex_unlock(&s->file->lock);
	s->access_seen = access_seen;
	s->deny_seen = deny_seen;
	nfsd_state_bump(s);
	return NFS4_OK;
}
