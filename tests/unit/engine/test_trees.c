/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves that directories are counted and bounded: what is made, written and
 * removed below them, whatever was there before, whoever works there meanwhile,
 * across restarts.  That the sums are right is seen by fsck, too.
 */
#include <sys/statvfs.h>

#include "base/rng.h"
#include "fs.h"
#include "fsck.h"

static struct engine_tree tree_of(struct engine *e, uint64_t dir)
{
	struct engine_tree t;

	require(engine_tree_get(e, dir, &t) == 0);
	return t;
}

static bool holds(struct engine *e, uint64_t dir, uint64_t files,
		  uint64_t bytes)
{
	struct engine_tree t = tree_of(e, dir);

	return t.used_files == files && t.used_bytes == bytes && !t.counting;
}

/* What was removed is freed a moment later. */
static bool comes_to_hold(struct engine *e, uint64_t dir, uint64_t files,
			  uint64_t bytes)
{
	for (int i = 0; i < 2000 && !holds(e, dir, files, bytes); i++)
		task_sleep(MSEC(5));
	return holds(e, dir, files, bytes);
}

static int try_write(struct engine_node *n, uint64_t len, uint64_t offset)
{
	char *data = calloc(1, len);
	struct iovec iov = { data, len };
	int r = engine_write(n, NULL, &iov, 1, offset, ENGINE_UNSTABLE);

	free(data);
	return r;
}

static void finish(struct engine *e, const char *directory)
{
	fs_wait_for_walks(e);
	engine_close(e);
	require(fsck(directory, true));
}

static void counting(void *directory)
{
	struct engine *e = fs_open(directory);
	uint64_t t = fs_dir(e, ENGINE_ROOT, "t"), d, f;
	struct engine_node *n;

	fs_file(e, ENGINE_ROOT, "elsewhere");
	require(engine_tree_set(e, t, 0, 0) == 0);
	require(holds(e, t, 1, 0)); /* itself */
	d = fs_dir(e, t, "d");
	f = fs_file(e, d, "f");
	require(fs_make(e, NULL, d, "l", S_IFLNK | 0777, NULL) == 0);
	require(holds(e, t, 4, 6));
	n = fs_hold(e, f);
	fs_write(n, "12345", 5, 0);
	require(engine_commit(n, 0, 0) == 0 && holds(e, t, 4, 11));
	require(fs_truncate(e, NULL, f, 2) == 0 && holds(e, t, 4, 8));
	require(fs_remove(e, NULL, d, "f") == 0);
	require(holds(e, t, 4, 8)); /* held */
	engine_release(n);
	require(comes_to_hold(e, t, 3, 6));
	engine_close(e);
	e = fs_open(directory);
	require(holds(e, t, 3, 6));
	require(engine_tree_set(e, fs_file(e, d, "f"), 0, 0) == -ENOTDIR);
	require(engine_tree_set(e, 12345, 0, 0) == -ESTALE);
	require(engine_tree_clear(e, d) == -ENOENT);
	finish(e, directory);
}

static void what_is_below_a_directory_is_counted(void **state)
{
	in_task(counting, *state);
}

static void limits(void *directory)
{
	struct engine *e = fs_open(directory);
	uint64_t t = fs_dir(e, ENGINE_ROOT, "t"), small, large;
	struct engine_node *s, *l;

	require(engine_tree_set(e, t, MIB(1), 4) == 0);
	small = fs_file(e, t, "small");
	large = fs_file(e, t, "large");
	fs_dir(e, t, "d");
	require(fs_make(e, NULL, t, "x", S_IFREG, NULL) == -EDQUOT);
	require(fs_make(e, NULL, t, "x", S_IFDIR, NULL) == -EDQUOT);
	fs_file(e, ENGINE_ROOT, "elsewhere");

	s = fs_hold(e, small);
	l = fs_hold(e, large);
	require(try_write(l, KIB(900), 0) == 0);
	require(try_write(l, KIB(200), KIB(900)) == -EDQUOT);
	require(try_write(s, 5000, 0) == 0); /* neither is committed */
	require(try_write(l, KIB(140), KIB(900)) == -EDQUOT);
	require(try_write(l, KIB(900), 0) == 0); /* it is there */
	require(engine_commit(l, 0, 0) == 0 && engine_commit(s, 0, 0) == 0);
	require(try_write(l, KIB(200), KIB(900)) == -EDQUOT);
	require(engine_allocate(l, 0, MIB(2)) == -EDQUOT);
	/* More may be there than may be: it can be written over. */
	require(engine_tree_set(e, t, KIB(100), 0) == 0);
	require(try_write(l, KIB(900), 0) == 0);
	require(try_write(s, 100, 5000) == -EDQUOT);
	require(fs_truncate(e, NULL, small, 6000) == -EDQUOT);
	require(fs_attr(e, small).size == 5000);
	require(fs_truncate(e, NULL, large, 0) == 0);
	require(try_write(s, 100, 5000) == 0);
	fs_file(e, t, "y"); /* files are not limited any more */
	engine_release(s);
	engine_release(l);
	finish(e, directory);
}

