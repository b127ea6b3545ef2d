/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/*
 *	block:  | records handed out | this record | hdr | fragment … |  room  |
 *	                             ^head         ^assembled         ^tail
 *
 * A record in one fragment (all of them, in practice) is never moved.  Where
 * more fragments follow, their headers are squeezed out in place.
 */
/* clang-format on */
#include "nfs/xdr/record.h"

#include <errno.h>
#include <stdatomic.h>

#include "base/pool.h"

/* A read for less is not worth its system call. */
enum { ROOM_MIN = 4096 };

struct record_block {
	atomic_uint refs; /* the reader's, and one for each record */
	size_t size;
	uint8_t data[];
};

static struct record_block *block_create(size_t size)
{
	size_t actual;
	struct record_block *b = pool_get(sizeof(*b) + size, &actual);

	if (b != NULL) {
		atomic_init(&b->refs, 1);
		/* No more: what follows a large record would be read behind it,
		 * only to be moved. */
		b->size = size;
	}
	return b;
}

static void block_put(struct record_block *b)
{
	if (b != NULL &&
	    atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) == 1)
		pool_put(b, sizeof(*b) + b->size);
}

static bool block_shared(struct record_block *b)
{
	return atomic_load_explicit(&b->refs, memory_order_acquire) > 1;
}

void record_put(struct record *record)
{
	block_put(record->block);
	record->block = NULL;
}

void record_reader_init(struct record_reader *r, size_t max_record)
{
	*r = (struct record_reader){ .max_record = max_record,
				     .wanted = RECORD_HEADER };
}

void record_reader_fini(struct record_reader *r)
{
	block_put(r->block);
	*r = (struct record_reader){};
}

void record_reader_idle(struct record_reader *r)
{
	if (record_reader_partial(r))
		return;
	block_put(r->block);
	r->block = NULL;
	r->head = r->tail = NULL;
}

static size_t filled(const struct record_reader *r)
{
	return r->tail - r->head;
}

/* Moves what is unfinished to the front: of this block if nobody else looks
 * into it and it is large enough, else of a new one. */
static bool make_room(struct record_reader *r)
{
	size_t size = MAX((size_t)RECORD_BLOCK_SIZE, r->wanted);
	struct record_block *b = r->block;

	if (b == NULL || block_shared(b) || b->size < size) {
		/* Fragments may be small: not one block for each. */
		b = block_create(r->assembled > 0 ? 2 * size : size);
		if (b == NULL)
			return false;
	}
	if (filled(r) > 0)
		memmove(b->data, r->head, filled(r));
	if (b != r->block) {
		block_put(r->block);
		r->block = b;
	}
	r->tail = b->data + filled(r);
	r->head = b->data;
	return true;
}

size_t record_reader_room(struct record_reader *r, void **p)
{
	uint8_t *end = r->block ? r->block->data + r->block->size : NULL;

	/* Nothing half read, and nobody looks: begin at the front again. */
	if (r->block != NULL && filled(r) == 0 && !block_shared(r->block))
		r->head = r->tail = r->block->data;
	if (r->block == NULL ||
	    (size_t)(end - r->head) < MAX(r->wanted, (size_t)ROOM_MIN)) {
		if (!make_room(r))
			return 0;
		end = r->block->data + r->block->size;
	}
	*p = r->tail;
	return end - r->tail;
}

void record_reader_filled(struct record_reader *r, size_t n)
{
	r->tail += n;
}

/* The header behind what is assembled is complete: takes it out, and says how
 * much is wanted until the fragment ends.  A single fragment's header is just
 * stepped over. */
static int take_header(struct record_reader *r, bool *last)
{
	uint32_t word = load_be32(r->head + r->assembled);
	size_t len = word & ~RECORD_LAST_FRAGMENT;

	*last = word & RECORD_LAST_FRAGMENT;
	if (len > r->max_record - r->assembled)
		return -EMSGSIZE;
	if (len == 0 && !*last)
		return -EPROTO;
	r->wanted = r->assembled + RECORD_HEADER + len;
	return 0;
}

static void squeeze_header(struct record_reader *r)
{
	uint8_t *header = r->head + r->assembled;

	if (r->assembled == 0) {
		r->head += RECORD_HEADER;
	} else {
		memmove(header, header + RECORD_HEADER,
			r->tail - header - RECORD_HEADER);
		r->tail -= RECORD_HEADER;
	}
	r->wanted -= RECORD_HEADER;
}

static void hand_out(struct record_reader *r, struct record *out)
{
	atomic_fetch_add_explicit(&r->block->refs, 1, memory_order_relaxed);
	out->bytes = (struct xdr_bytes){ r->head, (uint32_t)r->wanted };
	out->block = r->block;
	r->head += r->wanted;
	r->assembled = 0;
	r->fragments = 0;
	r->wanted = RECORD_HEADER;
}

int record_reader_next(struct record_reader *r, struct record *out)
{
	bool last;
	int rc;

	while (filled(r) >= r->assembled + RECORD_HEADER) {
		rc = take_header(r, &last);
		if (rc < 0)
			return rc;
		if (filled(r) < r->wanted)
			return 0;
		squeeze_header(r);
		if (last) {
			hand_out(r, out);
			return 1;
		}
		if (++r->fragments == RECORD_MAX_FRAGMENTS)
			return -EPROTO;
		r->assembled = r->wanted;
		r->wanted += RECORD_HEADER;
	}
	return 0;
}
