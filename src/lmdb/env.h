/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every LMDB environment of this program needs: opened one way, a journal
 * in front, errors as errno, and read transactions that cost nothing to begin.
 *
 * Reads go straight to the mapped file, on the reactor's own thread.  A read
 * transaction pins every page that was current when it began, so it never
 * outlasts a park.
 *
 * Writes go to the journal first, which is what makes them durable; LMDB itself
 * flushes nothing.  So its file is of use after a power failure only as of the
 * last checkpoint: that one's pages are kept from being written again by a read
 * transaction, the pin, and its meta pages are in the journal.  Opening puts
 * them back and repeats what the journal has, after a kill as after a power
 * failure.  docs/internals/lmdb.md has the argument.
 */
#ifndef LMDB_ENV_H
#define LMDB_ENV_H

#include <lmdb.h>
#include <stdbool.h>
#include <stddef.h>

#include "lmdb/journal.h"

/*
 * Read transactions, kept begun and reset between uses: LMDB registers a
 * reader once, not at each read.  Each thread finds its own at first try.
 */
enum { LMDB_READER_SLOTS = 64, LMDB_TABLES_MAX = 16 };

struct lmdb_readers {
	MDB_env *env;
	MDB_txn *idle[LMDB_READER_SLOTS]; /* atomic; taken by exchange */
};

/* Threads: writing (write.h) by one at a time; a checkpoint's end meanwhile;
 * reading by any. */
struct lmdb {
	MDB_env *env;
	unsigned ntables;
	MDB_dbi tables[LMDB_TABLES_MAX];
	struct lmdb_readers readers;
	struct journal journal;
	struct journal_record *record; /* the writer's: JOURNAL_RECORD_MAX */
	int error; /* atomic; what was written may be lost: no more is */
	uint64_t allocated; /* the writer's: bytes of the file, and … */
	bool full;	    /* atomic; … no more are to be had */
	MDB_txn *pin;	    /* the last checkpoint */
	MDB_txn *next_pin;  /* of one under way */
	struct journal_place next_place; /* … and where it is */
	char *metas;			 /* … and its meta pages */
};

/* Opens or creates the environment in `directory`, which exists, with these
 * tables.  `map_size` bounds it and costs address space only.  What a table's
 * number means must never change.  Blocks; the reactors need not run.
 * 0, -ENOSPC, -EINVAL (not an LMDB file), -EIO (damaged), … */
int lmdb_open(const char *directory, size_t map_size, const char *const names[],
	      unsigned ntables, struct lmdb **out);
/* Nobody reads or writes any more.  Blocks. */
void lmdb_close(struct lmdb *db);

/*
 * The disk is full but for what is kept for changes that make room or need
 * none.  Others should be refused with -ENOSPC.  Any thread.
 */
static inline bool lmdb_is_full(const struct lmdb *db)
{
	return __atomic_load_n(&db->full, __ATOMIC_RELAXED);
}
/* The writer's, between two writes: allocates ahead of what LMDB uses. */
void lmdb_allocate(struct lmdb *db);

/*
 * A checkpoint makes room in the journal.  It begins between two writes, on the
 * writer's thread, which then goes on; its end flushes LMDB's file and blocks.
 * One at a time.  0 or -errno; then the journal keeps what it has.
 */
bool lmdb_checkpoint_is_due(const struct lmdb *db);
int lmdb_checkpoint_begin(struct lmdb *db);
int lmdb_checkpoint_end(struct lmdb *db);

/* What LMDB returned, as 0 or negative errno: MDB_NOTFOUND is -ENOENT, a full
 * map -ENOSPC, damage -EIO. */
int lmdb_errno(int rc);

/* Any thread.  Sees all that was committed before the call. */
int lmdb_read_begin(struct lmdb_readers *r, MDB_txn **out);
void lmdb_read_end(struct lmdb_readers *r, MDB_txn *txn);

#endif