static void what_goes_beyond_is_refused(void **state)
{
	in_task(limits, *state);
}

static void statfs(void *directory)
{
	struct engine *e = fs_open(directory);
	uint64_t t = fs_dir(e, ENGINE_ROOT, "t");
	struct engine_statfs all, st;
	struct engine_node *n;

	require(engine_set_quota(e, MIB(100), 1000) == 0);
	require(engine_tree_set(e, t, MIB(10), 20) == 0);
	n = fs_hold(e, fs_file(e, t, "f"));
	require(try_write(n, MIB(4), 0) == 0);
	require(engine_commit(n, 0, 0) == 0);
	engine_release(n);
	require(engine_statfs(e, t, &st) == 0);
	require(st.total_bytes == MIB(10) && st.total_files == 20);
	require(st.avail_bytes == MIB(6) && st.free_files == 18);
	require(engine_statfs(e, 0, &all) == 0);
	require(all.total_bytes == MIB(100) && all.total_files == 1000);
	require(engine_statfs(e, 12345, &st) == 0); /* none: as all */
	require(st.total_bytes == MIB(100));
	finish(e, directory);
}

static void statfs_shows_what_is_left(void **state)
{
	in_task(statfs, *state);
}

static void crossing(void *directory)
{
	struct engine *e = fs_open(directory);
	uint64_t a = fs_dir(e, ENGINE_ROOT, "a"), b, sub, f;

	b = fs_dir(e, ENGINE_ROOT, "b");
	require(engine_tree_set(e, a, 0, 0) == 0);
	sub = fs_dir(e, a, "sub");
	f = fs_file(e, a, "f");
	fs_file(e, b, "g");
	require(fs_rename(e, NULL, a, "f", b, "f") == -EXDEV);
	require(fs_rename(e, NULL, b, "g", a, "g") == -EXDEV);
	require(fs_rename(e, NULL, a, "sub", b, "sub") == -EXDEV);
	require(fs_link(e, NULL, f, b, "f") == -EXDEV);
	require(fs_rename(e, NULL, a, "f", sub, "f") == 0);
	require(fs_link(e, NULL, f, a, "f2") == 0);
	require(holds(e, a, 3, 0));
	/* As a whole it goes wherever its own name may. */
	require(fs_rename(e, NULL, ENGINE_ROOT, "a", b, "a") == 0);
	require(holds(e, a, 3, 0));
	/* One in the other: the inner one counts what is its. */
	require(engine_tree_set(e, b, 0, 0) == 0);
	fs_wait_for_walks(e);
	require(holds(e, a, 3, 0) && holds(e, b, 2, 0)); /* b, g */
	require(fs_rename(e, NULL, b, "a", ENGINE_ROOT, "a") == -EXDEV);
	require(engine_tree_clear(e, a) == 0);
	fs_wait_for_walks(e);
	require(holds(e, b, 5, 0));
	require(fs_rename(e, NULL, sub, "f", b, "f") == 0);
	require(engine_tree_clear(e, b) == 0);
	fs_wait_for_walks(e);
	require(fs_rename(e, NULL, b, "a", ENGINE_ROOT, "a") == 0);
	a = 0;
	require(engine_tree_next(e, &a) == -ENOENT);
	finish(e, directory);
}

static void names_do_not_cross_the_edge(void **state)
{
	in_task(crossing, *state);
}

static void removing(void *directory)
{
	struct engine *e = fs_open(directory);
	uint64_t a = fs_dir(e, ENGINE_ROOT, "a"), f = 0;
	struct engine_node *n;
	struct engine_tree t;

	require(engine_tree_set(e, a, 0, 0) == 0);
	n = fs_hold(e, fs_file(e, a, "f"));
	require(try_write(n, 100, 0) == 0);
	require(fs_remove(e, NULL, a, "f") == 0);
	require(fs_remove(e, NULL, ENGINE_ROOT, "a") == 0);
	require(try_write(n, 200, 0) == 0 && engine_commit(n, 0, 0) == 0);
	require(comes_to_hold(e, a, 1, 200));
	engine_release(n);
	for (int i = 0; i < 2000 && engine_tree_get(e, a, &t) == 0; i++)
		task_sleep(MSEC(5));
	require(engine_tree_get(e, a, &t) == -ENOENT);
	require(engine_tree_next(e, &f) == -ENOENT);
	finish(e, directory);
}

static void a_tree_goes_with_the_last_that_counts_in_it(void **state)
{
	in_task(removing, *state);
}

/* ----------------------------------------------- what was there before --- */

