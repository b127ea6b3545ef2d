/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>

#include "fuse/ops.h"

static unsigned access_of(int flags)
{
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		return NFS_OPEN_READ;
	case O_WRONLY:
		return NFS_OPEN_WRITE;
	default:
		return NFS_OPEN_RDWR;
	}
}

/* Puts the handle where the kernel will hand it back.  Pages that it has are
 * good now (cache_revalidate()).  Who appends bypasses them: only we learn
 * where the end is (ops_data.c). */
static void fill_info(struct fuse_file_info *fi, struct handle *h)
{
	fi->fh = (uintptr_t)h;
	fi->keep_cache = 1;
	fi->direct_io = (fi->flags & O_APPEND) != 0;
}

/* Whether the error says that the name leads elsewhere now, or nowhere. */
static bool is_gone(int r)
{
	return r == -ENOENT || r == -ENOTDIR || r == -EISDIR || r == -ELOOP ||
	       r == -ESTALE;
}

/*
 * The kernel asks to open an inode that it found under some name up to actimeo
 * ago.  If another client has given the name to another file since, that is the
 * one to be opened.  So it is opened by the name under which it was found last.
 * When that leads elsewhere, -ESTALE makes the kernel look up the whole path
 * again, and ask once more; with the name forgotten, a second request for the
 * same inode (by a hard link, or /proc/self/fd) opens just that.
 */
static int open_named(struct op *op, unsigned access, struct nfs_open **open,
		      struct nfs_attr *attr)
{
	struct inode *inode = op->inode, *dir = inode->parent;
	auto_free char *name = strdup(inode->name);
	struct nfs_fh fh;
	int r;

	if (name == NULL)
		return -ENOMEM;
	inode_ref(dir); /* inode->parent may change */
	r = nfs_open(op->mount->nfs, op_cred(op), &dir->fh, name, strlen(name),
		     access, NULL, open, &fh, attr);
	inode_unref(dir);
	if (r == 0 && !inode_has_fh(inode, &fh)) {
		nfs_close(*open);
		r = -ESTALE;
	}
	if (!is_gone(r))
		return r;
	inode_found(inode, NULL, NULL);
	return -ESTALE;
}

static int open_inode(struct op *op, unsigned access, struct nfs_open **open,
		      struct nfs_attr *attr)
{
	int r;

	if (op->inode->name != NULL) {
		r = open_named(op, access, open, attr);
		/* That the directory may not be searched is no reason. */
		if (r != -EACCES)
			return r;
	}
	return nfs_open_fh(op->mount->nfs, op_cred(op), &op->inode->fh, access,
			   open, attr);
}

void ll_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct nfs_open *open;
	struct handle *h = NULL;
	struct nfs_attr attr;
	struct op op;
	int r;

	op_begin(&op, req, ino);
	behind_flush(op.inode);
	r = open_inode(&op, access_of(fi->flags), &open, &attr);
	if (r == 0) {
		cache_revalidate(op.inode, &attr);
		h = handle_create(op.inode, open, fi->flags);
		r = h == NULL ? -ENOMEM : 0;
	}
	if (r < 0) {
		op_error(&op, r);
	} else {
		fill_info(fi, h);
		if (!op_reply(&op, fuse_reply_open, fi))
			handle_put(h);
	}
	op_end(&op);
}

static unsigned create_flags(int flags)
{
	unsigned f = access_of(flags);

	if (flags & O_EXCL)
		f |= NFS_OPEN_EXCL;
	/* It may exist all the same: somebody else's, since the kernel
	 * looked. */
	else if (flags & O_TRUNC)
		f |= NFS_OPEN_TRUNC;
	return f;
}

/* Answers a create that succeeded.  Takes the open. */
static void reply_created(struct op *op, const char *name,
			  struct nfs_open *open, const struct nfs_fh *fh,
			  struct nfs_attr *attr, struct fuse_file_info *fi)
{
	struct fuse_entry_param entry;
	struct inode *inode = op_entry_fill(op, fh, attr, &entry);
	struct handle *h = NULL;
	int r;

	if (inode == NULL) {
		nfs_close(open);
		op_error(op, -ENOMEM);
		return;
	}
	r = op_refresh(op, inode, attr);
	if (r < 0) {
		nfs_close(open);
		inode_unref(inode);
		op_error(op, r);
		return;
	}
	attr_to_stat(attr, &entry.attr);
	inode_found(inode, op->inode, name);
	cache_revalidate(inode, attr);
	h = handle_create(inode, open, fi->flags);
	if (h == NULL) {
		op_error(op, -ENOMEM);
	} else {
		fill_info(fi, h);
		if (op_reply(op, fuse_reply_create, &entry, fi)) {
			inode_looked_up(inode);
			cache_told(inode, attr);
		} else {
			handle_put(h);
		}
	}
	inode_unref(inode);
}

int op_create(struct op *op, const char *name, mode_t mode, unsigned flags,
	      struct nfs_open **open, struct nfs_fh *fh, struct nfs_attr *attr)
{
	const struct nfs_setattr set = { .mask = NFS_SET_MODE,
					 .mode = mode & ALLPERMS };
	int r;

	inode_changes(op->inode);
	r = nfs_open(op->mount->nfs, op_cred(op), &op->inode->fh, name,
		     strlen(name), flags | NFS_OPEN_CREATE, &set, open, fh,
		     attr);
	inode_changes(op->inode);
	return r;
}

void ll_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	       struct fuse_file_info *fi)
{
	struct nfs_open *open;
	struct nfs_attr attr;
	struct nfs_fh fh;
	struct op op;
	int r;

	op_begin(&op, req, parent);
	r = op_create(&op, name, mode, create_flags(fi->flags), &open, &fh,
		      &attr);
	if (r < 0)
		op_error(&op, r);
	else
		reply_created(&op, name, open, &fh, &attr, fi);
	op_end(&op);
}

/* For each close(2), while other descriptors may go on: what was written is
 * safe when it returns, and errors are told here. */
void ll_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct op op;
	int r, unlock;

	op_begin(&op, req, ino);
	op_use_handle(&op, fi);
	r = op_sync(&op);
	unlock = locks_release(op.inode, fi->lock_owner);
	op_error(&op, r < 0 ? r : unlock);
	op_end(&op);
}

/* After the last one; nobody waits for it. */
void ll_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct handle *h = handle_of(fi);
	struct op op;

	op_begin(&op, req, ino);
	behind_flush(op.inode);
	op_error(&op, handle_put(h));
	op_end(&op);
}
