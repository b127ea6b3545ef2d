/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Live inodes: the table of them, hold and release, and COMMIT.
 *
 *	           write                commit, on disk
 *	  CLEAN ─────────▶ DIRTY ───────────────────────▶ CLEAN
 *	                     │ writing back failed, last release
 *	                     ▼
 *	                   FAILED (stays in the table until a commit has told
 *	                           somebody, then what was in memory is dropped:
 *	                           engine_losses())
 *
 * The last release of a node writes back what is dirty, so an inode that nobody
 * holds has no state but on disk.
 */
#include "engine/local/local.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "reactor/file.h"

struct shard *shard_lock(struct local *l, uint64_t ino)
{
	struct shard *s = &l->shards[hash_u64(ino) % LOCAL_SHARDS];

	pthread_mutex_lock(&s->lock);
	return s;
}

void shard_unlock(struct shard *s)
{
	pthread_mutex_unlock(&s->lock);
}

struct node *shard_find(struct shard *s, uint64_t ino)
{
	struct node *n;

	htable_for_each_match (n, &s->nodes, hash_u64(ino), link)
		if (n->ino == ino)
			return n;
	return NULL;
}

static struct node *create(struct local *l, uint64_t ino,
			   const struct inode_rec *rec)
{
	struct node *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return NULL;
	n->base.engine = &l->engine;
	MAGIC_SET(n, NODE_MAGIC);
	n->ino = ino;
	n->type = rec->mode & S_IFMT;
	n->backed = (rec->flags & INODE_FILE) != 0;
	n->unlinked = rec->nlink == 0;
	n->setid = rec->mode != mode_without_setid(rec->mode);
	n->size = rec->size;
	n->committed_size = n->backed ? rec->size : 0;
	n->space = rec->space;
	n->tree = tree_get(l, rec->tree);
	n->time = MAX(rec->mtime, rec->ctime);
	n->atime = rec->atime;
	/* What was done before, an earlier node may have left to the host. */
	n->written = n->committed = 1;
	task_rwlock_init(&n->io);
	task_rwlock_init(&n->sync);
	return n;
}

static void destroy(struct node *n)
{
	if (n->file != NULL)
		file_close(n->file);
	quota_grown(n, -n->growing);
	tree_put(node_local(n), n->tree);
	inline_free(n);
	task_rwlock_fini(&n->io);
	task_rwlock_fini(&n->sync);
	MAGIC_CLEAR(n);
	free(n);
}

/* Loads the inode under the shard's lock, so that whoever frees it (reap.c)
 * sees this node, or this sees it freed. */
static int load(struct local *l, struct shard *s, uint64_t ino,
		struct node **out)
{
	struct inode_rec rec;
	struct view v;
	int r = view_begin(l, &v);

	if (r < 0)
		return r;
	r = inode_get(&v, ino, &rec);
	view_end(&v);
	if (r < 0)
		return r;
	if (rec.nlink == 0 && !__atomic_load_n(&l->grace, __ATOMIC_RELAXED))
		return -ESTALE;
	*out = create(l, ino, &rec);
	if (*out == NULL)
		return -ENOMEM;
	htable_insert(&s->nodes, &(*out)->link, hash_u64(ino));
	return 0;
}

int node_get(struct local *l, uint64_t ino, struct node **out)
{
	struct shard *s = shard_lock(l, ino);
	struct node *n = shard_find(s, ino);
	int r = n != NULL ? 0 : load(l, s, ino, &n);

	if (r == 0) {
		n->refs++;
		*out = n;
	}
	shard_unlock(s);
	return r;
}

/* With the last holder it goes for good. */
static bool is_doomed(const struct node *n)
{
	return n->unlinked &&
	       !__atomic_load_n(&node_local(n)->grace, __ATOMIC_RELAXED);
}

/* Has the last holder nothing to do before it goes? */
static bool is_settled(const struct node *n)
{
	return is_doomed(n) || n->error != 0 ||
	       (!node_dirty(n) && !n->marked && !n->mark_left);
}