enum { DIRS = 40, FILES = 30 };

static uint64_t grow(struct engine *e, const char *name)
{
	uint64_t top = fs_dir(e, ENGINE_ROOT, name), dir = top;
	char text[16];

	for (int d = 0; d < DIRS; d++) {
		for (int f = 0; f < FILES; f++) {
			snprintf(text, sizeof(text), "f%d", f);
			fs_file(e, dir, text);
		}
		snprintf(text, sizeof(text), "d%d", d);
		dir = fs_dir(e, d % 3 ? dir : top, text); /* deep and wide */
	}
	return top;
}

static void restarting(void *directory)
{
	const uint64_t all = 1 + DIRS + DIRS * FILES;
	struct engine *e = fs_open(directory);
	uint64_t top = grow(e, "top");
	struct engine_node *n = fs_hold(e, fs_look(e, top, "f0"));

	require(try_write(n, 1000, 0) == 0); /* it moves while it is dirty */
	require(engine_tree_set(e, top, 0, 0) == 0);
	fs_wait_for_walks(e);
	require(engine_commit(n, 0, 0) == 0 && holds(e, top, all, 1000));
	engine_release(n);
	require(engine_tree_clear(e, top) == 0);
	require(engine_tree_set(e, top, 0, 0) == 0); /* in the middle of it */
	engine_close(e);
	require(fsck(directory, true));
	e = fs_open(directory);
	require(comes_to_hold(e, top, all, 1000));
	finish(e, directory);
}

static void what_was_there_is_counted_by_the_next_start_if_need_be(void **state)
{
	in_task(restarting, *state);
}

/* One large directory, in which a walk is for a while: files and directories in
 * it change their names meanwhile, and so their place in the order of the walk.
 */
enum { MOVERS = 16, NAMES = 700 };

struct mover {
	struct engine *e;
	uint64_t top, beside;
	struct rng rng;
	unsigned running;
	bool stop;
	struct completion ended;
};

/* f… and d…, or what was one of them. */
static const char *any_name(struct mover *m, char name[16])
{
	snprintf(name, 16, "%c%d", "fdxy"[rng_below(&m->rng, 4)],
		 (int)rng_below(&m->rng, NAMES));
	return name;
}

static void move_one(struct mover *m)
{
	uint64_t to = rng_below(&m->rng, 8) ? m->top : m->beside;
	char from_name[16], to_name[16];
	int r = fs_rename(m->e, NULL, m->top, any_name(m, from_name), to,
			  any_name(m, to_name));

	require(r == 0 || r == -EXDEV || r == -ENOENT || r == -EAGAIN ||
		r == -ENOTEMPTY || r == -EISDIR || r == -ENOTDIR);
	if (r == 0 && to == m->beside) /* so that there is something left */
		fs_rename(m->e, NULL, to, to_name, m->top, from_name);
}

static void mover(void *arg)
{
	struct mover *m = arg;

	while (!m->stop) {
		move_one(m);
		task_yield();
	}
	if (--m->running == 0)
		completion_done(&m->ended, 0);
}

static void moving(void *directory)
{
	struct engine *e = fs_open(directory);
	struct mover m = { .e = e };
	uint64_t all;
	char name[16];

	rng_init(&m.rng, 1);
	completion_init(&m.ended);
	m.top = fs_dir(e, ENGINE_ROOT, "top");
	m.beside = fs_dir(e, m.top, "beside");
	for (int i = 0; i < NAMES; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		fs_file(e, m.top, name);
		snprintf(name, sizeof(name), "d%d", i);
		fs_file(e, fs_dir(e, m.top, name), "f");
	}
	for (; m.running < MOVERS; m.running++)
		require(task_spawn("mover", mover, &m) == 0);
	for (int i = 0; i < 4; i++) {
		require(engine_tree_set(e, m.top, 0, 0) == 0);
		fs_wait_for_walks(e);
		all = tree_of(e, m.top).used_files;
		require(engine_tree_clear(e, m.top) == 0);
		fs_wait_for_walks(e);
	}
	require(all > NAMES);
	require(engine_tree_set(e, m.top, 0, 0) == 0);
	fs_wait_for_walks(e);
	m.stop = true;
	completion_wait(&m.ended);
	finish(e, directory);
}

static void a_walk_misses_nothing_that_moves(void **state)
{
	in_task(moving, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(what_is_below_a_directory_is_counted),
		test_with_directory(what_goes_beyond_is_refused),
		test_with_directory(statfs_shows_what_is_left),
		test_with_directory(names_do_not_cross_the_edge),
		test_with_directory(
			a_tree_goes_with_the_last_that_counts_in_it),
		test_with_directory(
			what_was_there_is_counted_by_the_next_start_if_need_be),
		test_with_directory(a_walk_misses_nothing_that_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
