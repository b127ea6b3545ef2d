/* SPDX-License-Identifier: Apache-2.0 */
#include "lmdb/env.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "lmdb/write.h"

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

/* --------------------------------------------------------- checkpoints --- */

/* Of the journal: far from full, so that nobody waits for the checkpoint. */
enum { DUE = 1 << 20 };

bool lmdb_checkpoint_is_due(const struct lmdb *db)
{
	return journal_used(&db->journal) >= DUE;
}

/* LMDB's two meta pages are the first two of its file. */
static int read_metas(struct lmdb *db)
{
	const size_t size = 2 * db->journal.page;
	mdb_filehandle_t fd;
	int rc = mdb_env_get_fd(db->env, &fd);

	if (rc != 0)
		return lmdb_errno(rc);
	return pread(fd, db->metas, size, 0) == (ssize_t)size ? 0 : -EIO;
}

int lmdb_checkpoint_begin(struct lmdb *db)
{
	int r = lmdb_errno(
		mdb_txn_begin(db->env, NULL, MDB_RDONLY, &db->next_pin));

	if (r < 0)
		return r;
	db->next_place = db->journal.head;
	r = read_metas(db);
	if (r < 0)
		mdb_txn_abort(db->next_pin);
	return r;
}

/* The kernel forgets what it could not write, and the next flush succeeds: so
 * after one that failed there is no checkpoint any more, and no commit. */
static int flush(struct lmdb *db)
{
	int r = lmdb_errno(mdb_env_sync(db->env, 1));

	if (r < 0) {
		log_error("metadata: flush failed, no change is accepted: %s",
			  strerror(-r));
		__atomic_store_n(&db->error, r, __ATOMIC_RELAXED);
	}
	return r;
}

static void move_pin(struct lmdb *db)
{
	mdb_txn_abort(db->pin);
	db->pin = db->next_pin;
}

int lmdb_checkpoint_end(struct lmdb *db)
{
	int r = __atomic_load_n(&db->error, __ATOMIC_RELAXED);

	if (r == 0)
		r = flush(db);
	if (r == 0)
		r = journal_checkpoint(&db->journal, db->next_place, db->metas);
	if (r == 0)
		move_pin(db);
	else
		mdb_txn_abort(db->next_pin);
	return r;
}

/* --------------------------------------------------------------- space --- */

/* Bytes that LMDB's file has at least beyond what is used, and how many are
 * added at a time.  Between two checkpoints LMDB cannot use a page again: so
 * much room do many removals need before the first of them gives some back. */
enum { RESERVE = 16 << 20, ALLOCATION = 8 << 20 };

/* Blocks behind the file's end: they cost no flush, and nobody takes them. */
static int allocate_more(struct lmdb *db)
{
	mdb_filehandle_t fd;
	int rc = mdb_env_get_fd(db->env, &fd);

	if (rc != 0)
		return rc;
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, db->allocated, ALLOCATION) < 0)
		return errno;
	db->allocated += ALLOCATION;
	return 0;
}

static uint64_t used_bytes(struct lmdb *db)
{
	MDB_envinfo info;

	mdb_env_info(db->env, &info); /* fails without environment only */
	return (info.me_last_pgno + 1) * db->journal.page;
}

void lmdb_allocate(struct lmdb *db)
{
	const uint64_t wanted = used_bytes(db) + RESERVE;
	int rc = 0;

	while (rc == 0 && db->allocated < wanted)
		rc = allocate_more(db);
	if (rc == EOPNOTSUPP) { /* a host that has no such thing */
		db->allocated = UINT64_MAX;
		rc = 0;
	}
	if (rc != 0 && !lmdb_is_full(db))
		log_error("metadata: %s: only what makes room is accepted",
			  strerror(rc));
	__atomic_store_n(&db->full, rc != 0, __ATOMIC_RELAXED);
}

/* ------------------------------------------------------ open and close --- */

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
		rc = mdb_env_open(env, directory,
				  MDB_NOTLS | MDB_NORDAHEAD | MDB_NOSYNC, 0600);
	/* Readers of a process that was killed would pin old pages. */
	if (rc == 0)
		rc = mdb_reader_check(env, NULL);
	return rc;
}

static int open_env(struct lmdb *db, const char *directory, size_t map_size)
{
	int rc = mdb_env_create(&db->env);

	if (rc == 0)
		rc = configure(db->env, directory, map_size, db->ntables);
	if (rc != 0)
		log_error("%s: cannot open: %s", directory, mdb_strerror(rc));
	return lmdb_errno(rc);
}

