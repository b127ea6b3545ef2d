/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves that a listing in parts gives each entry that is there throughout
 * exactly once, whatever comes and goes meanwhile, and that names whose hashes
 * collide stay apart.
 */
#include <lmdb.h>

#include "base/bytes.h"
#include "base/rng.h"
#include "engine/local/schema.h"
#include "fs.h"
#include "fsck.h"
#include "lmdb/write.h"

enum { STAYING = 1500 };

struct listing {
	unsigned char seen[STAYING];
	size_t room;
	uint64_t last;
};

static bool take(void *arg, const struct engine_dirent *d)
{
	struct listing *l = arg;

	if (l->room == 0)
		return false;
	require(d->cookie > l->last && d->cookie > 2 && d->cookie <= INT64_MAX);
	if (d->name[0] == 's')
		l->seen[atoi(strndupa(d->name + 1, d->name_len - 1))]++;
	l->last = d->cookie;
	l->room--;
	return true;
}

static const char *numbered(char buf[16], char kind, int number)
{
	snprintf(buf, 16, "%c%d", kind, number);
	return buf;
}

static void listing_in_parts(void *directory)
{
	struct engine *e = fs_open(directory);
	struct listing *l = calloc(1, sizeof(*l));
	char name[16];
	bool eof = false;
	int comers = 0;

	for (int i = 0; i < STAYING; i++)
		fs_file(e, ENGINE_ROOT, numbered(name, 's', i));
	while (!eof) {
		l->room = 20;
		require(engine_readdir(e, ENGINE_ROOT, l->last, false, take, l,
				       &eof) == 0);
		fs_file(e, ENGINE_ROOT, numbered(name, 'c', comers++));
		if (comers > 3)
			require(fs_remove(e, NULL, ENGINE_ROOT,
					  numbered(name, 'c', comers - 3)) ==
				0);
	}
	for (int i = 0; i < STAYING; i++)
		require(l->seen[i] == 1);
	require(engine_readdir(e, ENGINE_ROOT, INT64_MAX, false, take, l,
			       &eof) == 0 &&
		eof);
	require(engine_readdir(e, ENGINE_ROOT, UINT64_MAX, false, take, l,
			       &eof) == 0 &&
		eof);
	free(l);
	engine_close(e);
}

static void an_entry_that_stays_is_listed_once(void **state)
{
	in_task(listing_in_parts, *state);
}

/* ---------------------------------------------------------- collisions --- */

/* Moves the entry of `name` in the root to the next slot of its hash, and puts
 * what `other` was into the first one: as if both had one hash. */
static void make_collide(const char *directory, const char *name,
			 const char *other)
{
	struct pair_key k1, k2;
	struct format_rec format;
	MDB_val key, value, first, second;
	char path[4096], rec[300], other_rec[300];
	size_t len, other_len;
	uint64_t hash, other_hash;
	struct lmdb_write w;
	struct lmdb *db;
	MDB_dbi *tables;

	snprintf(path, sizeof(path), "%s/meta", directory);
	require(lmdb_open(path, 256ULL << 30, table_names, TABLES, &db) == 0);
	require(lmdb_write_begin(db, &w) == 0);
	tables = db->tables;
	key = (MDB_val){ 6, (void *)"format" };
	require(mdb_get(w.txn, tables[T_SUPER], &key, &value) == 0);
	memcpy(&format, value.mv_data, sizeof(format));

	hash = cookie_first(&format.hash_key, name, strlen(name));
	other_hash = cookie_first(&format.hash_key, other, strlen(other));
	first = pair_key(&k1, ENGINE_ROOT, hash);
	require(mdb_get(w.txn, tables[T_DIRENT], &first, &value) == 0);
	memcpy(rec, value.mv_data, len = value.mv_size);
	second = pair_key(&k2, ENGINE_ROOT, other_hash);
	require(mdb_get(w.txn, tables[T_DIRENT], &second, &value) == 0);
	memcpy(other_rec, value.mv_data, other_len = value.mv_size);
	require(lmdb_del(&w, T_DIRENT, second) == 0);

	value = (MDB_val){ other_len, other_rec };
	require(lmdb_put(&w, T_DIRENT, first, value) == 0);
	second = pair_key(&k2, ENGINE_ROOT, hash + 1);
	value = (MDB_val){ len, rec };
	require(lmdb_put(&w, T_DIRENT, second, value) == 0);
	require(lmdb_write_commit(&w) == 0);
	lmdb_close(db);
}

struct cookies {
	uint64_t cookies[8];
	size_t n;
};

static bool note(void *arg, const struct engine_dirent *d)
{
	struct cookies *c = arg;

	c->cookies[c->n++] = d->cookie;
	return true;
}

static struct cookies list(struct engine *e)
{
	struct cookies c = {};
	bool eof;

	require(engine_readdir(e, ENGINE_ROOT, 0, true, note, &c, &eof) == 0);
	require(eof);
	return c;
}

static void collide(void *directory)
{
	struct engine *e = fs_open(directory);
	uint64_t ino = fs_file(e, ENGINE_ROOT, "name");
	struct cookies c;

	fs_file(e, ENGINE_ROOT, "other");
	engine_close(e);
	make_collide(directory, "name", "other");

	e = fs_open(directory);
	c = list(e);
	require(c.n == 2 && c.cookies[1] == c.cookies[0] + 1);
	require(fs_look(e, ENGINE_ROOT, "name") == ino);
	require(fs_make(e, NULL, ENGINE_ROOT, "name", S_IFREG, NULL) ==
		-EEXIST);
	/* The slot that becomes free is used again; the other stays. */
	require(fs_remove(e, NULL, ENGINE_ROOT, "name") == 0);
	require(fs_look(e, ENGINE_ROOT, "name") == 0);
	ino = fs_file(e, ENGINE_ROOT, "name");
	require(list(e).cookies[1] == c.cookies[1]);
	require(fs_rename(e, NULL, ENGINE_ROOT, "name", ENGINE_ROOT, "x") == 0);
	require(fs_look(e, ENGINE_ROOT, "x") == ino);
	require(fs_rename(e, NULL, ENGINE_ROOT, "x", ENGINE_ROOT, "name") == 0);
	require(list(e).cookies[0] == c.cookies[0]);
	require(list(e).cookies[1] == c.cookies[1]);
	engine_close(e);
}

static void names_of_one_hash_have_cookies_of_their_own(void **state)
{
	in_task(collide, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(an_entry_that_stays_is_listed_once),
		test_with_directory(
			names_of_one_hash_have_cookies_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
