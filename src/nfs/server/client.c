/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients: how they become known, and how they go.
 *
 * A client owner has at most one confirmed record and one unconfirmed record.
 * EXCHANGE_ID makes unconfirmed ones, the first CREATE_SESSION confirms, which
 * replaces an older confirmed one (the client has restarted).  The cases are
 * numbered as in RFC 8881 18.35.4.
 *
 * A client goes when its lease is over and somebody wants what it holds, or
 * when it holds nothing; when it says so (DESTROY_CLIENTID); or when it has
 * restarted.  nfsd_client_expel() does all of these.
 */
#include "base/log.h"
#include "nfs/server/internal.h"

static uint64_t owner_hash(struct xdr_bytes owner)
{
	return hash_bytes(owner.data, owner.len);
}

static struct nfsd_client *by_owner(const struct htable *t,
				    struct xdr_bytes owner)
{
	struct nfsd_client *c;

	htable_for_each_match (c, t, owner_hash(owner), by_owner)
		if (xdr_bytes_equal(nfsd_client_owner(c), owner))
			return c;
	return NULL;
}

struct nfsd_client *nfsd_client_find(struct nfs_server *srv, clientid4 id)
{
	struct nfsd_client *c;

	htable_for_each_match (c, &srv->by_id, hash_u64(id), by_id)
		if (c->id == id)
			return c;
	return NULL;
}

struct nfsd_client *nfsd_client_ref(struct nfsd_client *c)
{
	MAGIC_CHECK(c, NFSD_CLIENT_MAGIC);
	atomic_fetch_add(&c->refs, 1);
	return c;
}

void nfsd_client_put(struct nfsd_client *c)
{
	if (c == NULL || atomic_fetch_sub(&c->refs, 1) != 1)
		return;
	MAGIC_CHECK(c, NFSD_CLIENT_MAGIC);
	assert(c->nstates == 0 && c->nranges == 0);
	htable_fini(&c->states);
	htable_fini(&c->pairs);
	htable_fini(&c->owners);
	pthread_mutex_destroy(&c->lock);
	MAGIC_CLEAR(c);
	free(c);
}

/* ------------------------------------------------------------------ lease */

void nfsd_client_renew(struct nfsd_client *c)
{
	atomic_store_explicit(&c->renewed, reactor_now(), memory_order_relaxed);
}

bool nfsd_client_expired(const struct nfsd_client *c)
{
	nsec renewed = atomic_load_explicit(&c->renewed, memory_order_relaxed);

	return reactor_now() - renewed > c->srv->options.lease;
}

bool nfsd_client_has_state(struct nfsd_client *c)
{
	bool has;

	pthread_mutex_lock(&c->lock);
	has = c->nstates > 0;
	pthread_mutex_unlock(&c->lock);
	return has;
}

/* ------------------------------------------------------------- EXCHANGE_ID */

static struct nfsd_client *client_new(struct nfs_server *srv,
				      const client_owner4 *owner,
				      const struct nfsd_principal *principal)
{
	uint32_t len = owner->co_ownerid.len;
	struct nfsd_client *c = calloc(1, sizeof(*c) + len);

	if (c == NULL)
		return NULL;
	MAGIC_SET(c, NFSD_CLIENT_MAGIC);
	atomic_init(&c->refs, 1);
	c->srv = srv;
	c->id = (uint64_t)srv->epoch << 32 | ++srv->next_client;
	c->verifier = owner->co_verifier;
	c->principal = *principal;
	list_init(&c->sessions);
	pthread_mutex_init(&c->lock, NULL);
	c->owner_len = len;
	if (len > 0)
		memcpy(c->owner, owner->co_ownerid.data, len);
	atomic_init(&c->renewed, reactor_now());

	htable_insert(&srv->by_id, &c->by_id, hash_u64(c->id));
	htable_insert(&srv->unconfirmed, &c->by_owner,
		      owner_hash(owner->co_ownerid));
	list_append(&srv->clients, &c->all);
	srv->nclients++;
	return c;
}

