/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New names: create() of anything, link().
 */
#include "engine/local/local.h"

#include <errno.h>
#include <string.h>

struct create {
	struct change c;
	const struct cred *cred;
	uint64_t dir;
	const char *name;
	size_t len;
	const struct create_spec *spec;

	struct inode_rec parent;
	struct name d;
	struct inode_rec rec; /* the new inode, or the one that is there */
	bool existed;
	struct change_info ci;
};

/* RFC 8881, 18.16.3: the verifier tells a repeat from somebody else's file. */
static int check_existing(struct view *v, struct create *op)
{
	int r = inode_get_merged(v, op->d.ino, &op->rec);

	op->existed = true;
	op->ci.before = op->ci.after = op->parent.change;
	if (r < 0)
		return r;
	if (op->spec->exclusive && (op->rec.flags & INODE_VERIFIER) &&
	    op->rec.verifier == op->spec->verifier)
		return CHANGE_NOTHING;
	return -EEXIST;
}

static int create_check(struct view *v, struct change *c)
{
	struct create *op = container_of(c, struct create, c);
	int r = dir_open(v, op->cred, op->dir, ENGINE_X, &op->parent);

	op->existed = false;
	if (r < 0)
		return r;
	r = dirent_find(v, op->dir, op->name, op->len, &op->d);
	if (r == 0)
		return check_existing(v, op);
	if (r != -ENOENT)
		return r;
	if (!rec_access(&op->parent, op->cred, ENGINE_W))
		return -EACCES;
	return 0;
}

/* POSIX, and what every Unix does with S_ISGID of the directory. */
static void inherit(struct create *op)
{
	struct inode_rec *rec = &op->rec;
	const struct cred *cred = op->cred;

	rec->uid = cred != NULL ? cred->uid : 0;
	rec->gid = cred != NULL ? cred->gid : 0;
	if (op->parent.mode & S_ISGID) {
		rec->gid = op->parent.gid;
		if (S_ISDIR(rec->mode))
			rec->mode |= S_ISGID;
		else if (cred != NULL && cred->uid != 0 &&
			 (rec->mode & S_IXGRP) &&
			 !cred_in_group(cred, rec->gid))
			rec->mode &= ~S_ISGID;
	}
}

static int make_rec(struct create *op)
{
	const struct create_spec *spec = op->spec;
	struct sattr set = spec->attrs;
	nsec now = op->c.now;
	uint32_t mode;
	int r;

	op->rec = (struct inode_rec){
		.version = 1,
		.flags = spec->exclusive ? INODE_VERIFIER : 0,
		.verifier = spec->exclusive ? spec->verifier : 0,
		.mode = spec->mode & (S_IFMT | 07777),
		.nlink = S_ISDIR(spec->mode) ? 2 : 1,
		.parent = S_ISDIR(spec->mode) ? op->dir : 0,
		.rdev_major = spec->rdev_major,
		.rdev_minor = spec->rdev_minor,
		.size = S_ISLNK(spec->mode) ? spec->target_len : 0,
		.atime = now,
		.mtime = now,
		.btime = now,
		.tree = op->parent.tree,
	};
	op->rec.space = op->rec.size;
	inherit(op);
	set.mask &= ~(SATTR_SIZE | SATTR_MODE);
	r = attr_check(&op->rec, op->cred, &set);
	if (r < 0)
		return r;
	mode = op->rec.mode;
	attr_apply(&op->rec, op->cred, &set, now);
	op->rec.mode = mode; /* a new owner takes nothing from a new file */
	return 0;
}

static int put_target(struct view *v, const struct create *op, uint64_t ino)
{
	const struct create_spec *spec = op->spec;
	struct ino_key k;

	return view_put(v, T_INLINE, ino_key(&k, ino),
			(MDB_val){ spec->target_len, (void *)spec->target });
}

static int create_apply(struct view *v, struct change *c)
{
	struct create *op = container_of(c, struct create, c);
	int r = make_rec(op);

	if (r == 0)
		r = quota_check_rec(v, &op->rec, op->rec.space, 1);
	if (r < 0)
		return r;
	op->d.ino = c->state.next_ino++;
	op->d.type = op->rec.mode & S_IFMT;

	op->ci.before = op->parent.change;
	op->parent.mtime = c->now;
	op->parent.size++;
	op->parent.nlink += S_ISDIR(op->rec.mode) ? 1 : 0;
	r = usage_move(v, &op->rec, op->rec.space, 1);
	if (r == 0)
		r = inode_put_changed(v, op->dir, &op->parent);
	op->ci.after = op->parent.change;
	if (r == 0)
		r = dirent_put(v, op->dir, &op->d, op->name, op->len);
	if (r == 0)
		r = inode_put_changed(v, op->d.ino, &op->rec);
	if (r == 0 && S_ISLNK(op->rec.mode))
		r = put_target(v, op, op->d.ino);
	return r;
}

