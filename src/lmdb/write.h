/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A write transaction: what it changes is also noted for the journal, which has
 * it on disk before anybody can see it.  One at a time; blocks.
 */
#ifndef LMDB_WRITE_H
#define LMDB_WRITE_H

#include "lmdb/env.h"

struct lmdb_write {
	struct lmdb *db;
	MDB_txn *txn;  /* to read through */
	size_t length; /* of the record so far */
};

/* A transaction that has got this large should end: one more change of any
 * kind still fits.  No change may be larger than the rest. */
enum {
	LMDB_WRITE_ENOUGH = 512 << 10,
	LMDB_CHANGE_MAX = JOURNAL_RECORD_MAX - LMDB_WRITE_ENOUGH - 4096,
};

int lmdb_write_begin(struct lmdb *db, struct lmdb_write *w);
/* -ENOSPC: does not fit into the map, or into a record. */
int lmdb_put(struct lmdb_write *w, unsigned table, MDB_val key, MDB_val value);
int lmdb_del(struct lmdb_write *w, unsigned table, MDB_val key); /* -ENOENT */
/* Ends it either way.  What fails has not happened; but after -EIO a crash may
 * bring it to light, unless another one was committed since.  Without changes
 * it writes nothing. */
int lmdb_write_commit(struct lmdb_write *w);
void lmdb_write_abort(struct lmdb_write *w);

/* For the start: does again, in `txn`, what a record's payload says. */
int lmdb_redo(struct lmdb *db, MDB_txn *txn, const void *payload, size_t len);

#endif
