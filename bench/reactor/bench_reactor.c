/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a task costs, and what a reactor costs beside a bare epoll loop.
 *
 *	bench_reactor [--json] [--seconds S]
 *
 * The echo: TCP over loopback, requests of 72 bytes, replies of 4 KiB; "32 x 4"
 * is 32 connections with 4 requests under way on each.  The same client, on a
 * thread and core of its own, for every server.  A server takes as many
 *requests as one recv() brings and answers them with one sendmsg().  The rounds
 *of the servers alternate, the best of each counts.
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/util.h"
#include "echo.h"
#include "reactor/reactor.h"

enum { TASKS = 16, ROUNDS = 7 };

static bool json, first = true;
static double seconds = 0.3;

static nsec now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return nsec_from_timespec(ts);
}

static void report(const char *what, double value, const char *unit)
{
	if (json)
		printf("%s\n  \"%s (%s)\": %.1f", first ? "{" : ",", what, unit,
		       value);
	else
		printf("%-44s %12.1f %s\n", what, value, unit);
	first = false;
	fflush(stdout);
}

/* Tasks */

struct measure {
	struct reactor *reactor;
	task_fn *body;
	clockid_t clock;
	long count; /* of operations */
	nsec took;
};

static atomic_bool time_is_up;

static void *watch_clock(void *arg)
{
	usleep(seconds * 1e6);
	atomic_store(&time_is_up, true);
	return NULL;
}

static void run_measure(void *arg)
{
	struct measure *m = arg;
	nsec start = now(m->clock);

	m->body(m);
	m->took = now(m->clock) - start;
	reactor_stop(m->reactor);
}

/* Nanoseconds for each operation: of the processor, where that does all the
 * work, so that others on this machine do not matter. */
static double measure(clockid_t clock_id, task_fn *body)
{
	struct reactor_options o = { .backend = REACTOR_EPOLL };
	struct measure m = { .body = body, .clock = clock_id };
	pthread_t clock;

	if (reactor_create(&o, &m.reactor) != 0)
		return 0;
	atomic_store(&time_is_up, false);
	pthread_create(&clock, NULL, watch_clock, NULL);
	reactor_spawn(m.reactor, "measure", run_measure, &m);
	reactor_run(m.reactor);
	pthread_join(clock, NULL);
	reactor_destroy(m.reactor);
	return (double)m.took / m.count;
}

static bool goes_on(void)
{
	return !atomic_load_explicit(&time_is_up, memory_order_relaxed);
}

static void yield_until_the_end(void *arg)
{
	struct measure *m = arg;

	while (goes_on()) {
		m->count++;
		task_yield();
	}
}

static void switches(void *arg)
{
	for (int i = 1; i < TASKS; i++)
		task_spawn("yield", yield_until_the_end, arg);
	yield_until_the_end(arg);
	task_yield(); /* the others end */
}

static struct task *sleeper;

static void wake_sleeper(void *arg)
{
	while (goes_on()) {
		task_wake(sleeper);
		task_yield();
	}
}

static void park_and_wake(void *arg)
{
	struct measure *m = arg;

	sleeper = task_self();
	task_spawn("waker", wake_sleeper, NULL);
	while (goes_on()) {
		task_park(reactor_now() + SEC(1));
		m->count++;
	}
	task_yield();
	task_yield();
}

static void end_at_once(void *arg)
{
	(*(long *)arg)++;
}

static void spawns(void *arg)
{
	struct measure *m = arg;

	while (goes_on()) {
		for (int i = 0; i < 16; i++)
			task_spawn("short", end_at_once, &m->count);
		task_yield();
	}
}

static int nothing(void *arg)
{
	return 0;
}

static void offloads(void *arg)
{
	struct measure *m = arg;

	while (goes_on()) {
		offload(nothing, NULL);
		m->count++;
	}
}

static void bench_tasks(void)
{
	report("task switch", measure(CLOCK_THREAD_CPUTIME_ID, switches), "ns");
	report("wake and park, with a deadline",
	       measure(CLOCK_THREAD_CPUTIME_ID, park_and_wake), "ns");
	report("spawn and end", measure(CLOCK_THREAD_CPUTIME_ID, spawns), "ns");
	report("offload and back", measure(CLOCK_MONOTONIC, offloads) / 1000,
	       "us");
}

/* Echo */

static const struct server {
	const char *name;
	echo_server *serve;
} servers[] = {
	{ "bare epoll loop", echo_serve_bare },
	{ "reactor, epoll", echo_serve_epoll },
	{ "reactor, io_uring", echo_serve_uring },
};

static void bench_echo(int connections, int depth)
{
	double best[ARRAY_SIZE(servers)] = {}, rate;
	char what[80];

	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(servers); i++) {
			rate = echo_rate(servers[i].serve, connections, depth,
					 seconds);
			best[i] = MAX(best[i], rate);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(servers); i++) {
		snprintf(what, sizeof(what), "echo %d x %d, %s", connections,
			 depth, servers[i].name);
		report(what, best[i], "/s");
	}
	for (size_t i = 1; i < ARRAY_SIZE(servers); i++) {
		snprintf(what, sizeof(what), "echo %d x %d, %s : bare",
			 connections, depth, servers[i].name);
		report(what, 100 * best[i] / best[0], "%");
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "seconds", required_argument, NULL, 's' },
		{},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'j')
			json = true;
		else if (c == 's' && atof(optarg) > 0)
			seconds = atof(optarg);
		else
			return fprintf(stderr,
				       "usage: %s [--json] "
				       "[--seconds S]\n",
				       argv[0]),
			       2;
	}
	bench_tasks();
	bench_echo(1, 128);
	bench_echo(32, 4);
	bench_echo(1, 1);
	if (json)
		printf("\n}\n");
	return 0;
}
