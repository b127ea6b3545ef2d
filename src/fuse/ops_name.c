/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/sysmacros.h>

#include "fuse/ops.h"

void ll_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct nfs_attr attr;
	struct nfs_fh fh;
	struct op op;
	int r;

	op_begin(&op, req, parent);
	r = nfs_lookup(op.mount->nfs, op_cred(&op), &op.inode->fh, name,
		       strlen(name), &fh, &attr);
	op_entry(&op, op.inode, name, r, &fh, &attr);
	op_end(&op);
}

/* Forgets need no task: nothing in them parks. */
void ll_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n)
{
	inode_forget(inode_find(fuse_req_userdata(req), ino), n);
	fuse_reply_none(req);
}

void ll_forget_multi(fuse_req_t req, size_t n, struct fuse_forget_data *list)
{
	struct mount *m = fuse_req_userdata(req);

	for (size_t i = 0; i < n; i++)
		inode_forget(inode_find(m, list[i].ino), list[i].nlookup);
	fuse_reply_none(req);
}

static void create(fuse_req_t req, fuse_ino_t parent, const char *name,
		   const struct nfs_create *what)
{
	struct nfs_attr attr;
	struct nfs_fh fh;
	struct op op;
	int r;

	op_begin(&op, req, parent);
	inode_changes(op.inode);
	r = nfs_create(op.mount->nfs, op_cred(&op), &op.inode->fh, name,
		       strlen(name), what, &fh, &attr);
	inode_changes(op.inode);
	op_entry(&op, op.inode, name, r, &fh, &attr);
	op_end(&op);
}

/* A regular file comes into being by an OPEN. */
static void create_regular(fuse_req_t req, fuse_ino_t parent, const char *name,
			   mode_t mode)
{
	struct nfs_open *open;
	struct nfs_attr attr;
	struct nfs_fh fh;
	struct op op;
	int r;

	op_begin(&op, req, parent);
	r = op_create(&op, name, mode, NFS_OPEN_READ | NFS_OPEN_EXCL, &open,
		      &fh, &attr);
	op_entry(&op, op.inode, name, r, &fh, &attr);
	if (r == 0)
		nfs_close(open);
	op_end(&op);
}

void ll_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	      dev_t rdev)
{
	const struct nfs_create what = {
		.type = mode & S_IFMT,
		.rdev_major = major(rdev),
		.rdev_minor = minor(rdev),
		.set = { .mask = NFS_SET_MODE, .mode = mode & ALLPERMS },
	};

	if (S_ISREG(mode))
		create_regular(req, parent, name, mode);
	else
		create(req, parent, name, &what);
}

void ll_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	const struct nfs_create what = {
		.type = S_IFDIR,
		.set = { .mask = NFS_SET_MODE, .mode = mode & ALLPERMS },
	};

	create(req, parent, name, &what);
}

void ll_symlink(fuse_req_t req, const char *target, fuse_ino_t parent,
		const char *name)
{
	const struct nfs_create what = {
		.type = S_IFLNK,
		.target = target,
		.target_len = strlen(target),
		.set = { .mask = NFS_SET_MODE, .mode = 0777 },
	};

	create(req, parent, name, &what);
}

void ll_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent,
	     const char *name)
{
	struct nfs_attr attr;
	struct inode *dir;
	struct op op;
	int r;

	op_begin(&op, req, ino);
	dir = inode_find(op.mount, parent);
	inode_ref(dir);
	inode_changes(dir);
	inode_changes(op.inode);
	r = nfs_link(op.mount->nfs, op_cred(&op), &op.inode->fh, &dir->fh, name,
		     strlen(name), &attr);
	inode_changes(dir);
	inode_changes(op.inode);
	op_entry(&op, dir, name, r, &op.inode->fh, &attr);
	inode_unref(dir);
	op_end(&op);
}

/* The server removes what has the name; that unlink(2) gets no directory and
 * rmdir(2) nothing else, the kernel has seen to. */
void ll_remove(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct op op;
	int r;

	op_begin(&op, req, parent);
	mount_changes(op.mount);
	r = nfs_remove(op.mount->nfs, op_cred(&op), &op.inode->fh, name,
		       strlen(name));
	mount_changes(op.mount);
	op_error(&op, r);
	op_end(&op);
}

void ll_rename(fuse_req_t req, fuse_ino_t from, const char *from_name,
	       fuse_ino_t to, const char *to_name, unsigned flags)
{
	struct inode *target;
	struct op op;
	int r = -EINVAL; /* as the kernel's NFS says to every flag */

	op_begin(&op, req, from);
	target = inode_find(op.mount, to);
	inode_ref(target);
	mount_changes(op.mount);
	if (flags == 0)
		r = nfs_rename(op.mount->nfs, op_cred(&op), &op.inode->fh,
			       from_name, strlen(from_name), &target->fh,
			       to_name, strlen(to_name));
	mount_changes(op.mount);
	op_error(&op, r);
	inode_unref(target);
	op_end(&op);
}
