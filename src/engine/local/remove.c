/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that go: remove(), rename().
 *
 * An inode that loses its last name becomes an orphan in the same transaction;
 * reap.c frees it, at once or when the last holder lets go.
 */
#include "engine/local/local.h"

#include <errno.h>
#include <string.h>

int inode_drop_link(struct view *v, uint64_t ino, struct inode_rec *rec,
		    uint64_t *orphan)
{
	struct ino_key k;
	int r = 0;

	rec->nlink = S_ISDIR(rec->mode) ? 0 : rec->nlink - 1;
	if (rec->nlink == 0) {
		*orphan = ino;
		r = view_put(v, T_ORPHAN, ino_key(&k, ino), (MDB_val){});
	}
	return r < 0 ? r : inode_put_changed(v, ino, rec);
}

struct remove {
	struct change c;
	const struct cred *cred;
	uint64_t dir;
	const char *name;
	size_t len;
	enum engine_remove_kind kind;

	struct inode_rec parent, victim;
	struct name d;
	uint64_t orphan; /* or 0 */
	struct change_info ci;
};

static int check_kind(const struct remove *op)
{
	bool dir = S_ISDIR(op->victim.mode);

	if (dir && op->kind == ENGINE_REMOVE_NONDIR)
		return -EISDIR;
	if (!dir && op->kind == ENGINE_REMOVE_DIR)
		return -ENOTDIR;
	return dir && op->victim.size > 0 ? -ENOTEMPTY : 0;
}

static int remove_check(struct view *v, struct change *c)
{
	struct remove *op = container_of(c, struct remove, c);
	int r = dir_open(v, op->cred, op->dir, ENGINE_X, &op->parent);

	if (r == 0)
		r = dirent_find(v, op->dir, op->name, op->len, &op->d);
	if (r == 0)
		r = inode_get_merged(v, op->d.ino, &op->victim);
	if (r < 0)
		return r;
	if (!rec_access(&op->parent, op->cred, ENGINE_W))
		return -EACCES;
	r = dir_check_sticky(&op->parent, op->cred, &op->victim);
	return r < 0 ? r : check_kind(op);
}

static int remove_apply(struct view *v, struct change *c)
{
	struct remove *op = container_of(c, struct remove, c);
	int r;

	op->orphan = 0;
	op->ci.before = op->parent.change;
	op->parent.mtime = c->now;
	op->parent.size--;
	op->parent.nlink -= S_ISDIR(op->victim.mode) ? 1 : 0;
	r = inode_put_changed(v, op->dir, &op->parent);
	op->ci.after = op->parent.change;
	if (r == 0)
		r = dirent_del(v, op->dir, op->d.cookie);
	if (r == 0)
		r = inode_drop_link(v, op->d.ino, &op->victim, &op->orphan);
	return r;
}

int local_remove(struct engine *e, const struct cred *cred, uint64_t dir,
		 const char *name, size_t len, enum engine_remove_kind kind,
		 struct change_info *ci)
{
	struct remove op = {
		.c = { .check = remove_check, .apply = remove_apply },
		.cred = cred,
		.dir = dir,
		.name = name,
		.len = len,
		.kind = kind,
	};
	struct local *l = local_of(e);
	int r = name_check(name, len);

	if (r == 0)
		r = local_change(l, &op.c);
	if (r < 0)
		return r;
	if (ci != NULL)
		*ci = op.ci;
	if (op.orphan != 0)
		reap(l, op.orphan);
	return 0;
}