static int open_tables(struct lmdb *db, const char *const names[])
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(db->env, NULL, 0, &txn);

	if (rc != 0)
		return lmdb_errno(rc);
	for (unsigned i = 0; i < db->ntables && rc == 0; i++)
		rc = mdb_dbi_open(txn, names[i], MDB_CREATE, &db->tables[i]);
	if (rc == 0)
		return lmdb_errno(mdb_txn_commit(txn));
	mdb_txn_abort(txn);
	return lmdb_errno(rc);
}

/* Takes LMDB's file back to the checkpoint. */
static int restore(const char *directory, const void *metas, size_t size)
{
	char path[4096];
	int fd, r;

	snprintf(path, sizeof(path), "%s/data.mdb", directory);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0) {
		log_error("%s: %s", path, strerror(errno));
		return -errno;
	}
	r = pwrite(fd, metas, size, 0) == (ssize_t)size ? 0 : -EIO;
	close(fd);
	return r;
}

struct replay {
	struct lmdb *db;
	MDB_txn *txn;
};

static int redo(void *arg, const void *payload, size_t len)
{
	struct replay *replay = arg;

	return lmdb_redo(replay->db, replay->txn, payload, len);
}

static int replay(struct lmdb *db)
{
	struct replay arg = { .db = db };
	int r = lmdb_errno(mdb_txn_begin(db->env, NULL, 0, &arg.txn));

	if (r < 0)
		return r;
	r = journal_replay(&db->journal, redo, &arg);
	if (r == 0)
		return lmdb_errno(mdb_txn_commit(arg.txn));
	mdb_txn_abort(arg.txn);
	return r;
}

/* The file is all there is, and whole: new, or flushed by its last user. */
static int first_checkpoint(struct lmdb *db, const char *path)
{
	MDB_stat stat;
	int r = lmdb_errno(mdb_env_stat(db->env, &stat));

	if (r == 0 && stat.ms_psize > JOURNAL_PAGE_MAX)
		r = -EINVAL;
	db->journal.page = stat.ms_psize;
	if (r == 0)
		r = lmdb_checkpoint_begin(db);
	if (r < 0)
		return r;
	r = flush(db);
	if (r == 0)
		r = journal_create(&db->journal, path, stat.ms_psize,
				   db->metas);
	if (r == 0)
		move_pin(db);
	else
		mdb_txn_abort(db->next_pin);
	return r;
}

/* The pin comes before the first page is written. */
static int recover(struct lmdb *db, const char *const names[])
{
	int r = lmdb_errno(mdb_txn_begin(db->env, NULL, MDB_RDONLY, &db->pin));

	if (r == 0)
		r = open_tables(db, names);
	if (r == 0)
		r = replay(db);
	if (r == 0)
		r = lmdb_checkpoint_begin(db);
	return r < 0 ? r : lmdb_checkpoint_end(db);
}

static int start(struct lmdb *db, const char *directory, size_t map_size,
		 const char *const names[])
{
	char path[4096];
	bool is_new;
	int r;

	snprintf(path, sizeof(path), "%s/journal", directory);
	r = journal_open(&db->journal, path, db->metas);
	is_new = r == -ENOENT;
	if (r == 0)
		r = restore(directory, db->metas, 2 * db->journal.page);
	if (r == 0 || is_new)
		r = open_env(db, directory, map_size);
	if (r == 0 && !is_new)
		return recover(db, names);
	if (r == 0)
		r = open_tables(db, names);
	return r < 0 ? r : first_checkpoint(db, path);
}

static void destroy(struct lmdb *db)
{
	for (int i = 0; i < LMDB_READER_SLOTS; i++)
		mdb_txn_abort(db->readers.idle[i]); /* NULL is fine */
	mdb_txn_abort(db->pin);
	if (db->env != NULL)
		mdb_env_close(db->env);
	journal_close(&db->journal);
	free(db->metas);
	free(db->record);
	free(db);
}

int lmdb_open(const char *directory, size_t map_size, const char *const names[],
	      unsigned ntables, struct lmdb **out)
{
	struct lmdb *db = calloc(1, sizeof(*db));
	int r;

	if (db == NULL)
		return -ENOMEM;
	db->journal.fd = -1;
	db->ntables = ntables;
	db->metas = malloc(2 * JOURNAL_PAGE_MAX);
	db->record = malloc(JOURNAL_RECORD_MAX);
	r = db->metas == NULL || db->record == NULL
		    ? -ENOMEM
		    : start(db, directory, map_size, names);
	if (r < 0) {
		destroy(db);
		return r;
	}
	db->readers.env = db->env;
	db->allocated = used_bytes(db);
	lmdb_allocate(db);
	*out = db;
	return 0;
}

/* With nothing left to repeat, the next start is quick. */
void lmdb_close(struct lmdb *db)
{
	if (journal_used(&db->journal) > 0 && lmdb_checkpoint_begin(db) == 0)
		lmdb_checkpoint_end(db);
	destroy(db);
}

/* ------------------------------------------------------------------ readers
 * --- */

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
