/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all files have in common; the kinds are disk.c and sim_disk.c.
 */
#include "reactor/backend.h"

enum { FILE_MAGIC = 0xf11e0001 };

void file_init(struct file *f, const struct disk_ops *ops)
{
	MAGIC_SET(f, FILE_MAGIC);
	f->ops = ops;
}

int file_open(const char *path, int flags, mode_t mode, struct file **out)
{
	return reactor_current->ops->disk->open(path, flags, mode, out);
}

void file_close(struct file *f)
{
	MAGIC_CHECK(f, FILE_MAGIC);
	MAGIC_CLEAR(f);
	f->ops->close(f);
}

ssize_t file_pread(struct file *f, void *buf, size_t len, uint64_t offset)
{
	MAGIC_CHECK(f, FILE_MAGIC);
	return f->ops->pread(f, buf, len, offset);
}

int file_pwritev(struct file *f, struct iovec *iov, int n, uint64_t offset)
{
	MAGIC_CHECK(f, FILE_MAGIC);
	iov_advance(&iov, &n, 0);
	return n == 0 ? 0 : f->ops->pwritev(f, iov, n, offset);
}

int file_pwrite(struct file *f, const void *buf, size_t len, uint64_t offset)
{
	struct iovec iov = { (void *)buf, len };

	return file_pwritev(f, &iov, 1, offset);
}

int file_sync(struct file *f)
{
	MAGIC_CHECK(f, FILE_MAGIC);
	return f->ops->sync(f);
}

void file_start_writeback(struct file *f, uint64_t offset, uint64_t len)
{
	MAGIC_CHECK(f, FILE_MAGIC);
	f->ops->start_writeback(f, offset, len);
}

int file_truncate(struct file *f, uint64_t size)
{
	MAGIC_CHECK(f, FILE_MAGIC);
	return f->ops->truncate(f, size);
}

int file_allocate(struct file *f, int mode, uint64_t offset, uint64_t len)
{
	MAGIC_CHECK(f, FILE_MAGIC);
	return f->ops->allocate(f, mode, offset, len);
}

int64_t file_seek(struct file *f, uint64_t offset, int whence)
{
	MAGIC_CHECK(f, FILE_MAGIC);
	return f->ops->seek(f, offset, whence);
}

int file_size(struct file *f, uint64_t *size, uint64_t *allocated)
{
	MAGIC_CHECK(f, FILE_MAGIC);
	return f->ops->size(f, size, allocated);
}

int file_alignment(struct file *f, struct file_alignment *out)
{
	MAGIC_CHECK(f, FILE_MAGIC);
	return f->ops->alignment(f, out);
}

int file_lock(struct file *f, bool exclusive)
{
	MAGIC_CHECK(f, FILE_MAGIC);
	return f->ops->lock(f, exclusive);
}

void file_submit(struct file_request *q)
{
	MAGIC_CHECK(q->file, FILE_MAGIC);
	q->reactor = reactor_current;
	q->file->ops->submit(q->file, q);
}

void file_request_finish(struct file_request *q, ssize_t result)
{
	q->result = result;
	list_append(&reactor_current->finished, &q->finished);
}

void file_requests_done(struct reactor *r)
{
	struct list now = LIST_INIT(now);
	struct file_request *q;

	list_splice(&now, &r->finished);
	while (!list_empty(&now)) {
		q = list_first(&now, struct file_request, finished);
		list_del(&q->finished);
		q->done(q, q->result);
	}
}

int file_unlink(const char *path)
{
	return reactor_current->ops->disk->unlink(path);
}

int file_rename(const char *from, const char *to)
{
	return reactor_current->ops->disk->rename(from, to);
}

int file_sync_dir(const char *path)
{
	return reactor_current->ops->disk->sync_dir(path);
}