static int spec_check(const struct create_spec *spec)
{
	switch (spec->mode & S_IFMT) {
	case S_IFLNK:
		if (spec->target_len == 0)
			return -ENOENT; /* as symlink(2) */
		return spec->target_len > ENGINE_SYMLINK_MAX ? -ENAMETOOLONG
							     : 0;
	case S_IFREG:
	case S_IFDIR:
	case S_IFIFO:
	case S_IFSOCK:
	case S_IFCHR:
	case S_IFBLK:
		return 0;
	default:
		return -EINVAL;
	}
}

/* A size is rare, and set in a step of its own. */
static int set_size(struct local *l, const struct create *op,
		    struct fattr *attr)
{
	struct sattr set = { .mask = SATTR_SIZE, .size = op->spec->attrs.size };

	return local_setattr(&l->engine, NULL, op->d.ino, &set, attr);
}

int local_create(struct engine *e, const struct cred *cred, uint64_t dir,
		 const char *name, size_t len, const struct create_spec *spec,
		 struct fattr *attr, bool *existed, struct change_info *ci)
{
	struct create op = {
		.c = { .check = create_check,
		       .apply = create_apply,
		       .grows = true },
		.cred = cred,
		.dir = dir,
		.name = name,
		.len = len,
		.spec = spec,
	};
	struct local *l = local_of(e);
	int r = name_check(name, len);

	if (r == 0)
		r = spec_check(spec);
	if (r == 0)
		r = local_change(l, &op.c);
	if (r < 0 && r != -EEXIST)
		return r;
	if (existed != NULL)
		*existed = op.existed;
	if (ci != NULL)
		*ci = op.ci;
	if (attr != NULL)
		attr_from_rec(op.d.ino, &op.rec, attr);
	if (attr != NULL && op.existed && attr_read(l, op.d.ino, attr) < 0)
		attr_from_rec(op.d.ino, &op.rec, attr); /* gone since */
	if (r == 0 && !op.existed && S_ISREG(spec->mode) &&
	    (spec->attrs.mask & SATTR_SIZE) && spec->attrs.size > 0)
		r = set_size(l, &op, attr);
	return r;
}

struct link {
	struct change c;
	const struct cred *cred;
	uint64_t ino, dir;
	const char *name;
	size_t len;

	struct inode_rec parent, rec;
	struct name d;
	struct change_info ci;
};

static int link_check(struct view *v, struct change *c)
{
	struct link *op = container_of(c, struct link, c);
	int r = inode_get_merged(v, op->ino, &op->rec);

	if (r < 0)
		return r;
	if (S_ISDIR(op->rec.mode))
		return -EPERM;
	r = dir_open(v, op->cred, op->dir, ENGINE_X, &op->parent);
	if (r < 0)
		return r;
	r = dirent_find(v, op->dir, op->name, op->len, &op->d);
	if (r != -ENOENT)
		return r == 0 ? -EEXIST : r;
	if (!rec_access(&op->parent, op->cred, ENGINE_W))
		return -EACCES;
	if (op->rec.nlink == 0) /* an orphan stays one */
		return -ENOENT;
	if (op->rec.tree != op->parent.tree)
		return -EXDEV;
	return op->rec.nlink < ENGINE_LINK_MAX ? 0 : -EMLINK;
}

static int link_apply(struct view *v, struct change *c)
{
	struct link *op = container_of(c, struct link, c);
	int r;

	op->rec.nlink++;
	op->d.ino = op->ino;
	op->d.type = op->rec.mode & S_IFMT;
	op->ci.before = op->parent.change;
	op->parent.mtime = c->now;
	op->parent.size++;
	r = inode_put_changed(v, op->dir, &op->parent);
	op->ci.after = op->parent.change;
	if (r == 0)
		r = inode_put_changed(v, op->ino, &op->rec);
	if (r == 0)
		r = dirent_put(v, op->dir, &op->d, op->name, op->len);
	return r;
}

int local_link(struct engine *e, const struct cred *cred, uint64_t ino,
	       uint64_t dir, const char *name, size_t len,
	       struct change_info *ci)
{
	struct link op = { .c = { .check = link_check,
				  .apply = link_apply,
				  .grows = true },
			   .cred = cred,
			   .ino = ino,
			   .dir = dir,
			   .name = name,
			   .len = len };
	int r = name_check(name, len);

	if (r == 0)
		r = local_change(local_of(e), &op.c);
	if (r == 0 && ci != NULL)
		*ci = op.ci;
	return r;
}
