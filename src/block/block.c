/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of a request: see driver.h.  Nothing here locks or allocates, but for
 * a reactor's first request to a device.
 */
#include <errno.h>

#include "block/driver.h"

enum { UNCOUNTED = -1 }; /* as a frame's start */

static bool changes(enum block_op op)
{
	return op == BLOCK_WRITE || op == BLOCK_WRITE_ZEROES ||
	       op == BLOCK_DEALLOCATE;
}

static int check(const struct block_device *d, const struct block_request *r)
{
	uint64_t size = atomic_load_explicit(&d->blocks, memory_order_relaxed)
			<< d->shift;
	uint64_t odd = (1U << d->shift) - 1;

	if (unlikely(r->op >= BLOCK_OPS || !(d->does & block_bit(r->op))))
		return d->read_only && changes(r->op) ? -EROFS : -EOPNOTSUPP;
	if (r->op == BLOCK_FLUSH)
		return 0;
	if (unlikely(((r->offset | r->length) & odd) || r->length == 0))
		return -EINVAL;
	if (unlikely(block_has_data(r->op) && r->length > BLOCK_TRANSFER_MAX))
		return -EINVAL;
	if (unlikely(r->length > size || r->offset > size - r->length))
		return -ENOSPC;
	return 0;
}

static void push(struct block_lane *lane, struct block_request *r, nsec start)
{
	assert(r->depth < ARRAY_SIZE(r->frames));
	r->frames[r->depth++] = (struct block_frame){
		.lane = lane,
		.done = r->done,
		.start = start,
	};
	r->where = BLOCK_IN_DRIVER;
	lane->in_progress++;
}

static void add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(
		counter,
		atomic_load_explicit(counter, memory_order_relaxed) + n,
		memory_order_relaxed);
}

static void count(struct block_counters *c, const struct block_request *r,
		  const struct block_frame *f, int error)
{
	if (unlikely(error != 0)) {
		add(&c->errors, 1);
		return;
	}
	add(&c->ios[r->op], 1);
	if (r->op != BLOCK_FLUSH)
		add(&c->bytes[r->op], r->length);
	add(&c->latency[r->op], reactor_now() - f->start);
}

void block_complete(struct block_request *r, int error)
{
	struct block_frame *f = block_frame(r);
	struct block_lane *lane = f->lane;

	if (f->start != UNCOUNTED)
		count(&lane->counters, r, f, error);
	lane->in_progress--;
	r->depth--;
	r->where = BLOCK_IN_DRIVER;
	r->done = f->done;
	r->done(r, error);
}

void block_start(struct block_lane *lane, struct block_request *r)
{
	if (likely(lane->device->ops & block_bit(r->op)))
		lane->device->driver->submit(lane, r);
	else
		block_emulate(lane, r);
}

void block_forward(struct block_device *d, struct block_request *r)
{
	int err = check(d, r);
	struct block_lane *lane;

	if (unlikely(err != 0)) {
		r->done(r, err);
		return;
	}
	lane = block_lane_get(d);
	if (unlikely(lane == NULL)) {
		r->done(r, -ENOMEM);
		return;
	}
	push(lane, r, reactor_now());
	if (unlikely(block_limit_holds(lane)) && !r->now &&
	    !block_limit_admit(lane, r))
		return;
	block_start(lane, r);
}

void block_submit(struct block_device *d, struct block_request *r)
{
	MAGIC_CHECK(d, BLOCK_MAGIC);
	r->depth = 0;
	r->now = r->cancelled = false;
	block_forward(d, r);
}

static bool is_immediate(const struct block_device *d)
{
	for (; d != NULL; d = d->base)
		if (atomic_load_explicit(&d->limited, memory_order_relaxed))
			return false;
	return true;
}

int block_submit_now(struct block_device *d, struct block_request *r)
{
	MAGIC_CHECK(d, BLOCK_MAGIC);
	if (!d->immediate || !block_has_data(r->op) || !is_immediate(d))
		return -EAGAIN;
	r->depth = 0;
	r->now = true;
	r->cancelled = false;
	block_forward(d, r);
	return 0;
}

void block_cancel(struct block_request *r)
{
	struct block_lane *lane;

	if (r->depth == 0)
		return;
	r->cancelled = true;
	lane = block_frame(r)->lane;
	switch ((enum block_where)r->where) {
	case BLOCK_IN_DRIVER:
		if (lane->device->driver->cancel != NULL)
			lane->device->driver->cancel(lane, r);
		break;
	case BLOCK_IN_LIMIT:
		block_limit_cancel(lane, r);
		break;
	case BLOCK_IN_TASK: /* which looks at r->cancelled */
		break;
	}
}

static void wake_waiter(struct block_request *r, int error)
{
	completion_done(r->waiter, error);
}

int block_do(struct block_device *d, struct block_request *r)
{
	struct completion c;

	completion_init(&c);
	r->waiter = &c;
	r->done = wake_waiter;
	block_submit(d, r);
	return completion_wait(&c);
}

int block_do_part(struct block_lane *lane, struct block_request *part)
{
	struct completion c;

	completion_init(&c);
	part->waiter = &c;
	part->done = wake_waiter;
	part->depth = 0;
	part->now = part->cancelled = false;
	push(lane, part, UNCOUNTED);
	lane->device->driver->submit(lane, part);
	return completion_wait(&c);
}

void block_push_part(struct block_lane *lane, struct block_request *r)
{
	push(lane, r, UNCOUNTED);
}

void block_in_task(struct block_request *r, void (*fn)(void *r))
{
	int err;

	r->where = BLOCK_IN_TASK;
	err = task_spawn("block request", fn, r);
	if (err != 0)
		block_complete(r, -ENOMEM);
}
