/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time as a number.  Points in time and durations are nanoseconds in an
 * int64_t.  Only reactor/ reads a clock (reactor_now(), reactor_realtime());
 * everything else gets the time passed, or asks there, so that all of it runs
 * in the simulation's virtual time.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

typedef int64_t nsec;

#define NSEC_NEVER INT64_MAX /* as a deadline: none */
#define USEC(n)	   ((nsec)(n)*1000)
#define MSEC(n)	   ((nsec)(n)*1000000)
#define SEC(n)	   ((nsec)(n)*1000000000)

/* The point `after` from `now`; never overflows, and never is never. */
static inline nsec nsec_after(nsec now, nsec after)
{
	return after >= NSEC_NEVER - now ? NSEC_NEVER : now + after;
}

static inline struct timespec nsec_to_timespec(nsec t)
{
	struct timespec ts = { .tv_sec = t / SEC(1), .tv_nsec = t % SEC(1) };

	if (ts.tv_nsec < 0) {
		ts.tv_sec--;
		ts.tv_nsec += SEC(1);
	}
	return ts;
}

static inline nsec nsec_from_timespec(struct timespec ts)
{
	return SEC(ts.tv_sec) + ts.tv_nsec;
}

#endif