/* Writes back; what fails for good is kept for whoever commits next. */
static void settle(struct node *n)
{
	struct shard *s;
	int r = node_commit(n);
	bool unmark;

	task_write_lock(&n->io);
	/* What was cut off must not be back when the mark is gone. */
	if (r == 0 && n->marked && n->file != NULL)
		r = node_sync_data(n);
	s = shard_lock(node_local(n), n->ino);
	/* Unless somebody else has come, and may do better. */
	if (r < 0 && n->error == 0 && n->refs == 1 && node_dirty(n)) {
		n->error = r;
		log_error("%s: inode %lu: data not written back: %s",
			  node_local(n)->dir, n->ino, strerror(-r));
	}
	unmark = n->error == 0 && !node_dirty(n);
	if (unmark)
		n->marked = n->mark_left = false;
	shard_unlock(s);
	task_write_unlock(&n->io);
	if (unmark)
		reap_mark(node_local(n), n->ino);
}

/* Drops a reference, unless it is the last one and work is left. */
static bool try_put(struct node *n)
{
	struct local *l = node_local(n);
	struct shard *s = shard_lock(l, n->ino);
	bool orphan = n->unlinked, gone;
	uint64_t ino = n->ino;

	if (n->refs == 1 && !is_settled(n)) {
		shard_unlock(s);
		return false;
	}
	gone = --n->refs == 0 && (n->error == 0 || n->told || is_doomed(n));
	if (gone && n->error != 0) /* before somebody can load it anew */
		__atomic_fetch_add(&l->engine.losses, 1, __ATOMIC_RELEASE);
	if (gone)
		htable_remove(&s->nodes, &n->link);
	shard_unlock(s);
	if (gone)
		destroy(n);
	if (gone && orphan)
		reap(l, ino);
	return true;
}

void node_put(struct node *n)
{
	while (!try_put(n))
		settle(n);
}

bool node_unlinked(struct local *l, uint64_t ino)
{
	struct shard *s = shard_lock(l, ino);
	struct node *n = shard_find(s, ino);
	bool held = n != NULL && n->refs > 0;

	if (held)
		n->unlinked = true;
	else if (n != NULL) /* failed: nobody needs to be told any more */
		htable_remove(&s->nodes, &n->link);
	shard_unlock(s);
	if (n != NULL && !held)
		destroy(n);
	return held;
}

void node_drop_failed(struct local *l)
{
	struct node *n;

	for (int i = 0; i < LOCAL_SHARDS; i++) {
		while ((n = htable_pop_entry(&l->shards[i].nodes, struct node,
					     link)) != NULL) {
			assert(n->refs == 0); /* all are released */
			destroy(n);
		}
	}
}

void node_record_changed(struct local *l, const struct touched *t)
{
	struct shard *s = shard_lock(l, t->ino);
	struct node *n = shard_find(s, t->ino);

	if (n != NULL) {
		n->setid = t->mode != mode_without_setid(t->mode);
		n->atime = t->atime;
		n->mark_left |= t->marked;
		quota_node_moved(n, t->tree);
		/* A write in the meantime has the greater change attribute and
		 * would hide that the record has changed as well. */
		if (n->change > t->change) {
			n->change = clock_tick(l);
			n->written++;
		}
	}
	shard_unlock(s);
}

struct commit {
	struct change c;
	struct node *node;
	bool backed;
	uint64_t size, space;
	uint64_t written; /* what this commit covers */
	int64_t growing;  /* the same */
	struct inode_rec rec;
};

static int commit_check(struct view *v, struct change *c)
{
	struct commit *op = container_of(c, struct commit, c);

	return inode_get_merged(v, op->node->ino, &op->rec);
}

static int commit_inline(struct view *v, struct commit *op)
{
	struct shard *s = shard_lock(v->l, op->node->ino);
	struct node *n = op->node;
	int r;

	op->written = n->written;
	op->growing = n->growing;
	assert(n->data != NULL || n->size == op->rec.size); /* no bytes lost */
	op->rec.size = op->rec.space = n->size;
	if (n->change > op->rec.change) { /* written since the check */
		op->rec.change = n->change;
		op->rec.mtime = op->rec.ctime = n->time;
	}
	r = n->data != NULL ? inline_store(v, n, n->size) : 0;
	shard_unlock(s);
	return r;
}

static int commit_backed(struct view *v, struct commit *op)
{
	struct ino_key k;
	int r = 0;

	if (!(op->rec.flags & INODE_FILE))
		r = view_del(v, T_INLINE, ino_key(&k, op->node->ino));
	/* Of two commits the one with less can come second. */
	op->rec.size =
		MAX(op->size, op->rec.flags & INODE_FILE ? op->rec.size : 0);
	op->rec.flags |= INODE_FILE;
	op->rec.space = op->space;
	return r;
}

