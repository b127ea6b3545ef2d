/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LOCK, LOCKT, LOCKU (RFC 8881 18.10 to 18.12).  The ranges are in lock.c.
 *
 * A conflict with a lock of a client whose lease is over ends that client, and
 * the request tries again; others are told who is in the way.
 */
#include <errno.h>

#include "nfs/server/callback.h"
#include "nfs/server/export.h"
#include "nfs/server/internal.h"

struct wish {
	uint64_t start, end; /* both included */
	bool write, blocking;
	struct nfsd_owner_ref who;
};

static nfsstat4 make_wish(nfs_lock_type4 type, offset4 offset, length4 length,
			  struct wish *w)
{
	if (length == 0)
		return NFS4ERR_INVAL;
	if (length != NFS4_UINT64_MAX && offset > NFS4_UINT64_MAX - length)
		return NFS4ERR_INVAL;
	w->start = offset;
	w->end = length == NFS4_UINT64_MAX ? NFS4_UINT64_MAX
					   : offset + (length - 1);
	w->write = type == WRITE_LT || type == WRITEW_LT;
	w->blocking = type == READW_LT || type == WRITEW_LT;
	return NFS4_OK;
}

/* Copies the culprit's name: it may be gone when the reply is encoded. */
static void deny(struct nfsd_compound *c, const struct nfsd_range *r)
{
	const struct nfsd_owner *o = r->state->owner;
	LOCK4denied *d = &c->res.denied;

	d->offset = r->start;
	d->length = r->end == NFS4_UINT64_MAX ? NFS4_UINT64_MAX
					      : r->end - r->start + 1;
	d->locktype = r->write ? WRITE_LT : READ_LT;
	d->owner.clientid = o->client->id;
	d->owner.owner.data = arena_strndup(&c->call->arena, o->name, o->len);
	d->owner.owner.len = d->owner.owner.data == NULL ? 0 : o->len;
}

/* Nobody holds it yet, but somebody was there first. */
static void deny_queued(struct nfsd_compound *c, const struct wish *w)
{
	LOCK4denied *d = &c->res.denied;

	d->offset = w->start;
	d->length = w->end == NFS4_UINT64_MAX ? NFS4_UINT64_MAX
					      : w->end - w->start + 1;
	d->locktype = WRITE_LT;
}

/* Wants file.lock.  *culprit gets a reference if it may be worth expelling. */
static nfsstat4 check_conflict(struct nfsd_compound *c, struct nfsd_file *f,
			       const struct wish *w,
			       struct nfsd_client **culprit)
{
	struct nfsd_range *r =
		nfsd_range_conflict(f, &w->who, w->start, w->end, w->write);

	if (r != NULL) {
		*culprit = nfsd_client_ref(r->state->owner->client);
		deny(c, r);
		return NFS4ERR_DENIED;
	}
	if (w->blocking && nfsd_waiter_before(f, &w->who, w->start, w->end,
					      w->write, reactor_now())) {
		deny_queued(c, w);
		return NFS4ERR_DENIED;
	}
	return NFS4_OK;
}

/* -------------------------------------------------------------------- LOCK */

static nfsstat4 check_grace(const struct nfsd_compound *c, bool reclaim)
{
	if (reclaim)
		return nfsd_grace_check_reclaim(c->client);
	return nfsd_in_grace(c->srv) ? NFS4ERR_GRACE : NFS4_OK;
}

/* An open without the access can't be locked for it: POSIX's EBADF. */
static nfsstat4 check_mode(const struct nfsd_state *open, const struct wish *w)
{
	unsigned need =
		w->write ? OPEN4_SHARE_ACCESS_WRITE : OPEN4_SHARE_ACCESS_READ;

	return open->access & need ? NFS4_OK : NFS4ERR_OPENMODE;
}

/* The open that a LOCK is made under, and the lock state if it has one yet.
 * Wants client.lock. */
static nfsstat4 find_states(struct nfsd_compound *c, struct wish *w,
			    struct nfsd_state **open, struct nfsd_state **lock)
{
	const locker4 *l = &c->arg.oplock.locker;
	stateid4 id = nfsd_resolve_stateid(
		c, l->new_lock_owner ? &l->open_stateid : &l->lock_stateid);
	enum nfsd_want want =
		l->new_lock_owner ? NFSD_WANT_OPEN : NFSD_WANT_LOCK;
	struct nfsd_state *s;
	nfsstat4 status = nfsd_state_find(c->client, &id, want, &s);

	if (status != NFS4_OK)
		return status;
	if (s->file->ino != c->cfh)
		return NFS4ERR_BAD_STATEID;
	w->who.client = c->client->id;
	w->who.export = c->export ? c->export->is.number : 0;
	if (l->new_lock_owner) {
		w->who.name = l->lock_owner.owner;
		*open = s;
		*lock = nfsd_state_of_owner(c->client, w->who.name, true,
					    s->file);
	} else {
		w->who.name =
			(struct xdr_bytes){ s->owner->name, s->owner->len };
		*open = s->open;
		*lock = s;
	}
	return check_mode(*open, w);
}

/* An owner that holds locks from one open of the file asks with another one:
 * from now on its locks go by that, and end with it.  (POSIX ends them with
 * whichever is closed first, but that is the client's to say.) */
static void move_to_open(struct nfsd_state *lock, struct nfsd_state *open)
{
	list_del(&lock->by_open);
	lock->open = open;
	list_append(&open->locks, &lock->by_open);
}

