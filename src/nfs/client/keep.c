/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Written, but not on stable storage yet: who remembers it?
 *
 * A WRITE with UNSTABLE4 is fast because the server may lose it when it
 * restarts.  The reply's verifier tells one life of the server from the next
 * (RFC 8881 section 18.32.3): as long as COMMIT gives the same one, all that
 * was written before is safe.  When it differs, it has to be written again, so
 * somebody must still have it.  The kernel's page cache does that for the
 * kernel's client; ours has none, and so it is done here, for everybody who
 * writes with nfs_pwrite().
 *
 * Whoever reads must not miss it, either: after a restart it is written again
 * before the session is used for anything else.
 *
 * Copies are kept in the order of the replies.  If some were lost, all that is
 * kept is written again in that order, while new writes wait: an old one must
 * not come out on top of a newer one of the same place.
 */
#include <errno.h>

#include "nfs/client/internal.h"

static void drop(struct list *list, size_t *bytes)
{
	struct kept *k, *next;

	list_for_each_safe (k, next, list, link) {
		*bytes -= k->len;
		list_del(&k->link);
		free(k);
	}
}

void keep_drop_all(struct nfs_open *o)
{
	drop(&o->committing, &o->kept_bytes);
	drop(&o->kept, &o->kept_bytes);
}

static struct kept *kept_create(const void *buf, size_t len, uint64_t offset)
{
	struct kept *k = malloc(sizeof(*k) + len);

	if (k == NULL)
		return NULL;
	list_init(&k->link);
	k->offset = offset;
	k->len = (uint32_t)len;
	memcpy(k->data, buf, len);
	return k;
}

/* ----------------------------------------------------------------- writing */

/* Writes all of it, a part at a time when the server takes less.  *stable: it
 * is on stable storage; else *verf is that of the first part, so that a restart
 * between the parts is noticed, too. */
static int write_all(struct nfs_open *o, const void *buf, size_t len,
		     uint64_t offset, stable_how4 how, unsigned flags,
		     bool *stable, verifier4 *verf)
{
	stable_how4 committed = FILE_SYNC4;
	verifier4 v;
	size_t done;
	ssize_t n;

	*stable = true;
	for (done = 0; done < len; done += n) {
		n = write_request(o, (const char *)buf + done, len - done,
				  offset + done, how, flags, &committed, &v);
		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		if (done == 0)
			*verf = v;
		*stable = *stable && committed != UNSTABLE4;
	}
	return 0;
}

static int write_part(struct nfs_open *o, const void *buf, size_t len,
		      uint64_t offset)
{
	struct kept *k = kept_create(buf, len, offset);
	bool stable;
	int rc;

	if (k == NULL) { /* nothing to fall back on: let the server keep it */
		verifier4 v;

		return write_all(o, buf, len, offset, FILE_SYNC4, 0, &stable,
				 &v);
	}
	rc = write_all(o, k->data, len, offset, UNSTABLE4, 0, &stable,
		       &k->verf);
	if (rc < 0 || stable) {
		free(k);
		return rc;
	}
	list_append(&o->kept, &k->link);
	o->kept_bytes += len;
	return 0;
}

int nfs_pwrite(struct nfs_open *o, const void *buf, size_t len, uint64_t offset)
{
	size_t part;
	int rc = 0;

	MAGIC_CHECK(o, OPEN_MAGIC);
	for (size_t done = 0; done < len && rc == 0; done += part) {
		part = MIN(len - done, o->client->info.wsize);
		if (o->kept_bytes + part > NFS_KEEP_MAX)
			rc = keep_sync(o);
		while (rc == 0 && o->rewriting)
			waitq_wait(&o->turn, NSEC_NEVER);
		if (rc < 0)
			break;
		o->writing++;
		rc = write_part(o, (const char *)buf + done, part,
				offset + done);
		o->writing--;
		if (o->rewriting)
			waitq_wake_all(&o->turn);
	}
	return rc;
}

/* ----------------------------------------------------------------- syncing */

static bool all_have(const struct list *batch, const verifier4 *verf)
{
	const struct kept *k;

	list_for_each (k, batch, link)
		if (!verifier4_equal(k->verf, *verf))
			return false;
	return true;
}

