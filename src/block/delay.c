/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DELAY: requests wait before they reach the base.  So one that is cancelled
 * while it waits has certainly not been written; and what is written late, as a
 * slow disk would, can be made as late as a test needs it.
 *
 * A lane has a queue for each of the four times, in order of what is due, and
 * one timer for the first of all.
 */
#include <errno.h>

#include "base/rng.h"
#include "block/driver.h"

enum delay_time { AVG_READ, P99_READ, AVG_WRITE, P99_WRITE, DELAY_TIMES };

struct delay_device {
	struct block_device device;
	_Atomic nsec times[DELAY_TIMES];
};

struct delay_lane {
	struct block_lane lane;
	struct rng rng;
	struct list held[DELAY_TIMES]; /* requests */
	struct timer timer;
};

static struct delay_lane *lane_of(struct block_lane *lane)
{
	return container_of(lane, struct delay_lane, lane);
}

static nsec *due(struct block_request *r)
{
	return (nsec *)&block_frame(r)->private[0];
}

static struct block_request *first_held(struct delay_lane *l,
					enum delay_time time)
{
	return list_first(&l->held[time], struct block_request, link);
}

static void set_timer(struct delay_lane *l)
{
	nsec first = NSEC_NEVER;

	for (int i = 0; i < DELAY_TIMES; i++)
		if (!list_empty(&l->held[i]))
			first = MIN(first, *due(first_held(l, i)));
	if (first != NSEC_NEVER)
		reactor_timer_set(&l->timer, first);
	else
		reactor_timer_cancel(&l->timer);
}

static void go_on(struct delay_lane *l, struct block_request *r)
{
	r->done = block_complete;
	block_forward(l->lane.device->base, r);
}

static void release_due(struct timer *t)
{
	struct delay_lane *l = container_of(t, struct delay_lane, timer);
	struct block_request *r;

	for (int i = 0; i < DELAY_TIMES; i++)
		while ((r = first_held(l, i)) != NULL &&
		       *due(r) <= reactor_now()) {
			list_del(&r->link);
			go_on(l, r);
		}
	set_timer(l);
}

/* Behind those that are due before it: nearly always the last. */
static void hold(struct delay_lane *l, struct block_request *r,
		 enum delay_time time, nsec delay)
{
	struct list *behind = l->held[time].prev;

	*due(r) = nsec_after(reactor_now_precise(), delay);
	while (behind != &l->held[time] &&
	       *due(list_entry(behind, struct block_request, link)) > *due(r))
		behind = behind->prev;
	list_prepend(behind, &r->link);
	set_timer(l);
}

static enum delay_time time_of(struct delay_lane *l, enum block_op op)
{
	bool read = op == BLOCK_READ || op == BLOCK_COMPARE;
	bool late = rng_below(&l->rng, 100) == 0;

	if (read)
		return late ? P99_READ : AVG_READ;
	return late ? P99_WRITE : AVG_WRITE;
}

static void submit(struct block_lane *lane, struct block_request *r)
{
	struct delay_lane *l = lane_of(lane);
	struct delay_device *d =
		container_of(lane->device, struct delay_device, device);
	enum delay_time time = time_of(l, r->op);
	nsec delay = d->times[time];

	if (r->op == BLOCK_FLUSH || delay <= 0)
		go_on(l, r);
	else
		hold(l, r, time, delay);
}

static void cancel(struct block_lane *lane, struct block_request *r)
{
	list_del(&r->link);
	set_timer(lane_of(lane));
	block_complete(r, -ECANCELED);
}

static int lane_init(struct block_lane *lane)
{
	struct delay_lane *l = lane_of(lane);

	for (int i = 0; i < DELAY_TIMES; i++)
		list_init(&l->held[i]);
	timer_init(&l->timer, release_due);
	rng_init(&l->rng, reactor_number());
	return 0;
}

static void set_times(struct block_device *device,
		      const struct block_spec *spec)
{
	struct delay_device *d =
		container_of(device, struct delay_device, device);

	d->times[AVG_READ] = spec->delay.avg_read;
	d->times[P99_READ] = spec->delay.p99_read;
	d->times[AVG_WRITE] = spec->delay.avg_write;
	d->times[P99_WRITE] = spec->delay.p99_write;
}

static int create(struct block_device *d, const struct block_spec *spec,
		  char text[256])
{
	set_times(d, spec);
	return 0;
}

int block_delay_set(struct block_device *d, const struct block_spec *times)
{
	MAGIC_CHECK(d, BLOCK_MAGIC);
	if (d->driver != &block_delay)
		return -EOPNOTSUPP;
	set_times(d, times);
	d->spec.delay = times->delay;
	return 0;
}

const struct block_driver block_delay = {
	.name = "delay",
	.filter = true,
	.ops = (1U << BLOCK_OPS) - 1,
	.device_size = sizeof(struct delay_device),
	.lane_size = sizeof(struct delay_lane),
	.create = create,
	.lane_init = lane_init,
	.submit = submit,
	.cancel = cancel,
};
