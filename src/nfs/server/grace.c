/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grace period after a restart (RFC 8881 8.4.2): clients of before may
 * reclaim their opens and locks, and nobody gets a new one.
 *
 *	no records ──────────────────────────────────▶ over
 *	records ──▶ in grace ──▶ all of them have said RECLAIM_COMPLETE,
 *	                         or the time is up ──▶ over
 *
 * The time is prolonged, to twice as long at most, while somebody is at it: a
 * client that came late and has much to reclaim is not cut off in the middle.
 *
 * Who may reclaim stands in the store, see recovery.c.  When the period ends,
 * the old records are deleted: those who did not come back have lost what they
 * had, and must not believe otherwise after another restart.
 */
#include <errno.h>

#include "base/log.h"
#include "nfs/server/internal.h"

/* A client of before the restart. */
struct old_client {
	struct list link;
	clientid4 id; /* of its record */
	uint32_t len;
	uint8_t owner[];
};

struct nfsd_grace {
	pthread_mutex_t lock;
	struct list old; /* those that have not finished reclaiming */
	nsec end;
	_Atomic(nsec) last_reclaim;
};

#define LULL SEC(2) /* without a reclaim: nobody is at it any more */

bool nfsd_in_grace(const struct nfs_server *srv)
{
	return atomic_load_explicit(&srv->in_grace, memory_order_relaxed);
}

int nfsd_grace_add(struct nfs_server *srv, clientid4 id, struct xdr_bytes owner)
{
	struct old_client *o = malloc(sizeof(*o) + owner.len);

	if (o == NULL)
		return -ENOMEM;
	if (srv->grace == NULL) {
		srv->grace = calloc(1, sizeof(*srv->grace));
		if (srv->grace == NULL) {
			free(o);
			return -ENOMEM;
		}
		pthread_mutex_init(&srv->grace->lock, NULL);
		list_init(&srv->grace->old);
	}
	o->id = id;
	o->len = owner.len;
	memcpy(o->owner, owner.data, owner.len);
	list_append(&srv->grace->old, &o->link);
	return 0;
}

void nfsd_grace_begin(struct nfs_server *srv)
{
	if (srv->grace == NULL) {
		engine_end_grace(srv->engine);
		return;
	}
	/* What is removed before who had it open is back is kept for him. */
	engine_begin_grace(srv->engine);
	srv->grace->end = reactor_now() + srv->options.grace;
	atomic_store(&srv->in_grace, true);
	log_info(
		"nfs %s: grace period of %lld s: clients of before the restart "
		"may reclaim",
		srv->owner_text, (long long)(srv->options.grace / SEC(1)));
}

static struct old_client *find(struct nfsd_grace *g,
			       const struct nfsd_client *c)
{
	struct old_client *o;

	list_for_each (o, &g->old, link)
		if (o->len == c->owner_len &&
		    memcmp(o->owner, c->owner, o->len) == 0)
			return o;
	return NULL;
}

nfsstat4 nfsd_grace_check_reclaim(struct nfsd_client *c)
{
	struct nfsd_grace *g = c->srv->grace;
	bool known;

	if (atomic_load(&c->reclaimed) || !nfsd_in_grace(c->srv))
		return NFS4ERR_NO_GRACE;
	pthread_mutex_lock(&g->lock);
	known = find(g, c) != NULL;
	pthread_mutex_unlock(&g->lock);
	if (!known)
		return NFS4ERR_RECLAIM_BAD;
	atomic_store(&g->last_reclaim, reactor_now());
	return nfsd_record_put(c) < 0 ? NFS4ERR_DELAY : NFS4_OK;
}

static void grace_end(struct nfs_server *srv, const char *why)
{
	struct nfsd_grace *g = srv->grace;
	struct list gone = LIST_INIT(gone);
	struct old_client *o, *tmp;

	pthread_mutex_lock(&g->lock);
	list_splice(&gone, &g->old);
	pthread_mutex_unlock(&g->lock);
	list_for_each_safe (o, tmp, &gone, link) {
		nfsd_record_delete_id(srv, o->id);
		free(o);
	}
	if (!atomic_exchange(&srv->in_grace, false))
		return;
	engine_end_grace(srv->engine);
	log_info("nfs %s: end of the grace period: %s", srv->owner_text, why);
}

void nfsd_grace_reclaimed(struct nfsd_client *c)
{
	struct nfs_server *srv = c->srv;
	struct nfsd_grace *g = srv->grace;
	struct old_client *o;
	bool last;

	if (!nfsd_in_grace(srv))
		return;
	do { /* a crash between put and delete may have left two records */
		pthread_mutex_lock(&g->lock);
		o = find(g, c);
		if (o != NULL)
			list_del(&o->link);
		last = list_empty(&g->old);
		pthread_mutex_unlock(&g->lock);
		if (o != NULL)
			nfsd_record_delete_id(srv, o->id);
		free(o);
	} while (o != NULL);
	if (last)
		grace_end(srv, "every client has reclaimed");
}

void nfsd_grace_tick(struct nfs_server *srv)
{
	struct nfsd_grace *g = srv->grace;
	nsec now = reactor_now();

	if (!nfsd_in_grace(srv) || now < g->end)
		return;
	if (now - atomic_load(&g->last_reclaim) < LULL &&
	    now < g->end + srv->options.grace)
		return;
	grace_end(srv, "time is up");
}

void nfsd_grace_fini(struct nfs_server *srv)
{
	struct nfsd_grace *g = srv->grace;
	struct old_client *o, *tmp;

	if (g == NULL)
		return;
	list_for_each_safe (o, tmp, &g->old, link)
		free(o);
	pthread_mutex_destroy(&g->lock);
	free(g);
}
