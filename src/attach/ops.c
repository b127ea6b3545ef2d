/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests for the file.  The kernel caches nothing of it (direct I/O), so that
 * what has been acknowledged is where the volume says it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/stat.h>

#include "attach/internal.h"

/* libfuse gives no way back to a request that could not be answered. */
static struct attach *begin(fuse_req_t req)
{
	struct attach *a = fuse_req_userdata(req);

	a->ops++;
	return a;
}

static void end(struct attach *a)
{
	if (--a->ops == 0)
		waitq_wake_all(&a->changed);
}

static void end_error(struct attach *a, fuse_req_t req, int rc)
{
	fuse_reply_err(req, -rc);
	end(a);
}

static void fill(const struct attach *a, struct stat *st)
{
	uint64_t size = volume_size(a->volume);

	*st = (struct stat){
		.st_ino = FUSE_ROOT_ID,
		.st_mode = S_IFREG | (a->options->read_only ? 0400 : 0600),
		.st_nlink = 1,
		.st_uid = getuid(),
		.st_gid = getgid(),
		.st_size = (off_t)size,
		.st_blksize = 4096,
		.st_blocks = (blkcnt_t)(size / 512),
		.st_atim = a->since,
		.st_mtim = a->since,
		.st_ctim = a->since,
	};
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	struct attach *a = userdata;

	conn->want &= ~(FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_ATOMIC_O_TRUNC);
	conn->want |=
		conn->capable & (FUSE_CAP_ASYNC_READ | FUSE_CAP_ASYNC_DIO);
	conn->max_write = ATTACH_IO_MAX;
	conn->max_read = ATTACH_IO_MAX;
	conn->max_background = 256;
	conn->congestion_threshold = 192;
	completion_done(a->ready, 0);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	struct stat st;

	fill(fuse_req_userdata(req), &st);
	fuse_reply_attr(req, &st, 0);
}

/* Its size is the volume's; times are not kept. */
static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr,
		       int set, struct fuse_file_info *fi)
{
	const int refused =
		FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID;
	struct stat st;

	fill(fuse_req_userdata(req), &st);
	if ((set & FUSE_SET_ATTR_SIZE && attr->st_size != st.st_size) ||
	    set & refused)
		fuse_reply_err(req, EPERM);
	else
		fuse_reply_attr(req, &st, 0);
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	const struct attach *a = fuse_req_userdata(req);

	if (a->options->read_only && (fi->flags & O_ACCMODE) != O_RDONLY) {
		fuse_reply_err(req, EROFS);
		return;
	}
	fi->direct_io = 1;
	fuse_reply_open(req, fi);
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		    struct fuse_file_info *fi)
{
	struct attach *a = begin(req);
	uint64_t all = volume_size(a->volume), at = (uint64_t)offset;
	struct buffer *buffer;
	int rc = -ENOMEM;

	size = MIN(size, (size_t)ATTACH_IO_MAX);
	size = at < all ? MIN(size, all - at) : 0;
	buffer = buffer_take(&a->buffers, size);
	if (buffer != NULL)
		rc = volume_read(a->volume, buffer->data, size, at);
	if (rc == 0)
		fuse_reply_buf(req, buffer->data, size);
	else
		fuse_reply_err(req, -rc);
	if (buffer != NULL)
		buffer_give(&a->buffers, buffer);
	end(a);
}

/* As a disk: what goes beyond the end is cut off. */
static void op_write(fuse_req_t req, fuse_ino_t ino, const char *data,
		     size_t size, off_t offset, struct fuse_file_info *fi)
{
	struct attach *a = begin(req);
	unsigned flags = fi->flags & O_DSYNC ? VOLUME_FUA : 0;
	uint64_t all = volume_size(a->volume), at = (uint64_t)offset;
	int rc = -ENOSPC;

	if (at < all) {
		size = MIN(size, all - at);
		rc = volume_write(a->volume, data, size, at, flags);
	}
	if (rc == 0)
		fuse_reply_write(req, size);
	else
		fuse_reply_err(req, -rc);
	end(a);
}

static void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
		     struct fuse_file_info *fi)
{
	struct attach *a = begin(req);

	end_error(a, req, volume_flush(a->volume));
}

static int allocate(struct attach *a, int mode, uint64_t offset, uint64_t len)
{
	uint64_t all = volume_size(a->volume);

	if (offset > all || len > all - offset) {
		if (!(mode & FALLOC_FL_KEEP_SIZE))
			return -ENOSPC;
		len = offset < all ? all - offset : 0;
	}
	switch (mode & ~FALLOC_FL_KEEP_SIZE) {
	case 0:
		return 0; /* all of it is there */
	case FALLOC_FL_PUNCH_HOLE:
		return volume_zero(a->volume, offset, len, VOLUME_UNMAP);
	case FALLOC_FL_ZERO_RANGE:
		return volume_zero(a->volume, offset, len, 0);
	default:
		return -EOPNOTSUPP;
	}
}

static void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset,
			 off_t len, struct fuse_file_info *fi)
{
	struct attach *a = begin(req);

	end_error(a, req, allocate(a, mode, (uint64_t)offset, (uint64_t)len));
}

const struct fuse_lowlevel_ops attach_ops = {
	.init = op_init,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.open = op_open,
	.read = op_read,
	.write = op_write,
	.fsync = op_fsync,
	.fallocate = op_fallocate,
};