static bool same_principal(const struct nfsd_client *c,
			   const struct nfsd_principal *p)
{
	return c->principal.flavor == p->flavor && c->principal.uid == p->uid;
}

/* Room for one more?  Unconfirmed records go first, the oldest of them: to
 * make one costs nothing but a packet. */
static struct nfsd_client *find_victim(struct nfs_server *srv)
{
	struct nfsd_client *c;

	list_for_each (c, &srv->clients, all)
		if (!c->confirmed)
			return nfsd_client_ref(c);
	list_for_each (c, &srv->clients, all)
		if (nfsd_client_expired(c))
			return nfsd_client_ref(c);
	return NULL;
}

/* Cases 6 to 9: an update of a confirmed record. */
static nfsstat4 exchange_update(struct nfsd_client *conf,
				const EXCHANGE_ID4args *args,
				const struct nfsd_principal *p)
{
	if (conf == NULL)
		return NFS4ERR_NOENT;
	if (!verifier4_equal(conf->verifier, args->eia_clientowner.co_verifier))
		return NFS4ERR_NOT_SAME;
	if (!same_principal(conf, p))
		return NFS4ERR_PERM;
	return NFS4_OK;
}

/* Case 3: the same owner string, but somebody else.  He may have it if the
 * present holder can't miss it. */
static bool in_use(struct nfsd_client *c)
{
	return !nfsd_client_expired(c) &&
	       (!list_empty(&c->sessions) || nfsd_client_has_state(c));
}

/* Decides under clients_lock.  *expel (one reference) has to go, without the
 * lock, before the call is tried again. */
static nfsstat4 exchange_locked(struct nfs_server *srv,
				const EXCHANGE_ID4args *args,
				const struct nfsd_principal *p,
				struct nfsd_client **out,
				struct nfsd_client **expel)
{
	struct xdr_bytes owner = args->eia_clientowner.co_ownerid;
	struct nfsd_client *conf = by_owner(&srv->confirmed, owner);
	struct nfsd_client *unconf = by_owner(&srv->unconfirmed, owner);
	bool same_verifier = conf != NULL &&
			     verifier4_equal(conf->verifier,
					     args->eia_clientowner.co_verifier);
	nfsstat4 status;

	if (args->eia_flags & EXCHGID4_FLAG_UPD_CONFIRMED_REC_A) {
		status = exchange_update(conf, args, p);
		if (status != NFS4_OK)
			return status;
		*out = nfsd_client_ref(conf);
		return NFS4_OK;
	}
	if (conf != NULL && !same_principal(conf, p)) { /* case 3 */
		if (in_use(conf))
			return NFS4ERR_CLID_INUSE;
		*expel = nfsd_client_ref(conf);
		return NFS4_OK;
	}
	if (unconf != NULL) { /* case 4, and a leftover in the others */
		*expel = nfsd_client_ref(unconf);
		return NFS4_OK;
	}
	if (conf != NULL && same_verifier) { /* case 2 */
		*out = nfsd_client_ref(conf);
		return NFS4_OK;
	}
	/* Case 1, or 5: the old record stays until the new one is confirmed. */
	if (srv->nclients >= srv->options.max_clients) {
		*expel = find_victim(srv);
		return *expel == NULL ? NFS4ERR_DELAY : NFS4_OK;
	}
	*out = client_new(srv, &args->eia_clientowner, p);
	if (*out == NULL)
		return NFS4ERR_DELAY;
	nfsd_client_ref(*out);
	return NFS4_OK;
}

