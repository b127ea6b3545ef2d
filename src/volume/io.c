/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any range of bytes: a head and a tail that are parts of blocks (edge.c), and
 * the blocks between them, in requests as large as the controllers take, a few
 * of them at a time.
 */
#include <errno.h>

#include "volume/internal.h"

enum { WINDOW = 4 }; /* requests of one call in flight */

/* -------------------------------------------------------------- whole blocks
 */

struct batch {
	struct volume *volume;
	enum block_op op;
	unsigned flags;
	char *at; /* NULL: no data */
	uint64_t offset, end, piece;
	uint64_t region; /* none crosses its bounds; 0: there are none */
	unsigned in_flight;
	int error; /* the first */
	struct completion done;
};

struct piece {
	struct volume_request r;
	struct batch *batch;
};

static void piece_done(struct volume_request *r, int error)
{
	struct piece *p = container_of(r, struct piece, r);
	struct batch *b = p->batch;

	if (error < 0 && b->error == 0)
		b->error = error;
	p->batch = NULL;
	if (--b->in_flight == 0)
		completion_done(&b->done, 0);
}

static void submit(struct batch *b, struct piece *p)
{
	uint64_t len = MIN(b->end - b->offset, b->piece);

	if (b->region != 0)
		len = MIN(len, b->region - b->offset % b->region);
	p->batch = b;
	p->r.op = b->op;
	p->r.flags = b->flags;
	p->r.offset = b->offset;
	p->r.length = len;
	p->r.iov = (struct iovec){ b->at, len };
	p->r.done = piece_done;
	b->offset += len;
	if (b->at != NULL)
		b->at += len;
	b->in_flight++;
	volume_submit(b->volume, &p->r);
}

static int run_batch(struct batch *b)
{
	struct piece pieces[WINDOW];

	while (b->offset < b->end && b->error == 0) {
		completion_init(&b->done);
		b->in_flight = 1; /* ours */
		for (int i = 0; i < WINDOW && b->offset < b->end; i++)
			submit(b, &pieces[i]);
		if (--b->in_flight > 0)
			completion_wait(&b->done);
	}
	return b->error;
}

int blocks_do(struct volume *v, enum block_op op, void *buf, uint64_t len,
	      uint64_t offset, unsigned flags)
{
	uint64_t most = (uint64_t)65536 * volume_block_size(v);
	struct batch b = {
		.volume = v,
		.op = op,
		.flags = flags,
		.at = buf,
		.offset = offset,
		.end = offset + len,
		.region = volume_region(v),
		.piece = buf != NULL ? volume_max_transfer(v) : most,
	};

	return run_batch(&b);
}

/* ------------------------------------------------------------------ any bytes
 */

struct span {
	uint64_t head_end, tail; /* blocks are whole from here to there */
	uint64_t end;
};

/* -ENOSPC beyond the end. */
static int split(const struct volume *v, uint64_t offset, uint64_t len,
		 struct span *s)
{
	uint64_t mask = volume_block_size(v) - 1, size = volume_size(v);

	if (offset > size || len > size - offset)
		return -ENOSPC;
	s->end = offset + len;
	s->head_end = MIN((offset + mask) & ~mask, s->end);
	s->tail = MAX(s->end & ~mask, s->head_end);
	return 0;
}

int volume_read(struct volume *v, void *buf, size_t len, uint64_t offset)
{
	char *at = buf;
	struct span s;
	int rc = split(v, offset, len, &s);

	if (rc == 0 && s.head_end > offset)
		rc = edge_read(v, at, s.head_end - offset, offset);
	if (rc == 0 && s.tail > s.head_end)
		rc = blocks_do(v, BLOCK_READ, at + (s.head_end - offset),
			       s.tail - s.head_end, s.head_end, 0);
	if (rc == 0 && s.end > s.tail)
		rc = edge_read(v, at + (s.tail - offset), s.end - s.tail,
			       s.tail);
	return rc;
}

static int write_blocks(struct volume *v, enum block_op op, void *buf,
			const struct span *s, unsigned flags)
{
	struct volume_hold hold;
	int rc;

	if (s->tail == s->head_end)
		return 0;
	volume_take(v, &hold, s->head_end, s->tail - s->head_end, true);
	rc = blocks_do(v, op, buf, s->tail - s->head_end, s->head_end, flags);
	volume_release(v, &hold);
	return rc;
}

static unsigned block_flags(unsigned flags)
{
	return (flags & VOLUME_FUA ? BLOCK_FUA : 0) |
	       (flags & VOLUME_UNMAP ? BLOCK_UNMAP : 0);
}

int volume_write(struct volume *v, const void *buf, size_t len, uint64_t offset,
		 unsigned flags)
{
	const char *at = buf;
	struct span s;
	int rc = split(v, offset, len, &s);

	if (rc == 0 && s.head_end > offset)
		rc = edge_write(v, at, s.head_end - offset, offset, flags);
	if (rc == 0)
		rc = write_blocks(v, BLOCK_WRITE,
				  (char *)at + (s.head_end - offset), &s,
				  block_flags(flags));
	if (rc == 0 && s.end > s.tail)
		rc = edge_write(v, at + (s.tail - offset), s.end - s.tail,
				s.tail, flags);
	return rc;
}

int volume_zero(struct volume *v, uint64_t offset, uint64_t len, unsigned flags)
{
	struct span s;
	int rc = split(v, offset, len, &s);

	if (rc == 0 && !volume_can_zero(v))
		rc = -EOPNOTSUPP;
	if (rc == 0 && s.head_end > offset)
		rc = edge_write(v, NULL, s.head_end - offset, offset, flags);
	if (rc == 0)
		rc = write_blocks(v, BLOCK_WRITE_ZEROES, NULL, &s,
				  block_flags(flags));
	if (rc == 0 && s.end > s.tail)
		rc = edge_write(v, NULL, s.end - s.tail, s.tail, flags);
	return rc;
}

int volume_discard(struct volume *v, uint64_t offset, uint64_t len)
{
	struct span s;
	int rc = split(v, offset, len, &s);

	if (rc == 0 && !volume_can_discard(v))
		rc = -EOPNOTSUPP;
	return rc == 0 ? write_blocks(v, BLOCK_DEALLOCATE, NULL, &s, 0) : rc;
}

struct flush {
	struct volume_request r;
	struct completion done;
};

static void flush_done(struct volume_request *r, int error)
{
	completion_done(&container_of(r, struct flush, r)->done, error);
}

int volume_flush(struct volume *v)
{
	struct flush f = { .r = { .op = BLOCK_FLUSH, .done = flush_done } };

	completion_init(&f.done);
	volume_submit(v, &f.r);
	return completion_wait(&f.done);
}

/* ------------------------------------------------------------------- one piece
 */

static void nvme_done(struct nvmei_request *n, int error)
{
	struct volume_request *r = container_of(n, struct volume_request, nvme);

	r->done(r, error);
}

void volume_submit(struct volume *v, struct volume_request *r)
{
	if (v->replicas != NULL) {
		replicas_submit(v->replicas, r);
		return;
	}
	r->nvme = (struct nvmei_request){
		.op = r->op,
		.flags = r->flags,
		.offset = r->offset,
		.length = r->length,
		.iov = &r->iov,
		.niov = 1,
		.done = nvme_done,
	};
	nvmei_submit(v->nvme, &r->nvme);
}
