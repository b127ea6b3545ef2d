/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a test's body as a task of a reactor of its own, and gives it a
 * directory that is removed afterwards.
 */
#ifndef TESTS_IN_TASK_H
#define TESTS_IN_TASK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/tree.h"
#include "reactor/reactor.h"

struct in_task {
	void (*body)(void *arg);
	void *arg;
	struct reactor *reactor;
};

static void in_task_main(void *arg)
{
	struct in_task *t = arg;

	t->body(t->arg);
	reactor_stop(t->reactor);
}

/* Assertions inside body would jump off the task's stack: use require(). */
static inline void in_task(void (*body)(void *arg), void *arg)
{
	struct in_task t = { .body = body, .arg = arg };

	assert_int_equal(
		reactor_create(&(struct reactor_options){}, &t.reactor), 0);
	assert_int_equal(reactor_spawn(t.reactor, "test", in_task_main, &t), 0);
	reactor_run(t.reactor);
	reactor_destroy(t.reactor);
}

#define require(condition)                                                     \
	do {                                                                   \
		if (!(condition)) {                                            \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__,       \
				__LINE__, #condition);                         \
			abort();                                               \
		}                                                              \
	} while (0)

static inline int make_directory_(void **state)
{
	char template[] = "/tmp/hawser-test-XXXXXX";

	if (mkdtemp(template) == NULL)
		return -1;
	*state = strdup(template);
	return 0;
}

static inline int remove_directory_(void **state)
{
	int r = tree_remove(*state, NULL);

	free(*state);
	return r;
}

/* A case whose *state is the name of a fresh directory. */
#define test_with_directory(fn)                                                \
	cmocka_unit_test_setup_teardown(fn, make_directory_, remove_directory_)

#endif
