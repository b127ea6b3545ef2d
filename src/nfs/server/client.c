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
 * restarted.  nfsd_client_expel() does all of these, and asks once more whether
 * it may, when nobody can change that any more.
 */
#include "base/log.h"
#include "nfs/server/conn.h"
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
	if (c->tunnel != NULL)
		nfsd_conn_put(c->tunnel);
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

bool nfsd_client_busy(struct nfsd_client *c, const struct nfsd_session *own)
{
	struct nfsd_session *s;

	list_for_each (s, &c->sessions, by_client)
		if (nfsd_session_busy(s, own))
			return true;
	return false;
}

/* What a request has begun under the lease, it may end: until then nobody gets
 * what its client holds. */
static bool lease_over(struct nfsd_client *c)
{
	return nfsd_client_expired(c) && !nfsd_client_busy(c, NULL);
}

bool nfsd_client_idle(struct nfsd_client *c)
{
	return list_empty(&c->sessions) && c->nstates == 0;
}

/* ------------------------------------------------------------- EXCHANGE_ID */

static struct nfsd_client *client_new(struct nfs_server *srv,
				      const struct nfsd_exchange *x)
{
	const client_owner4 *owner = &x->args->eia_clientowner;
	uint32_t len = owner->co_ownerid.len;
	struct nfsd_client *c = calloc(1, sizeof(*c) + len);

	if (c == NULL)
		return NULL;
	MAGIC_SET(c, NFSD_CLIENT_MAGIC);
	atomic_init(&c->refs, 1);
	c->srv = srv;
	c->id = (uint64_t)srv->epoch << 32 | ++srv->next_client;
	c->verifier = owner->co_verifier;
	c->principal = x->principal;
	c->tunnel = x->tunnel ? nfsd_conn_ref(x->tunnel) : NULL;
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

/* Who has to go before EXCHANGE_ID is tried again. */
struct verdict {
	struct nfsd_client *client; /* one reference; NULL: nobody */
	nfsd_client_test *test;
};

static bool condemn(struct verdict *v, struct nfsd_client *c,
		    nfsd_client_test *test)
{
	v->client = nfsd_client_ref(c);
	v->test = test;
	return true;
}

static bool same_principal(const struct nfsd_client *c,
			   const struct nfsd_principal *p)
{
	return c->principal.flavor == p->flavor && c->principal.uid == p->uid;
}

/* To make an unconfirmed one costs nothing but a packet. */
static bool is_unconfirmed(struct nfsd_client *c)
{
	return !c->confirmed;
}

/* Somebody has to go to make room for one more. */
static bool find_victim(struct nfs_server *srv, struct verdict *v)
{
	struct nfsd_client *c;

	list_for_each (c, &srv->clients, all)
		if (is_unconfirmed(c))
			return condemn(v, c, is_unconfirmed);
	list_for_each (c, &srv->clients, all)
		if (lease_over(c))
			return condemn(v, c, lease_over);
	return false;
}

/* Wants clients_lock and client.lock. */
static bool may_go(struct nfsd_client *c, nfsd_client_test *test)
{
	return !atomic_load(&c->dead) && (test == NULL || test(c));
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
static bool is_dispensable(struct nfsd_client *c)
{
	return lease_over(c) || nfsd_client_idle(c);
}

static nfsstat4 take_over(struct nfsd_client *conf, struct verdict *v)
{
	bool may;

	pthread_mutex_lock(&conf->lock);
	may = may_go(conf, is_dispensable);
	pthread_mutex_unlock(&conf->lock);
	if (!may)
		return NFS4ERR_CLID_INUSE;
	condemn(v, conf, is_dispensable);
	return NFS4_OK;
}

static bool uses(const struct nfsd_conn *conn, const struct nfsd_client *c)
{
	if (conn == c->tunnel)
		return true;
	for (unsigned i = 0; i < conn->nbound; i++)
		if (conn->bound[i]->client == c)
			return true;
	return false;
}

/* By another tunnel than this, if its host has not restarted (the verifier):
 * also by one that is not there, since it may come back.  What has not been
 * confirmed has no sessions to come back to. */
static bool is_taken(const struct nfsd_client *c, const struct nfsd_exchange *x)
{
	const client_owner4 *co = &x->args->eia_clientowner;

	return c != NULL && x->tunnel != NULL && !uses(x->tunnel, c) &&
	       verifier4_equal(c->verifier, co->co_verifier) &&
	       (c->confirmed ||
		(c->tunnel != NULL && !atomic_load(&c->tunnel->ended)));
}

/* Decides under clients_lock.  Whoever `v` names has to go, without the lock,
 * before the call is tried again. */
static nfsstat4 exchange_locked(struct nfs_server *srv, struct nfsd_exchange *x,
				struct verdict *v)
{
	const client_owner4 *co = &x->args->eia_clientowner;
	struct nfsd_client *conf = by_owner(&srv->confirmed, co->co_ownerid);
	struct nfsd_client *unconf =
		by_owner(&srv->unconfirmed, co->co_ownerid);
	bool same = conf != NULL &&
		    verifier4_equal(conf->verifier, co->co_verifier);
	nfsstat4 status;

	x->taken = is_taken(conf, x) || is_taken(unconf, x);
	if (x->taken && x->inherits && conf != NULL && lease_over(conf)) {
		condemn(v, conf, lease_over);
		return NFS4_OK;
	}
	if (x->taken)
		return NFS4_OK;
	if (x->args->eia_flags & EXCHGID4_FLAG_UPD_CONFIRMED_REC_A) {
		status = exchange_update(conf, x->args, &x->principal);
		x->client = status == NFS4_OK ? nfsd_client_ref(conf) : NULL;
		return status;
	}
	if (conf != NULL && !same_principal(conf, &x->principal)) /* case 3 */
		return take_over(conf, v);
	if (unconf != NULL) { /* case 4, and a leftover in the others */
		condemn(v, unconf, is_unconfirmed);
		return NFS4_OK;
	}
	if (same) { /* case 2 */
		x->client = nfsd_client_ref(conf);
		return NFS4_OK;
	}
	/* Case 1, or 5: the old record stays until the new one is confirmed,
	 * but what it had begun ends first (RFC 7862 14.4). */
	if (conf != NULL && nfsd_client_busy(conf, x->session))
		return NFS4ERR_DELAY;
	if (srv->nclients >= srv->options.max_clients)
		return find_victim(srv, v) ? NFS4_OK : NFS4ERR_DELAY;
	x->client = client_new(srv, x);
	if (x->client == NULL)
		return NFS4ERR_DELAY;
	nfsd_client_ref(x->client);
	return NFS4_OK;
}

nfsstat4 nfsd_client_exchange(struct nfs_server *srv, struct nfsd_exchange *x)
{
	struct verdict v;
	nfsstat4 status;

	for (;;) {
		v.client = x->client = NULL;
		pthread_mutex_lock(&srv->clients_lock);
		status = exchange_locked(srv, x, &v);
		if (x->client != NULL) {
			x->confirmed = x->client->confirmed;
			x->seqid = x->client->cs_seqid + 1;
		}
		pthread_mutex_unlock(&srv->clients_lock);
		if (v.client == NULL)
			return status;
		nfsd_client_expel(v.client, v.test, "replaced by EXCHANGE_ID");
		nfsd_client_put(v.client);
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

/* Out of the tables, its sessions dead, if it may go.  false: it may not, or
 * somebody else did it. */
static bool unlink_locked(struct nfsd_client *c, nfsd_client_test *test)
{
	struct nfs_server *srv = c->srv;
	bool may;

	pthread_mutex_lock(&c->lock);
	may = may_go(c, test);
	if (may)
		atomic_store(&c->dead, true);
	pthread_mutex_unlock(&c->lock);
	if (!may)
		return false;
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

struct nfsd_client *nfsd_client_older_self(const struct nfsd_client *c)
{
	return c->confirmed
		       ? NULL
		       : by_owner(&c->srv->confirmed, nfsd_client_owner(c));
}

/* The first CREATE_SESSION: the record of this name from now on.  Returns the
 * one that it replaces (the client has restarted), already out of the tables,
 * for nfsd_client_bury(). */
struct nfsd_client *nfsd_client_confirm(struct nfsd_client *c)
{
	struct nfs_server *srv = c->srv;
	struct nfsd_client *old = nfsd_client_older_self(c);

	if (c->confirmed)
		return NULL;
	if (old != NULL && !unlink_locked(old, NULL))
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

bool nfsd_client_expel(struct nfsd_client *c, nfsd_client_test *test,
		       const char *why)
{
	struct nfs_server *srv = c->srv;
	bool ours;

	pthread_mutex_lock(&srv->clients_lock);
	ours = unlink_locked(c, test);
	pthread_mutex_unlock(&srv->clients_lock);
	if (ours)
		nfsd_client_bury(c, why);
	else if (!atomic_load(&c->dead))
		return false;
	while (!atomic_load(&c->gone)) /* somebody else is at it */
		task_sleep(MSEC(1));
	return true;
}

bool nfsd_client_expel_expired(struct nfsd_client *c)
{
	return nfsd_client_expired(c) &&
	       nfsd_client_expel(
		       c, lease_over,
		       "its lease is over, and its state is in the way");
}
