/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the kinds of devices: what the core (block.c, registry.c) asks of them,
 * and what it gives them.
 *
 * The way of a request.  Each device on its way pushes a frame, and pops it
 * when it is done, so that the request comes back the way it went:
 *
 *	block_submit()                                           r->done
 *	    │ check, push a frame                                   ▲ pop
 *	    ▼                                                       │
 *	limit.c      tokens? else waits in the lane         block_complete()
 *	    │                                                       ▲
 *	    ▼                                                       │
 *	driver->submit()   a filter sets r->done, forwards  its done function
 *	    │ block_forward() to the base                           ▲
 *	    ▼                                                       │
 *	 … the same for the base …  ───────────────────▶ block_complete()
 *
 * A filter may change what it forwards, and undoes that before it completes.
 *
 * A *lane* is what a device keeps for one reactor, made with the first request
 * from there.  Nobody else touches it, so there is nothing to lock: that is how
 * a device serves all reactors at once.
 */
#ifndef BLOCK_DRIVER_H
#define BLOCK_DRIVER_H

#include <stdatomic.h>

#include "base/util.h"
#include "block/block.h"
#include "reactor/reactor.h"
#include "reactor/timer.h"

enum { BLOCK_MAGIC = 0xb10c0001 };

/* Where in a device a request is. */
enum block_where {
	BLOCK_IN_DRIVER,
	BLOCK_IN_LIMIT, /* waits for tokens */
	BLOCK_IN_TASK,	/* of block_in_task() */
};

struct block_counters { /* written by one reactor, read by any */
	_Atomic uint64_t ios[BLOCK_OPS], bytes[BLOCK_OPS], errors;
	_Atomic uint64_t latency[BLOCK_OPS];
};

struct block_lane {
	struct block_device *device;
	struct reactor *reactor;
	unsigned in_progress; /* requests in the device */
	struct block_counters counters;

	/* limit.c */
	struct list waiting; /* requests, FIFO */
	struct timer turn;   /* of the first of them */
	bool taking_turns;
};

/*
 * A kind.  The struct of its devices begins with a struct block_device, that of
 * its lanes with a struct block_lane; both are zeroed at birth.
 */
struct block_driver {
	const char *name;
	bool filter;	/* has a base */
	bool immediate; /* submit() completes READ, WRITE and COMPARE before it
			   returns, if the base does */
	unsigned ops;	/* bits by enum block_op, of those that submit() takes.
			   COMPARE and WRITE_ZEROES are otherwise made of READ
			   and WRITE (emulate.c) */
	size_t device_size, lane_size;

	/* In a task of the registry; may park.  create() finds name, UUID and
	 * base in the device, and with a base also the sizes; without one it
	 * sets them. destroy(): all lanes are gone, requests done. */
	int (*create)(struct block_device *d, const struct block_spec *spec,
		      char text[256]);		 /* failed: nothing is left */
	void (*destroy)(struct block_device *d); /* or NULL */
	/* Changes d->blocks, durably; NULL: the kind has a base. */
	int (*resize)(struct block_device *d, uint64_t blocks);

	/* On the lane's reactor; or NULL. */
	int (*lane_init)(struct block_lane *lane);
	void (*lane_fini)(struct block_lane *lane); /* any reactor */

	/* On the lane's reactor, must not park.  Leads to block_complete(). */
	void (*submit)(struct block_lane *lane, struct block_request *r);
	/* The request is in this driver.  NULL: it is too late for it. */
	void (*cancel)(struct block_lane *lane, struct block_request *r);
};

extern const struct block_driver block_malloc, block_file, block_delay,
	block_error, block_crypt;

struct block_device {
	unsigned magic;
	const struct block_driver *driver;
	struct block_registry *registry;
	unsigned shift; /* log2 of the block size */
	_Atomic uint64_t blocks;
	unsigned ops;  /* the driver's, as far as the base has them */
	unsigned does; /* these and the emulated ones */
	bool read_only, immediate;
	_Atomic bool limited;
	struct block_device *base; /* of a filter */
	_Atomic(struct block_lane *) lanes[REACTOR_NUMBERS];

