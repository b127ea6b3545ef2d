/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves what a restart finds: one owner at a time, held orphans until the end
 * of grace, a change attribute that never comes back, and a format it knows.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/util.h"
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

static struct told crash(const char *directory, void (*child)(void *))
{
	struct told t;
	int fds[2];
	pid_t pid;

	place = directory;
	assert_int_equal(pipe(fds), 0);
	pipe_to_parent = fds[1];
	pid = fork();
	if (pid == 0) {
		in_task(child, NULL);
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
	struct told t = crash(*state, leave);

	in_task(reclaim, &t);
}

/* What a client has cached goes by the change attribute. */
struct reader {
	uint64_t ino, change;
	char seen[20];
};

static struct reader cached(struct engine *e, uint64_t ino)
{
	struct engine_node *n = fs_hold(e, ino);
	struct reader r = { .ino = ino, .change = fs_attr(e, ino).change };
	bool eof;

	require(engine_read(n, r.seen, sizeof(r.seen), 0, &eof) > 0);
	engine_release(n);
	return r;
}

enum { READERS = 8 };

struct tale {
	uint64_t inos[3];
	struct reader readers[READERS];
	int n;
};

static struct tale *tale; /* shared memory */

static void read_all(struct engine *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(tale->inos); i++)
		tale->readers[tale->n++] = cached(e, tale->inos[i]);
}

static void overwrite(void *arg)
{
	static const size_t sizes[] = { 20000, 20000, 5000 };
	static const char *const names[] = { "a", "b", "c" };
	struct engine *e = fs_open(place);
	struct engine_node *n[ARRAY_SIZE(sizes)];
	char *old = calloc(1, sizes[0]);

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		tale->inos[i] = fs_file(e, ENGINE_ROOT, names[i]);
		n[i] = fs_hold(e, tale->inos[i]);
		fs_write(n[i], old, sizes[i], 0);
		require(engine_commit(n[i], 0, 0) == 0);
	}
	read_all(e);
	engine_release(n[0]); /* a clean file, opened anew, … */
	n[0] = fs_hold(e, tale->inos[0]);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		fs_write(n[i], "new", 3, 0); /* … is overwritten */
	/* These are stored with a change attribute beyond the data's. */
	require(fs_chmod(e, NULL, tale->inos[1], 0600) == 0);
	require(fs_chmod(e, NULL, tale->inos[2], 0600) == 0);
	read_all(e);
	require(write(pipe_to_parent, &(struct told){}, sizeof(struct told)) ==
		sizeof(struct told));
	kill(getpid(), SIGKILL);
}

static void compare(void *arg)
{
	struct engine *e = fs_open(place);

	for (int i = 0; i < tale->n; i++) {
		const struct reader *r = &tale->readers[i];
		struct reader now = cached(e, r->ino);

		require(now.change != r->change ||
			memcmp(now.seen, r->seen, sizeof(r->seen)) == 0);
	}
	engine_close(e);
	require(fsck(place, true));
}

static void one_change_attribute_never_stands_for_two_contents(void **state)
{
	tale = mmap(NULL, sizeof(*tale), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	crash(*state, overwrite);
	in_task(compare, NULL);
	munmap(tale, sizeof(*tale));
}

/* Ends with a directory where a backing file should be. */
static void spoil(void *arg)
{
	struct engine *e = fs_open(place);
	struct told t = { .small = fs_file(e, ENGINE_ROOT, "good"),
			  .large = fs_file(e, ENGINE_ROOT, "bad") };
	struct engine_node *n = fs_hold(e, t.large);
	char path[4096];

	fs_write(n, "x", 1, 20000);
	snprintf(path, sizeof(path), "%s/data/%02lx/%lx", place, t.large & 0xff,
		 t.large);
	require(unlink(path) == 0 && mkdir(path, 0700) == 0);
	require(write(pipe_to_parent, &t, sizeof(t)) == sizeof(t));
	kill(getpid(), SIGKILL);
}

static void work_on(void *arg)
{
	struct told *t = arg;
	struct engine *e = fs_open(place);
	struct engine_node *n = fs_hold(e, t->small);

	fs_write(n, "fine", 4, 20000);
	require(engine_commit(n, 0, 0) == 0);
	engine_release(n);
	engine_close(e);
}

static void a_file_that_cannot_be_repaired_costs_only_itself(void **state)
{
	struct told t = crash(*state, spoil);

	in_task(work_on, &t);
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
		test_with_directory(
			one_change_attribute_never_stands_for_two_contents),
		test_with_directory(
			a_file_that_cannot_be_repaired_costs_only_itself),
		test_with_directory(what_is_no_file_system_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
