/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Byte-range locks.  For each lock owner an open file has one lock stateid,
 * made by its first LOCK; what it covers is remembered, to be reclaimed.
 *
 * Waiting for a lock: the server notes blocking requests and says by
 * CB_NOTIFY_LOCK when to try again; that is a hint only (RFC 8881 section
 * 20.11), so we ask again by ourselves, too.
 */
#include <errno.h>

#include "nfs/client/internal.h"

#define ASK_AGAIN_FIRST MSEC(10)
#define ASK_AGAIN_MAX	MSEC(100)

static struct lock_state *state_of(struct nfs_open *o, uint64_t owner)
{
	struct lock_state *l;

	list_for_each (l, &o->locks, link)
		if (l->owner == owner)
			return l;
	return NULL;
}

static struct lock_state *state_create(struct nfs_open *o, uint64_t owner)
{
	struct lock_state *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->owner = owner;
	list_append(&o->locks, &l->link);
	return l;
}

/* Locking on one open is done by one task at a time, so that there is one
 * stateid for each owner, and what is remembered has the server's order. */
static void begin(struct nfs_open *o)
{
	while (o->locking)
		waitq_wait(&o->turn, NSEC_NEVER);
	o->locking = true;
}

static void end(struct nfs_open *o)
{
	o->locking = false;
	waitq_wake_all(&o->turn);
}

static stateid4 present(stateid4 id)
{
	id.seqid = 0; /* see open_stateid() */
	return id;
}

static nfs_lock_type4 lock_type(const struct nfs_lock *lock, bool wait)
{
	if (wait)
		return lock->exclusive ? WRITEW_LT : READW_LT;
	return lock->exclusive ? WRITE_LT : READ_LT;
}

static void lock_args(struct nfs_open *o, const struct nfs_lock *lock,
		      bool wait, LOCK4args *args, char owner[64])
{
	struct lock_state *l = state_of(o, lock->owner);

	*args = (LOCK4args){
		.locktype = lock_type(lock, wait),
		.offset = lock->offset,
		.length = lock->len,
	};
	if (l != NULL && l->known) {
		args->locker.lock_stateid = present(l->stateid);
		return;
	}
	args->locker.new_lock_owner = true;
	args->locker.open_stateid = open_stateid(o);
	args->locker.lock_owner = (lock_owner4){
		o->client->identity.clientid,
		owner_bytes(o->client, "lock", lock->owner, owner),
	};
}

static int remember(struct nfs_open *o, const struct nfs_lock *lock,
		    const stateid4 *stateid)
{
	struct lock_state *l = state_of(o, lock->owner);
	struct range range;

	if (l == NULL)
		l = state_create(o, lock->owner);
	if (l == NULL)
		return -ENOMEM;
	l->stateid = *stateid;
	l->known = true;
	if (!range_from_length(lock->offset, lock->len, lock->exclusive,
			       &range))
		return -EINVAL;
	return ranges_set(&l->ranges, range);
}

static int lock_once(struct nfs_open *o, const struct nfs_lock *lock, bool wait)
{
	struct nfs_cred cred = open_cred(o);
	char owner[64];
	LOCK4args args;
	LOCK4resok res;
	struct call k;

	if (o->lost)
		return -EIO;
	call_init(&k, o->client, &cred, CALL_CACHED);
	k.open = o;
	while (call_start(&k)) {
		lock_args(o, lock, wait, &args, owner);
		call_putfh(&k, &o->fh);
		call_op_done(&k,
			     xdr_LOCK4args(call_op_effect(&k, OP_LOCK), &args));
		call_run(&k);
	}
	call_result(&k, OP_PUTFH);
	if (call_result(&k, OP_LOCK))
		call_result_done(&k, xdr_LOCK4resok(&k.results, &res));
	if (k.error == 0)
		k.error = remember(o, lock, &res.lock_stateid);
	return call_end(&k);
}

static int lock_in_turn(struct nfs_open *o, const struct nfs_lock *lock,
			bool wait)
{
	int rc;

	begin(o);
	rc = lock_once(o, lock, wait);
	end(o);
	return rc;
}

int nfs_lock(struct nfs_open *o, const struct nfs_lock *lock)
{
	MAGIC_CHECK(o, OPEN_MAGIC);
	return lock_in_turn(o, lock, false);
}

int nfs_lock_wait(struct nfs_open *o, const struct nfs_lock *lock,
		  struct nfs_lock_wait *wait)
{
	nsec pause = ASK_AGAIN_FIRST;
	int rc;

