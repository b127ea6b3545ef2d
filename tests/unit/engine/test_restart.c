/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves what a restart finds: one owner at a time, held orphans until the end
 * of grace, a change attribute that never comes back, and a format it knows.
 */
#include <fcntl.h>
#include <sys/wait.h>

#include "fs.h"
#include "fsck.h"

static void two_owners(void *directory)
{
	struct engine *e = fs_open(directory), *other;

	require(engine_open("local", directory, &other) == -EBUSY);
	require(engine_open("remote", directory, &other) == -ENOENT);
	engine_close(e);
	e = fs_open(directory);
	engine_close(e);
}

static void only_one_has_it_open_at_a_time(void **state)
{
	in_task(two_owners, *state);
}

/* A process that ends in the middle, holding files without a name. */
struct told {
	uint64_t small, large, unheld, change;
};

static int pipe_to_parent;
static const char *place;

static void leave(void *arg)
{
	struct engine *e = fs_open(place);
	struct told t = { .small = fs_file(e, ENGINE_ROOT, "small"),
			  .large = fs_file(e, ENGINE_ROOT, "large") };
	struct engine_node *a = fs_hold(e, t.small), *b = fs_hold(e, t.large);
	char data[20000] = "large";

	fs_write(a, "small", 5, 0);
	fs_write(b, data, sizeof(data), 0);
	require(engine_commit(a, 0, 0) == 0 && engine_commit(b, 0, 0) == 0);
	require(fs_remove(e, NULL, ENGINE_ROOT, "small") == 0);
	require(fs_remove(e, NULL, ENGINE_ROOT, "large") == 0);
	fs_write(a, "SMALL", 5, 0); /* never committed */
	t.change = fs_attr(e, t.small).change;
	require(write(pipe_to_parent, &t, sizeof(t)) == sizeof(t));
	_exit(0);
}

static struct told crash(const char *directory)
{
	struct told t;
	int fds[2];
	pid_t pid;

	place = directory;
	assert_int_equal(pipe(fds), 0);
	pipe_to_parent = fds[1];
	pid = fork();
	if (pid == 0) {
		in_task(leave, NULL);
		_exit(1);
	}
	assert_int_equal(read(fds[0], &t, sizeof(t)), sizeof(t));
	waitpid(pid, NULL, 0);
	close(fds[0]);
	close(fds[1]);
	return t;
}

static void reclaim(void *arg)
{
	struct told *t = arg;
	struct engine *e = fs_open(place);
	struct engine_node *a = fs_hold(e, t->small);
	uint64_t removed = fs_file(e, ENGINE_ROOT, "late");
	struct fattr attr;

	require(fs_reads(a, "small", 5, 0));
	require(fs_attr(e, t->small).change < t->change);
	fs_write(a, "x", 1, 0);
	require(fs_attr(e, t->small).change > t->change);
	/* It is not the last release that frees it yet: data are kept. */
	engine_release(a);
	a = fs_hold(e, t->small);
	require(fs_reads(a, "xmall", 5, 0));
	/* Removed during grace: nobody can tell who may still come. */
	require(fs_remove(e, NULL, ENGINE_ROOT, "late") == 0);
	require(engine_getattr(e, removed, &attr) == 0);
	engine_end_grace(e);
	require(engine_getattr(e, removed, &attr) == -ESTALE);
	require(engine_getattr(e, t->large, &attr) == -ESTALE);
	require(fs_reads(a, "xmall", 5, 0));
	engine_release(a);
	require(engine_getattr(e, t->small, &attr) == -ESTALE);
	engine_close(e);
	require(fsck(place, true));
}

static void what_was_held_can_be_held_again_until_grace_ends(void **state)
{
	struct told t = crash(*state);

	in_task(reclaim, &t);
}

static void refuse_other_format(void *directory)
{
	struct engine *e;
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/meta", (char *)directory);
	require(mkdir(path, 0700) == 0);
	strcat(path, "/data.mdb");
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	require(fd >= 0 && ftruncate(fd, 20000) == 0 && close(fd) == 0);
	require(engine_open("local", directory, &e) == -EINVAL);
}

static void what_is_no_file_system_is_refused(void **state)
{
	in_task(refuse_other_format, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(only_one_has_it_open_at_a_time),
		test_with_directory(
			what_was_held_can_be_held_again_until_grace_ends),
		test_with_directory(what_is_no_file_system_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