	/* limit.c; see there */
	struct block_buckets {
		_Atomic uint64_t rate[4]; /* per second; 0: none */
		_Atomic nsec next[4];
	} buckets;

	/* registry.c: of the registry's reactor. */
	struct list link; /* in registry->devices */
	enum { BLOCK_NEW, BLOCK_LIVE, BLOCK_GOING } state;
	struct block_spec spec; /* without secrets */
	struct block_limits limits;
	struct list users;
	struct block_user *writer;
	struct block_user base_user; /* of a filter: its hold on the base */
	int holds;		     /* tasks that work with it */
};

static inline unsigned block_bit(enum block_op op)
{
	return 1U << op;
}

/* Has the request's length of data in r->iov. */
static inline bool block_has_data(enum block_op op)
{
	return op == BLOCK_READ || op == BLOCK_WRITE || op == BLOCK_COMPARE;
}

/* The innermost frame: of the device that has the request now. */
static inline struct block_frame *block_frame(struct block_request *r)
{
	return &r->frames[r->depth - 1];
}

/* Has `d` do it; block.c. */
void block_forward(struct block_device *d, struct block_request *r);
/* The device is done with the request.  The request may be gone afterwards. */
void block_complete(struct block_request *r, int error);
/* What is left when limits have been seen to. */
void block_start(struct block_lane *lane, struct block_request *r);
/* Goes on in a task of its own, fn(r), which leads to block_complete().  It has
 * to ask r->cancelled before it begins to change anything. */
void block_in_task(struct block_request *r, void (*fn)(void *r));
/* The lane's driver is to do what is a part of a request that it has: nobody
 * counts it, and no limit holds it up.  _push_part: it is the request itself,
 * changed, for driver->submit(); _do_part parks. */
void block_push_part(struct block_lane *lane, struct block_request *r);
int block_do_part(struct block_lane *lane, struct block_request *part);

/* emulate.c: made of the READs and WRITEs of the lane's driver. */
void block_emulate(struct block_lane *lane, struct block_request *r);

/* limit.c.  True: may start; false: it will, or be cancelled. */
bool block_limit_admit(struct block_lane *lane, struct block_request *r);
void block_limit_cancel(struct block_lane *lane, struct block_request *r);
void block_limit_init(struct block_lane *lane);
void block_limit_store(struct block_device *d, const struct block_limits *l);
void block_limit_changed(struct block_lane *lane); /* on its reactor */

static inline bool block_limit_holds(const struct block_lane *lane)
{
	return atomic_load_explicit(&lane->device->limited,
				    memory_order_relaxed) ||
	       !list_empty(&lane->waiting);
}

/* lane.c */

/* The running reactor's, made if need be; NULL: no memory. */
struct block_lane *block_lane_make(struct block_device *d);
static inline struct block_lane *block_lane_get(struct block_device *d)
{
	struct block_lane *lane = atomic_load_explicit(
		&d->lanes[reactor_number()], memory_order_acquire);

	return likely(lane != NULL) ? lane : block_lane_make(d);
}
/* Runs fn(lane) for each lane, in a task of its reactor, and waits for all. */
int block_lanes_do(struct block_device *d, void (*fn)(struct block_lane *lane));
/* All requests are done. */
void block_lanes_destroy(struct block_device *d);

/* A position in an iovec. */
struct block_cursor {
	const struct iovec *iov;
	size_t at; /* in *iov */
};

/* The next bytes in one piece, `max` at most; at least one. */
static inline void *block_cursor_next(struct block_cursor *c, size_t max,
				      size_t *len)
{
	char *p;

	while (c->at == c->iov->iov_len) {
		c->iov++;
		c->at = 0;
	}
	p = (char *)c->iov->iov_base + c->at;
	*len = MIN(max, c->iov->iov_len - c->at);
	c->at += *len;
	return p;
}

#endif