static int write_again(struct nfs_open *o, struct list *list, unsigned flags)
{
	struct kept *k;
	bool stable;
	int rc = 0;

	list_for_each (k, list, link) {
		rc = write_all(o, k->data, k->len, k->offset, UNSTABLE4, flags,
			       &stable, &k->verf);
		if (rc < 0)
			break;
		o->client->counters.rewrites++;
	}
	return rc;
}

/* In order, everything; new writes wait meanwhile. */
static int rewrite(struct nfs_open *o)
{
	int rc;

	o->rewriting = true;
	while (o->writing > 0)
		waitq_wait(&o->turn, NSEC_NEVER);
	rc = write_again(o, &o->kept, 0);
	o->rewriting = false;
	waitq_wake_all(&o->turn);
	return rc;
}

/* One COMMIT for what is kept now.  -EAGAIN: the server had lost it, it was
 * written again, and has to be committed again. */
static int commit_batch(struct nfs_open *o)
{
	verifier4 verf;
	int rc;

	list_splice(&o->committing, &o->kept);
	rc = nfs_commit(o, 0, 0, &verf);
	recovery_wait(o); /* a late reply: it may be writing them again */
	if (rc == 0 && all_have(&o->committing, &verf)) {
		drop(&o->committing, &o->kept_bytes);
		return 0;
	}
	/* Back to the front: what was written meanwhile comes after it. */
	list_splice(&o->committing, &o->kept);
	list_splice(&o->kept, &o->committing);
	if (rc == 0)
		rc = rewrite(o);
	return rc < 0 ? rc : -EAGAIN;
}

int keep_sync(struct nfs_open *o)
{
	int rc = 0;

	while (o->syncing)
		waitq_wait(&o->turn, NSEC_NEVER);
	if (list_empty(&o->kept))
		return 0;
	o->syncing = true;
	do
		rc = commit_batch(o);
	while (rc == -EAGAIN);
	o->syncing = false;
	waitq_wake_all(&o->turn);
	return rc;
}

/* No new write comes in between: who has one on its way waits for the session.
 * When it fails for another reason than the session, nfs_sync() will meet that
 * again, and say so. */
static void restore(struct nfs_open *o)
{
	int rc = write_again(o, &o->committing, CALL_RECOVERY);

	if (rc == 0)
		rc = write_again(o, &o->kept, CALL_RECOVERY);
	if (rc < 0 && o->client->session.exists)
		log_warn("nfs: giving back what a restarted server lost: %s",
			 strerror(-rc));
}

int keep_restore_all(struct nfs_client *c)
{
	struct nfs_open *o;

again:
	list_for_each (o, &c->opens, link) {
		if (o->lost || o->restored_epoch == c->client_epoch ||
		    (list_empty(&o->kept) && list_empty(&o->committing)))
			continue;
		recovery_begins(o);
		restore(o);
		recovery_ends(o);
		if (!c->session.exists)
			return -EAGAIN;
		o->restored_epoch = c->client_epoch;
		goto again; /* the list may have changed meanwhile */
	}
	return 0;
}

/* fsync(2) is about the file, not the descriptor: also what was written
 * through other opens of it. */
int nfs_sync(struct nfs_open *o)
{
	struct nfs_client *c = o->client;
	uint64_t round = ++c->sync_round;
	struct nfs_open *other;
	int rc = keep_sync(o), other_rc;

	MAGIC_CHECK(o, OPEN_MAGIC);
again:
	list_for_each (other, &c->opens, link) {
		if (other == o || other->sync_round >= round ||
		    !nfs_fh_equal(&o->fh, &other->fh) ||
		    (list_empty(&other->kept) && !other->syncing))
			continue;
		other->sync_round = round;
		other_rc = keep_sync(other);
		if (rc == 0)
			rc = other_rc;
		goto again; /* the list may have changed meanwhile */
	}
	return rc;
}

bool nfs_has_unsaved(const struct nfs_client *c)
{
	const struct nfs_open *o;

	list_for_each (o, &c->opens, link)
		if (o->kept_bytes > 0 || o->writing > 0)
			return true;
	return false;
}
