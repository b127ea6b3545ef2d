/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the multipath core costs a request: submit and done, with 32 in flight
 * over 1, 4 and 64 paths, and what a turn of the owner's loop asks (next,
 * deadline).  Best of five rounds, as the machine may be busy.
 */
#include <stdio.h>

#include "base/log.h"
#include "path/path.h"

enum { INFLIGHT = 32, ROUNDS = 5, PER_ROUND = 1000000 };

static nsec clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return nsec_from_timespec(ts);
}

static struct path_group *group_of(const char *policy, unsigned paths)
{
	struct path_options o = { .policy = policy };
	struct path_action a;
	struct path_group *g;
	struct path *p;

	if (path_group_create(&o, &g) < 0)
		abort();
	for (unsigned i = 0; i < paths; i++)
		if (path_add(g, "bench", NULL, 0, &p) < 0)
			abort();
	while (path_group_next(g, 1, &a))
		path_connected(a.path, 1);
	return g;
}

/* One request done, one submitted: returns nanoseconds for the pair. */
static double round_of(struct path_group *g, struct path_request *r)
{
	struct path_action a;
	nsec start, now = 1000;

	for (unsigned i = 0; i < INFLIGHT; i++)
		path_group_submit(g, &r[i], now);
	start = clock_now();
	for (unsigned i = 0; i < PER_ROUND; i++) {
		struct path_request *one = &r[i % INFLIGHT];

		now += 1000;
		path_request_done(g, one, PATH_DONE, 4096, now);
		path_group_submit(g, one, now);
		if (path_group_next(g, now, &a))
			abort(); /* nothing goes wrong here */
	}
	start = clock_now() - start;
	for (unsigned i = 0; i < INFLIGHT; i++)
		path_request_cancel(g, &r[i]);
	return (double)start / PER_ROUND;
}

static double deadline_cost(const struct path_group *g)
{
	nsec sum = 0, start = clock_now();

	for (unsigned i = 0; i < PER_ROUND; i++) {
		sum += path_group_deadline(g) & 1;
		__asm__ volatile("" : "+r"(sum)::"memory");
	}
	return (double)(clock_now() - start) / PER_ROUND;
}

static void bench(const char *policy, unsigned paths)
{
	static struct path_request r[INFLIGHT];
	struct path_group *g = group_of(policy, paths);
	double request = 1e9, deadline = 1e9, t;

	for (unsigned i = 0; i < ROUNDS; i++) {
		t = round_of(g, r);
		request = MIN(request, t);
		t = deadline_cost(g);
		deadline = MIN(deadline, t);
	}
	printf("%-16s %5u %14.1f %14.1f\n", policy, paths, request, deadline);
	path_group_destroy(g);
}

int main(void)
{
	static const char *const policies[] = { "active-passive", "round-robin",
						"queue-depth", "service-time" };
	static const unsigned paths[] = { 1, 4, 64 };

	log_set_level("warn");
	printf("%-16s %5s %14s %14s\n", "policy", "paths", "request (ns)",
	       "deadline (ns)");
	for (unsigned i = 0; i < ARRAY_SIZE(policies); i++)
		for (unsigned j = 0; j < ARRAY_SIZE(paths); j++)
			bench(policies[i], paths[j]);
	return 0;
}
