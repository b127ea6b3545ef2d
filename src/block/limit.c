/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits.  A device has four token buckets, which its lanes share; each is one
 * number: the moment from which the next request may start.  To start a request
 * is to move that on by what the request costs, in time.  The moment may lag
 * behind the clock by CREDIT: so much may come as a burst after a pause, and
 * so late a timer may be without making the device slower than it should be.
 *
 *	    ◀─ CREDIT ─▶
 *	────┬───────────┬───────────┬──────▶ time
 *	    │    next   now         next: it has to wait until then
 *	    no earlier
 *
 * In each lane requests wait in turn, and only the first has booked: it moved
 * the buckets on when it became the first, and nobody else gets what it booked.
 * So no request starves, reactors take turns, and the rate does not depend on
 * when timers fire.  A request larger than what is left makes those behind it
 * wait longer.
 *
 * What a booked request that is cancelled has paid is the next one's.
 */
#include <errno.h>

#include "block/driver.h"

enum bucket { IOS, BYTES, READ_BYTES, WRITE_BYTES, BUCKETS };

static const nsec credit = MSEC(10);
/* Timers below that are not worth their cost: the credit makes up for it. */
static const nsec nap = USEC(500);

static uint64_t tokens(const struct block_request *r, enum bucket b)
{
	uint64_t bytes = block_has_data(r->op) ? r->length : 0;

	switch (b) {
	case IOS:
		return 1;
	case BYTES:
		return bytes;
	case READ_BYTES:
		return r->op != BLOCK_WRITE ? bytes : 0;
	case WRITE_BYTES:
		return r->op == BLOCK_WRITE ? bytes : 0;
	case BUCKETS:
		break;
	}
	return 0;
}

/* The moment from which the request may start, as far as this bucket goes. */
static nsec book_one(struct block_buckets *l, enum bucket b, uint64_t n,
		     nsec now)
{
	uint64_t rate = atomic_load(&l->rate[b]);
	nsec next = atomic_load(&l->next[b]), start;

	if (rate == 0 || n == 0)
		return now;
	do
		start = MAX(next, now - credit);
	while (!atomic_compare_exchange_weak(&l->next[b], &next,
					     start + SEC(n) / rate));
	return start;
}

static nsec book(struct block_lane *lane, const struct block_request *r)
{
	nsec now = reactor_now(), start = now;

	for (enum bucket b = 0; b < BUCKETS; b++)
		start = MAX(start, book_one(&lane->device->buckets, b,
					    tokens(r, b), now));
	return start;
}

static void set_turn(struct block_lane *lane, nsec start)
{
	reactor_timer_set(&lane->turn, MAX(start, reactor_now() + nap));
}

static struct block_request *first_waiting(struct block_lane *lane)
{
	return list_first(&lane->waiting, struct block_request, link);
}

/* The first one's turn has come; and that of the next ones, if they may.  What
 * is submitted meanwhile, by those that are done at once, waits with them. */
static void take_turns(struct timer *t)
{
	struct block_lane *lane = container_of(t, struct block_lane, turn);
	struct block_request *r;
	nsec start = 0;

	lane->taking_turns = true;
	while (start <= reactor_now()) {
		r = first_waiting(lane);
		list_del(&r->link);
		r->where = BLOCK_IN_DRIVER;
		block_start(lane, r);
		r = first_waiting(lane);
		if (r == NULL)
			break;
		start = book(lane, r);
	}
	lane->taking_turns = false;
	if (r != NULL)
		set_turn(lane, start);
}

bool block_limit_admit(struct block_lane *lane, struct block_request *r)
{
	bool first = list_empty(&lane->waiting) && !lane->taking_turns;
	nsec start = first ? book(lane, r) : 0;

	if (first && start <= reactor_now())
		return true;
	list_append(&lane->waiting, &r->link);
	r->where = BLOCK_IN_LIMIT;
	if (first)
		set_turn(lane, start);
	return false;
}

void block_limit_cancel(struct block_lane *lane, struct block_request *r)
{
	list_del(&r->link);
	if (list_empty(&lane->waiting))
		reactor_timer_cancel(&lane->turn);
	block_complete(r, -ECANCELED);
}

void block_limit_init(struct block_lane *lane)
{
	list_init(&lane->waiting);
	timer_init(&lane->turn, take_turns);
}

void block_limit_store(struct block_device *d, const struct block_limits *l)
{
	const uint64_t rates[BUCKETS] = {
		[IOS] = l->ios_per_sec,
		[BYTES] = l->bytes_per_sec,
		[READ_BYTES] = l->read_bytes_per_sec,
		[WRITE_BYTES] = l->write_bytes_per_sec,
	};
	bool any = false;

	for (enum bucket b = 0; b < BUCKETS; b++) {
		atomic_store(&d->buckets.rate[b], rates[b]);
		atomic_store(&d->buckets.next[b], 0);
		any |= rates[b] != 0;
	}
	atomic_store(&d->limited, any);
}

/* Who waits, waits by the new limits. */
void block_limit_changed(struct block_lane *lane)
{
	if (!list_empty(&lane->waiting))
		set_turn(lane, book(lane, first_waiting(lane)));
}
