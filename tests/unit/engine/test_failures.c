/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves what happens when the disk does not take what it is given: calls fail
 * with the reason, nothing half done is visible, and it goes on afterwards.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "fs.h"
#include "fsck.h"
#include "lmdb/journal.h"

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
	limit_files(0);
	require(engine_commit(n, 0, 0) == -EFBIG); /* and this is history */
	limit_files(RLIM_INFINITY);
	require(engine_commit(n, 0, 0) == 0);
	fs_write(n, "after!", 6, 0);
	limit_files(0);
	engine_release(n); /* cannot say that it failed … */
	limit_files(RLIM_INFINITY);
	n = fs_hold(e, f);
	require(engine_commit(n, 0, 0) == -EFBIG); /* … so this does */
	require(engine_losses(e) == 0);
	engine_release(n);
	require(engine_losses(e) == 1);
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

static void spill_fails(void *directory)
{
	struct engine *e = fs_open(directory);
	struct engine_node *n = fs_hold(e, fs_file(e, ENGINE_ROOT, "f"));
	char data[8000] = "small";
	struct iovec iov = { data, sizeof(data) };

	fs_write(n, data, sizeof(data), 0);
	limit_files(4096);
	require(engine_write(n, NULL, &iov, 1, sizeof(data), ENGINE_UNSTABLE) ==
		-EFBIG);
	limit_files(RLIM_INFINITY);
	require(fs_reads(n, data, sizeof(data), 0));
	engine_release(n);
	engine_close(e);
	require(fsck(directory, true));
}

static void a_small_file_that_cannot_grow_stays_small(void **state)
{
	in_task(spill_fails, *state);
}

/* Commits while it is set are refused, and counted. */
static atomic_bool refusing;
static atomic_int refused;

int __real_journal_append(struct journal *j, struct journal_record *record,
			  size_t length);
int __wrap_journal_append(struct journal *j, struct journal_record *record,
			  size_t length);

/* In the place of LMDB's; on a worker thread. */
int __wrap_journal_append(struct journal *j, struct journal_record *record,
			  size_t length)
{
	if (!atomic_load(&refusing))
		return __real_journal_append(j, record, length);
	atomic_fetch_add(&refused, 1);
	return -EFBIG;
}

static struct engine_statfs usage(struct engine *e)
{
	struct engine_statfs st;

	require(engine_statfs(e, 0, &st) == 0);
	return st;
}

static void freeing_fails(void *directory)
{
	struct engine *e = fs_open(directory);
	uint64_t f = fs_file(e, ENGINE_ROOT, "f");
	struct engine_node *n = fs_hold(e, f);

	require(fs_truncate(e, NULL, f, 5000) == 0);
	require(fs_remove(e, NULL, ENGINE_ROOT, "f") == 0);
	atomic_store(&refusing, true);
	engine_release(n); /* now it can be freed */
	while (atomic_load(&refused) == 0)
		task_sleep(MSEC(1));
	require(usage(e).used_files == 2);
	atomic_store(&refusing, false);
	while (usage(e).used_files == 2)
		task_sleep(MSEC(10));
	require(usage(e).used_files == 1 && usage(e).used_bytes == 0);
	engine_close(e);
	require(fsck(directory, true));
}

static void what_could_not_be_freed_is_freed_later(void **state)
{
	in_task(freeing_fails, *state);
}

/* The kernel tells of data that it lost once, to whoever asks first. */
static atomic_int data_lost;

static bool is_backing_file(int fd)
{
	char link[64], path[4096];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	path[MAX(len, 0)] = 0;
	return strstr(path, "/data/") != NULL;
}

static atomic_int flushes; /* of backing files */

/* In place of the C library's. */
int fdatasync(int fd)
{
	bool data = is_backing_file(fd);

	if (data)
		atomic_fetch_add(&flushes, 1);
	if (data && atomic_exchange(&data_lost, 0)) {
		usleep(20000);
		errno = EIO;
		return -1;
	}
	return syscall(SYS_fdatasync, fd);
}

struct committer {
	struct engine_node *node;
	struct completion done;
};

static void commit_too(void *arg)
{
	struct committer *c = arg;

	completion_done(&c->done, engine_commit(c->node, 0, 0));
}

static void two_commits_fail(void *directory)
{
	struct engine *e = fs_open(directory);
	struct engine_node *n = fs_hold(e, fs_file(e, ENGINE_ROOT, "f"));
	struct committer c = { .node = n };

	fs_write(n, "x", 1, MIB(1));
	atomic_store(&data_lost, 1);
	completion_init(&c.done);
	require(task_spawn("commit", commit_too, &c) == 0);
	require(engine_commit(n, 0, 0) == -EIO);
	require(completion_wait(&c.done) == -EIO);
	require(engine_commit(n, 0, 0) == -EIO);
	require(engine_losses(e) == 0);
	engine_release(n);
	require(engine_losses(e) == 1);
	engine_close(e);
}

/* Where a flush is a call of the C library. */
static void in_epoll_task(void (*body)(void *arg), void *arg)
{
	const char *before = getenv("HAWSER_REACTOR");

	setenv("HAWSER_REACTOR", "epoll", 1);
	in_task(body, arg);
	if (before == NULL)
		unsetenv("HAWSER_REACTOR");
}

static void all_commits_are_told_of_lost_data(void **state)
{
	in_epoll_task(two_commits_fail, *state);
}

