/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers: an intrusive pairing heap, so that setting one needs no memory and
 * cannot fail.  Setting is O(1), which matters, as nearly all timers are
 * time-outs that never fire.  Equal deadlines fire in the order they were set:
 * the simulation replays because of that.
 */
#ifndef REACTOR_TIMER_H
#define REACTOR_TIMER_H

#include <stdbool.h>

#include "base/clock.h"

struct timer {
	nsec deadline;
	uint64_t order; /* among equal deadlines */
	void (*fire)(struct timer *t);
	bool set;
	struct timer *child, *next;
	struct timer *prev; /* left sibling, or parent of the leftmost */
};

struct timers {
	struct timer *first; /* the earliest: root of the heap */
	uint64_t order;
};

static inline void timer_init(struct timer *t, void (*fire)(struct timer *))
{
	*t = (struct timer){ .fire = fire };
}

void timer_set(struct timers *h, struct timer *t, nsec deadline);
void timer_cancel(struct timers *h, struct timer *t); /* set or not */

/* Fires what is due; a timer is no longer set when it fires. */
void timers_run(struct timers *h, nsec now);

/* NSEC_NEVER if there is none. */
static inline nsec timers_next(const struct timers *h)
{
	return h->first != NULL ? h->first->deadline : NSEC_NEVER;
}

#endif
