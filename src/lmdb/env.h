/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every LMDB environment of this program needs: opened one way, errors as
 * errno, and read transactions that cost nothing to begin.
 *
 * Reads go straight to the mapped file, on the reactor's own thread.  A read
 * transaction pins every page that was current when it began, so it never
 * outlasts a park.
 */
#ifndef LMDB_ENV_H
#define LMDB_ENV_H

#include <lmdb.h>
#include <stddef.h>

/* Opens or creates the environment in `directory`, which exists.  `map_size`
 * bounds it and costs address space only.  Commits are durable: LMDB writes the
 * changed pages, flushes, then writes one meta page through O_DSYNC.
 * 0, -ENOSPC, -EINVAL (not an LMDB file), … */
int lmdb_env_open(const char *directory, size_t map_size, unsigned tables,
		  MDB_env **out);

/* What LMDB returned, as 0 or negative errno: MDB_NOTFOUND is -ENOENT, a full
 * map -ENOSPC, damage -EIO. */
int lmdb_errno(int rc);

/*
 * Read transactions, kept begun and reset between uses: LMDB registers a
 * reader once, not at each read.  Each thread finds its own at first try.
 */
enum { LMDB_READER_SLOTS = 64 };

struct lmdb_readers {
	MDB_env *env;
	MDB_txn *idle[LMDB_READER_SLOTS]; /* atomic; taken by exchange */
};

void lmdb_readers_init(struct lmdb_readers *r, MDB_env *env);
void lmdb_readers_fini(struct lmdb_readers *r); /* before mdb_env_close() */

/* Any thread.  Sees all that was committed before the call. */
int lmdb_read_begin(struct lmdb_readers *r, MDB_txn **out);
void lmdb_read_end(struct lmdb_readers *r, MDB_txn *txn);

#endif
