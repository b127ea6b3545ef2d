/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves what happens when the disk does not take what it is given: calls fail
 * with the reason, nothing half done is visible, and it goes on afterwards.
 */
#include <signal.h>
#include <sys/resource.h>

#include "fs.h"
#include "fsck.h"

/* Every write beyond `bytes` of a file fails with EFBIG. */
static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	require(getrlimit(RLIMIT_FSIZE, &limit) == 0);
	limit.rlim_cur = bytes;
	require(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static void names_fail(void *directory)
{
	struct engine *e = fs_open(directory);
	uint64_t f = fs_file(e, ENGINE_ROOT, "f");
	struct fattr before = fs_attr(e, ENGINE_ROOT), after;

	limit_files(0);
	require(fs_make(e, NULL, ENGINE_ROOT, "g", S_IFREG, NULL) == -EFBIG);
	require(fs_remove(e, NULL, ENGINE_ROOT, "f") == -EFBIG);
	require(fs_chmod(e, NULL, f, 0777) == -EFBIG);
	limit_files(RLIM_INFINITY);
	after = fs_attr(e, ENGINE_ROOT);
	require(memcmp(&before, &after, sizeof(before)) == 0);
	require(fs_look(e, ENGINE_ROOT, "f") == f);
	require(fs_look(e, ENGINE_ROOT, "g") == 0);
	require((fs_attr(e, f).mode & 07777) == 0644);
	fs_file(e, ENGINE_ROOT, "g");
	engine_close(e);
	require(fsck(directory, true));
}

static void a_change_that_cannot_be_written_has_not_happened(void **state)
{
	in_task(names_fail, *state);
}

static void commit_fails(void *directory)
{
	struct engine *e = fs_open(directory);
	uint64_t f = fs_file(e, ENGINE_ROOT, "f");
	struct engine_node *n = fs_hold(e, f);

	fs_write(n, "before", 6, 0);
	require(engine_commit(n, 0, 0) == 0);
	fs_write(n, "after!", 6, 0);
	limit_files(0);
	require(engine_commit(n, 0, 0) == -EFBIG);
	require(fs_truncate(e, NULL, f, 3) == -EFBIG);
	limit_files(RLIM_INFINITY);
	/* Nothing is lost as long as somebody may try again. */
	require(fs_attr(e, f).size == 6);
	require(fs_reads(n, "after!", 6, 0));
	require(engine_commit(n, 0, 0) == 0);
	engine_release(n);
	engine_close(e);
	e = fs_open(directory);
	n = fs_hold(e, f);
	require(fs_reads(n, "after!", 6, 0));
	engine_release(n);
	engine_close(e);
}

static void a_commit_that_failed_can_be_repeated(void **state)
{
	in_task(commit_fails, *state);
}

static void release_fails(void *directory)
{
	struct engine *e = fs_open(directory);
	uint64_t f = fs_file(e, ENGINE_ROOT, "f");
	struct engine_node *n = fs_hold(e, f);

	fs_write(n, "before", 6, 0);
	require(engine_commit(n, 0, 0) == 0);
	fs_write(n, "after!", 6, 0);
	limit_files(0);
	engine_release(n); /* cannot say that it failed … */
	limit_files(RLIM_INFINITY);
	n = fs_hold(e, f);
	require(engine_commit(n, 0, 0) == -EFBIG); /* … so this does */
	engine_release(n);
	n = fs_hold(e, f);
	require(engine_commit(n, 0, 0) == 0);
	require(fs_reads(n, "before", 6, 0));
	engine_release(n);
	engine_close(e);
	require(fsck(directory, true));
}

static void data_lost_at_the_last_release_are_reported_to_the_next_commit(
	void **state)
{
	in_task(release_fails, *state);
}

static void write_fails(void *directory)
{
	struct engine *e = fs_open(directory);
	uint64_t f = fs_file(e, ENGINE_ROOT, "f");
	struct engine_node *n = fs_hold(e, f);
	char *data = calloc(1, MIB(4));
	struct iovec iov = { data, MIB(4) };

	memset(data, 'x', MIB(4));
	fs_write(n, data, MIB(1), 0);
	limit_files(MIB(2));
	require(engine_write(n, NULL, &iov, 1, MIB(1), ENGINE_UNSTABLE) ==
		-EFBIG);
	limit_files(RLIM_INFINITY);
	require(fs_attr(e, f).size == MIB(1));
	/* What part of it was written does not come to light. */
	require(fs_truncate(e, NULL, f, MIB(2)) == 0);
	memset(data, 0, MIB(1));
	require(fs_reads(n, data, MIB(1), MIB(1)));
	engine_release(n);
	engine_close(e);
	free(data);
	require(fsck(directory, true));
}

static void a_write_that_fails_leaves_nothing_behind(void **state)
{
	in_task(write_fails, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(
			a_change_that_cannot_be_written_has_not_happened),
		test_with_directory(a_commit_that_failed_can_be_repeated),
		test_with_directory(
			data_lost_at_the_last_release_are_reported_to_the_next_commit),
		test_with_directory(a_write_that_fails_leaves_nothing_behind),
	};

	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
