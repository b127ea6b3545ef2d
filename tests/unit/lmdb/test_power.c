/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves that after a power failure at any moment, in the middle of recovery
 * too, all transactions that were acknowledged are there, and nothing of any
 * that came after them but one, whole.  `SEED=` repeats one of the runs.
 */
#include <errno.h>

#include "../in_task.h"
#include "base/util.h"
#include "disk.h"
#include "lmdb/write.h"

enum { KEYS = 400, CUTS = 60, VALUE_MAX = 9000, TABLES_USED = 2 };

static const char *const tables[] = { "a", "b" };

/* What a table holds: the lengths of values; their bytes follow from these. */
struct state {
	uint32_t lengths[TABLES_USED][KEYS]; /* 0: not there */
};

static void fill_value(char *value, int table, int key, uint32_t len)
{
	struct rng r;

	rng_init(&r, ((uint64_t)table << 40) + ((uint64_t)key << 20) + len);
	for (uint32_t i = 0; i < len; i++)
		value[i] = rng_next(&r);
}

static uint32_t pick_length(struct rng *r)
{
	if (rng_chance(r, 0.3))
		return 0;
	return 1 + rng_below(r, rng_chance(r, 0.1) ? VALUE_MAX : 200);
}

static int change(struct lmdb_write *w, struct rng *r, struct state *s)
{
	int table = rng_below(r, TABLES_USED), key = rng_below(r, KEYS);
	uint32_t *length = &s->lengths[table][key];
	MDB_val k = { sizeof(key), &key };
	char value[VALUE_MAX];
	int rc;

	*length = pick_length(r);
	if (*length == 0) {
		rc = lmdb_del(w, table, k);
		return rc == -ENOENT ? 0 : rc;
	}
	fill_value(value, table, key, *length);
	return lmdb_put(w, table, k, (MDB_val){ *length, value });
}

static void commit(struct lmdb *db, struct rng *r, struct state *s)
{
	struct lmdb_write w;
	int n = 1 + rng_below(r, rng_chance(r, 0.02) ? 200 : 8);

	require(lmdb_write_begin(db, &w) == 0);
	for (int i = 0; i < n; i++)
		require(change(&w, r, s) == 0);
	require(lmdb_write_commit(&w) == 0);
}

static bool holds(struct lmdb *db, MDB_txn *txn, const struct state *s,
		  int table, int key)
{
	uint32_t length = s->lengths[table][key];
	MDB_val k = { sizeof(key), &key }, v;
	int rc = mdb_get(txn, db->tables[table], &k, &v);
	char value[VALUE_MAX];

	if (length == 0)
		return rc == MDB_NOTFOUND;
	fill_value(value, table, key, length);
	return rc == 0 && v.mv_size == length &&
	       memcmp(v.mv_data, value, length) == 0;
}

static bool is_in_state(struct lmdb *db, const struct state *s)
{
	MDB_txn *txn;
	bool yes = true;

	require(lmdb_read_begin(&db->readers, &txn) == 0);
	for (int t = 0; t < TABLES_USED; t++)
		for (int k = 0; k < KEYS && yes; k++)
			yes = holds(db, txn, s, t, k);
	lmdb_read_end(&db->readers, txn);
	return yes;
}

static struct lmdb *must_open(const char *directory)
{
	struct lmdb *db;

	require(lmdb_open(directory, MIB(256), tables, TABLES_USED, &db) == 0);
	return db;
}

/* Of a checkpoint, begin and end stand some commits apart, as in life. */
struct checkpoints {
	bool under_way;
};

static void maybe_checkpoint(struct lmdb *db, struct rng *r,
			     struct checkpoints *c)
{
	if (!rng_chance(r, 0.15))
		return;
	require((c->under_way ? lmdb_checkpoint_end(db)
			      : lmdb_checkpoint_begin(db)) == 0);
	c->under_way = !c->under_way;
}

/* Works until the power is cut: `before` was acknowledged by then, `after` may
 * be there as well. */
static void work(const char *directory, struct rng *r, struct state *before,
		 struct state *after)
{
	struct checkpoints c = {};
	struct lmdb *db;

	disk_watch(directory, r, 1 + rng_below(r, 400));
	db = must_open(directory);
	*after = *before;
	while (!disk_is_cut()) {
		*before = *after;
		commit(db, r, after);
		if (!disk_is_cut()) {
			*before = *after;
			maybe_checkpoint(db, r, &c);
		}
	}
	if (c.under_way)
		lmdb_checkpoint_end(db);
	lmdb_close(db);
	disk_restore();
}

static void run(const char *directory, uint64_t seed)
{
	static struct state before, after;
	struct lmdb *db;
	struct rng r;

	rng_init(&r, seed);
	lmdb_close(must_open(directory));
	memset(&before, 0, sizeof(before));
	for (int i = 0; i < CUTS; i++) {
		work(directory, &r, &before, &after);
		db = must_open(directory);
		if (is_in_state(db, &after))
			before = after;
		else if (!is_in_state(db, &before)) {
			fprintf(stderr, "lost at cut %d, SEED=%lu\n", i, seed);
			abort();
		}
		lmdb_close(db);
	}
}

static void a_power_failure_loses_nothing_acknowledged(void **state)
{
	const char *given = getenv("SEED");
	uint64_t seed = 0;

	if (given == NULL)
		random_bytes(&seed, sizeof(seed));
	run(*state, given != NULL ? strtoull(given, NULL, 10) : seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(a_power_failure_loses_nothing_acknowledged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
