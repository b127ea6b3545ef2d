/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setattr() with a size.  No read or write of the file is in progress; size and
 * all other attributes change in one transaction.
 *
 * Of a backing file, the size in LMDB is the one that counts:
 *
 *	shrink	mark, LMDB, then the file is cut.  A crash in between leaves a
 *		file that is too long, with its mark.
 *	grow	mark, the file grows (a hole) and is synced, then LMDB.  Else
 *		a power failure brought back, below the new size, what was
 *		cut off before, or left holes in data not yet committed.
 */
#include "engine/local/local.h"

#include <errno.h>

#include "reactor/file.h"

struct truncate {
	struct change c;
	struct node *node;
	const struct cred *cred;
	const struct sattr *set;
	uint64_t old_size;
	struct inode_rec rec;
};

static int check(struct view *v, struct change *c)
{
	struct truncate *op = container_of(c, struct truncate, c);
	int r = inode_get_merged(v, op->node->ino, &op->rec);

	if (r == 0)
		r = attr_check(&op->rec, op->cred, op->set);
	if (r == 0 && !rec_access(&op->rec, op->cred, ENGINE_W))
		r = -EACCES;
	return r;
}

/*
 * What is in memory changes before the transaction is on disk, with a change
 * attribute of its own: whoever looks in between sees neither the old size with
 * the new attribute nor the other way round.
 */
static void show(struct truncate *op, uint64_t size, nsec now)
{
	struct node *n = op->node;
	struct shard *s = shard_lock(node_local(n), n->ino);

	n->size = size;
	n->change = clock_tick(node_local(n));
	n->time = now;
	shard_unlock(s);
}

static int apply_inline(struct view *v, struct truncate *op)
{
	struct node *n = op->node;
	struct shard *s = shard_lock(v->l, n->ino);
	int r = inline_load(n);

	if (r == 0) /* beyond the size there are zeroes */
		r = inline_store(v, n, op->set->size);
	shard_unlock(s);
	op->rec.space = op->set->size;
	return r;
}

static int apply_backed(struct view *v, struct truncate *op)
{
	struct ino_key k;
	int r = 0;

	if (!(op->rec.flags & INODE_FILE))
		r = view_del(v, T_INLINE, ino_key(&k, op->node->ino));
	op->rec.flags |= INODE_FILE;
	op->rec.space = MIN(op->node->space, round_up(op->set->size, 4096));
	return r;
}

/* Of a backing file, what is added is a hole. */
static int check_inline(struct view *v, const struct truncate *op)
{
	if (op->set->size <= op->rec.space)
		return 0;
	return quota_check_rec(v, &op->rec, op->set->size - op->rec.space, 0);
}

static int apply(struct view *v, struct change *c)
{
	struct truncate *op = container_of(c, struct truncate, c);
	uint64_t space = op->rec.space;
	int r = op->node->backed ? 0 : check_inline(v, op);

	if (r < 0)
		return r;
	show(op, op->set->size, c->now);
	r = op->node->backed ? apply_backed(v, op) : apply_inline(v, op);
	if (r < 0)
		return r;
	r = usage_move(v, &op->rec, (int64_t)(op->rec.space - space), 0);
	if (r < 0)
		return r;
	op->rec.size = op->set->size;
	op->rec.mtime = c->now;
	if (op->cred != NULL && op->cred->uid != 0) /* as write(2) */
		op->rec.mode = mode_without_setid(op->rec.mode);
	attr_apply(&op->rec, op->cred, op->set, c->now);
	return inode_put_changed(v, op->node->ino, &op->rec);
}

static void done(struct change *c, int result)
{
	struct truncate *op = container_of(c, struct truncate, c);
	struct node *n = op->node;
	struct shard *s;

	if (result < 0) {
		show(op, op->old_size, c->now);
		return;
	}
	s = shard_lock(c->l, n->ino);
	quota_grown(n, -n->growing);
	n->space = op->rec.space;
	n->committed_size = n->backed ? n->size : 0;
	if (!n->backed) { /* all of it went into the transaction */
		n->committed = n->written;
		inline_free(n);
	}
	shard_unlock(s);
}

/* n->io is held exclusively. */
static int prepare_backed(struct node *n, uint64_t size)
{
	int r = 0;

	if (size > n->size)
		r = file_truncate(n->file, size);
	/* What gets published has to be on disk; if LMDB may not know of the
	 * file yet, that there is one. */
	if (r == 0 && (size > n->committed_size || n->committed_size == 0))
		r = node_sync_data(n);
	return r;
}

static int truncate_held(struct truncate *op, struct local *l)
{
	struct node *n = op->node;
	int r = data_prepare_write(n, op->set->size);

	if (r == 0 && n->backed)
		r = prepare_backed(n, op->set->size);
	op->old_size = n->size;
	if (r == 0)
		r = local_change(l, &op->c);
	/* Also takes back what prepare_backed() added, if that was refused. */
	if (n->backed && n->file != NULL && data_cut_rest(n) < 0)
		node_fail(n, -EIO);
	return r;
}

/* Refused before anything is prepared. */
static int check_early(struct local *l, struct truncate *op)
{
	struct view v;
	int r = data_check_regular(op->node);

	if (r < 0)
		return r;
	if (op->set->size > ENGINE_FILE_SIZE_MAX)
		return -EFBIG;
	r = view_begin(l, &v);
	if (r < 0)
		return r;
	r = check(&v, &op->c);
	view_end(&v);
	return r < 0 ? r : clock_reserve(l);
}

int local_truncate(struct local *l, const struct cred *cred, uint64_t ino,
		   const struct sattr *set)
{
	struct truncate op = {
		.c = { .check = check, .apply = apply, .done = done },
		.cred = cred,
		.set = set,
	};
	int r = node_get(l, ino, &op.node);

	if (r < 0)
		return r;
	r = check_early(l, &op);
	if (r == 0) {
		task_write_lock(&op.node->io);
		r = truncate_held(&op, l);
		task_write_unlock(&op.node->io);
	}
	node_put(op.node);
	return r;
}
