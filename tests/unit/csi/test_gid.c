/* SPDX-License-Identifier: Apache-2.0 */
/* Group ids: no two alike, however many threads and processes ask; and a list
 * is made once for all who wait for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "csi/gid.h"

enum { THREADS = 40, POINTS_MAX = 1000 };

/* The service: a list of access points. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct efs_point points[POINTS_MAX];
static int n_points, n_lists, pause_ms;
static bool broken;

static void reset(void)
{
	n_points = n_lists = pause_ms = 0;
	broken = false;
}

static void make_point(uint32_t gid, char id[EFS_ID_SIZE])
{
	pthread_mutex_lock(&lock);
	snprintf(points[n_points].id, EFS_ID_SIZE, "fsap-%08d", n_points);
	points[n_points].gid = gid;
	points[n_points].has_user = true;
	if (id != NULL)
		strcpy(id, points[n_points].id);
	n_points++;
	pthread_mutex_unlock(&lock);
}

static void remove_point(const char *id)
{
	pthread_mutex_lock(&lock);
	for (int i = 0; i < n_points; i++)
		if (strcmp(points[i].id, id) == 0)
			points[i].has_user = false;
	pthread_mutex_unlock(&lock);
}

static int list(void *arg, const char *fs, efs_point_fn *each, void *each_arg,
		struct efs_error *err)
{
	struct timespec pause = { .tv_nsec = pause_ms * 1000000L };
	int n;

	pthread_mutex_lock(&lock);
	n_lists++;
	n = n_points;
	pthread_mutex_unlock(&lock);
	nanosleep(&pause, NULL);
	if (broken) {
		strcpy(err->text, "broken");
		return -1;
	}
	for (int i = 0; i < n; i++)
		each(each_arg, &points[i]);
	return 0;
}

static void the_lowest_that_is_free(void **state)
{
	const struct gid_range range = { 100, 103 };
	struct gid_pools pools;
	struct efs_error err;
	uint32_t gid;

	reset();
	gid_pools_init(&pools, list, NULL);
	make_point(100, NULL);
	make_point(102, NULL);
	make_point(5, NULL);
	assert_int_equal(gid_take(&pools, "fs-1", &range, 0, &gid, &err), 0);
	assert_int_equal(gid, 101);
	assert_int_equal(gid_take(&pools, "fs-1", &range, 0, &gid, &err), 0);
	assert_int_equal(gid, 103);
	assert_int_equal(gid_take(&pools, "fs-1", &range, 0, &gid, &err),
			 -ENOSPC);
	/* What is taken there says nothing about another file system. */
	gid_return(&pools, "fs-1", 101);
	assert_int_equal(gid_take(&pools, "fs-1", &range, 3, &gid, &err), 0);
	assert_int_equal(gid, 101);
	gid_return(&pools, "fs-1", 101);
	gid_return(&pools, "fs-1", 103);
	gid_pools_fini(&pools);
}

static void a_list_that_fails(void **state)
{
	const struct gid_range range = { 1, 2 };
	struct gid_pools pools;
	struct efs_error err;
	uint32_t gid;

	reset();
	broken = true;
	gid_pools_init(&pools, list, NULL);
	assert_int_equal(gid_take(&pools, "fs-1", &range, 0, &gid, &err), -EIO);
	assert_string_equal(err.text, "broken");
	broken = false;
	assert_int_equal(gid_take(&pools, "fs-1", &range, 0, &gid, &err), 0);
	broken = true;
	assert_int_equal(gid_is_alone(&pools, "fs-1", gid, "x", &err), -EIO);
	gid_return(&pools, "fs-1", gid);
	gid_pools_fini(&pools);
}

/* ------------------------------------------------------------- many at once */

struct creator {
	struct gid_pools *pools;
	uint32_t gid;
	unsigned tries;
	pthread_t thread;
};

static void *create(void *arg)
{
	static const struct gid_range range = { 1000, 2000 };
	struct creator *c = arg;
	struct efs_error err;
	char id[EFS_ID_SIZE];
	int alone = 0;

	for (; !alone; c->tries++) {
		assert_int_equal(gid_take(c->pools, "fs-1", &range, c->tries,
					  &c->gid, &err),
				 0);
		make_point(c->gid, id);
		alone = gid_is_alone(c->pools, "fs-1", c->gid, id, &err);
		if (!alone)
			remove_point(id);
		gid_return(c->pools, "fs-1", c->gid);
	}
	return NULL;
}

/* Every second of them in another process, as it were. */
static unsigned run(struct gid_pools *pools, unsigned n_pools)
{
	static struct creator creators[THREADS];
	unsigned tries = 0;

	memset(creators, 0, sizeof(creators));
	for (int i = 0; i < THREADS; i++) {
		creators[i].pools = &pools[i % n_pools];
		assert_int_equal(pthread_create(&creators[i].thread, NULL,
						create, &creators[i]),
				 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(creators[i].thread, NULL);
		tries += creators[i].tries;
		for (int j = 0; j < i; j++)
			assert_int_not_equal(creators[i].gid, creators[j].gid);
	}
	return tries;
}

static void threads(void **state)
{
	struct gid_pools pools;

	reset();
	pause_ms = 2;
	gid_pools_init(&pools, list, NULL);
	assert_int_equal(run(&pools, 1), THREADS);
	for (int i = 0; i < n_points; i++)
		assert_in_range(points[i].gid, 1000, 1000 + THREADS - 1);
	/* Two for each, if nobody shared. */
	assert_true(n_lists < THREADS);
	gid_pools_fini(&pools);
}

static void processes(void **state)
{
	struct gid_pools pools[3];

	reset();
	pause_ms = 2;
	for (int i = 0; i < 3; i++)
		gid_pools_init(&pools[i], list, NULL);
	run(pools, 3);
	for (int i = 0; i < 3; i++)
		gid_pools_fini(&pools[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lowest_that_is_free),
		cmocka_unit_test(a_list_that_fails),
		cmocka_unit_test(threads),
		cmocka_unit_test(processes),
	};

	return cmocka_run_group_tests_name("gid", tests, NULL, NULL);
}
