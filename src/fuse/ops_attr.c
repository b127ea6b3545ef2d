/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#include "fuse/ops.h"

void ll_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct nfs_attr attr;
	struct op op;
	int r;

	op_begin(&op, req, ino);
	behind_flush(op.inode);
	r = nfs_getattr(op.mount->nfs, op_cred(&op), &op.inode->fh, &attr);
	if (r < 0)
		op_error(&op, r);
	else
		op_attr(&op, op.inode, &attr);
	op_end(&op);
}

static struct nfs_setattr to_set(const struct stat *st, int mask)
{
	static const struct {
		int fuse;
		unsigned nfs;
	} bits[] = {
		{ FUSE_SET_ATTR_MODE, NFS_SET_MODE },
		{ FUSE_SET_ATTR_UID, NFS_SET_UID },
		{ FUSE_SET_ATTR_GID, NFS_SET_GID },
		{ FUSE_SET_ATTR_SIZE, NFS_SET_SIZE },
		{ FUSE_SET_ATTR_ATIME, NFS_SET_ATIME },
		{ FUSE_SET_ATTR_MTIME, NFS_SET_MTIME },
		{ FUSE_SET_ATTR_ATIME_NOW, NFS_SET_ATIME_NOW },
		{ FUSE_SET_ATTR_MTIME_NOW, NFS_SET_MTIME_NOW },
	};
	struct nfs_setattr set = {
		.mode = st->st_mode & ALLPERMS,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.size = (uint64_t)st->st_size,
		.atime = st->st_atim,
		.mtime = st->st_mtim,
	};

	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		if (mask & bits[i].fuse)
			set.mask |= bits[i].nfs;
	/* The kernel sends both bits for "now". */
	if (set.mask & NFS_SET_ATIME_NOW)
		set.mask &= ~NFS_SET_ATIME;
	if (set.mask & NFS_SET_MTIME_NOW)
		set.mask &= ~NFS_SET_MTIME;
	return set;
}

void ll_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int mask,
		struct fuse_file_info *fi)
{
	const struct nfs_setattr set = to_set(st, mask);
	struct nfs_attr attr;
	struct op op;
	int r;

	op_begin(&op, req, ino);
	if (fi != NULL)
		op_use_handle(&op, fi);
	behind_flush(op.inode);
	inode_changes(op.inode);
	/* ftruncate(2) is allowed by the open, whatever the mode has become. */
	if (set.mask == 0)
		r = nfs_getattr(op.mount->nfs, op_cred(&op), &op.inode->fh,
				&attr);
	else
		r = nfs_setattr(op.mount->nfs, op_cred(&op), &op.inode->fh,
				op.handle ? op.handle->open : NULL, &set,
				&attr);
	inode_changes(op.inode);
	if (r < 0)
		op_error(&op, r);
	else
		op_attr(&op, op.inode, &attr);
	op_end(&op);
}

void ll_readlink(fuse_req_t req, fuse_ino_t ino)
{
	char target[PATH_MAX];
	struct op op;
	ssize_t n;

	op_begin(&op, req, ino);
	n = nfs_readlink(op.mount->nfs, op_cred(&op), &op.inode->fh, target,
			 sizeof(target) - 1);
	if (n < 0) {
		op_error(&op, n);
	} else {
		target[n] = '\0';
		op_reply(&op, fuse_reply_readlink, target);
	}
	op_end(&op);
}

void ll_statfs(fuse_req_t req, fuse_ino_t ino)
{
	enum { BLOCK = 4096 };
	struct nfs_statfs fs;
	struct statvfs st;
	struct op op;
	int r;

	op_begin(&op, req, ino);
	r = nfs_statfs(op.mount->nfs, op_cred(&op), &op.inode->fh, &fs);
	st = (struct statvfs){
		.f_bsize = BLOCK,
		.f_frsize = BLOCK,
		.f_blocks = fs.total_bytes / BLOCK,
		.f_bfree = fs.free_bytes / BLOCK,
		.f_bavail = fs.avail_bytes / BLOCK,
		.f_files = fs.total_files,
		.f_ffree = fs.free_files,
		.f_favail = fs.avail_files,
		.f_namemax = fs.maxname,
	};
	if (r < 0)
		op_error(&op, r);
	else
		op_reply(&op, fuse_reply_statfs, &st);
	op_end(&op);
}

/* ------------------------------------------------------ extended attributes */

/* NFS has those of users only, and leaves the prefix away (RFC 8276). */
static const char *without_prefix(const char *name)
{
	static const char prefix[] = "user.";

	if (strncmp(name, prefix, strlen(prefix)) != 0)
		return NULL;
	return name + strlen(prefix);
}

/* Answers with n bytes, or their number where only that was asked for.  A
 * buffer that is too short is known by n. */
static void reply_xattr(struct op *op, ssize_t n, const char *data, size_t size)
{
	if (n < 0)
		op_error(op, n);
	else if (size == 0)
		op_reply(op, fuse_reply_xattr, n);
	else if ((size_t)n > size)
		op_error(op, -ERANGE);
	else
		op_reply(op, fuse_reply_buf, data, n);
}

void ll_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	auto_free char *value = NULL;
	ssize_t n = -ENOMEM;
	struct op op;

	/* The kernel asks for security.capability at each write: that has to
	 * be cheap. */
	name = without_prefix(name);
	if (name == NULL) {
		fuse_reply_err(req, EOPNOTSUPP);
		return;
	}
	op_begin(&op, req, ino);
	size = MIN(size, (size_t)XATTR_SIZE_MAX);
	value = malloc(size + 1);
	if (value != NULL)
		n = nfs_getxattr(op.mount->nfs, op_cred(&op), &op.inode->fh,
				 name, value, size);
	reply_xattr(&op, n, value, size);
	op_end(&op);
}

void ll_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
		 const char *value, size_t size, int flags)
{
	struct op op;
	int r = -EOPNOTSUPP;

	op_begin(&op, req, ino);
	name = without_prefix(name);
	inode_changes(op.inode);
	if (name != NULL)
		r = nfs_setxattr(op.mount->nfs, op_cred(&op), &op.inode->fh,
				 name, value, size, flags);
	inode_changes(op.inode);
	op_error(&op, r);
	op_end(&op);
}

void ll_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	auto_free char *names = NULL;
	ssize_t n = -ENOMEM;
	struct op op;

	op_begin(&op, req, ino);
	size = MIN(size, (size_t)XATTR_LIST_MAX);
	names = malloc(size + 1);
	if (names != NULL)
		n = nfs_listxattr(op.mount->nfs, op_cred(&op), &op.inode->fh,
				  names, size);
	reply_xattr(&op, n, names, size);
	op_end(&op);
}

void ll_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct op op;
	int r = -EOPNOTSUPP;

	op_begin(&op, req, ino);
	name = without_prefix(name);
	inode_changes(op.inode);
	if (name != NULL)
		r = nfs_removexattr(op.mount->nfs, op_cred(&op), &op.inode->fh,
				    name);
	inode_changes(op.inode);
	op_error(&op, r);
	op_end(&op);
}
