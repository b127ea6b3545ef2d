/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks.  The owner of a POSIX lock is a process, that of flock(2) an open file
 * description; the kernel gives both as numbers.  flock becomes a byte-range
 * lock of the whole file, as in the kernel's own NFS client, so both kinds
 * exclude their like on other clients, and each other.
 *
 * A lock belongs to an open file at the server, but to a process at ours: what
 * was locked through one descriptor may be unlocked through another.  So each
 * inode has a list that says through which open files an owner holds locks.
 * POSIX drops all locks of a process when it closes any descriptor of the file,
 * so no lock outlives the open file that it was taken through.
 */
#include <fcntl.h>
#include <sys/file.h>

#include "fuse/ops.h"

struct lock_holder {
	struct list of_inode;
	uint64_t owner;
	struct handle *handle; /* locks_forget() before it goes */
};

/* The server wants an open for reading for a shared lock, and one for writing
 * for an exclusive one. */
static bool suits(const struct handle *h, bool exclusive)
{
	return (h->flags & O_ACCMODE) != (exclusive ? O_RDONLY : O_WRONLY);
}

/* The open file through which the owner locks: the one that it uses already,
 * unless that can't take such a lock. */
static struct lock_holder *holder_find(struct inode *inode, uint64_t owner,
				       bool exclusive)
{
	struct lock_holder *k;

	list_for_each (k, &inode->holders, of_inode)
		if (k->owner == owner && suits(k->handle, exclusive))
			return k;
	return NULL;
}

static void holder_destroy(struct lock_holder *k)
{
	list_del(&k->of_inode);
	free(k);
}

/* The owner locks through that handle. */
static int holder_note(struct handle *h, uint64_t owner)
{
	struct lock_holder *k;

	list_for_each (k, &h->inode->holders, of_inode)
		if (k->owner == owner && k->handle == h)
			return 0;
	k = malloc(sizeof(*k));
	if (k == NULL)
		return -ENOMEM;
	k->owner = owner;
	k->handle = h;
	list_append(&h->inode->holders, &k->of_inode);
	return 0;
}

void locks_forget(struct handle *h)
{
	struct lock_holder *k, *next;

	list_for_each_safe (k, next, &h->inode->holders, of_inode)
		if (k->handle == h)
			holder_destroy(k);
}

/* Unlocks the range in all open files of the owner: those are two at most, one
 * for each kind of lock. */
static int unlock(struct inode *inode, const struct nfs_lock *range)
{
	bool all = range->offset == 0 && range->len == UINT64_MAX;
	struct lock_holder *k, *next;
	struct handle *handles[2];
	unsigned n = 0;
	int r = 0, one;

	behind_flush(inode);
	list_for_each_safe (k, next, &inode->holders, of_inode) {
		if (k->owner != range->owner)
			continue;
		assert(n < ARRAY_SIZE(handles));
		handle_ref(handles[n++] = k->handle);
		if (all)
			holder_destroy(k);
	}
	while (n > 0) {
		one = nfs_unlock(handles[--n]->open, range);
		r = r < 0 ? r : one;
		handle_put(handles[n]);
	}
	return r;
}

int locks_release(struct inode *inode, uint64_t owner)
{
	const struct nfs_lock all = { .owner = owner, .len = UINT64_MAX };

	return unlock(inode, &all);
}

/* Who gets a lock sees what the last holder wrote. */
static void locked(struct op *op)
{
	struct nfs_attr attr;

	if (nfs_getattr(op->mount->nfs, op_cred(op), &op->inode->fh, &attr) ==
	    0)
		cache_revalidate(op->inode, &attr);
	else
		cache_drop(op->inode, 0, 0);
}

static int take(struct op *op, struct handle *h, const struct nfs_lock *lock,
		bool wait)
{
	/* The signal may have come before us. */
	struct nfs_lock_wait w = { .cancelled = op_is_interrupted(op) };
	int r;

	if (!wait)
		return nfs_lock(h->open, lock);
	op->wait = &w;
	r = nfs_lock_wait(h->open, lock, &w);
	op->wait = NULL;
	return r;
}

static int lock(struct op *op, const struct nfs_lock *lock, bool wait)
{
	struct lock_holder *k =
		holder_find(op->inode, lock->owner, lock->exclusive);
	struct handle *h = k ? k->handle : op->handle;
	int r = 0;

	/* Before the request, so that another thread of this owner, with a
	 * descriptor of its own, goes the same way; and after it, because a
	 * close in between has made it forget. */
	if (suits(h, lock->exclusive))
		r = holder_note(h, lock->owner);
	if (r < 0)
		return r;
	handle_ref(h);
	behind_flush(op->inode);
	r = take(op, h, lock, wait);
	if (r == 0)
		r = holder_note(h, lock->owner);
	if (r == 0)
		locked(op);
	handle_put(h);
	return r;
}

static void set_lock(struct op *op, const struct nfs_lock *range, int type,
		     bool wait)
{
	int r;

	if (type == F_UNLCK) {
		op_error(op, unlock(op->inode, range));
		return;
	}
	r = lock(op, range, wait);
	/* The kernel gave up on it meanwhile: nobody has it. */
	if (!op_reply(op, fuse_reply_err, -r) && r == 0)
		unlock(op->inode, range);
}

static struct nfs_lock to_range(const struct fuse_file_info *fi,
				const struct flock *l)
{
	return (struct nfs_lock){
		.owner = fi->lock_owner,
		.exclusive = l->l_type == F_WRLCK,
		.offset = (uint64_t)l->l_start,
		.len = l->l_len ? (uint64_t)l->l_len : UINT64_MAX,
	};
}

void ll_setlk(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
	      struct flock *l, int sleep)
{
	const struct nfs_lock range = to_range(fi, l);
	struct op op;

	op_begin(&op, req, ino);
	op_use_handle(&op, fi);
	set_lock(&op, &range, l->l_type, sleep);
	op_end(&op);
}

void ll_flock(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
	      int operation)
{
	static const struct {
		int flock, type;
	} types[] = { { LOCK_SH, F_RDLCK }, { LOCK_EX, F_WRLCK } };
	struct nfs_lock range = { .owner = fi->lock_owner, .len = UINT64_MAX };
	int type = F_UNLCK;
	struct op op;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if ((operation & ~LOCK_NB) == types[i].flock)
			type = types[i].type;
	range.exclusive = type == F_WRLCK;

	op_begin(&op, req, ino);
	op_use_handle(&op, fi);
	set_lock(&op, &range, type, !(operation & LOCK_NB));
	op_end(&op);
}

void ll_getlk(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
	      struct flock *l)
{
	struct nfs_lock range = to_range(fi, l);
	struct op op;
	int r;

	op_begin(&op, req, ino);
	op_use_handle(&op, fi);
	r = nfs_lock_test(op.handle->open, &range);
	if (r < 0) {
		op_error(&op, r);
	} else {
		*l = (struct flock){ .l_type = F_UNLCK };
		if (r == 1) {
			l->l_type = range.exclusive ? F_WRLCK : F_RDLCK;
			l->l_start = (off_t)range.offset;
			l->l_len =
				range.len == UINT64_MAX ? 0 : (off_t)range.len;
		}
		op_reply(&op, fuse_reply_lock, l);
	}
	op_end(&op);
}
