/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Record marking (RFC 5531 section 11): messages on a stream, each in one or
 * more fragments with a 4-byte header.
 *
 * struct record_reader cuts what was read into records without copying: bytes
 * are read straight into a block, and records are handed out as pieces of it,
 * several for one read().  A record that outlives the next read (the server
 * works on many at once) keeps its block by a reference; blocks are freed with
 * the last.  Only the beginning of a record that does not fit into the rest of
 * a block is moved, and the later fragments of a record in several.
 *
 *	for (;;) {
 *		room = record_reader_room(&r, &p);
 *		n = stream_read(s, p, room);
 *		record_reader_filled(&r, n);
 *		while ((rc = record_reader_next(&r, &record)) > 0) {
 *			handle(record.bytes);
 *			record_put(&record);
 *		}
 *	}
 *
 * Memory (base/pool.h): one block of RECORD_BLOCK_SIZE, or as large as the
 * record that is being received (max_record at most); none after
 * record_reader_idle().
 */
#ifndef NFS_XDR_RECORD_H
#define NFS_XDR_RECORD_H

#include "nfs/xdr/xdr.h"

enum {
	RECORD_HEADER = 4,
	RECORD_BLOCK_SIZE = 64 << 10,
	RECORD_MAX_FRAGMENTS = 1024, /* some send 4000 bytes in each */
};
#define RECORD_LAST_FRAGMENT 0x80000000u

/* Writes the header of a record in one fragment, in front of it. */
static inline void record_header(void *p, size_t len)
{
	store_be32(p, RECORD_LAST_FRAGMENT | (uint32_t)len);
}

struct record_block; /* counted; the count is atomic */

struct record {
	struct xdr_bytes bytes;
	struct record_block *block; /* one reference, the holder's */
};

struct record_reader {
	struct record_block *block; /* one reference; NULL: none yet */
	uint8_t *head;	    /* of what was not handed out: a fragment header, or
			       the record that is being put together */
	uint8_t *tail;	    /* end of what was read */
	size_t assembled;   /* bytes of this record from finished fragments */
	size_t wanted;	    /* bytes from head to the end of this fragment */
	unsigned fragments; /* of this record, finished */
	size_t max_record;
};

void record_reader_init(struct record_reader *r, size_t max_record);
void record_reader_fini(struct record_reader *r);

/* Where to read next: sets *p, returns how much room is there (> 0), or 0 when
 * memory ran out. */
size_t record_reader_room(struct record_reader *r, void **p);
void record_reader_filled(struct record_reader *r, size_t n);

/* 1: *out is the next record, to be put back by record_put(); 0: more has to
 * be read; -EMSGSIZE: longer than max_record; -EPROTO: a fragment without
 * bytes that is not the last (it could go on for ever), or more than
 * RECORD_MAX_FRAGMENTS (each is moved). */
int record_reader_next(struct record_reader *r, struct record *out);

/* Nothing is left half read: frees the block, until the next room(). */
void record_reader_idle(struct record_reader *r);

/* Bytes of an unfinished record are there. */
static inline bool record_reader_partial(const struct record_reader *r)
{
	return r->tail != r->head || r->assembled != 0;
}

/* Gives the reference back; any thread. */
void record_put(struct record *record);

#endif
