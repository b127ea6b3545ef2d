/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FILE with O_DIRECT: a request of ours is one of the reactor's, from the
 * submitter's memory to the disk; only memory that the disk cannot reach
 * (misaligned) is copied.
 *
 * That a block is read and written as one is what the disk promises for its own
 * sectors, and the file system's locks for what it changes by itself.  The page
 * cache promises nothing like it: a read at the same moment as a write of the
 * same block may see some of each.  The log says when it is used (file_open.c).
 */
#include "block/file.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

enum { SPARE_ALIGN = 4096 };

/* One request on its way to the disk; pooled in its lane. */
struct file_op {
	struct list link; /* in lane->spare */
	struct file_request request;
	struct block_request *block;
	struct iovec bounce; /* or no memory */
	/* After a short transfer: what is left of the request's iovec. */
	uint64_t done;
	struct iovec *rest;
	int rest_n;
};

int file_error(int error)
{
	switch (error) {
	case 0:
	case -ENOSPC:
	case -ENOMEM:
	case -ECANCELED:
		return error;
	case -EDQUOT:
	case -EFBIG:
		return -ENOSPC;
	}
	return -EIO;
}

int file_flushed(struct file_device *f, int error)
{
	if (error != 0 && !atomic_exchange(&f->lost, true))
		log_error("block: %s: cannot flush: %s; all flushes fail from "
			  "now on",
			  block_name(&f->device), strerror(-error));
	return atomic_load(&f->lost) ? -EIO : 0;
}

static struct file_lane *lane_of(struct block_lane *lane)
{
	return container_of(lane, struct file_lane, lane);
}

static struct file_op *op_get(struct file_lane *lane)
{
	struct file_op *op = list_first(&lane->spare, struct file_op, link);

	if (op == NULL)
		return calloc(1, sizeof(*op));
	list_del(&op->link);
	return op;
}

static void op_put(struct file_lane *lane, struct file_op *op)
{
	free(op->bounce.iov_base);
	free(op->rest);
	op->bounce.iov_base = NULL;
	op->rest = NULL;
	list_prepend(&lane->spare, &op->link);
}

static bool is_aligned(const struct file_device *f,
		       const struct block_request *r)
{
	uintptr_t bits = 0;

	for (int i = 0; i < r->niov; i++)
		bits |= (uintptr_t)r->iov[i].iov_base | r->iov[i].iov_len;
	return (bits & (f->memory - 1)) == 0;
}

static void copy(const struct block_request *r, char *bounce)
{
	struct block_cursor data = { r->iov, 0 };
	size_t left = r->length, len;
	char *piece;

	for (; left > 0; left -= len, bounce += len) {
		piece = block_cursor_next(&data, left, &len);
		if (r->op == BLOCK_WRITE)
			memcpy(bounce, piece, len);
		else
			memcpy(piece, bounce, len);
	}
}

static int bounce(struct file_op *op)
{
	struct block_request *r = op->block;

	op->bounce.iov_len = r->length;
	op->bounce.iov_base =
		aligned_alloc(SPARE_ALIGN, round_up(r->length, SPARE_ALIGN));
	if (op->bounce.iov_base == NULL)
		return -ENOMEM;
	if (r->op == BLOCK_WRITE)
		copy(r, op->bounce.iov_base);
	op->request.iov = &op->bounce;
	op->request.n = 1;
	return 0;
}

static void finish(struct file_op *op, int error)
{
	struct block_request *r = op->block;
	struct block_lane *lane = block_frame(r)->lane;

	if (error == 0 && r->op == BLOCK_READ && op->bounce.iov_base != NULL)
		copy(r, op->bounce.iov_base);
	op_put(lane_of(lane), op);
	block_complete(r, file_error(error));
}

