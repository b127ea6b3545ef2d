/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/falloc.h>

#include "fuse/ops.h"

void ll_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
	     struct fuse_file_info *fi)
{
	struct buffer *buffer;
	ssize_t n = -ENOMEM;
	struct op op;
	bool eof;

	op_begin(&op, req, ino);
	op_use_handle(&op, fi);
	behind_flush(op.inode);
	size = MIN(size, (size_t)MOUNT_IO_MAX);
	buffer = buffer_take(&op.mount->buffers, size);
	if (buffer != NULL)
		n = nfs_read(op.handle->open, buffer->data, size,
			     (uint64_t)offset, &eof);
	if (n < 0)
		op_error(&op, n);
	else
		op_reply(&op, fuse_reply_buf, buffer->data, n);
	if (buffer != NULL)
		buffer_give(&op.mount->buffers, buffer);
	op_end(&op);
}

/*
 * Where an appending write goes: the kernel believes the end to be where it was
 * when it asked last, the server knows.  (Two clients that append at the same
 * moment still can overwrite each other, as on every NFS: they have to lock.)
 */
static int find_end(struct op *op, off_t *offset)
{
	struct nfs_attr attr;
	int r = nfs_getattr(op->mount->nfs, op_cred(op), &op->inode->fh, &attr);

	if (r == 0)
		*offset = (off_t)attr.size;
	return r;
}

static bool has_other_handles(const struct op *op)
{
	const struct list *l = &op->inode->handles;

	return l->next->next != l;
}

/*
 * After an append, cached pages can be wrong.  An open for appending bypasses
 * them, so the page with the old end, which another descriptor may have made
 * the kernel read, has to go before the new end is known.  When O_APPEND was
 * set later (fcntl), the kernel holds the pages at the place where it believes
 * to write: they can go only after the reply.
 */
static void append_done(struct op *op, off_t believed, off_t offset, size_t n)
{
	bool bypassed = (op->handle->flags & O_APPEND) != 0;

	if (bypassed && has_other_handles(op))
		cache_drop(op->inode, offset, (off_t)n);
	op_reply(op, fuse_reply_write, n);
	if (!bypassed && believed != offset)
		cache_drop(op->inode, MIN(believed, offset), 0);
}

/* Whether it may be said to be written before it is.  Not what others wait for,
 * or what clears set-id bits; pages of a mapping come in large pieces. */
static bool can_wait(const struct op *op, const struct fuse_file_info *fi)
{
	const int now = O_APPEND | O_DIRECT | O_DSYNC | O_SYNC;

	return !(fi->flags & now) && !fi->writepage &&
	       !(op->inode->mode & (S_ISUID | S_ISGID));
}

static int write_now(struct op *op, const char *data, size_t size, bool append,
		     off_t *at)
{
	int r = 0;

	behind_flush(op->inode);
	inode_changes(op->inode);
	if (append)
		r = find_end(op, at);
	if (r == 0)
		r = nfs_pwrite(op->handle->open, data, size, (uint64_t)*at);
	inode_changes(op->inode);
	/* The server clears set-id bits; the kernel believes they stay. */
	if (op->inode->mode & (S_ISUID | S_ISGID))
		cache_drop_attr(op->inode);
	return r;
}

void ll_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size,
	      off_t offset, struct fuse_file_info *fi)
{
	/* Pages of a mapping know their place. */
	bool append = (fi->flags & O_APPEND) && !fi->writepage;
	off_t at = offset;
	struct op op;
	int r;

	op_begin(&op, req, ino);
	op_use_handle(&op, fi);
	r = behind_take_error(op.handle);
	if (r == 0 && can_wait(&op, fi))
		r = behind_write(op.handle, data, size, (uint64_t)offset);
	else if (r == 0)
		r = write_now(&op, data, size, append, &at);
	if (r < 0)
		op_error(&op, r);
	else if (append)
		append_done(&op, offset, at, size);
	else
		op_reply(&op, fuse_reply_write, size);
	op_end(&op);
}

int op_sync(struct op *op)
{
	int behind, r;

	behind_flush(op->inode);
	behind = behind_take_error(op->handle);
	r = nfs_sync(op->handle->open);
	return behind < 0 ? behind : r;
}

void ll_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
	      struct fuse_file_info *fi)
{
	struct op op;

	op_begin(&op, req, ino);
	op_use_handle(&op, fi);
	op_error(&op, op_sync(&op));
	op_end(&op);
}

void ll_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence,
	      struct fuse_file_info *fi)
{
	struct op op;
	int64_t r;

	op_begin(&op, req, ino);
	op_use_handle(&op, fi);
	behind_flush(op.inode);
	r = nfs_seek(op.handle->open, (uint64_t)offset, whence);
	if (r == -EOPNOTSUPP)
		op_error(&op, -ENOSYS); /* the kernel does without */
	else if (r < 0)
		op_error(&op, (int)r);
	else
		op_reply(&op, fuse_reply_lseek, r);
	op_end(&op);
}

void ll_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset,
		  off_t len, struct fuse_file_info *fi)
{
	struct op op;
	int r = -EOPNOTSUPP;

	op_begin(&op, req, ino);
	op_use_handle(&op, fi);
	behind_flush(op.inode);
	inode_changes(op.inode);
	if (mode == 0)
		r = nfs_allocate(op.handle->open, (uint64_t)offset,
				 (uint64_t)len);
	else if (mode == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE))
		r = nfs_deallocate(op.handle->open, (uint64_t)offset,
				   (uint64_t)len);
	inode_changes(op.inode);
	op_error(&op, r);
	op_end(&op);
}

/* Server-side; the kernel has flushed the source and drops the target. */
void ll_copy_file_range(fuse_req_t req, fuse_ino_t from, off_t from_offset,
			struct fuse_file_info *from_fi, fuse_ino_t to,
			off_t to_offset, struct fuse_file_info *to_fi,
			size_t len, int flags)
{
	struct handle *source;
	struct op op;
	int64_t n;

	op_begin(&op, req, to);
	op_use_handle(&op, to_fi);
	source = handle_of(from_fi);
	handle_ref(source);
	behind_flush(source->inode);
	behind_flush(op.inode);
	inode_changes(op.inode);
	n = nfs_copy(source->open, (uint64_t)from_offset, op.handle->open,
		     (uint64_t)to_offset, len);
	inode_changes(op.inode);
	handle_put(source);
	if (n < 0)
		op_error(&op, (int)n);
	else
		op_reply(&op, fuse_reply_write, n);
	op_end(&op);
}
