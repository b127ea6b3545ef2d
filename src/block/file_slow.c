/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FILE, in a task for each request: all requests where there is no O_DIRECT,
 * and those that fallocate(2) does.
 *
 * Zeroes, in the order of what is tried: a hole (where space may be freed), the
 * file system's own zeroes, and written ones.  What was refused once is not
 * asked for again.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>

#include "block/file.h"

enum { PIECES = 16, ZEROES = 64 << 10 };

static const char zeroes[ZEROES] __attribute__((aligned(4096)));

/* Regions.  Requests that go through the page cache take those they touch. */

static unsigned region_of(uint64_t offset)
{
	return offset / FILE_REGION % FILE_REGIONS;
}

/* Which regions a request touches, as bits. */
static uint64_t regions_of(const struct file_device *f,
			   const struct block_request *r)
{
	uint64_t bits = 0, at = r->offset, end = at + r->length;

	if (f->direct || r->op == BLOCK_FLUSH)
		return 0;
	if (r->length >= (uint64_t)FILE_REGION * FILE_REGIONS)
		return UINT64_MAX;
	for (; at < end; at = (at / FILE_REGION + 1) * FILE_REGION)
		bits |= UINT64_C(1) << region_of(at);
	return bits;
}

static void regions_do(struct file_device *f, uint64_t bits,
		       void (*what)(struct task_rwlock *l))
{
	for (int i = 0; bits != 0; i++, bits >>= 1)
		if (bits & 1)
			what(&f->regions[i]);
}

/* Data */

static int read_data(struct file_device *f, const struct block_request *r)
{
	uint64_t at = r->offset;

	for (int i = 0; i < r->niov; i++) {
		size_t len = r->iov[i].iov_len;
		ssize_t n = file_pread(f->file, r->iov[i].iov_base, len, at);

		if (n < 0)
			return n;
		if ((size_t)n < len)
			return -EIO; /* the file has been cut off */
		at += len;
	}
	return 0;
}

static int write_data(struct file_device *f, const struct block_request *r)
{
	struct iovec pieces[PIECES]; /* which are used up */
	uint64_t at = r->offset;
	int err = 0;

	for (int i = 0, n; err == 0 && i < r->niov; i += n) {
		size_t len = 0;

		n = MIN(r->niov - i, (int)PIECES);
		memcpy(pieces, &r->iov[i], n * sizeof(pieces[0]));
		for (int k = 0; k < n; k++)
			len += pieces[k].iov_len;
		err = file_pwritev(f->file, pieces, n, at);
		at += len;
	}
	return err;
}

/* Zeroes */

struct waiting {
	struct file_request request;
	struct completion done;
};

static void wake(struct file_request *q, ssize_t result)
{
	struct waiting *w = container_of(q, struct waiting, request);

	completion_done(&w->done, result);
}

/* Up to PIECES * ZEROES; the number of bytes. */
static ssize_t write_some_zeroes(struct file_device *f, uint64_t at,
				 uint64_t len)
{
	struct iovec iov[PIECES];
	struct waiting w = { .request = { .call = FILE_WRITE,
					  .file = f->file,
					  .iov = iov,
					  .offset = at,
					  .done = wake } };

	for (; w.request.n < PIECES && len > 0; w.request.n++) {
		size_t n = MIN(len, (uint64_t)ZEROES);

		iov[w.request.n] = (struct iovec){ (void *)zeroes, n };
		len -= n;
	}
	completion_init(&w.done);
	file_submit(&w.request);
	return completion_wait(&w.done);
}

static int write_zeroes(struct file_device *f, const struct block_request *r)
{
	uint64_t done = 0;
	ssize_t n;

	while (done < r->length) {
		n = write_some_zeroes(f, r->offset + done, r->length - done);
		if (n <= 0)
			return n < 0 ? n : -EIO;
		done += n;
	}
	return 0;
}

static int allocate(struct file_device *f, const struct block_request *r,
		    int mode, _Atomic bool *refused)
{
	int err;

	if (atomic_load_explicit(refused, memory_order_relaxed))
		return -EOPNOTSUPP;
	err = file_allocate(f->file, mode | FALLOC_FL_KEEP_SIZE, r->offset,
			    r->length);
	if (err == -ENOSYS || err == -EINVAL || err == -ENODEV)
		err = -EOPNOTSUPP;
	if (err == -EOPNOTSUPP)
		atomic_store(refused, true);
	return err;
}

static int zero(struct file_device *f, const struct block_request *r)
{
	bool may_free = r->op == BLOCK_DEALLOCATE || (r->flags & BLOCK_UNMAP);
	int err = -EOPNOTSUPP;

	if (may_free)
		err = allocate(f, r, FALLOC_FL_PUNCH_HOLE, &f->no_punch);
	if (err == -EOPNOTSUPP)
		err = allocate(f, r, FALLOC_FL_ZERO_RANGE, &f->no_zero);
	if (err == -EOPNOTSUPP)
		err = write_zeroes(f, r);
	return err;
}

static int sync_now(struct file_device *f)
{
	return file_flushed(f, file_sync(f->file));
}

static int change(struct file_device *f, const struct block_request *r)
{
	int err = r->op == BLOCK_WRITE ? write_data(f, r) : zero(f, r);

	if (err == 0 && (r->flags & BLOCK_FUA))
		err = sync_now(f);
	return err;
}

static void slow_task(void *arg)
{
	struct block_request *r = arg;
	struct file_device *f = file_of(block_frame(r)->lane->device);
	uint64_t regions = regions_of(f, r);
	int err = -ECANCELED;

	regions_do(f, regions,
		   r->op == BLOCK_READ ? task_read_lock : task_write_lock);
	if (r->cancelled)
		err = -ECANCELED;
	else if (r->op == BLOCK_READ)
		err = read_data(f, r);
	else if (r->op == BLOCK_FLUSH)
		err = sync_now(f);
	else
		err = change(f, r);
	regions_do(f, regions,
		   r->op == BLOCK_READ ? task_read_unlock : task_write_unlock);
	block_complete(r, file_error(err));
}

void file_submit_slowly(struct file_device *f, struct block_request *r)
{
	block_in_task(r, slow_task);
}
