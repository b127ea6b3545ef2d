/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions (RFC 8881 2.10): a table of slots that belongs to a client and to no
 * connection.  Whichever connection sends a SEQUENCE for it is bound to it by
 * that; losing connections changes nothing.
 *
 * Memory of a session: the struct, a slot of some 60 bytes for each request
 * that may be outstanding, and per slot the last reply (up to NFSD_MAX_CACHED)
 * if the client wanted it cached.
 */
#include "nfs/server/callback.h"
#include "nfs/server/internal.h"

/* The least that is of any use: a request with a SEQUENCE, and its reply. */
enum { MIN_REQUEST = 128, MIN_RESPONSE = 128, MIN_OPS = 2 };

static bool useless(const channel_attrs4 *a)
{
	return a->ca_maxrequestsize < MIN_REQUEST ||
	       a->ca_maxresponsesize < MIN_RESPONSE || a->ca_maxoperations == 0;
}

static void cap(count4 *value, count4 most)
{
	if (*value > most)
		*value = most;
}

nfsstat4 nfsd_session_negotiate(channel_attrs4 *fore, channel_attrs4 *back)
{
	if (useless(fore) || fore->ca_maxoperations < MIN_OPS || useless(back))
		return NFS4ERR_TOOSMALL;
	fore->ca_headerpadsize = 0;
	cap(&fore->ca_maxrequestsize, NFSD_MAX_MESSAGE);
	cap(&fore->ca_maxresponsesize, NFSD_MAX_MESSAGE);
	cap(&fore->ca_maxresponsesize_cached, NFSD_MAX_CACHED);
	cap(&fore->ca_maxresponsesize_cached, fore->ca_maxresponsesize);
	cap(&fore->ca_maxoperations, NFSD_MAX_OPS);
	cap(&fore->ca_maxrequests, NFSD_MAX_SLOTS);
	fore->ca_maxrequests += fore->ca_maxrequests == 0;
	fore->has_rdma_ird = false;

	back->ca_headerpadsize = 0;
	back->ca_maxrequests = 1;
	back->has_rdma_ird = false;
	return NFS4_OK;
}

/*
 * The memory that the replies of a session may come to take is set aside when
 * it is created (RFC 8881 2.10.6.1.3: what was to be cached has to be there
 * when it is asked for).  As the server's share of it is used up, sessions get
 * fewer slots; one gets half of what is left at most.
 */
static size_t slot_cost(const channel_attrs4 *fore)
{
	return sizeof(struct nfsd_slot) + sizeof(struct nfsd_reply) +
	       fore->ca_maxresponsesize_cached;
}

static bool reserve(struct nfsd_client *c, channel_attrs4 *fore)
{
	struct nfs_server *srv = c->srv;
	size_t used = MIN(srv->reply_cache_reserved, NFSD_REPLY_CACHE_BYTES);
	size_t left = NFSD_REPLY_CACHE_BYTES - used;

	cap(&fore->ca_maxrequests, (count4)(left / 2 / slot_cost(fore)));
	if (fore->ca_maxrequests == 0 && c->nsessions == 0)
		fore->ca_maxrequests = 1;
	srv->reply_cache_reserved += fore->ca_maxrequests * slot_cost(fore);
	return fore->ca_maxrequests > 0;
}

static void unreserve(struct nfs_server *srv, const channel_attrs4 *fore)
{
	srv->reply_cache_reserved -= fore->ca_maxrequests * slot_cost(fore);
}

static uint64_t id_hash(const sessionid4 *id)
{
	return hash_u64(load_be64(id->b + 8));
}

nfsstat4 nfsd_session_new(struct nfsd_client *c, channel_attrs4 *fore,
			  const channel_attrs4 *back, uint32_t minorversion,
			  struct nfsd_session **out)
{
	struct nfs_server *srv = c->srv;
	struct nfsd_session *s;
	unsigned nslots;

	if (c->nsessions >= NFSD_MAX_SESSIONS)
		return NFS4ERR_NOSPC;
	if (!reserve(c, fore))
		return NFS4ERR_DELAY;
	nslots = fore->ca_maxrequests;
	s = calloc(1, sizeof(*s) + nslots * sizeof(s->slots[0]));
	if (s == NULL) {
		unreserve(srv, fore);
		return NFS4ERR_DELAY;
	}
	MAGIC_SET(s, NFSD_SESSION_MAGIC);
	atomic_init(&s->refs, 1);
	s->srv = srv;
	s->client = nfsd_client_ref(c);
	s->fore = *fore;
	s->back = *back;
	s->minorversion = minorversion;
	s->cb_seqid = 1;
	list_init(&s->notices);
	pthread_mutex_init(&s->lock, NULL);
	s->nslots = nslots;
	for (unsigned i = 0; i < nslots; i++)
		list_init(&s->slots[i].waiters);
	store_be64(s->id.b, c->id);
	store_be64(s->id.b + 8, ++srv->next_session);

	htable_insert(&srv->sessions, &s->node, id_hash(&s->id));
	srv->nsessions++;
	list_append(&c->sessions, &s->by_client);
	c->nsessions++;
	*out = s;
	return NFS4_OK;
}

struct nfsd_session *nfsd_session_ref(struct nfsd_session *s)
{
	MAGIC_CHECK(s, NFSD_SESSION_MAGIC);
	atomic_fetch_add(&s->refs, 1);
	return s;
}

struct nfsd_session *nfsd_session_get(struct nfs_server *srv,
				      const sessionid4 *id)
{
	struct nfsd_session *s;

	pthread_mutex_lock(&srv->clients_lock);
	htable_for_each_match (s, &srv->sessions, id_hash(id), node)
		if (sessionid4_equal(s->id, *id)) {
			nfsd_session_ref(s);
			break;
		}
	pthread_mutex_unlock(&srv->clients_lock);
	return s;
}

void nfsd_session_put(struct nfsd_session *s)
{
	if (s == NULL || atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	MAGIC_CHECK(s, NFSD_SESSION_MAGIC);
	for (unsigned i = 0; i < s->nslots; i++)
		nfsd_reply_put(s->slots[i].reply);
	nfsd_client_put(s->client);
	pthread_mutex_destroy(&s->lock);
	MAGIC_CLEAR(s);
	free(s);
}

bool nfsd_session_dead(struct nfsd_session *s)
{
	bool dead;

	pthread_mutex_lock(&s->lock);
	dead = s->dead;
	pthread_mutex_unlock(&s->lock);
	return dead;
}

bool nfsd_session_busy(struct nfsd_session *s, const struct nfsd_session *own)
{
	bool busy;

	pthread_mutex_lock(&s->lock);
	busy = s->nbusy > (s == own);
	pthread_mutex_unlock(&s->lock);
	return busy;
}

void nfsd_session_unlink(struct nfsd_session *s)
{
	struct nfs_server *srv = s->srv;

	htable_remove(&srv->sessions, &s->node);
	srv->nsessions--;
	unreserve(srv, &s->fore);
	list_del(&s->by_client);
	s->client->nsessions--;
	pthread_mutex_lock(&s->lock);
	s->dead = true;
	nfsd_back_drop(s);
	for (unsigned i = 0; i < s->nslots; i++) { /* nobody asks any more */
		nfsd_reply_put(s->slots[i].reply);
		s->slots[i].reply = NULL;
	}
	pthread_mutex_unlock(&s->lock);
	nfsd_session_put(s);
}