static int commit_apply(struct view *v, struct change *c)
{
	struct commit *op = container_of(c, struct commit, c);
	uint64_t space = op->rec.space;
	int r = op->backed ? commit_backed(v, op) : commit_inline(v, op);

	if (r == 0)
		r = usage_move(v, &op->rec, (int64_t)(op->rec.space - space),
			       0);
	return r < 0 ? r : inode_put(v, op->node->ino, &op->rec);
}

static void commit_done(struct change *c, int result)
{
	struct commit *op = container_of(c, struct commit, c);
	struct node *n = op->node;
	struct shard *s;

	if (result != 0)
		return;
	s = shard_lock(c->l, n->ino);
	n->committed = MAX(n->committed, op->written);
	quota_covered(n, op->growing);
	if (op->backed)
		n->committed_size = op->rec.size;
	if (!node_dirty(n)) {
		quota_grown(n, -n->growing);
		n->space = op->rec.space;
		inline_free(n);
	}
	shard_unlock(s);
}

void node_fail(struct node *n, int error)
{
	struct shard *s = shard_lock(node_local(n), n->ino);

	n->error = error;
	shard_unlock(s);
}

/* The kernel forgets what it could not write, and a second fsync would succeed:
 * so the node has failed for good. */
static int sync_file(struct node *n)
{
	int r = file_sync(n->file);

	if (r == 0)
		return 0;
	log_error("%s: inode %lu: fsync: %s", node_local(n)->dir, n->ino,
		  strerror(-r));
	node_fail(n, r);
	return r;
}

/* n->sync is held. */
static int sync_upto(struct node *n, uint64_t wanted)
{
	struct shard *s = shard_lock(node_local(n), n->ino);
	uint64_t written = n->written;
	int r = n->error;

	shard_unlock(s);
	if (r < 0 || n->synced >= wanted)
		return r;
	r = sync_file(n);
	if (r == 0)
		n->synced = written;
	return r;
}

/* One fsync at a time: of two, the kernel tells only one that it has lost data,
 * and the other must not take that for success.  Those that come meanwhile
 * share the next one. */
int node_sync_data(struct node *n)
{
	struct shard *s = shard_lock(node_local(n), n->ino);
	uint64_t wanted = n->written;
	int r;

	shard_unlock(s);
	task_write_lock(&n->sync);
	r = sync_upto(n, wanted);
	task_write_unlock(&n->sync);
	return r;
}

/* n->io is held, shared. */
static int commit_held(struct node *n)
{
	struct commit op = { .c = { .check = commit_check,
				    .apply = commit_apply,
				    .done = commit_done },
			     .node = n,
			     .backed = n->backed };
	struct local *l = node_local(n);
	struct shard *s = shard_lock(l, n->ino);
	bool dirty = node_dirty(n);
	int r = n->error;

	op.written = n->written;
	op.growing = n->growing;
	op.size = n->size;
	shard_unlock(s);
	if (r < 0 || !dirty)
		return r;
	if (op.backed) /* data before the size that makes them visible */
		r = node_sync_data(n);
	if (op.backed && r == 0)
		r = file_size(n->file, NULL, &op.space);
	return r < 0 ? r : local_change(l, &op.c);
}

int node_commit(struct node *n)
{
	int r;

	task_read_lock(&n->io);
	r = commit_held(n);
	task_read_unlock(&n->io);
	return r;
}

int local_commit(struct engine_node *node, uint64_t offset, uint64_t len)
{
	struct node *n = node_of(node);
	int r = node_commit(n);
	struct shard *s;

	if (r < 0) {
		s = shard_lock(node_local(n), n->ino);
		n->told = n->error != 0; /* else it may be repeated */
		shard_unlock(s);
	}
	return r;
}

int local_hold(struct engine *e, uint64_t ino, struct engine_node **out)
{
	struct node *n;
	int r = node_get(local_of(e), ino, &n);

	if (r == 0)
		*out = &n->base;
	return r;
}

void local_release(struct engine_node *node)
{
	node_put(node_of(node));
}

uint64_t local_node_ino(const struct engine_node *node)
{
	return container_of(node, struct node, base)->ino;
}
