/* SPDX-License-Identifier: Apache-2.0 */
#include "lmdb/env.h"

#include <errno.h>

#include "base/log.h"

/* Read transactions that can exist at once; see lmdb_read_begin(). */
enum { READERS_MAX = 4 * LMDB_READER_SLOTS };

int lmdb_errno(int rc)
{
	switch (rc) {
	case 0:
		return 0;
	case MDB_NOTFOUND:
		return -ENOENT;
	case MDB_KEYEXIST:
		return -EEXIST;
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
		return -ENOSPC;
	case MDB_READERS_FULL:
		return -EAGAIN;
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH:
		return -EINVAL;
	default: /* LMDB's own codes are negative, those of errno positive */
		return rc > 0 ? -rc : -EIO;
	}
}

static int configure(MDB_env *env, const char *directory, size_t map_size,
		     unsigned tables)
{
	int rc = mdb_env_set_mapsize(env, map_size);

	if (rc == 0)
		rc = mdb_env_set_maxdbs(env, tables);
	if (rc == 0)
		rc = mdb_env_set_maxreaders(env, READERS_MAX);
	/* NOTLS: a reader belongs to its transaction, not to a thread. */
	if (rc == 0)
		rc = mdb_env_open(env, directory, MDB_NOTLS | MDB_NORDAHEAD,
				  0600);
	/* Readers of a process that was killed would pin old pages. */
	if (rc == 0)
		rc = mdb_reader_check(env, NULL);
	return rc;
}

int lmdb_env_open(const char *directory, size_t map_size, unsigned tables,
		  MDB_env **out)
{
	MDB_env *env;
	int rc = mdb_env_create(&env);

	if (rc != 0)
		return lmdb_errno(rc);
	rc = configure(env, directory, map_size, tables);
	if (rc != 0) {
		log_error("%s: cannot open: %s", directory, mdb_strerror(rc));
		mdb_env_close(env);
		return lmdb_errno(rc);
	}
	*out = env;
	return 0;
}

void lmdb_readers_init(struct lmdb_readers *r, MDB_env *env)
{
	*r = (struct lmdb_readers){ .env = env };
}

void lmdb_readers_fini(struct lmdb_readers *r)
{
	for (int i = 0; i < LMDB_READER_SLOTS; i++)
		mdb_txn_abort(r->idle[i]); /* NULL is fine */
}

static MDB_txn **own_slot(struct lmdb_readers *r)
{
	static unsigned threads;
	static _Thread_local unsigned number; /* from 1 */

	if (number == 0)
		number = __atomic_add_fetch(&threads, 1, __ATOMIC_RELAXED);
	return &r->idle[number % LMDB_READER_SLOTS];
}

int lmdb_read_begin(struct lmdb_readers *r, MDB_txn **out)
{
	MDB_txn *txn = __atomic_exchange_n(own_slot(r), NULL, __ATOMIC_ACQUIRE);
	int rc;

	if (txn == NULL)
		return lmdb_errno(mdb_txn_begin(r->env, NULL, MDB_RDONLY, out));
	rc = mdb_txn_renew(txn);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return lmdb_errno(rc);
	}
	*out = txn;
	return 0;
}

void lmdb_read_end(struct lmdb_readers *r, MDB_txn *txn)
{
	mdb_txn_reset(txn);
	/* One more is idle when reads of one thread are nested, or when two
	 * threads share a slot. */
	txn = __atomic_exchange_n(own_slot(r), txn, __ATOMIC_ACQ_REL);
	mdb_txn_abort(txn);
}
