/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves what the ledger keeps: order, replacement in place, what is below a
 * path, and that changes that are put together are all there or none.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../in_task.h"
#include "control/ledger.h"
#include "store/store.h"

struct fixture {
	const char *directory;
	struct store *store;
	struct ledger *ledger;
};

static void start(struct fixture *f, const char *directory)
{
	char path[256];

	f->directory = directory;
	snprintf(path, sizeof(path), "%s/store", directory);
	require(store_open(path, &f->store) == 0);
	require(ledger_open(f->store, &f->ledger) == 0);
}

static void stop(struct fixture *f)
{
	ledger_close(f->ledger);
	store_close(f->store);
}

static void restart(struct fixture *f)
{
	stop(f);
	start(f, f->directory);
}

static void set(struct fixture *f, const char *path, int value)
{
	ledger_set(f->ledger, "test", path, "set",
		   json_pack("{s:i}", "value", value));
}

/* "a=1 b=2": the last parts of paths. */
static const char *contents(struct fixture *f)
{
	static char text[512];
	struct ledger_entry *e = NULL;
	size_t n = 0;

	text[0] = '\0';
	while ((e = ledger_next(f->ledger, e)) != NULL)
		n += snprintf(text + n, sizeof(text) - n, "%s%s=%d",
			      n ? " " : "", e->path,
			      (int)json_integer_value(
				      json_object_get(e->params, "value")));
	return text;
}

static void require_contents(struct fixture *f, const char *wanted)
{
	require(strcmp(contents(f), wanted) == 0);
	restart(f);
	require(strcmp(contents(f), wanted) == 0);
}

static void order_body(void *arg)
{
	struct fixture f;

	start(&f, arg);
	for (int i = 0; i < 3; i++) {
		char path[] = { 'c' - i, '\0' };

		set(&f, path, i);
		require(ledger_commit(f.ledger) == 0);
	}
	require_contents(&f, "c=0 b=1 a=2");
	set(&f, "c", 7);
	require(ledger_commit(f.ledger) == 0);
	require_contents(&f, "c=7 b=1 a=2");
	ledger_drop(f.ledger, ledger_find(f.ledger, "b"));
	set(&f, "d", 4);
	require(ledger_commit(f.ledger) == 0);
	require_contents(&f, "c=7 a=2 d=4");
	set(&f, "b", 1);
	require(ledger_commit(f.ledger) == 0);
	require_contents(&f, "c=7 a=2 d=4 b=1");
	stop(&f);
}

static void entries_keep_their_order_and_their_place(void **state)
{
	in_task(order_body, *state);
}

static void below_body(void *arg)
{
	struct fixture f;

	start(&f, arg);
	set(&f, "a", 0);
	set(&f, "a\tx", 1);
	set(&f, "ab", 2);
	set(&f, "a\tx\ty", 3);
	require(ledger_commit(f.ledger) == 0);
	ledger_drop_below(f.ledger, "a\tx");
	set(&f, "a\tx", 9); /* instead of being dropped */
	require(ledger_commit(f.ledger) == 0);
	require_contents(&f, "a=0 a\tx=9 ab=2");
	ledger_drop_below(f.ledger, "a");
	require(ledger_commit(f.ledger) == 0);
	require_contents(&f, "ab=2");
	stop(&f);
}

static void what_is_below_goes_along(void **state)
{
	in_task(below_body, *state);
}

/* The second one can't be written. */
static void all_or_none_body(void *arg)
{
	char *huge = malloc(STORE_VALUE_MAX + 1);
	struct fixture f;

	memset(huge, 'x', STORE_VALUE_MAX);
	huge[STORE_VALUE_MAX] = '\0';
	start(&f, arg);
	set(&f, "old", 1);
	require(ledger_commit(f.ledger) == 0);
	set(&f, "new", 2);
	ledger_drop(f.ledger, ledger_find(f.ledger, "old"));
	ledger_set(f.ledger, "test", "huge", "set",
		   json_pack("{s:s}", "value", huge));
	require(ledger_commit(f.ledger) == -EINVAL);
	require_contents(&f, "old=1");
	set(&f, "new", 2);
	require(ledger_commit(f.ledger) == 0);
	require_contents(&f, "old=1 new=2");
	stop(&f);
	free(huge);
}

static void a_change_is_there_wholly_or_not_at_all(void **state)
{
	in_task(all_or_none_body, *state);
}

static void paths_can_not_be_forged(void **state)
{
	char path[LEDGER_PATH_SIZE], longer[LEDGER_PATH_SIZE];

	assert_true(ledger_path(path, "a", "b c", NULL));
	assert_string_equal(path, "a\tb c");
	assert_false(ledger_path(path, "a", "b\tc", NULL));
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_false(ledger_path(path, "a", longer, "b", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(entries_keep_their_order_and_their_place),
		test_with_directory(what_is_below_goes_along),
		test_with_directory(a_change_is_there_wholly_or_not_at_all),
		cmocka_unit_test(paths_can_not_be_forged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
