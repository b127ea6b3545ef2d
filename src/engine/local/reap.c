/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Freeing inodes that have no name any more.
 *
 *	transaction that removes	inode: nlink 0; orphan record
 *	the last name
 *	nobody holds it	──▶ reap()	backing file is removed, and that is
 *					synced
 *	another transaction		inode, data, xattrs, mark, orphan
 *					record go
 *
 * A crash in between leaves the orphan record, and engine_end_grace() of the
 * next start begins again.  Nobody waits for any of this: a task that exists
 * while there is something to do takes what has gathered, so that many inodes
 * share a transaction.  If that fails, for want of space, it tries again.  The
 * same task removes the marks of inodes that nobody writes to any more.
 */
#include "engine/local/local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "reactor/file.h"

enum {
	ROUND = 128,	     /* inodes that share a transaction */
	QUEUE_MAX = 1 << 16, /* beyond it, those who remove wait */
};

#define RETRY SEC(1)

struct orphan {
	struct list link;
	uint64_t ino;
	bool mark_only; /* it lives on */
};

struct round {
	struct change c;
	struct orphan *orphans[ROUND];
	size_t n, done; /* many xattrs: not all at once */
};

void reap_init(struct local *l)
{
	pthread_mutex_init(&l->reaper.lock, NULL);
	list_init(&l->reaper.queue);
}

/* Was there one? */
static bool remove_file(struct local *l, uint64_t ino)
{
	char path[PATH_ROOM];
	int r;

	data_path(l, ino, path);
	r = file_unlink(path);
	if (r < 0)
		log_error("%s: %s", path, strerror(-r));
	return r != 0;
}

/* The host's journal keeps the order of names: the last removal is on disk
 * after all the others. */
static int sync_removal(struct local *l, uint64_t last)
{
	char path[PATH_ROOM];

	if (last == 0)
		return 0;
	snprintf(path, sizeof(path), "%s/data/%02lx", l->dir, last & 0xff);
	return file_sync_dir(path);
}

/* The first xattr's key; -ENOENT: there is none. */
static int first_xattr(struct view *v, uint64_t ino, struct xattr_key *copy,
		       MDB_val *key)
{
	struct ino_key k;
	MDB_val value;
	MDB_cursor *cursor;
	int r = view_cursor(v, T_XATTR, &cursor);

	if (r < 0)
		return r;
	*key = ino_key(&k, ino);
	r = lmdb_errno(mdb_cursor_get(cursor, key, &value, MDB_SET_RANGE));
	if (r == 0 && load_be64(key->mv_data) != ino)
		r = -ENOENT;
	if (r == 0) { /* it is in a page that is about to change */
		memcpy(copy->bytes, key->mv_data, key->mv_size);
		key->mv_data = copy->bytes;
	}
	mdb_cursor_close(cursor);
	return r;
}

static int delete_xattrs(struct view *v, uint64_t ino)
{
	struct xattr_key copy;
	MDB_val key;
	int r;

	do {
		r = first_xattr(v, ino, &copy, &key);
		if (r == 0)
			r = view_del(v, T_XATTR, key);
	} while (r == 0);
	return r == -ENOENT ? 0 : r;
}

static int delete_inode(struct view *v, uint64_t ino)
{
	struct inode_rec rec;
	struct ino_key k;
	MDB_val key = ino_key(&k, ino);
	int r = inode_get(v, ino, &rec);

	if (r == -ESTALE) /* a second time */
		return view_del(v, T_ORPHAN, key);
	if (r == 0 && (rec.flags & INODE_XATTR))
		r = delete_xattrs(v, ino);
	if (r == 0)
		r = view_del(v, T_INLINE, key);
	if (r == 0)
		r = view_del(v, T_INODE, key);
	if (r == 0)
		r = view_del(v, T_MARK, key);
	if (r == 0)
		r = view_del(v, T_ORPHAN, key);
	return r < 0 ? r : usage_move(v, &rec, -(int64_t)rec.space, -1);
}

static int allow(struct view *v, struct change *c)
{
	return 0;
}

static int apply(struct view *v, struct change *c)
{
	struct round *round = container_of(c, struct round, c);
	int r = 0;

	round->done = 0;
	while (r == 0 && round->done < round->n &&
	       v->write->length < LMDB_WRITE_ENOUGH) {
		const struct orphan *o = round->orphans[round->done++];

		r = o->mark_only ? mark_drop(v, o->ino)
				 : delete_inode(v, o->ino);
	}
	return r;
}

/* A file that its inode does not know of yet has a mark: mark.c. */
static bool may_have_file(struct local *l, uint64_t ino)
{
	struct inode_rec rec;
	struct ino_key k;
	struct view v;
	MDB_val value;
	bool may;

	if (view_begin(l, &v) < 0)
		return true;
	may = (inode_get(&v, ino, &rec) == 0 && (rec.flags & INODE_FILE)) ||
	      view_get(&v, T_MARK, ino_key(&k, ino), &value) == 0;
	view_end(&v);
	return may;
}

static void enqueue(struct reaper *p, struct orphan *o)
{
	pthread_mutex_lock(&p->lock);
	list_append(&p->queue, &o->link);
	__atomic_add_fetch(&p->queued, 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&p->lock);
}

static bool is_closing(struct reaper *p)
{
	bool closing;

	pthread_mutex_lock(&p->lock);
	closing = p->idle != NULL;
	pthread_mutex_unlock(&p->lock);
	return closing;
}

/* Not if the disk is broken, and not when the end waits for the reaper. */
static bool may_try_again(struct local *l, const struct round *round, int error)
{
	if (error != -EIO && !is_closing(&l->reaper))
		return true;
	log_error("%s: %zu removed inodes stay until the next start: %s",
		  l->dir, round->n, strerror(-error));
	return false;
}