nfsstat4 nfsd_client_exchange(struct nfs_server *srv,
			      const EXCHANGE_ID4args *args,
			      const struct nfsd_principal *principal,
			      struct nfsd_client **out, bool *confirmed,
			      sequenceid4 *seqid)
{
	struct nfsd_client *expel;
	nfsstat4 status;

	for (;;) {
		*out = expel = NULL;
		pthread_mutex_lock(&srv->clients_lock);
		status = exchange_locked(srv, args, principal, out, &expel);
		if (*out != NULL) {
			*confirmed = (*out)->confirmed;
			*seqid = (*out)->cs_seqid + 1;
		}
		pthread_mutex_unlock(&srv->clients_lock);
		if (expel == NULL)
			return status;
		nfsd_client_expel(expel, "replaced by EXCHANGE_ID");
		nfsd_client_put(expel);
	}
}

/* ------------------------------------------------------------------- end */

/* No new states from here on, and those that are there go. */
static void drop_states(struct nfsd_client *c)
{
	struct nfsd_dropped *files = NULL;
	struct nfsd_state *s;

	pthread_mutex_lock(&c->lock);
	for (;;) {
		s = hnode_entry_(htable_iterate(&c->states, NULL),
				 struct nfsd_state, node);
		if (s == NULL)
			break;
		nfsd_state_drop(s, &files);
	}
	pthread_mutex_unlock(&c->lock);
	nfsd_files_put(files);
}

/* Out of the tables, its sessions dead.  false: somebody else did it. */
static bool unlink_locked(struct nfsd_client *c)
{
	struct nfs_server *srv = c->srv;

	pthread_mutex_lock(&c->lock);
	if (atomic_exchange(&c->dead, true)) {
		pthread_mutex_unlock(&c->lock);
		return false;
	}
	pthread_mutex_unlock(&c->lock);
	while (!list_empty(&c->sessions))
		nfsd_session_unlink(list_first(&c->sessions,
					       struct nfsd_session, by_client));
	htable_remove(&srv->by_id, &c->by_id);
	htable_remove(c->confirmed ? &srv->confirmed : &srv->unconfirmed,
		      &c->by_owner);
	list_del(&c->all);
	srv->nclients--;
	return true;
}

/* The first CREATE_SESSION: the record of this name from now on.  Returns the
 * one that it replaces (the client has restarted), already out of the tables,
 * for nfsd_client_bury(). */
struct nfsd_client *nfsd_client_confirm(struct nfsd_client *c)
{
	struct nfs_server *srv = c->srv;
	struct nfsd_client *old;

	if (c->confirmed)
		return NULL;
	old = by_owner(&srv->confirmed, nfsd_client_owner(c));
	if (old != NULL && !unlink_locked(old))
		old = NULL;
	htable_remove(&srv->unconfirmed, &c->by_owner);
	htable_insert(&srv->confirmed, &c->by_owner,
		      owner_hash(nfsd_client_owner(c)));
	c->confirmed = true;
	return old;
}

void nfsd_client_bury(struct nfsd_client *c, const char *why)
{
	log_debug("nfs client %016llx: %s", (unsigned long long)c->id, why);
	/* The record goes first: what the client held may be somebody else's
	 * as soon as it is free, and then a restart must not let the client
	 * reclaim it (RFC 8881 8.4.3). */
	nfsd_record_delete(c);
	drop_states(c);
	atomic_store(&c->gone, true);
	nfsd_client_put(c); /* the tables' reference */
}

static void expel(struct nfsd_client *c, bool only_expired, const char *why)
{
	struct nfs_server *srv = c->srv;
	bool ours;

	pthread_mutex_lock(&srv->clients_lock);
	if (only_expired && !nfsd_client_expired(c)) {
		pthread_mutex_unlock(&srv->clients_lock);
		return;
	}
	ours = unlink_locked(c);
	pthread_mutex_unlock(&srv->clients_lock);
	if (ours)
		nfsd_client_bury(c, why);
	while (!atomic_load(&c->gone)) /* somebody else is at it */
		task_sleep(MSEC(1));
}

void nfsd_client_expel(struct nfsd_client *c, const char *why)
{
	expel(c, false, why);
}

bool nfsd_client_expel_expired(struct nfsd_client *c)
{
	if (!nfsd_client_expired(c))
		return false;
	expel(c, true, "its lease is over, and its state is in the way");
	return true;
}