static void shrink_and_grow(void *directory)
{
	struct engine *e = fs_open(directory);
	uint64_t f = fs_file(e, ENGINE_ROOT, "f");
	struct engine_node *n = fs_hold(e, f);

	/* LMDB is about to say that there is a backing file. */
	fs_write(n, "x", 1, MIB(1));
	atomic_store(&flushes, 0);
	require(fs_truncate(e, NULL, f, 0) == 0);
	require(atomic_load(&flushes) > 0);

	/* LMDB is about to make visible what was cut off, unless the host has
	 * it on disk that it was. */
	fs_write(n, "x", 1, MIB(1));
	require(engine_commit(n, 0, 0) == 0);
	require(fs_truncate(e, NULL, f, 4096) == 0);
	engine_release(n);
	atomic_store(&flushes, 0);
	require(fs_truncate(e, NULL, f, MIB(2)) == 0);
	require(atomic_load(&flushes) > 0);
	engine_close(e);
	require(fsck(directory, true));
}

static void a_size_is_not_on_disk_before_what_it_shows(void **state)
{
	in_epoll_task(shrink_and_grow, *state);
}

/* A disk that has no room left: LMDB's file gets no more blocks than it has,
 * and backing files none at all. */
static atomic_int disk_full;
static _Atomic uint64_t metadata_end; /* of the blocks it has */

static bool is_metadata(int fd)
{
	char link[64], path[4096];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	path[MAX(len, 0)] = 0;
	return strstr(path, "/meta/data.mdb") != NULL;
}

static bool has_no_room(int fd, uint64_t end)
{
	if (!atomic_load(&disk_full) || !is_metadata(fd) ||
	    end <= atomic_load(&metadata_end))
		return false;
	errno = ENOSPC;
	return true;
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
	if (has_no_room(fd, offset + len))
		return -1;
	if (is_metadata(fd))
		atomic_store(&metadata_end, offset + len);
	return syscall(SYS_fallocate, fd, mode, offset, len);
}

/* As LMDB calls it. */
ssize_t pwrite_plain(int fd, const void *buf, size_t n,
		     off_t offset) __asm__("pwrite");
ssize_t pwrite_plain(int fd, const void *buf, size_t n, off_t offset)
{
	if (has_no_room(fd, offset + n))
		return -1;
	return syscall(SYS_pwrite64, fd, buf, n, offset);
}

ssize_t writev(int fd, const struct iovec *iov, int n)
{
	uint64_t end = lseek(fd, 0, SEEK_CUR);

	for (int i = 0; i < n; i++)
		end += iov[i].iov_len;
	if (has_no_room(fd, end))
		return -1;
	return syscall(SYS_writev, fd, iov, n);
}

static void name_of(char name[32], int i)
{
	snprintf(name, 32, "file-%d", i);
}

static int make_small(struct engine *e, const char *name, bool with_data)
{
	char data[4096] = "x";
	struct iovec iov = { data, sizeof(data) };
	struct engine_node *n;
	uint64_t ino = 0;
	int r = fs_make(e, NULL, ENGINE_ROOT, name, S_IFREG | 0644, &ino);

	if (r < 0 || !with_data)
		return r;
	n = fs_hold(e, ino);
	r = engine_write(n, NULL, &iov, 1, 0, ENGINE_UNSTABLE);
	require(engine_commit(n, 0, 0) == 0); /* what was taken, is kept */
	engine_release(n);
	return r;
}

/* Until a name is refused; the data of the last one may be before. */
static int fill_disk(struct engine *e)
{
	char name[32];
	int i = 0, r;

	do {
		name_of(name, i);
		r = make_small(e, name, i % 2 == 0);
		require(r == 0 || r == -ENOSPC);
		i += fs_look(e, ENGINE_ROOT, name) != 0;
	} while (r == 0);
	return i;
}

static void fill_and_empty(void *directory)
{
	struct engine *e = fs_open(directory);
	uint64_t kept = fs_file(e, ENGINE_ROOT, "kept");
	struct engine_node *n = fs_hold(e, kept);
	char more[] = "more";
	struct iovec iov = { more, 4 };
	char name[32];
	int files;

	atomic_store(&disk_full, 1); /* the next allocation is refused */
	files = fill_disk(e);
	require(files > 100);
	require(engine_write(n, NULL, &iov, 1, 0, ENGINE_UNSTABLE) == -ENOSPC);
	require(fs_link(e, NULL, kept, ENGINE_ROOT, "link") == -ENOSPC);
	require(fs_make(e, NULL, ENGINE_ROOT, "kept", S_IFREG, NULL) ==
		-EEXIST);
	/* What needs no room works on … */
	require(fs_chmod(e, NULL, kept, 0600) == 0);
	require(fs_rename(e, NULL, ENGINE_ROOT, "kept", ENGINE_ROOT, "k") == 0);
	/* … and so does what makes some. */
	for (int i = 0; i < files; i++) {
		name_of(name, i);
		require(fs_remove(e, NULL, ENGINE_ROOT, name) == 0);
	}
	atomic_store(&disk_full, 0);
	fs_write(n, "more", 4, 0);
	require(engine_commit(n, 0, 0) == 0);
	fs_file(e, ENGINE_ROOT, "again");
	engine_release(n);
	engine_close(e);
	require(fsck(directory, true));
}

static void a_full_disk_takes_no_names_but_lets_them_go(void **state)
{
	in_task(fill_and_empty, *state);
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
		test_with_directory(a_small_file_that_cannot_grow_stays_small),
		test_with_directory(what_could_not_be_freed_is_freed_later),
		test_with_directory(all_commits_are_told_of_lost_data),
		test_with_directory(a_size_is_not_on_disk_before_what_it_shows),
		test_with_directory(
			a_full_disk_takes_no_names_but_lets_them_go),
	};

	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
