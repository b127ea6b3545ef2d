/* SPDX-License-Identifier: Apache-2.0 */
/* Files: reads see writes, holes, sizes and names behave as on any file
 * system.  The same in each world. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rng.h"
#include "base/util.h"
#include "reactor/file.h"
#include "worlds.h"

static const char *path_of(const char *name)
{
	static char path[4][128];
	static int turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", world_dir(), name);
	return p;
}

static struct file *create(const char *name)
{
	struct file *f;

	assert_int_equal(file_open(path_of(name), O_RDWR | O_CREAT | O_TRUNC,
				   0600, &f),
			 0);
	return f;
}

WORLD_TEST(a_read_sees_what_was_written)
{
	struct file *f = create("f");
	char buf[16];

	assert_int_equal(file_pwrite(f, "hello world", 11, 0), 0);
	assert_int_equal(file_pread(f, buf, 5, 6), 5);
	assert_memory_equal(buf, "world", 5);
	assert_int_equal(file_pread(f, buf, sizeof(buf), 0), 11);
	assert_int_equal(file_pread(f, buf, sizeof(buf), 100), 0);
	assert_int_equal(file_sync(f), 0);
	file_close(f);
}

WORLD_TEST(a_large_write_arrives_whole)
{
	enum { LEN = 3 << 20 };
	char *out = malloc(LEN), *in = malloc(LEN);
	struct file *f = create("f");
	struct iovec iov[3] = { { out, 1000 },
				{ out + 1000, LEN / 2 },
				{ out + 1000 + LEN / 2,
				  LEN - 1000 - LEN / 2 } };
	uint64_t size;

	for (int i = 0; i < LEN; i++)
		out[i] = (char)(i * 13 + (i >> 10));
	assert_int_equal(file_pwritev(f, iov, 3, 12345), 0);
	file_start_writeback(f, 0, LEN);
	assert_int_equal(file_size(f, &size, NULL), 0);
	assert_int_equal(size, LEN + 12345);
	assert_int_equal(file_pread(f, in, LEN, 12345), LEN);
	assert_memory_equal(in, out, LEN);
	file_close(f);
	free(out);
	free(in);
}

WORLD_TEST(holes_read_as_zeroes_and_can_be_found)
{
	uint64_t size, before, after;
	struct file *f = create("f");
	char buf[8], *data = malloc(1 << 20);

	memset(data, 'x', 1 << 20);
	assert_int_equal(file_pwrite(f, data, 1 << 20, 0), 0);
	assert_int_equal(file_pwrite(f, data, 4096, 8 << 20), 0);
	assert_int_equal(file_sync(f), 0);
	assert_int_equal(file_pread(f, buf, 8, 4 << 20), 8);
	assert_memory_equal(buf, "\0\0\0\0\0\0\0\0", 8);
	assert_int_equal(file_seek(f, 0, SEEK_HOLE), 1 << 20);
	assert_int_equal(file_seek(f, 1 << 20, SEEK_DATA), 8 << 20);
	assert_int_equal(file_seek(f, 100 << 20, SEEK_DATA), -ENXIO);
	assert_int_equal(file_size(f, &size, &before), 0);
	assert_int_equal(size, (8 << 20) + 4096);
	assert_true(before >= (1 << 20) + 4096 && before < 8 << 20);
	assert_int_equal(
		file_allocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			      1 << 20),
		0);
	assert_int_equal(file_sync(f), 0);
	assert_int_equal(file_size(f, NULL, &after), 0);
	assert_true(after < before);
	assert_int_equal(file_pread(f, buf, 8, 0), 8);
	assert_memory_equal(buf, "\0\0\0\0\0\0\0\0", 8);
	file_close(f);
	free(data);
}

WORLD_TEST(truncation_and_allocation_set_the_size)
{
	struct file *f = create("f");
	uint64_t size;
	char buf[4];

	assert_int_equal(file_pwrite(f, "abcd", 4, 0), 0);
	assert_int_equal(file_truncate(f, 2), 0);
	assert_int_equal(file_truncate(f, 4), 0);
	assert_int_equal(file_pread(f, buf, 4, 0), 4);
	assert_memory_equal(buf, "ab\0\0", 4);
	assert_int_equal(file_allocate(f, 0, 0, 10000), 0);
	assert_int_equal(file_size(f, &size, NULL), 0);
	assert_int_equal(size, 10000);
	assert_int_equal(file_allocate(f, FALLOC_FL_KEEP_SIZE, 0, 20000), 0);
	assert_int_equal(file_size(f, &size, NULL), 0);
	assert_int_equal(size, 10000);
	file_close(f);
}

WORLD_TEST(names_come_move_and_go)
{
	struct file *f = create("a"), *g;
	char c;

	assert_int_equal(file_pwrite(f, "x", 1, 0), 0);
	assert_int_equal(file_rename(path_of("a"), path_of("b")), 0);
	assert_int_equal(file_open(path_of("a"), O_RDONLY, 0, &g), -ENOENT);
	assert_int_equal(file_open(path_of("b"), O_RDONLY, 0, &g), 0);
	assert_int_equal(file_pread(g, &c, 1, 0), 1);
	file_close(g);
	assert_int_equal(file_unlink(path_of("b")), 1);
	assert_int_equal(file_unlink(path_of("b")), 0);
	assert_int_equal(file_sync_dir(world_dir()), 0);
	assert_int_equal(file_open(path_of("b"), O_RDONLY, 0, &g), -ENOENT);
	/* Open files outlive their names. */
	assert_int_equal(file_pread(f, &c, 1, 0), 1);
	assert_int_equal(c, 'x');
	file_close(f);
	assert_int_equal(file_open(path_of("c"), O_RDWR | O_CREAT | O_EXCL,
				   0600, &f),
			 0);
	assert_int_equal(file_open(path_of("c"), O_RDWR | O_CREAT | O_EXCL,
				   0600, &g),
			 -EEXIST);
	file_close(f);
	assert_int_equal(file_unlink(path_of("c")), 1);
}

