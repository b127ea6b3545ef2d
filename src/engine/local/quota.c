/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quota: what a file system, and a tree in it, may hold.  Files are counted in
 * the transaction that makes one.  Of bytes there are those that are committed,
 * and those that live nodes have grown by since (node.growing): a write that
 * would grow them beyond a quota is refused.  Writes that run at the same time
 * are not counted among each other: so many may go beyond.
 */
#include <errno.h>

#include "engine/local/local.h"

static uint64_t get(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static int64_t get_signed(const int64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

int local_set_quota(struct engine *e, uint64_t bytes, uint64_t files)
{
	struct local *l = local_of(e);

	__atomic_store_n(&l->quota.bytes, bytes, __ATOMIC_RELAXED);
	__atomic_store_n(&l->quota.files, files, __ATOMIC_RELAXED);
	return 0;
}

void quota_committed(struct local *l, const struct state_rec *state)
{
	__atomic_store_n(&l->quota.used, state->used_bytes, __ATOMIC_RELAXED);
}

int usage_move(struct view *v, const struct inode_rec *rec, int64_t bytes,
	       int64_t files)
{
	struct state_rec *state = &v->change->state;

	state->used_bytes += bytes;
	state->used_files += files;
	return tree_count(v, rec->tree, bytes, files);
}

int quota_check_rec(struct view *v, const struct inode_rec *rec, uint64_t bytes,
		    uint64_t files)
{
	const struct state_rec *state = &v->change->state;
	uint64_t max_bytes = get(&v->l->quota.bytes);
	uint64_t max_files = get(&v->l->quota.files);

	if (files > 0 && max_files != 0 &&
	    state->used_files + files > max_files)
		return -EDQUOT;
	if (bytes > 0 && max_bytes != 0 &&
	    state->used_bytes + bytes > max_bytes)
		return -EDQUOT;
	return tree_check(v, rec->tree, bytes, files);
}

uint64_t quota_space_after(const struct node *n, uint64_t end, uint64_t len)
{
	uint64_t size = MAX(n->size, end);

	if (!n->backed)
		return size;
	return MIN(n->space + round_up(len, 4096) + 4096, round_up(size, 4096));
}

/* What a write is held against. */
struct growth {
	uint64_t bytes;	 /* that it adds */
	uint64_t tree;	 /* in which; or 0 */
	int64_t growing; /* there, by others */
};

static struct growth growth_of(struct node *n, uint64_t end, uint64_t len)
{
	struct growth g = {};
	struct shard *s = shard_lock(node_local(n), n->ino);
	uint64_t after = quota_space_after(n, end, len);

	if (after > n->space)
		g.bytes = after - n->space;
	if (n->tree != NULL) {
		g.tree = n->tree->id;
		g.growing = get_signed(&n->tree->growing);
	}
	shard_unlock(s);
	return g;
}

static int check_all(const struct local *l, const struct growth *g)
{
	uint64_t bytes = get(&l->quota.bytes);
	int64_t used = get(&l->quota.used) + get_signed(&l->quota.growing);

	if (bytes == 0 || used < 0)
		return 0;
	return used + g->bytes <= bytes ? 0 : -EDQUOT;
}

/* Its record is read after what it grows by: a commit in between counts
 * twice, but none is missed. */
static int check_tree(struct local *l, const struct growth *g)
{
	int64_t more = (int64_t)g->bytes + g->growing;
	struct view v;
	int r;

	if (g->tree == 0 || more <= 0)
		return 0;
	r = view_begin(l, &v);
	if (r < 0)
		return r;
	r = tree_check(&v, g->tree, more, 0);
	view_end(&v);
	return r;
}

int quota_check_write(struct node *n, uint64_t end, uint64_t len)
{
	struct local *l = node_local(n);
	struct growth g;
	int r;

	if (len == 0 || (get(&l->quota.bytes) == 0 &&
			 __atomic_load_n(&n->tree, __ATOMIC_RELAXED) == NULL))
		return 0;
	g = growth_of(n, end, len);
	if (g.bytes == 0)
		return 0;
	r = check_all(l, &g) ?: check_tree(l, &g);
	if (r != -EDQUOT || g.tree == 0)
		return r;
	/* Unless it was a commit that counted twice. */
	r = change_barrier(l);
	if (r < 0)
		return r;
	g = growth_of(n, end, len);
	return check_all(l, &g) ?: check_tree(l, &g);
}

void quota_grown(struct node *n, int64_t bytes)
{
	n->growing += bytes;
	__atomic_fetch_add(&node_local(n)->quota.growing, bytes,
			   __ATOMIC_RELAXED);
	if (n->tree != NULL)
		__atomic_fetch_add(&n->tree->growing, bytes, __ATOMIC_RELAXED);
}

void quota_covered(struct node *n, int64_t bytes)
{
	if (bytes > 0 && n->growing > 0)
		quota_grown(n, -MIN(bytes, n->growing));
}

void quota_node_moved(struct node *n, uint64_t tree)
{
	struct local *l = node_local(n);
	int64_t growing = n->growing;
	struct tree *before = n->tree;

	if ((before != NULL ? before->id : 0) == tree)
		return;
	quota_grown(n, -growing);
	__atomic_store_n(&n->tree, tree_get(l, tree), __ATOMIC_RELAXED);
	quota_grown(n, growing);
	tree_put(l, before);
}

static uint64_t left_of(uint64_t max, uint64_t used)
{
	return max > used ? max - used : 0;
}

/* As seen by who may hold so much. */
static void limit(struct engine_statfs *st, uint64_t max_bytes,
		  uint64_t max_files)
{
	uint64_t left;

	if (max_bytes != 0) {
		left = left_of(max_bytes, st->used_bytes);
		st->total_bytes = max_bytes;
		st->free_bytes = MIN(st->free_bytes, left);
		st->avail_bytes = MIN(st->avail_bytes, left);
	}
	if (max_files != 0) {
		left = left_of(max_files, st->used_files);
		st->total_files = max_files;
		st->free_files = MIN(st->free_files, left);
		st->avail_files = MIN(st->avail_files, left);
	}
}

void quota_limit_statfs(struct local *l, struct engine_statfs *st)
{
	limit(st, get(&l->quota.bytes), get(&l->quota.files));
}

int tree_limit_statfs(struct local *l, uint64_t id, struct engine_statfs *st)
{
	struct engine_tree tree;
	int r = local_tree_get(&l->engine, id, &tree);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	st->used_bytes = tree.used_bytes;
	st->used_files = tree.used_files;
	limit(st, tree.max_bytes, tree.max_files);
	return 0;
}
