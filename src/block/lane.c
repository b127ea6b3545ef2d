/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lanes: what a device keeps for each reactor.
 */
#include <errno.h>
#include <string.h>

#include "block/driver.h"

enum { CACHE_LINE = 64 };

static void *alloc_lane(size_t size)
{
	void *p;

	size = round_up(size, CACHE_LINE);
	p = aligned_alloc(CACHE_LINE, size);
	if (p != NULL)
		memset(p, 0, size);
	return p;
}

struct block_lane *block_lane_make(struct block_device *d)
{
	struct block_lane *lane = alloc_lane(d->driver->lane_size);

	if (lane == NULL)
		return NULL;
	lane->device = d;
	lane->reactor = reactor_self();
	block_limit_init(lane);
	if (d->driver->lane_init != NULL && d->driver->lane_init(lane) != 0) {
		free(lane);
		return NULL;
	}
	atomic_store_explicit(&d->lanes[reactor_number()], lane,
			      memory_order_release);
	return lane;
}

void block_lanes_destroy(struct block_device *d)
{
	for (int i = 0; i < REACTOR_NUMBERS; i++) {
		struct block_lane *lane = atomic_load(&d->lanes[i]);

		if (lane == NULL)
			continue;
		assert(lane->in_progress == 0);
		if (d->driver->lane_fini != NULL)
			d->driver->lane_fini(lane);
		free(lane);
	}
}

struct errand {
	struct block_lane *lane;
	void (*fn)(struct block_lane *lane);
	struct completion done;
};

static void run_errand(void *arg)
{
	struct errand *e = arg;

	e->fn(e->lane);
	completion_done(&e->done, 0);
}

static int do_one(struct block_lane *lane, void (*fn)(struct block_lane *lane))
{
	struct errand e = { .lane = lane, .fn = fn };
	int err;

	completion_init(&e.done);
	err = reactor_spawn(lane->reactor, "block lane", run_errand, &e);
	return err != 0 ? err : completion_wait(&e.done);
}

int block_lanes_do(struct block_device *d, void (*fn)(struct block_lane *lane))
{
	int err = 0;

	for (int i = 0; i < REACTOR_NUMBERS && err == 0; i++) {
		struct block_lane *lane = atomic_load(&d->lanes[i]);

		if (lane != NULL)
			err = do_one(lane, fn);
	}
	return err;
}

void block_get_stats(const struct block_device *d, struct block_stats *out)
{
	*out = (struct block_stats){ 0 };
	for (int i = 0; i < REACTOR_NUMBERS; i++) {
		struct block_lane *lane = atomic_load_explicit(
			&d->lanes[i], memory_order_acquire);

		if (lane == NULL)
			continue;
		out->errors += lane->counters.errors;
		for (int op = 0; op < BLOCK_OPS; op++) {
			out->ios[op] += lane->counters.ios[op];
			out->bytes[op] += lane->counters.bytes[op];
			out->latency[op] += lane->counters.latency[op];
		}
	}
}