/* Random writes by several tasks to their own stretches of one file, checked
 * against a copy in memory. */
enum { STRETCH = 256 << 10, WRITERS = 4 };
static char *copy;
static int writers_done;

struct writing {
	struct file *file;
	int index;
};

static void write_randomly(void *arg)
{
	struct writing *w = arg;
	size_t base = (size_t)w->index * STRETCH;
	struct rng rng;

	rng_init(&rng, w->index);
	for (int i = 0; i < 60; i++) {
		size_t from = rng_below(&rng, STRETCH);
		size_t len = 1 + rng_below(&rng, STRETCH - from);

		memset(copy + base + from, (int)rng_next(&rng), len);
		assert_int_equal(file_pwrite(w->file, copy + base + from, len,
					     base + from),
				 0);
		if (i % 20 == 0)
			assert_int_equal(file_sync(w->file), 0);
	}
	writers_done++;
}

WORLD_TEST(several_tasks_write_one_file)
{
	struct writing writing[WRITERS];
	char *in = malloc(WRITERS * STRETCH);
	struct file *f = create("f");

	copy = calloc(WRITERS, STRETCH);
	writers_done = 0;
	for (int i = 0; i < WRITERS; i++) {
		writing[i] = (struct writing){ f, i };
		task_spawn("writer", write_randomly, &writing[i]);
	}
	while (writers_done < WRITERS)
		task_sleep(MSEC(1));
	assert_int_equal(file_truncate(f, WRITERS * STRETCH), 0);
	assert_int_equal(file_pread(f, in, WRITERS * STRETCH, 0),
			 WRITERS * STRETCH);
	assert_memory_equal(in, copy, WRITERS * STRETCH);
	file_close(f);
	free(in);
	free(copy);
}

static bool enough;

static void say_enough(void *arg)
{
	task_sleep(MSEC(2));
	enough = true;
}

