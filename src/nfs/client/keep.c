/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Written, but not on stable storage yet: who remembers it?
 *
 * A WRITE with UNSTABLE4 is fast because the server may lose it when it
 * restarts, or when its disk fails.  The reply's verifier changes then (RFC
 * 8881 section 18.32.3): as long as COMMIT gives the same one, all that was
 * written before is safe.  When it differs, it has to be written again, so
 * somebody must still have it.  The kernel's page cache does that for the
 * kernel's client; ours has none, and so it is done here, for everybody who
 * writes with nfs_pwrite().
 *
 * Whoever reads must not miss it, either: after a restart it is written again
 * before the session is used for anything else.
 *
 * An old write must not come out on top of a newer change of the same place.
 * So copies are kept by file, not by open, in the order of the replies, and are
 * written again in that order, all of them, while new writes wait.  Other calls
 * that change what is in a file (SETATTR of the size, DEALLOCATE, COPY) are not
 * kept, as they are on disk when they are answered: before one is sent, what is
 * kept has to be safe (keep_sync()), or it would undo it.
 */
#include <errno.h>

#include "base/pool.h"
#include "nfs/client/internal.h"

/* What was written UNSTABLE4, by whom. */
struct nfs_buffer {
	struct list link;
	size_t room; /* of `data` */
	struct nfs_open *open;
	uint64_t offset;
	uint32_t len;
	verifier4 verf;
	uint8_t data[];
};

/* A file that somebody writes to. */
struct nfs_file {
	struct hnode by_fh; /* in client->files */
	struct nfs_client *client;
	struct nfs_fh fh;
	unsigned refs;		/* opens that write, tasks that work on it */
	struct list kept;	/* struct nfs_buffer */
	struct list committing; /* the same, older, in a COMMIT's hands */
	size_t bytes;		/* of both */
	uint64_t restored_epoch;
	unsigned writing; /* nfs_pwrite()s on their way */
	/* One task has it in its hands: nobody else takes copies away.
	 * `rewriting` keeps new writes out. */
	bool syncing, rewriting, restoring;
	struct waitq turn; /* for one of these */
};

static uint64_t fh_hash(const struct nfs_fh *fh)
{
	return hash_bytes(fh->data, fh->len);
}

static struct nfs_file *file_find(struct nfs_client *c, const struct nfs_fh *fh)
{
	struct nfs_file *f;

	htable_for_each_match (f, &c->files, fh_hash(fh), by_fh)
		if (nfs_fh_equal(&f->fh, fh))
			return f;
	return NULL;
}

static struct nfs_file *file_create(struct nfs_client *c,
				    const struct nfs_fh *fh)
{
	struct nfs_file *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->client = c;
	f->fh = *fh;
	list_init(&f->kept);
	list_init(&f->committing);
	waitq_init(&f->turn);
	htable_insert(&c->files, &f->by_fh, fh_hash(fh));
	return f;
}

static void file_put(struct nfs_file *f)
{
	if (--f->refs > 0)
		return;
	assert(list_empty(&f->kept) && list_empty(&f->committing));
	htable_remove(&f->client->files, &f->by_fh);
	free(f);
}

/* That of an open; NULL: no memory. */
static struct nfs_file *file_of(struct nfs_open *o)
{
	if (o->file != NULL)
		return o->file;
	o->file = file_find(o->client, &o->fh);
	if (o->file == NULL)
		o->file = file_create(o->client, &o->fh);
	if (o->file != NULL)
		o->file->refs++;
	return o->file;
}

static bool has_kept(const struct nfs_file *f)
{
	return !list_empty(&f->kept) || !list_empty(&f->committing);
}

/* The bound on all of them counts their data: small ones must not take a
 * multiple of it. */
static bool is_pooled(size_t room)
{
	return room >= POOL_MIN;
}

struct nfs_buffer *nfs_buffer_create(size_t room)
{
	size_t size = sizeof(struct nfs_buffer) + room;
	struct nfs_buffer *b =
		is_pooled(room) ? pool_get(size, &size) : malloc(size);

	if (b == NULL)
		return NULL;
	list_init(&b->link);
	b->room = room;
	return b;
}

char *nfs_buffer_data(struct nfs_buffer *b)
{
	return (char *)b->data;
}

static void buffer_free(struct nfs_buffer *b)
{
	if (is_pooled(b->room))
		pool_put(b, sizeof(*b) + b->room);
	else
		free(b);
}

