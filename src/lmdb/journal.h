/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal of one environment: what was committed since the last checkpoint,
 * in a file that never grows, so that a commit is one overwrite through O_DSYNC
 * and the host's file system has nothing to journal for it.
 *
 *	slot 0 | slot 1 | record | record | …			(a ring)
 *
 * A slot says up to where LMDB's file holds everything, and has a copy of its
 * two meta pages of that moment.  Checkpoints write the slots in turn, so one
 * is whole whatever happens.  A record is one transaction: its puts and
 * deletions, a sequence number, a checksum under a key of this journal's own.
 * Records begin at blocks of 4 KiB, so no write touches what was acknowledged.
 *
 * Invariant: LMDB's file as of the newest slot, then the records from the
 * slot's on up to the first that is not whole, are all that was acknowledged.
 *
 * Threads: append, take_back by one at a time; journal_checkpoint() by one at a
 * time, meanwhile.  All block.
 */
#ifndef LMDB_JOURNAL_H
#define LMDB_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

enum {
	JOURNAL_SIZE = 8 << 20,
	JOURNAL_BLOCK = 4096,
	JOURNAL_RECORD_MAX = 2 << 20, /* head and padding included */
	JOURNAL_PAGE_MAX = 65536,     /* of LMDB: the host's */
};

/* The beginning of a record; what follows is the owner's. */
struct journal_record {
	uint64_t sum; /* of all that follows */
	uint64_t seq;
	uint32_t length; /* of all, unpadded */
	uint32_t unused;
};

/* A place between two records. */
struct journal_place {
	uint64_t seq; /* of the record that follows */
	uint64_t at;  /* bytes, without end: the ring is at `at % area` */
};

struct journal {
	int fd;
	struct siphash_key key;
	size_t page;		   /* bytes of a meta page */
	struct journal_place head; /* where the next record goes */
	uint64_t tail; /* atomic; where the records begin that are needed */
	uint64_t generation; /* of the newest slot */
	bool spoilt;	     /* at the head something may stand that failed */
};

/* Makes the file, on disk when it returns; `metas` are 2 * page bytes. */
int journal_create(struct journal *j, const char *path, size_t page,
		   const void *metas);
/* -ENOENT; -EIO: damaged, and said so.  `metas`, 2 * JOURNAL_PAGE_MAX bytes,
 * become those of the newest slot. */
int journal_open(struct journal *j, const char *path, void *metas);
void journal_close(struct journal *j);

/* Calls fn for each record from the newest slot on; moves the head behind them.
 * Stops if it returns < 0, and returns that. */
typedef int journal_fn(void *arg, const void *payload, size_t len);
int journal_replay(struct journal *j, journal_fn *fn, void *arg);

/* Appends `record`, with room for its head, `length` bytes in all, and for the
 * padding behind; on disk when it returns.  -ENOSPC: there is no room before
 * the next checkpoint; else why it could not be written.  Then it may or may
 * not be there after a crash, until the next append takes its place. */
int journal_append(struct journal *j, struct journal_record *record,
		   size_t length);
/* The record of `length` that was appended last, when the head was at `place`,
 * shall not have been.  If that fails, too, it is as after a failed append. */
void journal_take_back(struct journal *j, struct journal_place place,
		       size_t length);

/* LMDB's file holds, on disk, all up to `place`, and had `metas` then. */
int journal_checkpoint(struct journal *j, struct journal_place place,
		       const void *metas);
/* Bytes of records that are needed; and whether one of any size fits. */
size_t journal_used(const struct journal *j);
bool journal_has_room(const struct journal *j);

#endif
