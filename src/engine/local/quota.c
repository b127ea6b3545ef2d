/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quota: what a file system, and a tree in it, may hold.  Files are counted in
 * the transaction that makes one.  Of bytes there are those that are committed,
 * those that live nodes have grown by since (node.growing), and those that
 * writes in progress may yet add (node.claimed): a write that would bring their
 * sum beyond a quota is refused.
 *
 *	quota_claim ── the write ── note_write: quota_grown, claimed less so
 *much └── quota_unclaim: the last one's rest goes
 *
 * A claim is never less than what the write adds, and of one file together no
 * more than it can take when all are done: so what fits is not refused.
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

static uint64_t space_after(const struct node *n, uint64_t before, uint64_t end,
			    uint64_t len)
{
	uint64_t size = MAX(n->size, end);

	if (!n->backed && size <= INLINE_MAX)
		return size;
	return MIN(before + round_up(len, 4096) + 4096, round_up(size, 4096));
}

uint64_t quota_space_after(const struct node *n, uint64_t end, uint64_t len)
{
	return space_after(n, n->space, end, len);
}

/* ------------------------------------------------------- writes in progress */

static void count(struct node *n, int64_t bytes)
{
	__atomic_fetch_add(&node_local(n)->quota.growing, bytes,
			   __ATOMIC_RELAXED);
	if (n->tree != NULL)
		__atomic_fetch_add(&n->tree->growing, bytes, __ATOMIC_RELAXED);
}

/* Adds to *growing, if the limit allows that.  It changes with each commit, so
 * if it is the same after `used` was read, the two go together. */
static int add_within(int64_t *growing, uint64_t bytes,
		      int (*within)(struct node *n, int64_t growing,
				    uint64_t bytes),
		      struct node *n)
{
	int64_t g = get_signed(growing);
	int r;

	do {
		r = within(n, g, bytes);
		if (r < 0)
			return r;
	} while (!__atomic_compare_exchange_n(growing, &g, g + (int64_t)bytes,
					      false, __ATOMIC_ACQ_REL,
					      __ATOMIC_ACQUIRE));
	return 0;
}

static int within_all(struct node *n, int64_t growing, uint64_t bytes)
{
	struct local *l = node_local(n);
	uint64_t max = get(&l->quota.bytes);
	int64_t used = get(&l->quota.used) + growing;

	if (max == 0 || used < 0)
		return 0;
	return used + bytes <= max ? 0 : -EDQUOT;
}

static int within_tree(struct node *n, int64_t growing, uint64_t bytes)
{
	int64_t more = (int64_t)bytes + growing;
	struct view v;
	int r;

	if (more <= 0)
		return 0;
	r = view_begin(node_local(n), &v);
	if (r < 0)
		return r;
	r = tree_check(&v, n->tree->id, more, 0);
	view_end(&v);
	return r;
}

/* The shard's lock is held. */
static int count_within(struct node *n, uint64_t bytes)
{
	int64_t *growing = &node_local(n)->quota.growing;
	int r;

	if (bytes == 0)
		return 0;
	r = add_within(growing, bytes, within_all, n);
	if (r < 0 || n->tree == NULL)
		return r;
	r = add_within(&n->tree->growing, bytes, within_tree, n);
	if (r < 0)
		__atomic_fetch_sub(growing, (int64_t)bytes, __ATOMIC_RELAXED);
	return r;
}

/* What the write adds to what is there and claimed. */
static int claim(struct node *n, uint64_t end, uint64_t len)
{
	struct shard *s = shard_lock(node_local(n), n->ino);
	uint64_t before = n->space + n->claimed, bytes;
	int r;

	end = MAX(n->claimed_end, end);
	bytes = space_after(n, before, end, len);
	bytes -= MIN(bytes, before);
	r = count_within(n, bytes);
	if (r == 0) {
		n->claims++;
		n->claimed += bytes;
		n->claimed_end = end;
	}
	shard_unlock(s);
	return r;
}

int quota_claim(struct node *n, uint64_t end, uint64_t len, bool *held)
{
	struct local *l = node_local(n);
	int r;

	*held = false;
	if (len == 0 || (get(&l->quota.bytes) == 0 &&
			 __atomic_load_n(&n->tree, __ATOMIC_RELAXED) == NULL))
		return 0;
	r = claim(n, end, len);
	if (r == -EDQUOT) { /* unless it was a commit that counts twice yet */
		r = change_barrier(l);
		if (r == 0)
			r = claim(n, end, len);
	}
	*held = r == 0;
	return r;
}

void quota_unclaim(struct node *n)
{
	struct shard *s = shard_lock(node_local(n), n->ino);

	if (--n->claims == 0) {
		count(n, -(int64_t)n->claimed);
		n->claimed = n->claimed_end = 0;
	}
	shard_unlock(s);
}

/* ------------------------------------------------------------------ written */

void quota_grown(struct node *n, int64_t bytes)
{
	n->growing += bytes;
	count(n, bytes);
}

void quota_written(struct node *n, int64_t bytes)
{
	int64_t claimed = MIN(MAX(bytes, 0), (int64_t)n->claimed);

	quota_grown(n, bytes);
	n->claimed -= claimed;
	count(n, -claimed);
}

void quota_covered(struct node *n, int64_t bytes)
{
	if (bytes > 0 && n->growing > 0)
		quota_grown(n, -MIN(bytes, n->growing));
}

void quota_node_moved(struct node *n, uint64_t tree)
{
	struct local *l = node_local(n);
	int64_t bytes = n->growing + (int64_t)n->claimed;
	struct tree *before = n->tree;

	if ((before != NULL ? before->id : 0) == tree)
		return;
	count(n, -bytes);
	__atomic_store_n(&n->tree, tree_get(l, tree), __ATOMIC_RELAXED);
	count(n, bytes);
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