/* Of one open, or (NULL) all. */
static void drop(struct nfs_file *f, struct list *list, struct nfs_open *o)
{
	struct nfs_buffer *k, *next;

	list_for_each_safe (k, next, list, link) {
		if (o != NULL && k->open != o)
			continue;
		f->bytes -= k->len;
		k->open->nkept--;
		list_del(&k->link);
		buffer_free(k);
	}
}

void keep_forget(struct nfs_open *o)
{
	struct nfs_file *f = o->file;

	if (f == NULL)
		return;
	while (f->syncing || f->rewriting || f->restoring)
		waitq_wait(&f->turn, NSEC_NEVER);
	drop(f, &f->committing, o);
	drop(f, &f->kept, o);
	o->file = NULL;
	file_put(f);
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
		/* Of an earlier session, it may be more than this one takes. */
		n = write_request(o, (const char *)buf + done,
				  MIN(len - done, o->client->info.wsize),
				  offset + done, how, flags, &committed, &v);
		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		if (done == 0)
			*verf = v;
		*stable = *stable && committed != UNSTABLE4;
	}
	return 0;
}

static int sync_file(struct nfs_file *f);

/* There is no memory for a copy: the server shall keep it. */
static int write_through(struct nfs_open *o, const void *buf, size_t len,
			 uint64_t offset)
{
	int rc = sync_file(o->file);
	verifier4 verf;
	bool stable;

	return rc < 0 ? rc
		      : write_all(o, buf, len, offset, FILE_SYNC4, 0, &stable,
				  &verf);
}

/* What is in the buffer, which is used up. */
static int write_kept(struct nfs_open *o, struct nfs_buffer *k, size_t len,
		      uint64_t offset)
{
	struct nfs_file *f = o->file;
	bool stable;
	int rc;

	k->open = o;
	k->offset = offset;
	k->len = (uint32_t)len;
	rc = write_all(o, k->data, len, offset, UNSTABLE4, 0, &stable,
		       &k->verf);
	/* What is stable is kept, too, if something older is. */
	if (rc < 0 || (stable && !has_kept(f))) {
		buffer_free(k);
		return rc;
	}
	list_append(&f->kept, &k->link);
	f->bytes += len;
	o->nkept++;
	return 0;
}

static int write_copy(struct nfs_open *o, const void *buf, size_t len,
		      uint64_t offset)
{
	struct nfs_buffer *k = nfs_buffer_create(len);

	if (k == NULL)
		return write_through(o, buf, len, offset);
	memcpy(k->data, buf, len);
	return write_kept(o, k, len, offset);
}

/* One request; `k`, or NULL: a copy of `buf` is to be made. */
static int write_part(struct nfs_open *o, struct nfs_buffer *k, const void *buf,
		      size_t len, uint64_t offset)
{
	struct nfs_file *f = o->file;
	int rc = 0;

	if (f->bytes + len > NFS_KEEP_MAX)
		rc = sync_file(f);
	while (rc == 0 && f->rewriting)
		waitq_wait(&f->turn, NSEC_NEVER);
	if (rc < 0) {
		if (k != NULL)
			buffer_free(k);
		return rc;
	}
	f->writing++;
	rc = k != NULL ? write_kept(o, k, len, offset)
		       : write_copy(o, buf, len, offset);
	f->writing--;
	if (f->rewriting)
		waitq_wake_all(&f->turn);
	return rc;
}

int nfs_pwrite(struct nfs_open *o, const void *buf, size_t len, uint64_t offset)
{
	size_t part;
	int rc = 0;

	MAGIC_CHECK(o, OPEN_MAGIC);
	if (file_of(o) == NULL)
		return -ENOMEM;
	for (size_t done = 0; done < len && rc == 0; done += part) {
		part = MIN(len - done, o->client->info.wsize);
		rc = write_part(o, NULL, (const char *)buf + done, part,
				offset + done);
	}
	return rc;
}

int nfs_pwrite_buffer(struct nfs_open *o, struct nfs_buffer *b, size_t len,
		      uint64_t offset)
{
	int rc;

	/* Copies are counted by what is in them, so this must not be little. */
	if (len >= b->room / 2 && len <= o->client->info.wsize &&
	    file_of(o) != NULL)
		return write_part(o, b, NULL, len, offset);
	rc = nfs_pwrite(o, b->data, len, offset);
	buffer_free(b);
	return rc;
}

