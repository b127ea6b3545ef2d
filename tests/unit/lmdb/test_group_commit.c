/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves that changes asked for at the same time share transactions, that one
 * that fails takes no other with it, and that nothing is acknowledged that did
 * not get to disk.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "../in_task.h"
#include "lmdb/env.h"
#include "lmdb/group_commit.h"

enum { TASKS = 24, ROUNDS = 40, REACTORS = 3 };

struct world {
	const char *directory;
	struct lmdb *db;
	struct group_commit *commits;
	struct reactor_set *set;
	struct task *main;
	int left; /* atomic */
};

static void open_world(struct world *w, size_t map_size)
{
	static const char *const tables[] = { "t" };

	require(lmdb_open(w->directory, map_size, tables, 1, &w->db) == 0);
	require(group_commit_create(w->db, &w->commits) == 0);
}

static void close_world(struct world *w)
{
	group_commit_destroy(w->commits);
	lmdb_close(w->db);
}

/* The value of a key, 0 if there is none. */
static uint64_t value_of(struct world *w, uint64_t key)
{
	MDB_val k = { sizeof(key), &key }, v;
	uint64_t value = 0;
	MDB_txn *txn;

	require(lmdb_read_begin(&w->db->readers, &txn) == 0);
	if (mdb_get(txn, w->db->tables[0], &k, &v) == 0)
		memcpy(&value, v.mv_data, sizeof(value));
	lmdb_read_end(&w->db->readers, txn);
	return value;
}

struct change {
	struct world *w;
	uint64_t key;
	size_t size; /* of the value */
	int result;  /* of the function, after it has changed something */
	int runs, dones, done_result;
};

static int add_one(struct lmdb_write *w, void *arg)
{
	struct change *c = arg;
	MDB_val k = { sizeof(c->key), &c->key }, v;
	uint64_t value = 0;
	char *room = calloc(1, c->size);
	int r;

	c->runs++;
	if (mdb_get(w->txn, w->db->tables[0], &k, &v) == 0)
		memcpy(&value, v.mv_data, sizeof(value));
	value++;
	memcpy(room, &value, sizeof(value));
	v = (MDB_val){ c->size, room };
	r = lmdb_put(w, 0, k, v);
	free(room);
	if (r < 0)
		return group_commit_undo(r);
	return c->result;
}

static void count_done(void *arg, int result)
{
	struct change *c = arg;

	c->dones++;
	c->done_result = result;
}

static int run(struct change *c)
{
	return group_commit_run(c->w->commits, add_one, count_done, c);
}

static int refuse(struct lmdb_write *w, void *arg)
{
	return -EEXIST;
}

static void finished(struct world *w)
{
	if (__atomic_sub_fetch(&w->left, 1, __ATOMIC_ACQ_REL) == 0)
		task_wake(w->main);
}

static void wait_all(struct world *w)
{
	while (__atomic_load_n(&w->left, __ATOMIC_ACQUIRE) > 0)
		task_park(NSEC_NEVER);
}

/* ------------------------------------------------------------- sharing --- */

static void count_up(void *arg)
{
	struct world *w = arg;

	for (int i = 0; i < ROUNDS; i++) {
		struct change c = { .w = w, .key = 1, .size = 8 };
		uint64_t before = value_of(w, 1);

		require(run(&c) == 0 && c.dones == 1 && c.done_result == 0);
		require(value_of(w, 1) > before);
		if (i % 8 == 0)
			require(group_commit_run(w->commits, refuse, NULL,
						 NULL) == -EEXIST);
	}
	finished(w);
}

static uint64_t last_transaction(struct world *w)
{
	MDB_envinfo info;

	mdb_env_info(w->db->env, &info);
	return info.me_last_txnid;
}

static void conduct(void *arg)
{
	struct world *w = arg;
	uint64_t first;

	open_world(w, MIB(64));
	w->main = task_self();
	w->left = TASKS;
	first = last_transaction(w);
	for (int i = 0; i < TASKS; i++)
		require(reactor_spawn(reactor_set_pick(w->set), "counter",
				      count_up, w) == 0);
	wait_all(w);
	require(value_of(w, 1) == TASKS * ROUNDS);
	require(last_transaction(w) - first < TASKS * ROUNDS / 2);
	close_world(w);
	reactor_set_stop(w->set);
}

static void changes_of_several_reactors_share_transactions(void **state)
{
	struct world w = { .directory = *state };

	assert_int_equal(reactor_set_create(
				 REACTORS, &(struct reactor_options){}, &w.set),
			 0);
	assert_int_equal(reactor_spawn(reactor_set_get(w.set, 0), "conductor",
				       conduct, &w),
			 0);
	reactor_set_run(w.set);
	reactor_set_destroy(w.set);
}

/* ------------------------------------------------------------- failing --- */

struct asked {
	struct change c;
	int answer;
};

static void ask(void *arg)
{
	struct asked *a = arg;

	a->answer = run(&a->c);
	finished(a->c.w);
}

