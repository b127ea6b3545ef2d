/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ERROR: requests fail, get stuck, or carry other data, on demand.  What is to
 * happen is kept for each operation, for all reactors together, under a lock
 * that is looked for only when something is to happen.
 */
#include <errno.h>
#include <pthread.h>

#include "block/driver.h"

struct error_device {
	struct block_device device;
	_Atomic unsigned armed; /* bits by enum block_op: count > 0 */
	pthread_mutex_t lock;	/* of the rest */
	struct block_injection faults[BLOCK_OPS];
};

struct error_lane {
	struct block_lane lane;
	struct list pending; /* requests */
};

static struct error_device *error_of(struct block_device *d)
{
	return container_of(d, struct error_device, device);
}

static struct error_lane *lane_of(struct block_lane *lane)
{
	return container_of(lane, struct error_lane, lane);
}

/* The fault for a request, which is one less from now on. */
static struct block_injection take_fault(struct error_device *e,
					 enum block_op op, unsigned others)
{
	struct block_injection *f = &e->faults[op], taken = { 0 };

	pthread_mutex_lock(&e->lock);
	if (f->count > 0 && others >= f->queue_depth) {
		taken = *f;
		if (--f->count == 0)
			atomic_fetch_and(&e->armed, ~block_bit(op));
	}
	pthread_mutex_unlock(&e->lock);
	return taken;
}

static void go_on(struct block_lane *lane, struct block_request *r)
{
	r->done = block_complete;
	block_forward(lane->device->base, r);
}

/* Corruption.  The frame's private words are the offset and the bits. */

static void flip(struct block_request *r)
{
	const struct block_frame *f = block_frame(r);
	struct block_cursor data = { r->iov, 0 };
	uint64_t left;
	size_t len;
	char *piece;

	if (f->private[0] >= r->length)
		return;
	left = f->private[0] + 1;
	do {
		piece = block_cursor_next(&data, left, &len);
		left -= len;
	} while (left > 0);
	piece[len - 1] ^= f->private[1];
}

/* A WRITE's memory gets back what it had. */
static void corrupt_done(struct block_request *r, int error)
{
	if (r->op == BLOCK_WRITE || error == 0)
		flip(r);
	block_complete(r, error);
}

static void corrupt(struct block_lane *lane, struct block_request *r,
		    const struct block_injection *fault)
{
	struct block_frame *f = block_frame(r);

	f->private[0] = fault->corrupt_offset;
	f->private[1] = fault->corrupt_value;
	if (r->op == BLOCK_WRITE)
		flip(r);
	r->done = corrupt_done;
	block_forward(lane->device->base, r);
}

static void submit(struct block_lane *lane, struct block_request *r)
{
	struct error_device *e = error_of(lane->device);
	struct block_injection fault = { 0 };

	if (atomic_load_explicit(&e->armed, memory_order_relaxed) &
	    block_bit(r->op))
		fault = take_fault(e, r->op, lane->in_progress - 1);
	switch (fault.fault) {
	case BLOCK_FAULT_NONE:
		go_on(lane, r);
		break;
	case BLOCK_FAULT_FAIL:
		block_complete(r, -EIO);
		break;
	case BLOCK_FAULT_PENDING:
		list_append(&lane_of(lane)->pending, &r->link);
		break;
	case BLOCK_FAULT_CORRUPT:
		corrupt(lane, r, &fault);
		break;
	case BLOCK_FAULT_NOMEM:
		block_complete(r, -ENOMEM);
		break;
	}
}

/* Only what is pending is here; the rest is in the base. */
static void cancel(struct block_lane *lane, struct block_request *r)
{
	list_del(&r->link);
	block_complete(r, -ECANCELED);
}

static void resume(struct block_lane *lane)
{
	struct list pending = LIST_INIT(pending);
	struct block_request *r;

	list_splice(&pending, &lane_of(lane)->pending);
	while ((r = list_first(&pending, struct block_request, link)) != NULL) {
		list_del(&r->link);
		go_on(lane, r);
	}
}

static int check(const struct block_injection *what)
{
	bool corrupts = what->fault == BLOCK_FAULT_CORRUPT;

	if (what->op < -1 || what->op >= BLOCK_OPS)
		return -EINVAL;
	if (what->fault > BLOCK_FAULT_NOMEM ||
	    (what->fault != BLOCK_FAULT_NONE && what->count == 0))
		return -EINVAL;
	if (corrupts && what->corrupt_value == 0)
		return -EINVAL;
	if (corrupts && what->op != -1 && what->op != BLOCK_READ &&
	    what->op != BLOCK_WRITE)
		return -EINVAL;
	return 0;
}

static void set_fault(struct error_device *e, enum block_op op,
		      const struct block_injection *what)
{
	bool has_data = op == BLOCK_READ || op == BLOCK_WRITE;

	if (what->fault == BLOCK_FAULT_CORRUPT && !has_data)
		return;
	e->faults[op] = *what;
	if (what->fault == BLOCK_FAULT_NONE) {
		e->faults[op].count = 0;
		atomic_fetch_and(&e->armed, ~block_bit(op));
	} else {
		atomic_fetch_or(&e->armed, block_bit(op));
	}
}

int block_inject(struct block_device *d, const struct block_injection *what)
{
	struct error_device *e = error_of(d);
	int err = check(what);

	MAGIC_CHECK(d, BLOCK_MAGIC);
	if (d->driver != &block_error)
		return -EOPNOTSUPP;
	if (err != 0)
		return err;
	pthread_mutex_lock(&e->lock);
	for (int op = 0; op < BLOCK_OPS; op++)
		if (what->op == -1 || what->op == op)
			set_fault(e, op, what);
	pthread_mutex_unlock(&e->lock);
	if (what->fault != BLOCK_FAULT_NONE)
		return 0;
	return block_lanes_do(d, resume);
}

static int create(struct block_device *d, const struct block_spec *spec,
		  char text[256])
{
	pthread_mutex_init(&error_of(d)->lock, NULL);
	return 0;
}

static void destroy(struct block_device *d)
{
	pthread_mutex_destroy(&error_of(d)->lock);
}

static int lane_init(struct block_lane *lane)
{
	list_init(&lane_of(lane)->pending);
	return 0;
}

const struct block_driver block_error = {
	.name = "error",
	.filter = true,
	.ops = (1U << BLOCK_OPS) - 1,
	.device_size = sizeof(struct error_device),
	.lane_size = sizeof(struct error_lane),
	.create = create,
	.destroy = destroy,
	.lane_init = lane_init,
	.submit = submit,
	.cancel = cancel,
};
