/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a test in each world: epoll, io_uring and the simulation.  The body of
 * a test is a task; the reactor stops when it returns.
 *
 *	WORLD_TEST(tasks_run_in_the_order_in_which_they_became_ready)
 *	{
 *		task_spawn(…);
 *		…
 *	}
 */
#ifndef TESTS_REACTOR_WORLDS_H
#define TESTS_REACTOR_WORLDS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/addr.h"
#include "reactor/reactor.h"

/* Runs body(arg) as first task of a new reactor of the current world. */
void in_world(task_fn *body, void *arg);
struct reactor *world_create(void);
#define WORLD_TEST(name)                                                       \
	static void name##_(void *arg);                                        \
	static void name(void **state)                                         \
	{                                                                      \
		in_world(name##_, NULL);                                       \
	}                                                                      \
	static void name##_(void *arg)

/* Runs all the tests in all the worlds that this machine has; the second, in
 * those with threads. */
int run_in_worlds(const char *suite, const struct CMUnitTest *tests, size_t n);
int run_in_real_worlds(const char *suite, const struct CMUnitTest *tests,
		       size_t n);
/* What to ask reactor_create() for, in a real world. */
enum reactor_backend world_backend(void);
/* A directory of this test run that exists: on disk, or in the simulation. */
const char *world_dir(void);

#endif
