/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slots and the reply cache: a request takes effect once, however often and on
 * however many connections it arrives (RFC 8881 2.10.6).
 *
 * The case that matters most here: a path dies with a request on it, and the
 * client sends the same request (same session, slot and sequence id) on
 * another.  Either the original has finished, then the kept reply is the
 * answer; or it is still running, then the repeat waits and gets the same
 * reply, whether or not the client asked for it to be cached.
 */
#include "nfs/server/callback.h"
#include "nfs/server/internal.h"

/* A repeat that waits for the original; on the stack of its task. */
struct waiter {
	struct list link;
	struct task *task;
	bool done; /* under session.lock */
	struct nfsd_reply *reply;
};

struct nfsd_reply *nfsd_reply_new(const struct xdr *x)
{
	size_t len = xdr_length(x);
	struct nfsd_reply *r = malloc(sizeof(*r) + len);

	if (r == NULL)
		return NULL;
	atomic_init(&r->refs, 1);
	r->len = len;
	xdr_flatten(x, r->data);
	return r;
}

struct nfsd_reply *nfsd_reply_ref(struct nfsd_reply *r)
{
	atomic_fetch_add(&r->refs, 1);
	return r;
}

void nfsd_reply_put(struct nfsd_reply *r)
{
	if (r != NULL && atomic_fetch_sub(&r->refs, 1) == 1)
		free(r);
}

/* Called and returns with the lock held.  Parks in between. */
static nfsstat4 wait_for_original(struct nfsd_session *s,
				  struct nfsd_slot *slot,
				  struct nfsd_reply **reply)
{
	struct waiter w = { .task = task_self() };

	list_append(&slot->waiters, &w.link);
	while (!w.done) {
		pthread_mutex_unlock(&s->lock);
		task_park(NSEC_NEVER);
		pthread_mutex_lock(&s->lock);
	}
	*reply = w.reply;
	return w.reply == NULL ? NFS4ERR_RETRY_UNCACHED_REP : NFS4_OK;
}

/* The slot's last seqid again. */
static nfsstat4 repeat(struct nfsd_session *s, struct nfsd_slot *slot,
		       const struct nfsd_sequence *q, struct nfsd_reply **reply)
{
	if (slot->fingerprint != q->fingerprint)
		return NFS4ERR_SEQ_FALSE_RETRY;
	if (slot->busy)
		return wait_for_original(s, slot, reply);
	if (slot->reply == NULL)
		return NFS4ERR_RETRY_UNCACHED_REP;
	*reply = nfsd_reply_ref(slot->reply);
	return NFS4_OK;
}

static nfsstat4 begin_locked(struct nfsd_session *s,
			     const struct nfsd_sequence *q,
			     struct nfsd_reply **reply, struct nfsd_reply **old)
{
	struct nfsd_slot *slot;

	if (s->dead)
		return NFS4ERR_BADSESSION;
	if (q->slotid >= s->nslots)
		return NFS4ERR_BADSLOT;
	slot = &s->slots[q->slotid];
	if (q->seqid == slot->seqid && slot->used)
		return repeat(s, slot, q, reply);
	if (q->seqid != slot->seqid + 1)
		return NFS4ERR_SEQ_MISORDERED;
	/* A new request while the last one runs: the client gave up on it,
	 * which it may not.  RFC 8881 2.10.6.2. */
	if (slot->busy)
		return NFS4ERR_SEQ_MISORDERED;
	slot->seqid = q->seqid;
	slot->used = true;
	slot->busy = true;
	s->nbusy++;
	slot->fingerprint = q->fingerprint;
	*old = slot->reply;
	slot->reply = NULL;
	return NFS4_OK;
}

nfsstat4 nfsd_slot_begin(struct nfsd_session *s, struct nfsd_sequence *q,
			 struct nfsd_reply **reply)
{
	struct nfsd_reply *old = NULL;
	nfsstat4 status;

	*reply = NULL;
	pthread_mutex_lock(&s->lock);
	status = begin_locked(s, q, reply, &old);
	q->status_flags = nfsd_back_status(s);
	pthread_mutex_unlock(&s->lock);
	nfsd_reply_put(old);
	return status;
}

void nfsd_slot_pause(struct nfsd_session *s)
{
	pthread_mutex_lock(&s->lock);
	s->nbusy--;
	pthread_mutex_unlock(&s->lock);
}

bool nfsd_slot_resume(struct nfsd_session *s, uint32_t slotid)
{
	bool may;

	pthread_mutex_lock(&s->lock);
	s->nbusy++;
	may = !s->dead && list_empty(&s->slots[slotid].waiters);
	pthread_mutex_unlock(&s->lock);
	return may;
}

static void release(struct nfsd_slot *slot, struct nfsd_reply *kept)
{
	while (!list_empty(&slot->waiters)) {
		struct waiter *w =
			list_first(&slot->waiters, struct waiter, link);
		struct task *task = w->task;

		list_del(&w->link);
		w->reply = kept == NULL ? NULL : nfsd_reply_ref(kept);
		w->done = true;
		task_wake(
			task); /* under the lock: the task can't be gone yet */
	}
}

void nfsd_slot_end(struct nfsd_session *s, uint32_t slotid,
		   const struct xdr *message, bool cache)
{
	struct nfsd_slot *slot = &s->slots[slotid];
	struct nfsd_reply *kept = NULL;

	if (cache)
		kept = nfsd_reply_new(message);
	pthread_mutex_lock(&s->lock);
	if (kept == NULL && !list_empty(&slot->waiters))
		kept = nfsd_reply_new(message);
	slot->busy = false;
	s->nbusy--;
	if (cache && kept != NULL && !s->dead)
		slot->reply = nfsd_reply_ref(kept);
	release(slot, kept);
	pthread_mutex_unlock(&s->lock);
	nfsd_reply_put(kept);
}
