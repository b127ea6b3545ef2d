/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes: what a record and a live node together say, and who may set what.
 */
#include "engine/local/local.h"

#include <errno.h>

nsec time_to_nsec(struct timespec ts)
{
	const int64_t limit = INT64_MAX / SEC(1) - 1; /* the year 2262 */
	int64_t s = ts.tv_sec;

	s = MAX(MIN(s, limit), -limit);
	return SEC(s) + ts.tv_nsec;
}

void attr_from_rec(uint64_t ino, const struct inode_rec *rec,
		   struct fattr *attr)
{
	enum { DIRENT_SIZE = 32 }; /* what a name counts for in st_size */
	bool dir = S_ISDIR(rec->mode);

	*attr = (struct fattr){
		.ino = ino,
		.mode = rec->mode,
		.nlink = rec->nlink,
		.uid = rec->uid,
		.gid = rec->gid,
		.rdev_major = rec->rdev_major,
		.rdev_minor = rec->rdev_minor,
		.size = dir ? rec->size * DIRENT_SIZE : rec->size,
		.space_used = rec->space,
		.change = rec->change,
		.parent = rec->parent,
		.atime = nsec_to_timespec(rec->atime),
		.mtime = nsec_to_timespec(rec->mtime),
		.ctime = nsec_to_timespec(rec->ctime),
		.btime = nsec_to_timespec(rec->btime),
	};
}

static int read_rec(struct local *l, uint64_t ino, struct inode_rec *rec)
{
	struct view v;
	int r = view_begin(l, &v);

	if (r < 0)
		return r;
	r = inode_get(&v, ino, rec);
	view_end(&v);
	return r;
}

static void overlay(const struct node *n, struct inode_rec *rec)
{
	rec->size = n->size;
	rec->space = n->space;
	rec->atime = MAX(rec->atime, n->atime);
	if (n->change > rec->change) {
		rec->change = n->change;
		rec->mtime = rec->ctime = n->time;
	}
}

/*
 * The record is read while the node can't change: all that the node's change
 * attribute stands for is then in the one or the other.  Without a node the
 * snapshot is taken after it was found missing, so it has what the node had.
 */
int attr_read(struct local *l, uint64_t ino, struct fattr *attr)
{
	struct shard *s = shard_lock(l, ino);
	struct node *n = shard_find(s, ino);
	struct inode_rec rec;
	int r;

	if (n != NULL) {
		r = read_rec(l, ino, &rec);
		if (r == 0 && S_ISREG(rec.mode))
			overlay(n, &rec);
		shard_unlock(s);
	} else {
		shard_unlock(s);
		r = read_rec(l, ino, &rec);
		if (r == 0 && rec.nlink == 0 &&
		    !__atomic_load_n(&l->grace, __ATOMIC_RELAXED))
			r = -ESTALE;
	}
	if (r == 0)
		attr_from_rec(ino, &rec, attr);
	return r;
}

int local_getattr(struct engine *e, uint64_t ino, struct fattr *attr)
{
	return attr_read(local_of(e), ino, attr);
}

bool cred_owns(const struct cred *cred, const struct inode_rec *rec)
{
	return cred == NULL || cred->uid == 0 || cred->uid == rec->uid;
}

unsigned rec_access(const struct inode_rec *rec, const struct cred *cred,
		    unsigned want)
{
	struct fattr attr = { .mode = rec->mode,
			      .uid = rec->uid,
			      .gid = rec->gid };

	return engine_access(&attr, cred, want);
}

/* S_ISGID without group execution once meant mandatory locking; it stays. */
uint32_t mode_without_setid(uint32_t mode)
{
	return mode & ~(S_ISUID | ((mode & S_IXGRP) ? S_ISGID : 0));
}

static bool may_chown(const struct inode_rec *rec, const struct cred *cred,
		      const struct sattr *set)
{
	if (cred == NULL || cred->uid == 0)
		return true;
	if (cred->uid != rec->uid)
		return false;
	if ((set->mask & SATTR_UID) && set->uid != rec->uid)
		return false;
	return !(set->mask & SATTR_GID) || set->gid == rec->gid ||
	       cred_in_group(cred, set->gid);
}

