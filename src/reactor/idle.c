/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a reactor does when it has nothing to do: poll for a while, if that has
 * been paying lately, then sleep.
 *
 * A wake-up costs more than most requests (60 us on some virtual machines, a
 * polled event 8), but a poll that sees nothing takes the processor from
 * somebody.  So the window opens only while the gaps between events are short
 * enough to be bridged by polling, as the kernel's halt polling does it.  And
 * it stays shut for some time when polling does not pay: it saw nothing several
 * times in a row, or it was held up, as then somebody else wants this core.
 */
#include "reactor/backend.h"

enum {
	WAKE_COST = 60000, /* nsec that a sleep seems longer than it was */
	HELD_UP = 30000,   /* nsec: a single look does not take that long */
	FIRST_WINDOW = 10000,
	MISSES_MAX = 8,
};
static const nsec ban = MSEC(10);

static bool looked_and_saw(struct reactor *r)
{
	return r->ops->wait(r, 0) > 0 || !inbox_empty(r) ||
	       atomic_load(&r->stopping);
}

static void stop_polling(struct idle *i, nsec now)
{
	i->window = 0;
	i->misses = 0;
	i->banned_until = now + ban;
}

/* True if an event came. */
static bool poll_for_events(struct reactor *r, nsec from, nsec until)
{
	struct idle *i = &r->idle;
	nsec before, now = from;

	while (now < until) {
		if (looked_and_saw(r)) {
			stat_add(&r->polls_hit, 1);
			i->misses = 0;
			return true;
		}
		before = now;
		now = clock_read(CLOCK_MONOTONIC);
		if (now - before > HELD_UP) {
			stop_polling(i, now);
			return false;
		}
	}
	if (++i->misses >= MISSES_MAX)
		stop_polling(i, now);
	return false;
}

static void sleep_for_events(struct reactor *r, nsec until)
{
	atomic_store(&r->sleeping, 1);
	if (inbox_empty(r) && !atomic_load(&r->stopping)) {
		stat_add(&r->sleeps, 1);
		r->ops->wait(r, until);
	}
	if (!atomic_exchange(&r->sleeping, 0))
		stat_add(&r->wakeups, 1);
}

/* The window doubles when the gap between events was one that polling could
 * have bridged, and is halved, down to nothing, when it was not. */
static void adapt_window(struct idle *i, nsec gap, nsec now)
{
	if (gap > i->max_poll + WAKE_COST || now < i->banned_until)
		i->window /= 2;
	else
		i->window = MIN(MAX(i->window * 2, FIRST_WINDOW), i->max_poll);
	if (i->window < FIRST_WINDOW)
		i->window = 0;
}

void idle_wait(struct reactor *r, nsec until)
{
	struct idle *i = &r->idle;
	nsec from, now;

	if (i->max_poll < 0) {
		sleep_for_events(r, until);
		return;
	}
	from = clock_read(CLOCK_MONOTONIC);
	if (i->window > 0 &&
	    poll_for_events(r, from, MIN(from + i->window, until)))
		return;
	sleep_for_events(r, until);
	now = clock_read(CLOCK_MONOTONIC);
	adapt_window(i, now - from, now);
}
