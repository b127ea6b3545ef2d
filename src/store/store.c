/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One LMDB table; a record's key is its kind, a NUL and its key, so the records
 * of a kind stand together, in key order.  The directory itself carries the
 * lock that keeps a second process out: it vanishes with the process.
 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "lmdb/env.h"
#include "lmdb/group_commit.h"
#include "reactor/reactor.h"

/* Address space, not memory. */
static const size_t map_size = MIB(1024);

enum { RECORDS };

struct store {
	struct lmdb *db;
	struct group_commit *commits;
	int lock; /* the directory's descriptor */
};

/* ------------------------------------------------------ open and close --- */

struct opening {
	const char *directory;
	struct store *store;
};

static int lock_directory(const char *directory)
{
	int fd;

	if (mkdir(directory, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int error = errno == EWOULDBLOCK ? EBUSY : errno;

		close(fd);
		return -error;
	}
	return fd;
}

/* On a worker thread. */
static int open_files(void *arg)
{
	static const char *const tables[] = { [RECORDS] = "records" };
	struct opening *o = arg;
	struct store *s = o->store;
	int r;

	s->lock = lock_directory(o->directory);
	if (s->lock < 0)
		return s->lock;
	r = lmdb_open(o->directory, map_size, tables, ARRAY_SIZE(tables),
		      &s->db);
	if (r < 0)
		close(s->lock);
	return r;
}

/* On a worker thread. */
static int close_files(void *arg)
{
	struct store *s = arg;

	lmdb_close(s->db);
	close(s->lock);
	return 0;
}

int store_open(const char *directory, struct store **out)
{
	struct store *s = calloc(1, sizeof(*s));
	int r;

	if (s == NULL)
		return -ENOMEM;
	r = offload(open_files, &(struct opening){ directory, s });
	if (r < 0) {
		free(s);
		return r;
	}
	r = group_commit_create(s->db, &s->commits);
	if (r < 0) {
		store_close(s);
		return r;
	}
	*out = s;
	return 0;
}

void store_close(struct store *s)
{
	if (s->commits != NULL)
		group_commit_destroy(s->commits);
	offload(close_files, s);
	free(s);
}

/* ---------------------------------------------------------------- keys --- */

struct record_key {
	size_t len;
	char bytes[STORE_KIND_MAX + 1 + STORE_KEY_MAX];
};

static int key_make(struct record_key *k, const char *kind, const void *key,
		    size_t key_len)
{
	size_t kind_len = strlen(kind);

	if (kind_len > STORE_KIND_MAX || key_len > STORE_KEY_MAX)
		return -EINVAL;
	memcpy(k->bytes, kind, kind_len + 1);
	memcpy(k->bytes + kind_len + 1, key, key_len);
	k->len = kind_len + 1 + key_len;
	return 0;
}

static MDB_val key_val(struct record_key *k)
{
	return (MDB_val){ k->len, k->bytes };
}

/* ------------------------------------------------------------- changes --- */

struct batch {
	const char *kind;
	const struct store_change *changes;
	size_t n;
};

static int change_record(struct lmdb_write *w, const char *kind,
			 const struct store_change *c)
{
	struct record_key k;
	int r;

	key_make(&k, kind, c->key, c->key_len);
	if (c->value != NULL)
		return lmdb_put(w, RECORDS, key_val(&k),
				(MDB_val){ c->value_len, (void *)c->value });
	r = lmdb_del(w, RECORDS, key_val(&k));
	return r == -ENOENT ? 0 : r;
}

static int change_records(struct lmdb_write *w, void *arg)
{
	const struct batch *b = arg;
	int r = 0;

	for (size_t i = 0; i < b->n && r == 0; i++)
		r = change_record(w, b->kind, &b->changes[i]);
	return r < 0 ? group_commit_undo(r) : 0;
}

int store_apply(struct store *s, const char *kind,
		const struct store_change *changes, size_t n)
{
	struct batch b = { kind, changes, n };
	struct record_key k;
	size_t size = 0;

	for (size_t i = 0; i < n; i++) {
		size += sizeof(k) + changes[i].value_len;
		if (changes[i].value_len > STORE_VALUE_MAX ||
		    key_make(&k, kind, changes[i].key, changes[i].key_len) < 0)
			return -EINVAL;
	}
	if (n > 1 && size > LMDB_CHANGE_MAX)
		return -EINVAL;
	return group_commit_run(s->commits, change_records, NULL, &b);
}

int store_put(struct store *s, const char *kind, const void *key,
	      size_t key_len, const void *value, size_t value_len)
{
	struct store_change c = { key, key_len, value, value_len };

	return store_apply(s, kind, &c, 1);
}

int store_delete(struct store *s, const char *kind, const void *key,
		 size_t key_len)
{
	struct store_change c = { .key = key, .key_len = key_len };

	return store_apply(s, kind, &c, 1);
}

/* --------------------------------------------------------------- reads --- */

static ssize_t copy_out(const MDB_val *found, void **value)
{
	char *copy = malloc(found->mv_size + 1);

	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, found->mv_data, found->mv_size);
	copy[found->mv_size] = '\0';
	*value = copy;
	return found->mv_size;
}

ssize_t store_get(struct store *s, const char *kind, const void *key,
		  size_t key_len, void **value)
{
	struct record_key k;
	MDB_val wanted, found;
	MDB_txn *txn;
	ssize_t r;
	int rc;

	if (key_make(&k, kind, key, key_len) < 0)
		return -EINVAL;
	r = lmdb_read_begin(&s->db->readers, &txn);
	if (r < 0)
		return r;
	wanted = key_val(&k);
	rc = mdb_get(txn, s->db->tables[RECORDS], &wanted, &found);
	r = rc ? lmdb_errno(rc) : copy_out(&found, value);
	lmdb_read_end(&s->db->readers, txn);
	return r;
}

/* Walks the records that start with `prefix`. */
static int walk(MDB_cursor *cursor, struct record_key *prefix, store_fn *fn,
		void *arg)
{
	MDB_val key = key_val(prefix), value;
	int rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);

	while (rc == 0 && key.mv_size >= prefix->len &&
	       memcmp(key.mv_data, prefix->bytes, prefix->len) == 0 &&
	       fn(arg, (char *)key.mv_data + prefix->len,
		  key.mv_size - prefix->len, value.mv_data, value.mv_size))
		rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	return rc == MDB_NOTFOUND ? 0 : lmdb_errno(rc);
}

int store_for_each(struct store *s, const char *kind, store_fn *fn, void *arg)
{
	struct record_key prefix;
	MDB_cursor *cursor;
	MDB_txn *txn;
	int r;

	if (key_make(&prefix, kind, "", 0) < 0)
		return -EINVAL;
	r = lmdb_read_begin(&s->db->readers, &txn);
	if (r < 0)
		return r;
	r = lmdb_errno(mdb_cursor_open(txn, s->db->tables[RECORDS], &cursor));
	if (r == 0) {
		r = walk(cursor, &prefix, fn, arg);
		mdb_cursor_close(cursor);
	}
	lmdb_read_end(&s->db->readers, txn);
	return r;
}