/* All in one batch: they are queued before the committer's task runs. */
static void ask_together(struct world *w, struct asked *asked, int n)
{
	w->main = task_self();
	w->left = n;
	for (int i = 0; i < n; i++)
		require(task_spawn("ask", ask, &asked[i]) == 0);
	wait_all(w);
}

static void half_way(void *directory)
{
	struct world w = { .directory = directory };
	struct asked a[5] = {};

	open_world(&w, MIB(64));
	for (int i = 0; i < 5; i++)
		a[i].c = (struct change){ .w = &w, .key = i, .size = 8 };
	a[2].c.result = group_commit_undo(-EDOM);
	ask_together(&w, a, 5);
	for (int i = 0; i < 5; i++) {
		require(a[i].answer == (i == 2 ? -EDOM : 0));
		require(value_of(&w, i) == (i == 2 ? 0 : 1));
		require(a[i].c.dones == 1);
		require(a[i].c.done_result == a[i].answer);
	}
	require(a[0].c.runs == 2); /* once in vain, once alone */
	close_world(&w);
}

static void a_change_that_fails_half_way_takes_no_other_with_it(void **state)
{
	in_task(half_way, *state);
}

static void map_full(void *directory)
{
	struct world w = { .directory = directory };
	struct asked a[3] = {};

	open_world(&w, MIB(1));
	for (int i = 0; i < 3; i++)
		a[i].c = (struct change){ .w = &w, .key = i, .size = 8 };
	a[1].c.size = MIB(2);
	ask_together(&w, a, 3);
	require(a[0].answer == 0 && a[2].answer == 0);
	require(a[1].answer == -ENOSPC);
	require(value_of(&w, 0) == 1 && value_of(&w, 2) == 1);
	close_world(&w);
}

static void what_does_not_fit_is_refused_alone(void **state)
{
	in_task(map_full, *state);
}

/* Every write fails from now on, as on a disk that is full. */
static void set_disk_full(bool full)
{
	static struct rlimit before;
	struct rlimit none;

	if (full) {
		signal(SIGXFSZ, SIG_IGN);
		require(getrlimit(RLIMIT_FSIZE, &before) == 0);
		none = (struct rlimit){ 0, before.rlim_max };
		require(setrlimit(RLIMIT_FSIZE, &none) == 0);
	} else {
		require(setrlimit(RLIMIT_FSIZE, &before) == 0);
	}
}

static void disk_full(void *directory)
{
	struct world w = { .directory = directory };
	struct asked a[3] = {};

	open_world(&w, MIB(64));
	for (int i = 0; i < 3; i++)
		a[i].c = (struct change){ .w = &w, .key = i, .size = 8 };
	set_disk_full(true);
	ask_together(&w, a, 3);
	set_disk_full(false);
	for (int i = 0; i < 3; i++) {
		require(a[i].answer == -EFBIG && a[i].c.dones == 1);
		require(a[i].c.done_result == -EFBIG);
		require(value_of(&w, i) == 0);
	}
	ask_together(&w, a, 3);
	for (int i = 0; i < 3; i++)
		require(a[i].answer == 0 && value_of(&w, i) == 1);
	close_world(&w);
}

static void a_commit_that_fails_acknowledges_nothing(void **state)
{
	in_task(disk_full, *state);
}

/* --------------------------------------------------- the journal goes round */

enum { FAT = 200 << 10, FAT_ROUNDS = 10 };

static void put_fat(void *arg)
{
	struct asked *a = arg;

	for (int i = 0; i < FAT_ROUNDS; i++)
		require(run(&a->c) == 0);
	finished(a->c.w);
}

/* Several times what the journal holds, and more at a time than a record may
 * be. */
static void go_round(void *directory)
{
	struct world w = { .directory = directory };
	struct asked a[TASKS] = {};

	open_world(&w, MIB(1024));
	w.main = task_self();
	w.left = TASKS;
	for (int i = 0; i < TASKS; i++) {
		a[i].c = (struct change){ .w = &w, .key = i, .size = FAT };
		require(task_spawn("fat", put_fat, &a[i]) == 0);
	}
	wait_all(&w);
	require(journal_used(&w.db->journal) < JOURNAL_SIZE);
	close_world(&w);
	open_world(&w, MIB(1024));
	for (int i = 0; i < TASKS; i++)
		require(value_of(&w, i) == FAT_ROUNDS);
	close_world(&w);
}

static void more_than_the_journal_holds_waits_for_checkpoints(void **state)
{
	in_task(go_round, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(
			changes_of_several_reactors_share_transactions),
		test_with_directory(
			a_change_that_fails_half_way_takes_no_other_with_it),
		test_with_directory(what_does_not_fit_is_refused_alone),
		test_with_directory(a_commit_that_fails_acknowledges_nothing),
		test_with_directory(
			more_than_the_journal_holds_waits_for_checkpoints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
