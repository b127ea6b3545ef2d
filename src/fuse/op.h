/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request of the kernel, on the stack of the task that works on it.
 *
 * It is answered once: by the task when it is done, or before that with EINTR
 * because the application that waits for it was killed.  The task then goes on
 * in the background, what it replies is dropped, and what the kernel never
 * learnt of (an open file, a lock) is undone by whoever made it: every reply
 * says whether the kernel took it.
 *
 *	struct op op;
 *
 *	op_begin(&op, req, ino);
 *	r = nfs_getattr(op.mount->nfs, op_cred(&op), &op.inode->fh, &attr);
 *	if (r < 0)
 *		op_error(&op, r);
 *	else
 *		op_reply(&op, fuse_reply_attr, &st, timeout);
 *	op_end(&op);
 */
#ifndef FUSE_OP_H
#define FUSE_OP_H

#include "fuse/internal.h"
#include "nfs/xdr/rpc.h"

struct op {
	struct mount *mount;
	struct inode *inode;   /* a reference */
	struct handle *handle; /* a reference, or NULL */
	fuse_req_t req;	       /* NULL once answered */
	pid_t pid;	       /* the thread that waits for it */
	uint64_t began;	       /* mount.changes */
	struct list interrupted;
	struct nfs_lock_wait *wait; /* a signal ends it, killing or not */
	/* Who asks: op_cred() */
	struct nfs_cred cred;
	bool has_groups;
	uint32_t gids[RPC_MAX_GROUPS];
};

void op_begin(struct op *op, fuse_req_t req, fuse_ino_t ino);
/* The open file that the request is about; op_end() lets it go. */
void op_use_handle(struct op *op, const struct fuse_file_info *fi);
void op_end(struct op *op);

/* Who asks, with his groups.  Requests about an open file need it not: they go
 * in the name of who opened it. */
const struct nfs_cred *op_cred(struct op *op);

/* Whether a signal has come for it; it need not be a killing one. */
bool op_is_interrupted(const struct op *op);

/* The request to be answered, once; NULL after that. */
fuse_req_t op_take(struct op *op);

/* Answers with one of libfuse's functions.  true: the kernel took it. */
#define op_reply(op, fn, ...)                                                  \
	({                                                                     \
		fuse_req_t op_req_ = op_take(op);                              \
		op_req_ != NULL &&fn(op_req_, ##__VA_ARGS__) == 0;             \
	})

/* r: 0 or -errno. */
void op_error(struct op *op, int r);
void op_attr(struct op *op, struct inode *inode, const struct nfs_attr *attr);
/* Answers a request that made or found a name: with the error, or the inode. */
void op_entry(struct op *op, struct inode *dir, const char *name, int r,
	      const struct nfs_fh *fh, const struct nfs_attr *attr);
/* The same for readdirplus and create, which reply in their own way.  The
 * reference is the caller's. */
struct inode *op_entry_fill(struct op *op, const struct nfs_fh *fh,
			    const struct nfs_attr *attr,
			    struct fuse_entry_param *entry);

/* ops_open.c: makes a regular file in the directory that the request is about,
 * open; flags: NFS_OPEN_*. */
int op_create(struct op *op, const char *name, mode_t mode, unsigned flags,
	      struct nfs_open **open, struct nfs_fh *fh, struct nfs_attr *attr);

/* The attributes came with a name, asked for since op_begin(): asks again if
 * they may be older than what was written behind.  0 or -errno. */
int op_refresh(struct op *op, struct inode *inode, struct nfs_attr *attr);

/* The task that answers the requests of killed applications. */
void op_watch_interrupted(void *mount);

#endif