int attr_check(const struct inode_rec *rec, const struct cred *cred,
	       const struct sattr *set)
{
	const unsigned now = SATTR_ATIME_NOW | SATTR_MTIME_NOW;
	const unsigned owners = SATTR_MODE | SATTR_ATIME | SATTR_MTIME;

	if ((set->mask & (SATTR_UID | SATTR_GID)) && !may_chown(rec, cred, set))
		return -EPERM;
	if ((set->mask & owners) && !cred_owns(cred, rec))
		return -EPERM;
	if ((set->mask & now) && !cred_owns(cred, rec) &&
	    !rec_access(rec, cred, ENGINE_W))
		return -EACCES;
	return 0;
}

static void apply_mode(struct inode_rec *rec, const struct cred *cred,
		       uint32_t mode)
{
	rec->mode = (rec->mode & S_IFMT) | (mode & 07777);
	if (cred != NULL && cred->uid != 0 && !cred_in_group(cred, rec->gid))
		rec->mode &= ~S_ISGID;
}

void attr_apply(struct inode_rec *rec, const struct cred *cred,
		const struct sattr *set, nsec now)
{
	if (set->mask & SATTR_UID)
		rec->uid = set->uid;
	if (set->mask & SATTR_GID)
		rec->gid = set->gid;
	if ((set->mask & (SATTR_UID | SATTR_GID)) && !S_ISDIR(rec->mode))
		rec->mode = mode_without_setid(rec->mode);
	if (set->mask & SATTR_MODE)
		apply_mode(rec, cred, set->mode);
	if (set->mask & SATTR_ATIME)
		rec->atime = time_to_nsec(set->atime);
	if (set->mask & SATTR_MTIME)
		rec->mtime = time_to_nsec(set->mtime);
	if (set->mask & SATTR_ATIME_NOW)
		rec->atime = now;
	if (set->mask & SATTR_MTIME_NOW)
		rec->mtime = now;
}

struct setattr {
	struct change c;
	const struct cred *cred;
	uint64_t ino;
	const struct sattr *set;
	struct inode_rec rec;
};

static int check(struct view *v, struct change *c)
{
	struct setattr *op = container_of(c, struct setattr, c);
	int r = inode_get_merged(v, op->ino, &op->rec);

	return r < 0 ? r : attr_check(&op->rec, op->cred, op->set);
}

static int apply(struct view *v, struct change *c)
{
	struct setattr *op = container_of(c, struct setattr, c);

	attr_apply(&op->rec, op->cred, op->set, c->now);
	return inode_put_changed(v, op->ino, &op->rec);
}

static int check_setid(struct view *v, struct change *c)
{
	struct setattr *op = container_of(c, struct setattr, c);
	int r = inode_get_merged(v, op->ino, &op->rec);

	if (r < 0)
		return r;
	return op->rec.mode == mode_without_setid(op->rec.mode) ? CHANGE_NOTHING
								: 0;
}

static int apply_setid(struct view *v, struct change *c)
{
	struct setattr *op = container_of(c, struct setattr, c);

	op->rec.mode = mode_without_setid(op->rec.mode);
	return inode_put_changed(v, op->ino, &op->rec);
}

int attr_drop_setid(struct local *l, uint64_t ino)
{
	struct setattr op = {
		.c = { .check = check_setid, .apply = apply_setid }, .ino = ino
	};

	return local_change(l, &op.c);
}

int local_setattr(struct engine *e, const struct cred *cred, uint64_t ino,
		  const struct sattr *set, struct fattr *attr)
{
	struct local *l = local_of(e);
	struct setattr op = { .c = { .check = check, .apply = apply },
			      .cred = cred,
			      .ino = ino,
			      .set = set };
	int r = 0;

	if (set->mask & SATTR_SIZE)
		r = local_truncate(l, cred, ino, set);
	else if (set->mask != 0)
		r = local_change(l, &op.c);
	if (r == 0 && attr != NULL)
		r = attr_read(l, ino, attr);
	return r;
}
