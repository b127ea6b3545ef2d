/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves what happens to bytes: inline and in backing files, before and after
 * COMMIT, across truncation, holes and reopening.
 */
#include "fs.h"

static void fill(char *buf, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = (char)((i * 31 + seed) >> 3) ^ (char)i;
}

static void small_and_large(void *directory)
{
	static const size_t sizes[] = { 1,    100,   4096,    8176,
					8177, 65536, 1 << 20, 3000001 };
	struct engine *e = fs_open(directory);
	char *data = malloc(4 << 20);
	char name[16];

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct engine_node *n;
		uint64_t ino;

		snprintf(name, sizeof(name), "f%zu", i);
		fill(data, sizes[i], i);
		ino = fs_file(e, ENGINE_ROOT, name);
		n = fs_hold(e, ino);
		fs_write(n, data, sizes[i], 0);
		require(fs_attr(e, ino).size == sizes[i]);
		require(fs_reads(n, data, sizes[i], 0));
		if (i % 2)
			require(engine_commit(n, 0, 0) == 0);
		require(fs_reads(n, data, sizes[i], 0));
		engine_release(n);
	}
	engine_close(e);
	e = fs_open(directory);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct engine_node *n;
		uint64_t ino;

		snprintf(name, sizeof(name), "f%zu", i);
		fill(data, sizes[i], i);
		ino = fs_look(e, ENGINE_ROOT, name);
		require(fs_attr(e, ino).size == sizes[i]);
		require(fs_attr(e, ino).space_used >= sizes[i]);
		n = fs_hold(e, ino);
		require(fs_reads(n, data, sizes[i], 0));
		engine_release(n);
	}
	engine_close(e);
	free(data);
}

static void files_of_all_sizes_are_read_as_written(void **state)
{
	in_task(small_and_large, *state);
}

static void grow_and_shrink(void *directory)
{
	static const char zeroes[20000];
	struct engine *e = fs_open(directory);
	uint64_t ino = fs_file(e, ENGINE_ROOT, "f");
	struct engine_node *n = fs_hold(e, ino);
	char data[10000];

	fill(data, sizeof(data), 7);
	fs_write(n, data, 3000, 0);
	require(fs_truncate(e, NULL, ino, 1000) == 0);
	require(fs_truncate(e, NULL, ino, 4000) == 0);
	require(fs_reads(n, data, 1000, 0));
	require(fs_reads(n, zeroes, 3000, 1000));
	/* Out of the metadata, into a file, and short again. */
	require(fs_truncate(e, NULL, ino, 20000) == 0);
	require(fs_reads(n, data, 1000, 0));
	require(fs_reads(n, zeroes, 19000, 1000));
	fs_write(n, data, 10000, 10000);
	require(fs_truncate(e, NULL, ino, 10001) == 0);
	require(fs_truncate(e, NULL, ino, 20000) == 0);
	require(fs_reads(n, data, 1, 10000));
	require(fs_reads(n, zeroes, 9999, 10001));
	fs_write(n, data, 10, 50000);
	engine_release(n);
	engine_close(e);

	e = fs_open(directory);
	n = fs_hold(e, ino);
	require(fs_attr(e, ino).size == 50010);
	require(fs_reads(n, zeroes, 9000, 1000));
	require(fs_reads(n, zeroes, 20000, 30000));
	require(fs_reads(n, data, 10, 50000));
	engine_release(n);
	engine_close(e);
}

static void what_was_cut_off_reads_as_zeroes_when_it_grows(void **state)
{
	in_task(grow_and_shrink, *state);
}

static void unlinked(void *directory)
{
	struct engine *e = fs_open(directory);
	uint64_t small = fs_file(e, ENGINE_ROOT, "small");
	uint64_t large = fs_file(e, ENGINE_ROOT, "large");
	struct engine_node *a = fs_hold(e, small), *b = fs_hold(e, large);
	struct engine_statfs st;
	struct fattr attr;
	char data[9000];

	fill(data, sizeof(data), 3);
	fs_write(a, data, 100, 0);
	fs_write(b, data, 9000, 0);
	require(fs_remove(e, NULL, ENGINE_ROOT, "small") == 0);
	require(fs_remove(e, NULL, ENGINE_ROOT, "large") == 0);
	require(fs_attr(e, small).nlink == 0);
	require(fs_reads(a, data, 100, 0));
	require(fs_reads(b, data, 9000, 0));
	require(engine_commit(b, 0, 0) == 0);
	require(fs_link(e, NULL, large, ENGINE_ROOT, "again") == -ENOENT);
	engine_release(a);
	engine_release(b);
	require(engine_getattr(e, small, &attr) == -ESTALE);
	require(engine_getattr(e, large, &attr) == -ESTALE);
	engine_close(e);
	e = fs_open(directory);
	require(engine_statfs(e, 0, &st) == 0);
	require(st.used_files == 1 && st.used_bytes == 0);
	engine_close(e);
}

static void an_unlinked_file_lives_as_long_as_it_is_held(void **state)
{
	in_task(unlinked, *state);
}

/* ------------------------------------------------- bounded memory --- */

enum {
	WRITERS = 64,
	EACH = 140,
	SMALL = 8000
}; /* 70 MB, 73 as they are kept */

struct writers {
	struct engine *e;
	struct task *main;
	int next, left;
	struct engine_node *nodes[WRITERS * EACH];
};

static void write_many(void *arg)
{
	struct writers *w = arg;
	int first = w->next++ * EACH;
	char name[16], data[SMALL] = "x";

	for (int i = first; i < first + EACH; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		w->nodes[i] = fs_hold(w->e, fs_file(w->e, ENGINE_ROOT, name));
		fs_write(w->nodes[i], data, SMALL, 0);
	}
	if (--w->left == 0)
		task_wake(w->main);
}

static void release_many(void *arg)
{
	struct writers *w = arg;
	int first = w->next++ * EACH;

	for (int i = first; i < first + EACH; i++)
		engine_release(w->nodes[i]);
	if (--w->left == 0)
		task_wake(w->main);
}

static void many_small(void *directory)
{
	struct writers *w = calloc(1, sizeof(*w));
	struct engine_statfs st;

	w->e = fs_open(directory);
	w->main = task_self();
	w->left = WRITERS;
	for (int i = 0; i < WRITERS; i++)
		require(task_spawn("writer", write_many, w) == 0);
	while (w->left > 0)
		task_park(NSEC_NEVER);
	require(engine_statfs(w->e, 0, &st) == 0);
	/* Nobody asked for a commit: what is on disk is what did not fit. */
	require(st.used_bytes > MIB(2) && st.used_bytes < MIB(16));
	w->next = 0;
	w->left = WRITERS;
	for (int i = 0; i < WRITERS; i++)
		require(task_spawn("releaser", release_many, w) == 0);
	while (w->left > 0)
		task_park(NSEC_NEVER);
	require(engine_statfs(w->e, 0, &st) == 0);
	require(st.used_bytes == (uint64_t)WRITERS * EACH * SMALL);
	engine_close(w->e);
	free(w);
}

static void small_files_that_wait_for_a_commit_take_bounded_memory(void **state)
{
	in_task(many_small, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(files_of_all_sizes_are_read_as_written),
		test_with_directory(
			what_was_cut_off_reads_as_zeroes_when_it_grows),
		test_with_directory(
			an_unlinked_file_lives_as_long_as_it_is_held),
		test_with_directory(
			small_files_that_wait_for_a_commit_take_bounded_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