/* ----------------------------------------------------------------- syncing */

static bool all_have(const struct list *batch, const verifier4 *verf)
{
	const struct nfs_buffer *k;

	list_for_each (k, batch, link)
		if (!verifier4_equal(k->verf, *verf))
			return false;
	return true;
}

/* What an open wrote that is lost can't be written any more; all else is. */
static int write_again(struct nfs_file *f, struct list *list, unsigned flags)
{
	struct nfs_buffer *k;
	bool stable;
	int rc = 0, one;

	list_for_each (k, list, link) {
		one = write_all(k->open, k->data, k->len, k->offset, UNSTABLE4,
				flags, &stable, &k->verf);
		if (one == 0)
			f->client->counters.rewrites++;
		else if (rc == 0)
			rc = one;
		if (one < 0 && !k->open->lost)
			break;
	}
	return rc;
}

/* In order, everything; new writes wait meanwhile. */
static int rewrite(struct nfs_file *f)
{
	int rc;

	f->rewriting = true;
	while (f->writing > 0)
		waitq_wait(&f->turn, NSEC_NEVER);
	rc = write_again(f, &f->kept, 0);
	f->rewriting = false;
	waitq_wake_all(&f->turn);
	return rc;
}

/* One COMMIT for what is kept now.  -EAGAIN: the server had lost it, it was
 * written again, and has to be committed again. */
static int commit_batch(struct nfs_file *f)
{
	verifier4 verf;
	int rc;

	list_splice(&f->committing, &f->kept);
	rc = nfs_commit(
		list_first(&f->committing, struct nfs_buffer, link)->open, 0, 0,
		&verf);
	while (f->restoring) /* a late reply */
		waitq_wait(&f->turn, NSEC_NEVER);
	if (rc == 0 && all_have(&f->committing, &verf)) {
		drop(f, &f->committing, NULL);
		return 0;
	}
	/* Back to the front: what was written meanwhile comes after it. */
	list_splice(&f->committing, &f->kept);
	list_splice(&f->kept, &f->committing);
	if (rc == 0)
		rc = rewrite(f);
	return rc < 0 ? rc : -EAGAIN;
}

static int sync_file(struct nfs_file *f)
{
	int rc = 0;

	f->refs++;
	while (f->syncing)
		waitq_wait(&f->turn, NSEC_NEVER);
	if (!list_empty(&f->kept)) {
		f->syncing = true;
		do
			rc = commit_batch(f);
		while (rc == -EAGAIN);
		f->syncing = false;
		waitq_wake_all(&f->turn);
	}
	file_put(f);
	return rc;
}

int keep_sync(struct nfs_client *c, const struct nfs_fh *fh)
{
	struct nfs_file *f = file_find(c, fh);

	return f != NULL ? sync_file(f) : 0;
}

int nfs_sync(struct nfs_open *o)
{
	MAGIC_CHECK(o, OPEN_MAGIC);
	return keep_sync(o->client, &o->fh);
}

bool nfs_has_unsaved(const struct nfs_client *c)
{
	const struct nfs_file *f;

	htable_for_each (f, &c->files, by_fh)
		if (f->bytes > 0 || f->writing > 0)
			return true;
	return false;
}

/* --------------------------------------------------------------- restoring */

/* No new write comes in between: who has one on its way waits for the session.
 * When it fails for another reason than the session, nfs_sync() will meet that
 * again, and say so. */
static void restore(struct nfs_file *f)
{
	int rc;

	f->restoring = true;
	rc = write_again(f, &f->committing, CALL_RECOVERY);
	if (rc == 0)
		rc = write_again(f, &f->kept, CALL_RECOVERY);
	f->restoring = false;
	waitq_wake_all(&f->turn);
	if (rc < 0 && f->client->session.exists)
		log_warn("nfs: giving back what a restarted server lost: %s",
			 strerror(-rc));
}

int keep_restore_all(struct nfs_client *c)
{
	struct nfs_file *f;
	bool done;

again:
	htable_for_each (f, &c->files, by_fh) {
		if (f->restored_epoch == c->client_epoch || !has_kept(f))
			continue;
		f->refs++;
		restore(f);
		done = c->session.exists;
		if (done)
			f->restored_epoch = c->client_epoch;
		file_put(f);
		if (!done)
			return -EAGAIN;
		goto again; /* the table may have changed meanwhile */
	}
	return 0;
}
