/* SPDX-License-Identifier: Apache-2.0 */
#include "worlds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "reactor/sim.h"

static const struct world {
	const char *name;
	enum reactor_backend backend;
	bool simulated;
} worlds[] = {
	{ "epoll", REACTOR_EPOLL },
	{ "uring", REACTOR_URING },
	{ "simulation", .simulated = true },
};

static const struct world *world;
static char dir[64];

enum reactor_backend world_backend(void)
{
	return world->backend;
}

const char *world_dir(void)
{
	return dir;
}

static int try_create(struct reactor **r)
{
	struct reactor_options options = { .backend = world->backend };

	if (world->simulated)
		return reactor_create_sim(1, r);
	return reactor_create(&options, r);
}

struct reactor *world_create(void)
{
	struct reactor *r;

	assert_int_equal(try_create(&r), 0);
	return r;
}

struct run {
	struct reactor *reactor;
	task_fn *body;
	void *arg;
};

static void run_body(void *arg)
{
	struct run *run = arg;

	run->body(run->arg);
	reactor_stop(run->reactor);
}

void in_world(task_fn *body, void *arg)
{
	struct run run = { world_create(), body, arg };

	assert_int_equal(reactor_spawn(run.reactor, "test", run_body, &run), 0);
	reactor_run(run.reactor);
	reactor_destroy(run.reactor);
}

static bool exists(void)
{
	struct reactor *r;
	int err = try_create(&r);

	if (err == 0)
		reactor_destroy(r);
	else
		printf("%s: %s\n", world->name, strerror(-err));
	return err == 0;
}

static int run_suite(const char *suite, const struct CMUnitTest *tests,
		     size_t n, bool simulated)
{
	char name[128], command[128];
	int failed = 0;

	snprintf(dir, sizeof(dir), "/tmp/hawser-test-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(worlds); i++) {
		world = &worlds[i];
		if ((world->simulated && !simulated) || !exists())
			continue;
		snprintf(name, sizeof(name), "%s, %s", suite, world->name);
		failed += _cmocka_run_group_tests(name, tests, n, NULL, NULL);
	}
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) != 0 ? 1 : failed;
}

int run_in_worlds(const char *suite, const struct CMUnitTest *tests, size_t n)
{
	return run_suite(suite, tests, n, true);
}

int run_in_real_worlds(const char *suite, const struct CMUnitTest *tests,
		       size_t n)
{
	return run_suite(suite, tests, n, false);
}
