/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stateids and their owners (RFC 8881 8.2).
 *
 * The 12 opaque bytes of a stateid are the epoch of this start of the server
 * and a number that is used once.  States are found in their client's table,
 * so another client's stateid is as unknown as an invented one, and so is one
 * from before a restart.
 */
#include "nfs/server/callback.h"
#include "nfs/server/internal.h"

static uint64_t id_hash(uint64_t id)
{
	return hash_u64(id);
}

stateid4 nfsd_state_id(const struct nfs_server *srv, const struct nfsd_state *s)
{
	stateid4 id = { .seqid = s->seqid };

	store_be32(id.other, srv->epoch);
	store_be64(id.other + 4, s->id);
	return id;
}

void nfsd_state_bump(struct nfsd_state *s)
{
	if (++s->seqid == 0)
		s->seqid = 1;
}

static struct nfsd_state *find(struct nfsd_client *c, const stateid4 *id)
{
	uint64_t number = load_be64(id->other + 4);
	struct nfsd_state *s;

	if (load_be32(id->other) != c->srv->epoch)
		return NULL;
	htable_for_each_match (s, &c->states, id_hash(number), node)
		if (s->id == number)
			return s;
	return NULL;
}

/* RFC 8881 8.2.2: seqid 0 means the newest, an older one is OLD_STATEID, one
 * that we have not given out yet is nonsense.  Serial arithmetic. */
static nfsstat4 check_seqid(const struct nfsd_state *s, uint32_t seqid)
{
	if (seqid == 0 || seqid == s->seqid)
		return NFS4_OK;
	return (int32_t)(seqid - s->seqid) < 0 ? NFS4ERR_OLD_STATEID
					       : NFS4ERR_BAD_STATEID;
}

nfsstat4 nfsd_state_find(struct nfsd_client *c, const stateid4 *id,
			 enum nfsd_want want, struct nfsd_state **out)
{
	struct nfsd_state *s = find(c, id);

	if (s == NULL)
		return NFS4ERR_BAD_STATEID;
	if ((want == NFSD_WANT_OPEN && s->is_lock) ||
	    (want == NFSD_WANT_LOCK && !s->is_lock))
		return NFS4ERR_BAD_STATEID;
	*out = s;
	return check_seqid(s, id->seqid);
}

bool nfsd_hold(struct nfs_server *srv, size_t size)
{
	if (atomic_fetch_add(&srv->held, size) < NFSD_HELD_BYTES)
		return true;
	nfsd_unhold(srv, size);
	return false;
}

void nfsd_unhold(struct nfs_server *srv, size_t size)
{
	atomic_fetch_sub(&srv->held, size);
}

/* --------------------------------------------------------------- owners */

static uint64_t owner_hash(struct xdr_bytes name, bool locks)
{
	return hash_bytes(name.data, name.len) + locks;
}

static struct nfsd_owner *owner_find(struct nfsd_client *c,
				     struct xdr_bytes name, bool locks)
{
	struct nfsd_owner *o;

	htable_for_each_match (o, &c->owners, owner_hash(name, locks), node)
		if (o->locks == locks && o->len == name.len &&
		    memcmp(o->name, name.data, name.len) == 0)
			return o;
	return NULL;
}

static struct nfsd_owner *owner_get(struct nfsd_client *c,
				    struct xdr_bytes name, bool locks)
{
	struct nfsd_owner *o = owner_find(c, name, locks);

	if (o != NULL)
		return o;
	if (!nfsd_hold(c->srv, sizeof(*o) + name.len))
		return NULL;
	o = calloc(1, sizeof(*o) + name.len);
	if (o == NULL) {
		nfsd_unhold(c->srv, sizeof(*o) + name.len);
		return NULL;
	}
	o->client = c;
	o->locks = locks;
	o->len = name.len;
	if (name.len > 0)
		memcpy(o->name, name.data, name.len);
	list_init(&o->states);
	htable_insert(&c->owners, &o->node, owner_hash(name, locks));
	return o;
}

static void owner_put_if_unused(struct nfsd_owner *o)
{
	if (!list_empty(&o->states))
		return;
	htable_remove(&o->client->owners, &o->node);
	nfsd_unhold(o->client->srv, sizeof(*o) + o->len);
	free(o);
}

/* --------------------------------------------------------------- states */

/* Linux has one open-owner for each user, with any number of files. */
static uint64_t pair_hash(const struct nfsd_owner *o, const struct nfsd_file *f)
{
	return hash_u64((uintptr_t)o ^ (uintptr_t)f << 7);
}

/* With the file, which mostly has no other. */
enum { STATE_BYTES = sizeof(struct nfsd_state) + sizeof(struct nfsd_file) };

struct nfsd_state *nfsd_state_new(struct nfsd_client *c, struct xdr_bytes name,
				  bool is_lock, struct nfsd_file *f)
{
	struct nfsd_owner *o;
	struct nfsd_state *s;

	if (c->nstates >= NFSD_MAX_STATES || !nfsd_hold(c->srv, STATE_BYTES))
		return NULL;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		goto fail;
	o = owner_get(c, name, is_lock);
	if (o == NULL)
		goto fail;
	s->id = atomic_fetch_add(&c->srv->next_state, 1);
	s->seqid = 1;
	s->is_lock = is_lock;
	s->owner = o;
	s->file = nfsd_file_ref(f);
	list_append(&o->states, &s->by_owner);
	list_init(&s->by_file);
	list_init(&s->locks);
	list_init(&s->by_open);
	list_init(&s->ranges);
	htable_insert(&c->states, &s->node, id_hash(s->id));
	htable_insert(&c->pairs, &s->pair, pair_hash(o, f));
	c->nstates++;
	return s;

fail:
	free(s);
	nfsd_unhold(c->srv, STATE_BYTES);
	return NULL;
}

struct nfsd_state *nfsd_state_of_owner(struct nfsd_client *c,
				       struct xdr_bytes name, bool is_lock,
				       const struct nfsd_file *f)
{
	struct nfsd_owner *o = owner_find(c, name, is_lock);
	struct nfsd_state *s;

	if (o == NULL)
		return NULL;
	htable_for_each_match (s, &c->pairs, pair_hash(o, f), pair)
		if (s->owner == o && s->file == f)
			return s;
	return NULL;
}

void nfsd_state_drop(struct nfsd_state *s, struct nfsd_dropped **files)
{
	struct nfsd_client *c = s->owner->client;
	struct nfsd_dropped *d = (struct nfsd_dropped *)s;
	struct nfsd_file *f = s->file;

	while (!list_empty(&s->locks))
		nfsd_state_drop(list_first(&s->locks, struct nfsd_state,
					   by_open),
				files);
	pthread_mutex_lock(&f->lock);
	nfsd_share_drop(s);
	nfsd_range_drop_all(s);
	pthread_mutex_unlock(&f->lock);
	list_del(&s->by_open);
	list_del(&s->by_owner);
	owner_put_if_unused(s->owner);
	htable_remove(&c->states, &s->node);
	htable_remove(&c->pairs, &s->pair);
	c->nstates--;
	nfsd_unhold(c->srv, STATE_BYTES);

	/* The state's memory now carries the file reference out. */
	d->file = f;
	d->next = *files;
	*files = d;
}

void nfsd_files_put(struct nfsd_dropped *d)
{
	while (d != NULL) {
		struct nfsd_dropped *next = d->next;

		nfsd_notify_waiters(d->file); /* locks may have gone */
		nfsd_file_put(d->file);
		free(d);
		d = next;
	}
}
