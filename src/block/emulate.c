/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a driver lacks, made of what each has: COMPARE is a READ and a look,
 * WRITE_ZEROES is WRITEs.
 */
#include <errno.h>
#include <string.h>

#include "block/driver.h"

enum { MEMORY_ALIGN = 4096, ZEROES = 64 << 10 };

/* COMPARE.  The request itself becomes the READ, so that it can be cancelled
 * like one; frame.private[0] leads back. */
struct comparison {
	struct iovec *iov;
	int niov;
	struct iovec read; /* behind this */
};

static bool differs(const struct comparison *c)
{
	struct block_cursor at = { c->iov, 0 };
	const char *read = c->read.iov_base;
	size_t left = c->read.iov_len, len;
	const char *data;

	for (; left > 0; left -= len, read += len) {
		data = block_cursor_next(&at, left, &len);
		if (memcmp(data, read, len) != 0)
			return true;
	}
	return false;
}

static void compare_done(struct block_request *r, int error)
{
	struct comparison *c = (void *)block_frame(r)->private[0];

	r->op = BLOCK_COMPARE;
	r->iov = c->iov;
	r->niov = c->niov;
	if (error == 0 && differs(c))
		error = -EILSEQ;
	free(c->read.iov_base);
	free(c);
	block_complete(r, error);
}

static struct comparison *comparison_create(struct block_request *r)
{
	struct comparison *c = malloc(sizeof(*c));
	void *buf =
		aligned_alloc(MEMORY_ALIGN, round_up(r->length, MEMORY_ALIGN));

	if (c == NULL || buf == NULL) {
		free(c);
		free(buf);
		return NULL;
	}
	*c = (struct comparison){ r->iov, r->niov, { buf, r->length } };
	return c;
}

static void compare(struct block_lane *lane, struct block_request *r)
{
	struct comparison *c = comparison_create(r);

	if (c == NULL) {
		block_complete(r, -ENOMEM);
		return;
	}
	block_frame(r)->private[0] = (uintptr_t)c;
	r->op = BLOCK_READ;
	r->iov = &c->read;
	r->niov = 1;
	r->done = compare_done;
	block_push_part(lane, r);
	lane->device->driver->submit(lane, r);
}

/* WRITE_ZEROES.  The driver may change what it is given (crypt), so each part
 * gets its zeroes anew. */
static int write_zeroes(struct block_lane *lane, struct block_request *r,
			void *buf)
{
	struct block_request part = { .op = BLOCK_WRITE,
				      .flags = r->flags & BLOCK_FUA };
	uint64_t done;
	int err;

	for (done = 0; done < r->length; done += part.length) {
		size_t len = MIN(r->length - done, (size_t)ZEROES);
		struct iovec iov = { buf, len };

		memset(buf, 0, iov.iov_len);
		part.offset = r->offset + done;
		part.length = iov.iov_len;
		part.iov = &iov;
		part.niov = 1;
		err = block_do_part(lane, &part);
		if (err != 0)
			return err;
	}
	return 0;
}

static void zeroes_task(void *arg)
{
	struct block_request *r = arg;
	auto_free void *buf = NULL;
	int err = -ECANCELED;

	if (!r->cancelled) {
		buf = aligned_alloc(MEMORY_ALIGN, ZEROES);
		err = buf == NULL ? -ENOMEM
				  : write_zeroes(block_frame(r)->lane, r, buf);
	}
	block_complete(r, err);
}

void block_emulate(struct block_lane *lane, struct block_request *r)
{
	if (r->op == BLOCK_COMPARE)
		compare(lane, r);
	else
		block_in_task(r, zeroes_task);
}
