/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves that holes stay holes, that files grow beyond 4 GiB, and that what is
 * used is counted.
 */
#include "fs.h"
#include "fsck.h"

static const char zeroes[8192];

static void large(void *directory)
{
	const uint64_t far = (5ULL << 30) + 123, size = far + 4;
	struct engine *e = fs_open(directory);
	uint64_t ino = fs_file(e, ENGINE_ROOT, "f");
	struct engine_node *n = fs_hold(e, ino);
	int64_t data;

	fs_write(n, "head", 4, 0);
	fs_write(n, "tail", 4, far);
	require(engine_commit(n, 0, 0) == 0);
	require(fs_attr(e, ino).size == size);
	require(fs_attr(e, ino).space_used < MIB(1));
	require(fs_reads(n, "tail", 4, far));
	require(fs_reads(n, zeroes, sizeof(zeroes), 1ULL << 32));
	require(engine_seek(n, 0, SEEK_DATA) == 0);
	data = engine_seek(n, 1 << 20, SEEK_DATA);
	require(data > 1 << 20 && (uint64_t)data <= far);
	require(engine_seek(n, 0, SEEK_HOLE) < 1 << 20);
	require(engine_seek(n, far, SEEK_HOLE) == (int64_t)size);
	require(engine_seek(n, size, SEEK_DATA) == -ENXIO);
	require(engine_seek(n, 0, 99) == -EINVAL);
	engine_release(n);
	require(fs_truncate(e, NULL, ino, 1ULL << 40) == 0);
	n = fs_hold(e, ino);
	require(fs_reads(n, zeroes, sizeof(zeroes), 1ULL << 39));
	require(engine_seek(n, 1ULL << 39, SEEK_DATA) == -ENXIO);
	require(engine_seek(n, 1ULL << 39, SEEK_HOLE) == 1LL << 39);
	engine_release(n);
	require(fs_truncate(e, NULL, ino, UINT64_MAX) == -EFBIG);
	engine_close(e);
}

static void files_beyond_4_gib_are_sparse(void **state)
{
	in_task(large, *state);
}

static void inline_seek(void *directory)
{
	struct engine *e = fs_open(directory);
	struct engine_node *n = fs_hold(e, fs_file(e, ENGINE_ROOT, "f"));
	struct iovec iov = { (char *)"x", 1 };
	struct engine_node *d = fs_hold(e, ENGINE_ROOT);

	require(engine_seek(n, 0, SEEK_DATA) == -ENXIO);
	fs_write(n, "data", 4, 10);
	require(engine_seek(n, 0, SEEK_DATA) == 0);
	require(engine_seek(n, 3, SEEK_HOLE) == 14);
	require(engine_seek(n, 14, SEEK_HOLE) == -ENXIO);
	require(engine_seek(d, 0, SEEK_DATA) == -EISDIR);
	require(engine_write(d, NULL, &iov, 1, 0, ENGINE_UNSTABLE) == -EISDIR);
	iov = (struct iovec){ (char *)"x", 1 };
	require(engine_write(n, NULL, &iov, 1, INT64_MAX, ENGINE_UNSTABLE) ==
		-EFBIG);
	engine_release(d);
	engine_release(n);
	engine_close(e);
}

static void a_small_file_is_one_extent(void **state)
{
	in_task(inline_seek, *state);
}

static void punch(void *directory)
{
	struct engine *e = fs_open(directory);
	uint64_t ino = fs_file(e, ENGINE_ROOT, "f"), before;
	struct engine_node *n = fs_hold(e, ino);
	char *data = malloc(MIB(1));

	memset(data, 'x', MIB(1));
	fs_write(n, data, MIB(1), 0);
	require(engine_commit(n, 0, 0) == 0);
	before = fs_attr(e, ino).space_used;
	require(before >= MIB(1));
	require(engine_deallocate(n, KIB(256), KIB(512)) == 0);
	require(fs_attr(e, ino).size == MIB(1));
	require(fs_attr(e, ino).space_used <= before - KIB(500));
	require(fs_reads(n, zeroes, sizeof(zeroes), KIB(300)));
	require(engine_seek(n, KIB(256), SEEK_DATA) == (int64_t)KIB(768));
	require(engine_allocate(n, MIB(1), MIB(1)) == 0);
	require(fs_attr(e, ino).size == MIB(2));
	require(fs_attr(e, ino).space_used >= before + KIB(500));
	require(engine_deallocate(n, MIB(4), 1) == 0); /* beyond the end */
	require(engine_allocate(n, 0, 0) == -EINVAL);
	engine_release(n);
	engine_close(e);
	free(data);
}

static void space_is_given_back_and_set_aside(void **state)
{
	in_task(punch, *state);
}

static struct engine_statfs usage(struct engine *e)
{
	struct engine_statfs st;

	require(engine_statfs(e, 0, &st) == 0);
	require(st.total_bytes >= st.free_bytes);
	require(st.free_bytes >= st.avail_bytes && st.avail_bytes > 0);
	return st;
}

static void counting(void *directory)
{
	struct engine *e = fs_open(directory);
	struct engine_node *n;
	uint64_t ino, d;

	require(usage(e).used_files == 1 && usage(e).used_bytes == 0);
	ino = fs_file(e, ENGINE_ROOT, "f");
	d = fs_dir(e, ENGINE_ROOT, "d");
	require(fs_make(e, NULL, d, "l", S_IFLNK | 0777, NULL) == 0);
	require(usage(e).used_files == 4 && usage(e).used_bytes == 6);
	n = fs_hold(e, ino);
	fs_write(n, "12345", 5, 0);
	require(usage(e).used_bytes == 6); /* when it is committed */
	require(engine_commit(n, 0, 0) == 0);
	require(usage(e).used_bytes == 11);
	require(fs_truncate(e, NULL, ino, 2) == 0);
	require(usage(e).used_bytes == 8);
	require(engine_allocate(n, 0, 100000) == 0);
	require(usage(e).used_bytes >= 100000);
	require(fs_remove(e, NULL, ENGINE_ROOT, "f") == 0);
	require(usage(e).used_bytes >= 100000); /* held */
	engine_release(n);
	for (int i = 0; i < 1000 && usage(e).used_files > 3; i++)
		task_sleep(MSEC(5));
	require(usage(e).used_files == 3 && usage(e).used_bytes == 6);
	engine_close(e);
	require(fsck(directory, true));
}

static void usage_follows_what_is_committed(void **state)
{
	in_task(counting, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(files_beyond_4_gib_are_sparse),
		test_with_directory(a_small_file_is_one_extent),
		test_with_directory(space_is_given_back_and_set_aside),
		test_with_directory(usage_follows_what_is_committed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
