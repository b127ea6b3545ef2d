/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens and locks after the server forgot them.
 *
 * When the server was restarted it grants, for a while, only what clients had
 * before (RFC 8881 section 8.4.2): reclaim_all() asks for each open, and each
 * range of each lock, before anything else is sent.  When it was we who were
 * away for too long (the lease ran out), there is nothing to reclaim; an open
 * without locks is opened again when it is next used (open_mend()), one with
 * locks is lost, because somebody else may have had them in between.
 */
#include <errno.h>

#include "nfs/client/internal.h"

static void lose(struct nfs_open *o, nfsstat4 why)
{
	if (!o->lost)
		log_warn("nfs: an open file is lost: %s%s", nfsstat4_name(why),
			 list_empty(&o->locks) ? "" : " (it had locks)");
	o->lost = true;
}

static bool has_locks(const struct nfs_open *o)
{
	const struct lock_state *l;

	list_for_each (l, &o->locks, link)
		if (l->ranges.n > 0)
			return true;
	return false;
}

/* Lock stateids of the open's former life.  (Somebody may be using the lock
 * states at this moment: they stay until the close.) */
static void forget_lock_stateids(struct nfs_open *o)
{
	struct lock_state *l;

	list_for_each (l, &o->locks, link)
		l->known = false;
}

static int reopen(struct nfs_open *o, open_claim_type4 claim, unsigned flags,
		  nfsstat4 *status)
{
	struct nfs_cred cred = open_cred(o);
	char owner[64];
	OPEN4args args;
	OPEN4resok res;
	struct call k;

	call_init(&k, o->client, &cred, CALL_CACHED | flags);
	while (call_start(&k)) {
		open_args(o, &args, owner);
		args.claim.claim = claim;
		args.claim.delegate_type = OPEN_DELEGATE_NONE;
		call_putfh(&k, &o->fh);
		call_op_done(&k,
			     xdr_OPEN4args(call_op_effect(&k, OP_OPEN), &args));
		call_run(&k);
	}
	call_result(&k, OP_PUTFH);
	if (call_result(&k, OP_OPEN))
		call_result_done(&k, xdr_OPEN4resok(&k.results, &res));
	*status = k.status;
	if (k.error == 0)
		o->stateid = res.stateid;
	return call_end(&k);
}

static void relock_args(struct nfs_open *o, struct lock_state *l, bool first,
			const struct range *r, LOCK4args *args, char owner[64])
{
	*args = (LOCK4args){
		.locktype = r->exclusive ? WRITE_LT : READ_LT,
		.reclaim = true,
		.offset = r->first,
		.length = range_length(r),
		.locker = { .new_lock_owner = first,
			    .lock_stateid = l->stateid },
	};
	args->locker.lock_stateid.seqid = 0;
	if (first) {
		args->locker.open_stateid = open_stateid(o);
		args->locker.lock_owner = (lock_owner4){
			o->client->identity.clientid,
			owner_bytes(o->client, "lock", l->owner, owner),
		};
	}
}

static int relock(struct nfs_open *o, struct lock_state *l, bool first,
		  const struct range *r)
{
	struct nfs_cred cred = open_cred(o);
	char owner[64];
	LOCK4args args;
	LOCK4resok res;
	struct call k;

	call_init(&k, o->client, &cred, CALL_CACHED | CALL_RECOVERY);
	while (call_start(&k)) {
		relock_args(o, l, first, r, &args, owner);
		call_putfh(&k, &o->fh);
		call_op_done(&k,
			     xdr_LOCK4args(call_op_effect(&k, OP_LOCK), &args));
		call_run(&k);
	}
	call_result(&k, OP_PUTFH);
	if (call_result(&k, OP_LOCK))
		call_result_done(&k, xdr_LOCK4resok(&k.results, &res));
	if (k.error == 0) {
		l->stateid = res.lock_stateid;
		l->known = true;
	} else if (k.status != NFS4_OK) {
		lose(o, k.status);
	}
	return call_end(&k);
}

static int relock_all(struct nfs_open *o)
{
	struct lock_state *l;
	int rc = 0;

	forget_lock_stateids(o);
	list_for_each (l, &o->locks, link)
		for (size_t i = 0; i < l->ranges.n && rc == 0; i++) {
			/* A late reply may change them meanwhile. */
			const struct range r = l->ranges.v[i];

			rc = relock(o, l, i == 0, &r);
		}
	return rc;
}

/* 0 also when the server refused: that is the open's own misfortune. */
static int reclaim(struct nfs_open *o)
{
	struct nfs_client *c = o->client;
	nfsstat4 status;
	int rc = reopen(o, CLAIM_PREVIOUS, CALL_RECOVERY, &status);

	if (rc == 0) {
		c->counters.reclaims++;
		rc = relock_all(o);
	} else if (status == NFS4_OK) {
		return rc; /* no answer */
	} else if (has_locks(o)) {
		lose(o, status);
	}
	if (!c->session.exists)
		return -EAGAIN;
	/* An open without locks that was refused is mended when used. */
	o->client_epoch = c->client_epoch;
	return 0;
}

int reclaim_all(struct nfs_client *c)
{
	struct nfs_open *o;
	int rc;

	/* From the start each time: opens may go while we are parked. */
again:
	list_for_each (o, &c->opens, link) {
		if (o->client_epoch == c->client_epoch || o->lost)
			continue;
		o->recovering = true;
		rc = reclaim(o);
		o->recovering = false;
		waitq_wake_all(&o->turn);
		if (rc < 0)
			return rc;
		goto again;
	}
	return 0;
}

int open_mend(struct nfs_open *o, nfsstat4 status)
{
	nfsstat4 why;
	int rc;

	if (o->mending) { /* by another task: its result is ours */
		while (o->mending)
			waitq_wait(&o->turn, NSEC_NEVER);
		return o->lost ? -EIO : 0;
	}
	if (o->lost || has_locks(o)) {
		lose(o, status);
		return -EIO;
	}
	o->mending = true;
	forget_lock_stateids(o);
	rc = reopen(o, CLAIM_FH, 0, &why);
	if (rc < 0)
		lose(o, why != NFS4_OK ? why : status);
	else
		log_info("nfs: an open file was opened again after %s",
			 nfsstat4_name(status));
	o->mending = false;
	waitq_wake_all(&o->turn);
	return rc < 0 ? -EIO : 0;
}
