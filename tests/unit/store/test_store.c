/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves that what store/ has acknowledged is there afterwards: in the same
 * process, after reopening, and after a kill at any moment.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "../in_task.h"
#include "base/rng.h"
#include "store/store.h"

static struct store *open_or_die(const char *directory)
{
	struct store *s = NULL;

	require(store_open(directory, &s) == 0);
	return s;
}

static void put(struct store *s, const char *kind, const char *key,
		const char *value)
{
	require(store_put(s, kind, key, strlen(key), value, strlen(value)) ==
		0);
}

static bool has(struct store *s, const char *kind, const char *key,
		const char *value)
{
	void *found = NULL;
	ssize_t n = store_get(s, kind, key, strlen(key), &found);
	bool same = n == (ssize_t)strlen(value) && !strcmp(found, value);

	free(found);
	return same;
}

static void reopen(void *directory)
{
	struct store *s = open_or_die(directory);
	void *value;

	put(s, "fs", "a", "one");
	put(s, "fs", "a", "two");
	put(s, "fs", "b", "");
	put(s, "other", "a", "three");
	require(store_delete(s, "fs", "nothing", 7) == 0);
	store_close(s);

	s = open_or_die(directory);
	require(has(s, "fs", "a", "two"));
	require(has(s, "fs", "b", ""));
	require(has(s, "other", "a", "three"));
	require(store_get(s, "fs", "c", 1, &value) == -ENOENT);
	require(store_delete(s, "fs", "a", 1) == 0);
	require(store_get(s, "fs", "a", 1, &value) == -ENOENT);
	require(has(s, "other", "a", "three"));
	store_close(s);
}

static void a_record_is_what_was_put_last_also_after_reopening(void **state)
{
	in_task(reopen, *state);
}

struct walk {
	char seen[64];
	int limit;
};

static bool visit(void *arg, const void *key, size_t key_len, const void *value,
		  size_t value_len)
{
	struct walk *w = arg;

	strncat(w->seen, key, key_len);
	strncat(w->seen, "=", 2);
	strncat(w->seen, value, value_len);
	strncat(w->seen, " ", 2);
	return --w->limit > 0;
}

static void walk_kinds(void *directory)
{
	struct store *s = open_or_die(directory);
	struct walk all = { .limit = 9 }, two = { .limit = 2 },
		    none = { .limit = 9 };

	put(s, "k", "c", "3");
	put(s, "k", "a", "1");
	put(s, "k", "b", "2");
	put(s, "j", "z", "9");
	put(s, "kk", "a", "9");
	put(s, "l", "a", "9");
	require(store_for_each(s, "k", visit, &all) == 0);
	require(strcmp(all.seen, "a=1 b=2 c=3 ") == 0);
	require(store_for_each(s, "k", visit, &two) == 0);
	require(strcmp(two.seen, "a=1 b=2 ") == 0);
	require(store_for_each(s, "m", visit, &none) == 0);
	require(none.seen[0] == '\0');
	store_close(s);
}

static void a_walk_gives_the_records_of_one_kind_in_key_order(void **state)
{
	in_task(walk_kinds, *state);
}

static void bounds(void *directory)
{
	struct store *s = open_or_die(directory);
	char *big = calloc(1, STORE_VALUE_MAX + 1);
	char key[STORE_KEY_MAX + 1] = { 0 };
	void *value;

	require(store_put(s, "k", key, STORE_KEY_MAX, big, STORE_VALUE_MAX) ==
		0);
	require(store_get(s, "k", key, STORE_KEY_MAX, &value) ==
		STORE_VALUE_MAX);
	free(value);
	require(store_put(s, "k", key, STORE_KEY_MAX + 1, big, 1) == -EINVAL);
	require(store_put(s, "k", key, 1, big, STORE_VALUE_MAX + 1) == -EINVAL);
	require(store_put(s, "a-kind-of-more-than-thirty-two-bytes", key, 1,
			  big, 1) == -EINVAL);
	store_close(s);
	free(big);
}

static void what_is_too_long_is_refused(void **state)
{
	in_task(bounds, *state);
}

static void second_owner(void *directory)
{
	struct store *s = open_or_die(directory), *other;

	require(store_open(directory, &other) == -EBUSY);
	store_close(s);
	s = open_or_die(directory);
	store_close(s);
}

static void only_one_has_it_open_at_a_time(void **state)
{
	in_task(second_owner, *state);
}

/* ---------------------------------------------------------------- killed */

/* The child: numbers records from `next` on, and says each on the pipe once it
 * is acknowledged. */
struct writer {
	const char *directory;
	int pipe;
	uint32_t next;
};

static void write_for_ever(void *arg)
{
	struct writer *w = arg;
	struct store *s = open_or_die(w->directory);

	for (uint32_t n = w->next;; n++) {
		require(store_put(s, "n", &n, sizeof(n), &n, sizeof(n)) == 0);
		require(write(w->pipe, &n, sizeof(n)) == sizeof(n));
	}
}

struct check {
	const char *directory;
	uint32_t acknowledged; /* all below it were */
	uint32_t found;
};

static bool count(void *arg, const void *key, size_t key_len, const void *value,
		  size_t value_len)
{
	struct check *c = arg;

	require(key_len == value_len && memcmp(key, value, key_len) == 0);
	c->found++;
	return true;
}

static void check_all(void *arg)
{
	struct check *c = arg;
	struct store *s = open_or_die(c->directory);

	require(store_for_each(s, "n", count, c) == 0);
	for (uint32_t n = 0; n < c->acknowledged; n++) {
		void *value;

		require(store_get(s, "n", &n, sizeof(n), &value) == sizeof(n));
		free(value);
	}
	store_close(s);
}

static uint32_t write_and_kill(const char *directory, uint32_t next,
			       long after_us)
{
	uint32_t n;
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		struct writer w = { directory, fds[1], next };

		in_task(write_for_ever, &w);
		_exit(1);
	}
	close(fds[1]);
	usleep(after_us);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	while (read(fds[0], &n, sizeof(n)) == sizeof(n))
		next = n + 1;
	close(fds[0]);
	return next;
}

static void nothing_acknowledged_is_lost_by_a_kill(void **state)
{
	const char *env = getenv("SEED");
	uint64_t seed = env ? strtoull(env, NULL, 0) : (uint64_t)time(NULL);
	struct check c = { .directory = *state };
	uint32_t next = 0;
	struct rng rng;

	print_message("SEED=%llu\n", (unsigned long long)seed);
	rng_init(&rng, seed);
	for (int round = 0; round < 10; round++) {
		next = write_and_kill(*state, next, rng_below(&rng, 60000));
		c.acknowledged = next;
		c.found = 0;
		in_task(check_all, &c);
		/* The one that was on its way may be there. */
		assert_in_range(c.found, next, next + 1);
		next = c.found;
	}
	assert_true(next > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(
			a_record_is_what_was_put_last_also_after_reopening),
		test_with_directory(
			a_walk_gives_the_records_of_one_kind_in_key_order),
		test_with_directory(what_is_too_long_is_refused),
		test_with_directory(only_one_has_it_open_at_a_time),
		test_with_directory(nothing_acknowledged_is_lost_by_a_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