WORLD_TEST(a_task_whose_data_is_always_cached_lets_others_run)
{
	struct file *f = create("f");
	char c;

	assert_int_equal(file_pwrite(f, "x", 1, 0), 0);
	enough = false;
	task_spawn("enough", say_enough, NULL);
	while (!enough)
		assert_int_equal(file_pread(f, &c, 1, 0), 1);
	file_close(f);
}

static atomic_bool disk_is_busy;

/* In place of the C library's: a disk that has too much to do. */
int sync_file_range(int fd, off_t offset, off_t len, unsigned flags)
{
	while (atomic_load(&disk_is_busy))
		usleep(1000);
	return 0;
}

WORLD_TEST(starting_to_write_back_holds_up_nobody)
{
	struct file *f = create("f");

	assert_int_equal(file_pwrite(f, "x", 1, 0), 0);
	atomic_store(&disk_is_busy, true);
	file_start_writeback(f, 0, 1);
	file_start_writeback(f, 0, 1);
	file_close(f);
	atomic_store(&disk_is_busy, false); /* else this is never reached */
}

struct submitted {
	struct file_request request;
	struct task *waiter;
	bool done;
	ssize_t result;
};

static void note_result(struct file_request *q, ssize_t result)
{
	struct submitted *s = container_of(q, struct submitted, request);

	s->done = true;
	s->result = result;
	task_wake(s->waiter);
}

static ssize_t submit(struct submitted *s)
{
	s->waiter = task_self();
	s->done = false;
	s->request.done = note_result;
	file_submit(&s->request);
	assert_false(s->done);
	while (!s->done)
		task_park(NSEC_NEVER);
	return s->result;
}

WORLD_TEST(a_request_without_a_task_reads_and_writes)
{
	char one[] = "hello ", two[] = "world", in[16];
	struct iovec out[2] = { { one, 6 }, { two, 5 } }, into = { in, 16 };
	struct submitted s = { .request = { .call = FILE_WRITE,
					    .durable = true,
					    .file = create("f"),
					    .iov = out,
					    .n = 2,
					    .offset = 100 } };

	assert_int_equal(submit(&s), 11);
	s.request.call = FILE_SYNC;
	assert_int_equal(submit(&s), 0);
	s.request.call = FILE_READ;
	s.request.durable = false;
	s.request.iov = &into;
	s.request.n = 1;
	s.request.offset = 103;
	assert_int_equal(submit(&s), 8);
	assert_memory_equal(in, "lo world", 8);
	s.request.offset = 1000;
	assert_int_equal(submit(&s), 0);
	file_close(s.request.file);
}

WORLD_TEST(who_locks_a_file_keeps_others_out)
{
	struct file *f = create("f"), *g;

	assert_int_equal(file_open(path_of("f"), O_RDWR, 0, &g), 0);
	assert_int_equal(file_lock(f, false), 0);
	assert_int_equal(file_lock(g, false), 0);
	assert_int_equal(file_lock(g, true), -EBUSY);
	file_close(f);
	assert_int_equal(file_lock(g, true), 0);
	assert_int_equal(file_open(path_of("f"), O_RDWR, 0, &f), 0);
	assert_int_equal(file_lock(f, false), -EBUSY);
	file_close(f);
	file_close(g);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_read_sees_what_was_written),
	cmocka_unit_test(a_large_write_arrives_whole),
	cmocka_unit_test(holes_read_as_zeroes_and_can_be_found),
	cmocka_unit_test(truncation_and_allocation_set_the_size),
	cmocka_unit_test(names_come_move_and_go),
	cmocka_unit_test(several_tasks_write_one_file),
	cmocka_unit_test(a_task_whose_data_is_always_cached_lets_others_run),
	cmocka_unit_test(starting_to_write_back_holds_up_nobody),
	cmocka_unit_test(a_request_without_a_task_reads_and_writes),
	cmocka_unit_test(who_locks_a_file_keeps_others_out),
};

int main(void)
{
	return run_in_worlds("files", tests, ARRAY_SIZE(tests));
}