/* Its last release comes back to it, or end_grace(). */
static bool is_needed(struct local *l, uint64_t ino)
{
	return node_unlinked(l, ino) ||
	       __atomic_load_n(&l->grace, __ATOMIC_RELAXED);
}

/* Removes the files of those that go; drops the others from the round. */
static int remove_round(struct local *l, struct round *round)
{
	uint64_t last = 0; /* that had a file */
	size_t n = 0;

	for (size_t i = 0; i < round->n; i++) {
		struct orphan *o = round->orphans[i];

		if (!o->mark_only && is_needed(l, o->ino)) {
			free(o);
			continue;
		}
		if (!o->mark_only && may_have_file(l, o->ino) &&
		    remove_file(l, o->ino))
			last = o->ino;
		round->orphans[n++] = o;
	}
	round->n = n;
	return sync_removal(l, last);
}

static void run_round(struct local *l, struct round *round)
{
	int r = remove_round(l, round);

	if (r == 0 && round->n > 0)
		r = local_change(l, &round->c);
	if (r < 0)
		round->done = may_try_again(l, round, r) ? 0 : round->n;
	for (size_t i = 0; i < round->n; i++) {
		if (i < round->done)
			free(round->orphans[i]);
		else
			enqueue(&l->reaper, round->orphans[i]);
	}
	if (round->done < round->n && r < 0)
		task_sleep(RETRY);
}

/* False: nothing is queued, and the reaper has ended. */
static bool take(struct local *l, struct round *round)
{
	struct reaper *p = &l->reaper;
	struct completion *idle = NULL;
	struct orphan *o;

	*round = (struct round){ .c = { .check = allow, .apply = apply } };
	pthread_mutex_lock(&p->lock);
	while (round->n < ROUND &&
	       (o = list_first(&p->queue, struct orphan, link)) != NULL) {
		list_del(&o->link);
		__atomic_sub_fetch(&p->queued, 1, __ATOMIC_RELAXED);
		round->orphans[round->n++] = o;
	}
	if (round->n == 0) {
		p->busy = false;
		idle = p->idle;
	}
	pthread_mutex_unlock(&p->lock);
	if (idle != NULL)
		completion_done(idle, 0);
	return round->n > 0;
}

/* Who removes one file often removes more. */
static void gather(struct local *l)
{
	if (__atomic_load_n(&l->reaper.queued, __ATOMIC_RELAXED) < ROUND)
		task_sleep(MSEC(5));
}

static void reaper(void *arg)
{
	struct local *l = arg;
	struct round round;

	for (gather(l); take(l, &round); gather(l))
		run_round(l, &round);
}

/* Out of memory: then it stays until the next start. */
static void add(struct local *l, uint64_t ino, bool mark_only)
{
	struct reaper *p = &l->reaper;
	struct orphan *o = malloc(sizeof(*o));
	bool start;

	if (o == NULL)
		return;
	*o = (struct orphan){ .ino = ino, .mark_only = mark_only };
	enqueue(p, o);
	pthread_mutex_lock(&p->lock);
	start = !p->busy;
	p->busy = true;
	pthread_mutex_unlock(&p->lock);
	if (start && task_spawn("reaper", reaper, l) < 0)
		reaper(l);
	while (__atomic_load_n(&p->queued, __ATOMIC_RELAXED) > QUEUE_MAX)
		task_sleep(MSEC(1));
}

void reap(struct local *l, uint64_t ino)
{
	/* Who held it before the restart may still come: end_grace() will see
	 * to it. */
	if (!__atomic_load_n(&l->grace, __ATOMIC_RELAXED))
		add(l, ino, false);
}

void reap_mark(struct local *l, uint64_t ino)
{
	add(l, ino, true);
}

void reap_stop(struct local *l)
{
	struct reaper *p = &l->reaper;
	struct completion idle;
	bool wait;

	completion_init(&idle);
	pthread_mutex_lock(&p->lock);
	wait = p->busy;
	p->idle = &idle;
	pthread_mutex_unlock(&p->lock);
	if (wait)
		completion_wait(&idle);
}

void reap_fini(struct local *l)
{
	pthread_mutex_destroy(&l->reaper.lock);
}

/* Up to ROUND orphans above `*last`. */
static size_t find_orphans(struct local *l, uint64_t *last,
			   uint64_t inos[ROUND])
{
	struct ino_key k;
	MDB_val key = ino_key(&k, *last + 1), value;
	MDB_cursor *cursor;
	struct view v;
	size_t n = 0;
	int rc;

	if (view_begin(l, &v) < 0)
		return 0;
	if (view_cursor(&v, T_ORPHAN, &cursor) == 0) {
		rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
		while (rc == 0 && n < ROUND) {
			inos[n++] = *last = load_be64(key.mv_data);
			rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
		}
		mdb_cursor_close(cursor);
	}
	view_end(&v);
	return n;
}

bool reap_any_left(struct local *l)
{
	uint64_t last = 0, inos[ROUND];

	return find_orphans(l, &last, inos) > 0;
}

void local_begin_grace(struct engine *e)
{
	__atomic_store_n(&local_of(e)->grace, true, __ATOMIC_RELAXED);
}

void local_end_grace(struct engine *e)
{
	struct local *l = local_of(e);
	uint64_t last = 0, inos[ROUND];
	size_t n;

	__atomic_store_n(&l->grace, false, __ATOMIC_RELAXED);
	while ((n = find_orphans(l, &last, inos)) > 0)
		for (size_t i = 0; i < n; i++)
			reap(l, inos[i]);
}
