/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves that calls from tasks of several reactors at once keep the file system
 * consistent, that nobody reads what somebody else half wrote, that the change
 * attribute never goes back, and that all together keep within a quota.
 */
#include <time.h>

#include "base/rng.h"
#include "fs.h"
#include "fsck.h"

enum { REACTORS = 3, TASKS = 12, STEPS = 250, DIRS = 4, BLOCK = 512 };

struct world {
	const char *directory;
	struct engine *e;
	struct reactor_set *set;
	struct task *main;
	int running; /* atomic */
	uint64_t seed, dirs[DIRS], shared;
	uint64_t seen; /* atomic: greatest change attribute of `shared`, or
			  bytes that were written */
	bool tree;
};

struct worker {
	void (*work)(struct worker *k);
	struct world *w;
	struct rng rng;
	int number;
	uint64_t own; /* a file of its own */
};

static bool is_a_whole_one(int r, const int *expected)
{
	while (*expected != 1 && *expected != r)
		expected++;
	return *expected == r;
}

#define require_one_of(r, ...)                                                 \
	require(is_a_whole_one(r, (const int[]){ 0, ##__VA_ARGS__, 1 }))

static uint64_t any_dir(struct worker *k)
{
	return k->w->dirs[rng_below(&k->rng, DIRS)];
}

static const char *any_name(struct worker *k)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "f" };

	return names[rng_below(&k->rng, ARRAY_SIZE(names))];
}

static void change_names(struct worker *k)
{
	struct engine *e = k->w->e;
	uint32_t mode = rng_below(&k->rng, 3) ? S_IFREG | 0644 : S_IFDIR | 0755;

	switch (rng_below(&k->rng, 4)) {
	case 0:
		require_one_of(fs_make(e, &fs_root, any_dir(k), any_name(k),
				       mode, NULL),
			       -EEXIST);
		break;
	case 1:
		require_one_of(fs_remove(e, &fs_root, any_dir(k), any_name(k)),
			       -ENOENT, -ENOTEMPTY);
		break;
	case 2:
		require_one_of(fs_link(e, &fs_root, k->own, any_dir(k),
				       any_name(k)),
			       -EEXIST);
		break;
	default:
		require_one_of(fs_rename(e, &fs_root, any_dir(k), any_name(k),
					 any_dir(k), any_name(k)),
			       -ENOENT, -ENOTEMPTY, -EISDIR, -ENOTDIR);
	}
}

/* Writes a file that may vanish meanwhile. */
static void write_any(struct worker *k)
{
	uint64_t ino = fs_look(k->w->e, any_dir(k), any_name(k));
	struct engine_node *n;
	char data[6000] = "x";
	struct iovec iov = { data, 1 + rng_below(&k->rng, sizeof(data)) };
	bool eof;
	int r;

	if (ino == 0 || engine_hold(k->w->e, ino, &n) < 0)
		return;
	r = engine_write(n, NULL, &iov, 1, rng_below(&k->rng, 9000),
			 ENGINE_UNSTABLE);
	require_one_of(r, -EISDIR);
	if (r == 0 && rng_below(&k->rng, 2))
		require(engine_commit(n, 0, 0) == 0);
	if (r == 0)
		require(engine_read(n, data, sizeof(data), 0, &eof) > 0);
	engine_release(n);
}

/* Blocks of one letter each: a reader sees whole blocks. */
static void write_shared(struct worker *k, struct engine_node *n)
{
	uint64_t offset = rng_below(&k->rng, 4) * BLOCK;
	char block[BLOCK];
	struct iovec iov = { block, BLOCK };
	bool eof;

	memset(block, 'a' + k->number, BLOCK);
	require(engine_write(n, NULL, &iov, 1, offset, ENGINE_UNSTABLE) == 0);
	if (rng_below(&k->rng, 4) == 0)
		require(engine_commit(n, 0, 0) == 0);
	require(engine_read(n, block, BLOCK, offset, &eof) == BLOCK);
	for (int i = 1; i < BLOCK; i++)
		require(block[i] == block[0]);
}

static void watch_change(struct worker *k)
{
	struct world *w = k->w;
	uint64_t before = __atomic_load_n(&w->seen, __ATOMIC_SEQ_CST);
	uint64_t now = fs_attr(w->e, w->shared).change;

	require(now >= before);
	while (now > before &&
	       !__atomic_compare_exchange_n(&w->seen, &before, now, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
	if (rng_below(&k->rng, 4) == 0)
		require(fs_chmod(w->e, NULL, w->shared, 0600 + k->number) == 0);
}

static void do_anything(struct worker *k)
{
	struct world *w = k->w;
	struct engine_node *n = fs_hold(w->e, w->shared);
	char name[16];

	snprintf(name, sizeof(name), "own%d", k->number);
	k->own = fs_file(w->e, ENGINE_ROOT, name);
	for (int i = 0; i < STEPS; i++) {
		switch (rng_below(&k->rng, 4)) {
		case 0:
			write_any(k);
			break;
		case 1:
			write_shared(k, n);
			break;
		case 2:
			watch_change(k);
			break;
		default:
			change_names(k);
		}
	}
	engine_release(n);
}

/* ------------------------------------------------------------------- quotas */

enum { PIECE = 64 << 10, ROOM = 8 << 20 };

static uint64_t append_until_refused(struct engine_node *n, bool commit)
{
	static char piece[PIECE];
	uint64_t at = 0;

	for (;; at += PIECE) {
		struct iovec iov = { piece, PIECE };
		int r = engine_write(n, &fs_root, &iov, 1, at, ENGINE_UNSTABLE);

		require_one_of(r, -EDQUOT);
		if (r < 0)
			return at;
		if (commit)
			require(engine_commit(n, 0, 0) == 0);
	}
}

static void fill(struct worker *k)
{
	struct world *w = k->w;
	struct engine_node *n;
	char name[16];

	snprintf(name, sizeof(name), "own%d", k->number);
	k->own = fs_file(w->e, w->dirs[0], name);
	n = fs_hold(w->e, k->own);
	__atomic_add_fetch(&w->seen,
			   append_until_refused(n, k->number % 2 == 0),
			   __ATOMIC_RELAXED);
	engine_release(n);
}

/* ------------------------------------------------------------------ conduct */

static void work(void *arg)
{
	struct worker *k = arg;

	k->work(k);
	if (__atomic_sub_fetch(&k->w->running, 1, __ATOMIC_ACQ_REL) == 0)
		task_wake(k->w->main);
}

static void run_workers(struct world *w, void (*task)(struct worker *k))
{
	struct worker *workers = calloc(TASKS, sizeof(*workers));

	w->running = TASKS;
	for (int i = 0; i < TASKS; i++) {
		workers[i] =
			(struct worker){ .work = task, .w = w, .number = i };
		rng_init(&workers[i].rng, w->seed + i);
		require(reactor_spawn(reactor_set_get(w->set, i % REACTORS),
				      "worker", work, &workers[i]) == 0);
	}
	while (__atomic_load_n(&w->running, __ATOMIC_ACQUIRE) > 0)
		task_park(NSEC_NEVER);
	free(workers);
}

static void conduct(void *arg)
{
	struct world *w = arg;
	char name[16];

	w->main = task_self();
	w->e = fs_open(w->directory);
	for (int i = 0; i < DIRS; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		w->dirs[i] = fs_dir(w->e, ENGINE_ROOT, name);
	}
	w->shared = fs_file(w->e, ENGINE_ROOT, "shared");
	run_workers(w, do_anything);
	engine_close(w->e);
	reactor_set_stop(w->set);
}

/* What all of them got written is what fits. */
static void fill_once(struct world *w, uint64_t last)
{
	struct engine_node *n = fs_hold(w->e, last);

	w->seen = 0;
	run_workers(w, fill);
	require(w->seen + append_until_refused(n, false) == ROOM);
	engine_release(n);
	require(fs_truncate(w->e, NULL, last, 0) == 0);
}

/* And what is taken back somebody else may have, as soon as it is free. */
static void remove_all(struct world *w, uint64_t last)
{
	struct engine_node *n = fs_hold(w->e, last);
	char name[16];

	for (int i = 0; i < TASKS; i++) {
		snprintf(name, sizeof(name), "own%d", i);
		require(fs_remove(w->e, NULL, w->dirs[0], name) == 0);
	}
	while (append_until_refused(n, false) < ROOM)
		require(fs_truncate(w->e, NULL, last, 0) == 0);
	engine_release(n);
	require(fs_truncate(w->e, NULL, last, 0) == 0);
}

static void fill_up(void *arg)
{
	struct world *w = arg;
	uint64_t last;

	w->main = task_self();
	w->e = fs_open(w->directory);
	w->dirs[0] = fs_dir(w->e, ENGINE_ROOT, "t");
	last = fs_file(w->e, w->dirs[0], "last");
	if (w->tree)
		require(engine_tree_set(w->e, w->dirs[0], ROOM, 0) == 0);
	else
		require(engine_set_quota(w->e, ROOM, 0) == 0);
	for (int round = 0; round < 5; round++) {
		fill_once(w, last);
		remove_all(w, last);
	}
	engine_close(w->e);
	reactor_set_stop(w->set);
}

static void run(struct world *w, void (*conductor)(void *world))
{
	const char *seed = getenv("SEED");

	w->seed = seed != NULL ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL);
	print_message("SEED=%lu\n", w->seed);
	assert_int_equal(reactor_set_create(REACTORS,
					    &(struct reactor_options){},
					    &w->set),
			 0);
	assert_int_equal(reactor_spawn(reactor_set_get(w->set, 0), "conductor",
				       conductor, w),
			 0);
	reactor_set_run(w->set);
	reactor_set_destroy(w->set);
	assert_true(fsck(w->directory, true));
}

static void calls_of_several_reactors_keep_the_file_system_whole(void **state)
{
	run(&(struct world){ .directory = *state }, conduct);
}

static void writes_at_the_same_time_keep_within_a_quota(void **state)
{
	run(&(struct world){ .directory = *state }, fill_up);
}

static void writes_at_the_same_time_keep_within_a_trees_quota(void **state)
{
	run(&(struct world){ .directory = *state, .tree = true }, fill_up);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(
			calls_of_several_reactors_keep_the_file_system_whole),
		test_with_directory(
			writes_at_the_same_time_keep_within_a_quota),
		test_with_directory(
			writes_at_the_same_time_keep_within_a_trees_quota),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