/* Wants client.lock and file.lock. */
static nfsstat4 set_range(struct nfsd_compound *c, const struct wish *w,
			  struct nfsd_state *open, struct nfsd_state *lock)
{
	if (lock == NULL) {
		lock = nfsd_state_new(c->client, w->who.name, true, open->file);
		if (lock == NULL)
			return NFS4ERR_DELAY;
		lock->open = open;
		list_append(&open->locks, &lock->by_open);
		lock->seqid = 0; /* 1 when it is given out */
	} else if (lock->open != open) {
		move_to_open(lock, open);
	}
	if (nfsd_range_set(lock, w->start, w->end, w->write, false) < 0)
		return NFS4ERR_DELAY;
	nfsd_waiter_forget(lock->file, &w->who, w->start, w->end);
	nfsd_state_bump(lock);
	c->res.oplock.lock_stateid = nfsd_state_id(c->srv, lock);
	return NFS4_OK;
}

static nfsstat4 try_lock(struct nfsd_compound *c, struct wish *w,
			 struct nfsd_client **culprit)
{
	struct nfsd_state *open, *lock;
	nfsstat4 status = find_states(c, w, &open, &lock);
	struct nfsd_file *f;

	if (status != NFS4_OK)
		return status;
	f = open->file;
	pthread_mutex_lock(&f->lock);
	status = check_conflict(c, f, w, culprit);
	if (status == NFS4_OK)
		status = set_range(c, w, open, lock);
	else if (w->blocking)
		nfsd_waiter_note(f, &w->who, w->start, w->end, w->write,
				 reactor_now());
	pthread_mutex_unlock(&f->lock);
	return status;
}

nfsstat4 nfsd_op_lock(struct nfsd_compound *c)
{
	const LOCK4args *arg = &c->arg.oplock;
	struct nfsd_client *culprit;
	struct wish w;
	nfsstat4 status;
	bool again;

	status = make_wish(arg->locktype, arg->offset, arg->length, &w);
	if (status == NFS4_OK)
		status = check_grace(c, arg->reclaim);
	if (status != NFS4_OK)
		return status;
	do {
		culprit = NULL;
		again = false;
		pthread_mutex_lock(&c->client->lock);
		status = try_lock(c, &w, &culprit);
		pthread_mutex_unlock(&c->client->lock);
		if (culprit != NULL)
			again = nfsd_client_expel_expired(culprit);
		nfsd_client_put(culprit);
	} while (again);
	if (status == NFS4_OK)
		c->cfh_state = c->res.oplock.lock_stateid;
	if (status == NFS4ERR_DENIED && arg->reclaim)
		return NFS4ERR_RECLAIM_CONFLICT;
	return status;
}

/* ------------------------------------------------------------ LOCKT, LOCKU */

static nfsstat4 test_lock(struct nfsd_compound *c, struct nfsd_file *f,
			  const struct wish *w)
{
	struct nfsd_client *culprit;
	nfsstat4 status;
	bool again;

	do {
		culprit = NULL;
		again = false;
		pthread_mutex_lock(&f->lock);
		status = check_conflict(c, f, w, &culprit);
		pthread_mutex_unlock(&f->lock);
		if (culprit != NULL)
			again = nfsd_client_expel_expired(culprit);
		nfsd_client_put(culprit);
	} while (again);
	return status;
}

nfsstat4 nfsd_op_lockt(struct nfsd_compound *c)
{
	const LOCKT4args *arg = &c->arg.oplockt;
	struct fattr attr;
	struct nfsd_file *f;
	struct wish w;
	nfsstat4 status;

	status = make_wish(arg->locktype, arg->offset, arg->length, &w);
	if (status != NFS4_OK)
		return status;
	if (nfsd_in_grace(c->srv))
		return NFS4ERR_GRACE;
	w.blocking = false;
	w.who.client = c->client->id;
	w.who.name = arg->owner.owner;
	status = nfsd_status(engine_getattr(c->srv->engine, c->cfh, &attr));
	if (status == NFS4_OK)
		status = nfsd_check_regular(attr.mode);
	if (status == NFS4_OK)
		status = nfsd_file_get(c->srv, c->cfh, &f);
	if (status != NFS4_OK)
		return status;
	status = test_lock(c, f, &w);
	nfsd_file_put(f);
	return status;
}

/* Wants client.lock.  *file gets a reference, if there may be who waited. */
static nfsstat4 unlock(struct nfsd_compound *c, const struct wish *w,
		       struct nfsd_file **file)
{
	stateid4 id = nfsd_resolve_stateid(c, &c->arg.oplocku.lock_stateid);
	struct nfsd_state *s;
	nfsstat4 status = nfsd_state_find(c->client, &id, NFSD_WANT_LOCK, &s);
	int rc;

	if (status != NFS4_OK)
		return status;
	if (s->file->ino != c->cfh)
		return NFS4ERR_BAD_STATEID;
	pthread_mutex_lock(&s->file->lock);
	rc = nfsd_range_set(s, w->start, w->end, false, true);
	if (s->file->nwaiters > 0)
		*file = nfsd_file_ref(s->file);
	pthread_mutex_unlock(&s->file->lock);
	if (rc < 0)
		return NFS4ERR_DELAY;
	nfsd_state_bump(s);
	c->res.oplocku.lock_stateid = nfsd_state_id(c->srv, s);
	return NFS4_OK;
}

nfsstat4 nfsd_op_locku(struct nfsd_compound *c)
{
	const LOCKU4args *arg = &c->arg.oplocku;
	struct nfsd_file *file = NULL;
	struct wish w;
	nfsstat4 status;

	status = make_wish(arg->locktype, arg->offset, arg->length, &w);
	if (status != NFS4_OK)
		return status;
	pthread_mutex_lock(&c->client->lock);
	status = unlock(c, &w, &file);
	pthread_mutex_unlock(&c->client->lock);
	if (file != NULL)
		nfsd_notify_waiters(file);
	nfsd_file_put(file);
	if (status == NFS4_OK)
		c->cfh_state = c->res.oplocku.lock_stateid;
	return status;
}