/* Goes on behind `done` bytes of what the last call was to transfer. */
static int advance(struct file_op *op, size_t done)
{
	struct file_request *q = &op->request;
	struct iovec *iov = malloc(q->n * sizeof(*iov));
	int n = 0;

	if (iov == NULL)
		return -ENOMEM;
	for (int i = 0; i < q->n; i++) {
		size_t skip = MIN(done, q->iov[i].iov_len);

		done -= skip;
		if (skip == q->iov[i].iov_len)
			continue;
		iov[n++] = (struct iovec){ (char *)q->iov[i].iov_base + skip,
					   q->iov[i].iov_len - skip };
	}
	free(op->rest);
	op->rest = iov;
	q->iov = iov;
	q->n = n;
	return 0;
}

/* A short transfer is rare; nothing at all means the end of a file that has
 * been cut off, or a disk that is full. */
static void transferred(struct file_request *q, ssize_t n)
{
	struct file_op *op = container_of(q, struct file_op, request);
	int err;

	if (n <= 0) {
		finish(op, n < 0 ? n : -EIO);
		return;
	}
	op->done += n;
	if (likely(op->done == op->block->length)) {
		finish(op, 0);
		return;
	}
	err = n % 512 == 0 ? advance(op, n) : -EIO;
	if (err != 0) {
		finish(op, err);
		return;
	}
	q->offset += n;
	file_submit(q);
}

static void transfer(struct file_device *f, struct file_op *op)
{
	struct block_request *r = op->block;
	int err = 0;

	op->done = 0;
	op->request = (struct file_request){
		.call = r->op == BLOCK_READ ? FILE_READ : FILE_WRITE,
		.durable = r->op == BLOCK_WRITE && (r->flags & BLOCK_FUA),
		.file = f->file,
		.iov = r->iov,
		.n = r->niov,
		.offset = r->offset,
		.done = transferred,
	};
	if (unlikely(!is_aligned(f, r)))
		err = bounce(op);
	if (err == 0)
		file_submit(&op->request);
	else
		finish(op, err);
}

static void flushed(struct file_request *q, ssize_t result)
{
	struct file_op *op = container_of(q, struct file_op, request);
	struct block_lane *lane = block_frame(op->block)->lane;

	finish(op, file_flushed(file_of(lane->device), result));
}

static void flush(struct file_device *f, struct file_op *op)
{
	op->request = (struct file_request){ .call = FILE_SYNC,
					     .file = f->file,
					     .done = flushed };
	file_submit(&op->request);
}

static void submit(struct block_lane *lane, struct block_request *r)
{
	struct file_device *f = file_of(lane->device);
	bool fast = f->direct && (r->op == BLOCK_READ || r->op == BLOCK_WRITE ||
				  r->op == BLOCK_FLUSH);
	struct file_op *op = fast ? op_get(lane_of(lane)) : NULL;

	if (!fast) {
		file_submit_slowly(f, r);
		return;
	}
	if (op == NULL) {
		block_complete(r, -ENOMEM);
		return;
	}
	op->block = r;
	if (r->op == BLOCK_FLUSH)
		flush(f, op);
	else
		transfer(f, op);
}

static int lane_init(struct block_lane *lane)
{
	list_init(&lane_of(lane)->spare);
	return 0;
}

static void lane_fini(struct block_lane *lane)
{
	struct file_op *op;

	while ((op = list_first(&lane_of(lane)->spare, struct file_op, link)) !=
	       NULL) {
		list_del(&op->link);
		free(op);
	}
}

const struct block_driver block_file = {
	.name = "file",
	.ops = 1U << BLOCK_READ | 1U << BLOCK_WRITE | 1U << BLOCK_FLUSH |
	       1U << BLOCK_WRITE_ZEROES | 1U << BLOCK_DEALLOCATE,
	.device_size = sizeof(struct file_device),
	.lane_size = sizeof(struct file_lane),
	.create = file_create,
	.destroy = file_destroy,
	.resize = file_resize,
	.lane_init = lane_init,
	.lane_fini = lane_fini,
	.submit = submit,
};
