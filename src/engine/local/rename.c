/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rename(2): one transaction moves the name, drops what it replaces, and turns
 * the ".." of a directory that moves.
 */
#include "engine/local/local.h"

#include <errno.h>
#include <string.h>

struct rename {
	struct change c;
	const struct cred *cred;
	uint64_t from, to;
	const char *from_name, *to_name;
	size_t from_len, to_len;

	/* dirs[1] is unused if both are one directory; see to_dir(). */
	struct inode_rec dirs[2];
	struct name source, target;
	struct inode_rec moved, victim;
	bool replaces; /* `target` and `victim` exist */
	uint64_t orphan;
	struct change_info ci[2];
};

static struct inode_rec *to_dir(struct rename *op)
{
	return op->from == op->to ? &op->dirs[0] : &op->dirs[1];
}

/* Is `ino` the directory `below`, or above it? */
static int is_above(struct view *v, uint64_t ino, uint64_t below, bool *yes)
{
	struct inode_rec rec;
	int r;

	for (;;) {
		*yes = below == ino;
		if (*yes || below == ENGINE_ROOT)
			return 0;
		r = inode_get(v, below, &rec);
		if (r < 0)
			return r;
		below = rec.parent;
	}
}

static int check_loops(struct view *v, const struct rename *op)
{
	bool above;
	int r;

	if (op->from == op->to)
		return 0;
	if (S_ISDIR(op->source.type)) {
		r = is_above(v, op->source.ino, op->to, &above);
		if (r < 0 || above)
			return r < 0 ? r : -EINVAL;
	}
	if (op->replaces && S_ISDIR(op->target.type)) {
		r = is_above(v, op->target.ino, op->from, &above);
		if (r < 0 || above)
			return r < 0 ? r : -ENOTEMPTY;
	}
	return 0;
}

static int find(struct view *v, struct rename *op)
{
	int r = dir_open(v, op->cred, op->from, ENGINE_X, &op->dirs[0]);

	if (r == 0 && op->from != op->to)
		r = dir_open(v, op->cred, op->to, ENGINE_X, &op->dirs[1]);
	if (r == 0)
		r = dirent_find(v, op->from, op->from_name, op->from_len,
				&op->source);
	if (r == 0)
		r = inode_get_merged(v, op->source.ino, &op->moved);
	if (r < 0)
		return r;
	r = dirent_find(v, op->to, op->to_name, op->to_len, &op->target);
	op->replaces = r == 0;
	if (r == 0)
		r = inode_get_merged(v, op->target.ino, &op->victim);
	return r == -ENOENT ? 0 : r;
}

static int check_permission(struct rename *op)
{
	struct inode_rec *to = to_dir(op);
	int r;

	if (!rec_access(&op->dirs[0], op->cred, ENGINE_W) ||
	    !rec_access(to, op->cred, ENGINE_W))
		return -EACCES;
	r = dir_check_sticky(&op->dirs[0], op->cred, &op->moved);
	if (r == 0 && op->replaces)
		r = dir_check_sticky(to, op->cred, &op->victim);
	/* Its ".." is written. */
	if (r == 0 && op->from != op->to && S_ISDIR(op->moved.mode) &&
	    !rec_access(&op->moved, op->cred, ENGINE_W))
		r = -EACCES;
	return r;
}

static int check_kinds(const struct rename *op)
{
	bool dir = S_ISDIR(op->moved.mode);

	if (!op->replaces)
		return 0;
	if (dir != S_ISDIR(op->victim.mode))
		return dir ? -ENOTDIR : -EISDIR;
	return dir && op->victim.size > 0 ? -ENOTEMPTY : 0;
}

/* See tree.c.  A directory that a walk has not come to yet has to wait for it:
 * what is below could be missed. */
static int check_trees(struct rename *op)
{
	uint64_t tree = to_dir(op)->tree;

	if (op->dirs[0].tree != tree)
		return -EXDEV;
	if (S_ISDIR(op->moved.mode) && op->moved.tree != tree &&
	    op->moved.tree != op->source.ino)
		return -EAGAIN;
	return 0;
}

static int check(struct view *v, struct change *c)
{
	struct rename *op = container_of(c, struct rename, c);
	int r = find(v, op);

	if (r < 0)
		return r;
	op->ci[0].before = op->ci[0].after = op->dirs[0].change;
	op->ci[1].before = op->ci[1].after = to_dir(op)->change;
	if (op->replaces && op->source.ino == op->target.ino)
		return CHANGE_NOTHING; /* two names of one file: both stay */
	r = check_loops(v, op);
	if (r == 0)
		r = check_permission(op);
	if (r == 0)
		r = check_kinds(op);
	return r < 0 ? r : check_trees(op);
}

/* The directories' own records. */
static int apply_dirs(struct view *v, struct rename *op)
{
	struct inode_rec *from = &op->dirs[0], *to = to_dir(op);
	int r;

	from->size--;
	to->size += op->replaces ? 0 : 1;
	if (S_ISDIR(op->moved.mode)) {
		from->nlink--;
		to->nlink += op->replaces ? 0 : 1;
	}
	from->mtime = to->mtime = op->c.now;
	r = inode_put_changed(v, op->from, from);
	if (r == 0 && to != from)
		r = inode_put_changed(v, op->to, to);
	op->ci[0].after = from->change;
	op->ci[1].after = to->change;
	return r;
}

/* A slot of the source's hash may have become free for the target: removing
 * first would change which one dirent_find() chose, so the target keeps it. */
static int apply_names(struct view *v, struct rename *op)
{
	struct name d = { .cookie = op->target.cookie,
			  .ino = op->source.ino,
			  .type = op->source.type };
	int r = dirent_del(v, op->from, op->source.cookie);

	return r < 0 ? r : dirent_put(v, op->to, &d, op->to_name, op->to_len);
}

static int apply(struct view *v, struct change *c)
{
	struct rename *op = container_of(c, struct rename, c);
	int r = apply_dirs(v, op);

	op->orphan = 0;
	if (r == 0)
		r = apply_names(v, op);
	if (r == 0 && op->replaces)
		r = inode_drop_link(v, op->target.ino, &op->victim,
				    &op->orphan);
	if (S_ISDIR(op->moved.mode))
		op->moved.parent = op->to;
	else if (r == 0)
		r = tree_move(v, &op->moved, to_dir(op)->tree);
	if (r == 0)
		r = inode_put_changed(v, op->source.ino, &op->moved);
	return r;
}

int local_rename(struct engine *e, const struct cred *cred, uint64_t from,
		 const char *from_name, size_t from_len, uint64_t to,
		 const char *to_name, size_t to_len, struct change_info ci[2])
{
	struct rename op = { .c = { .check = check, .apply = apply },
			     .cred = cred,
			     .from = from,
			     .from_name = from_name,
			     .from_len = from_len,
			     .to = to,
			     .to_name = to_name,
			     .to_len = to_len };
	struct local *l = local_of(e);
	int r = name_check(from_name, from_len);

	if (r == 0)
		r = name_check(to_name, to_len);
	if (r == 0)
		r = local_change(l, &op.c);
	if (r < 0)
		return r;
	if (ci != NULL)
		memcpy(ci, op.ci, sizeof(op.ci));
	if (op.orphan != 0)
		reap(l, op.orphan);
	return 0;
}