	MAGIC_CHECK(o, OPEN_MAGIC);
	wait->client = o->client;
	for (;;) {
		if (wait->cancelled)
			return -EINTR;
		rc = lock_in_turn(o, lock, true);
		if (rc != -EAGAIN)
			return rc;
		if (wait->cancelled)
			continue;
		waitq_wait(&o->client->lock_news,
			   nsec_after(reactor_now(), pause));
		pause = MIN(2 * pause, ASK_AGAIN_MAX);
	}
}

void nfs_lock_cancel(struct nfs_lock_wait *wait)
{
	wait->cancelled = true;
	if (wait->client != NULL)
		waitq_wake_all(&wait->client->lock_news);
}

/* --------------------------------------------------------------------
 * unlocking */

static int unlock_once(struct nfs_open *o, struct lock_state *l,
		       uint64_t offset, uint64_t len)
{
	struct nfs_cred cred = open_cred(o);
	LOCKU4args args = {
		.locktype = WRITE_LT,
		.offset = offset,
		.length = len,
	};
	LOCKU4resok res;
	struct call k;

	call_init(&k, o->client, &cred, CALL_CACHED);
	while (call_start(&k)) {
		args.lock_stateid = present(l->stateid);
		call_putfh(&k, &o->fh);
		call_op_done(&k, xdr_LOCKU4args(call_op_effect(&k, OP_LOCKU),
						&args));
		call_run(&k);
	}
	call_result(&k, OP_PUTFH);
	if (call_result(&k, OP_LOCKU))
		call_result_done(&k, xdr_LOCKU4resok(&k.results, &res));
	if (k.error == 0) {
		l->stateid = res.lock_stateid;
		/* Those who wait here need no server to tell them. */
		waitq_wake_all(&o->client->lock_news);
	}
	return call_end(&k);
}

int nfs_unlock(struct nfs_open *o, const struct nfs_lock *lock)
{
	struct lock_state *l;
	struct range range;
	int rc = 0;

	MAGIC_CHECK(o, OPEN_MAGIC);
	if (!range_from_length(lock->offset, lock->len, false, &range))
		return -EINVAL;
	begin(o);
	l = state_of(o, lock->owner);
	if (l != NULL && l->known && !o->lost)
		rc = unlock_once(o, l, lock->offset, lock->len);
	if (l != NULL && rc == 0)
		rc = ranges_clear(&l->ranges, range);
	end(o);
	return rc;
}

/* CLOSE may be refused while locks are held.  Errors do not matter: what the
 * server holds ends with the open. */
void unlock_everything(struct nfs_open *o)
{
	struct lock_state *l;

	list_for_each (l, &o->locks, link)
		if (l->known && l->ranges.n > 0 && !o->lost)
			unlock_once(o, l, 0, UINT64_MAX);
}

/* ----------------------------------------------------------------------
 * testing */

/* LOCKT has a body when it is denied, which call_result() leaves unread. */
static int read_denied(struct call *k, struct nfs_lock *lock)
{
	LOCK4denied denied;

	if (k->status != NFS4ERR_DENIED)
		return k->error;
	if (!xdr_LOCK4denied(&k->results, &denied))
		return -EIO;
	k->error = 0;
	lock->owner = 0;
	lock->exclusive =
		denied.locktype == WRITE_LT || denied.locktype == WRITEW_LT;
	lock->offset = denied.offset;
	lock->len = denied.length;
	return 1;
}

int nfs_lock_test(struct nfs_open *o, struct nfs_lock *lock)
{
	struct nfs_cred cred = open_cred(o);
	LOCKT4args args = {
		.locktype = lock_type(lock, false),
		.offset = lock->offset,
		.length = lock->len,
	};
	char owner[64];
	struct call k;
	int rc, found;

	MAGIC_CHECK(o, OPEN_MAGIC);
	args.owner.owner = owner_bytes(o->client, "lock", lock->owner, owner);
	call_init(&k, o->client, &cred, 0);
	while (call_start(&k)) {
		args.owner.clientid = o->client->identity.clientid;
		call_putfh(&k, &o->fh);
		call_op_done(&k, xdr_LOCKT4args(call_op(&k, OP_LOCKT), &args));
		call_run(&k);
	}
	call_result(&k, OP_PUTFH);
	call_result(&k, OP_LOCKT);
	found = read_denied(&k, lock);
	rc = call_end(&k);
	return rc < 0 ? rc : found;
}
