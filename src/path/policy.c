/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policies: which of several paths that are equally good takes the next
 * request.  "Equally good" is decided before (path_rank() in group.c), so all
 * that is left here is how to share.
 *
 *	active-passive	the favourite; else stay on the path in use; else the
 *			one added first
 *	round-robin	rr_min_io requests each, in turn
 *	queue-depth	the one with the fewest requests in flight
 *	service-time	the one that is expected to be done with it first
 *
 * Ties are broken in turn: the search starts behind the last choice, and only
 * a smaller cost beats what was found before.  So no path starves while others
 * that cost as much are used.
 */
#include <math.h>
#include <string.h>

#include "path/internal.h"

#define FIRST_GUESS MSEC(1) /* of a latency that nobody measured yet */

static bool contains(path_set set, unsigned index)
{
	return set & path_bit(index);
}

/* The member that follows `index`, around the end; NO_CHOICE: the first. */
static unsigned next(const struct path_group *g, path_set set, unsigned index)
{
	do
		index = index + 1 < g->count ? index + 1 : 0;
	while (!contains(set, index));
	return index;
}

/* The last choice is there and may be repeated. */
static bool can_stay(const struct path_group *g, path_set set)
{
	return g->run > 0 && contains(set, g->last);
}

static unsigned active_passive(const struct path_group *g, path_set set,
			       nsec now)
{
	if (g->favourite && contains(set, g->favourite->index))
		return g->favourite->index;
	return can_stay(g, set) ? g->last : next(g, set, NO_CHOICE);
}

static unsigned round_robin(const struct path_group *g, path_set set, nsec now)
{
	if (can_stay(g, set) && g->run < g->options.rr_min_io)
		return g->last;
	return next(g, set, g->last);
}

typedef double (*path_cost)(const struct path *p, nsec now);

static inline unsigned least(const struct path_group *g, path_set set,
			     path_cost cost, nsec now)
{
	unsigned i = g->last, best = 0;
	double lowest = INFINITY;

	for (; set; set &= ~path_bit(i)) {
		double c;

		i = next(g, set, i);
		c = cost(g->paths[i], now);
		if (c < lowest) {
			lowest = c;
			best = i;
		}
	}
	return best;
}

static double depth(const struct path *p, nsec now)
{
	return p->inflight;
}

static unsigned queue_depth(const struct path_group *g, path_set set, nsec now)
{
	return least(g, set, depth, now);
}

/*
 * Latency times load: a queue that is twice as long takes twice as long, and
 * as the latency that is measured grows with the queue, too, a path that gets
 * too much soon looks worse.
 *
 * A path that looks slow gets nothing, and would never be measured again.  So
 * an estimate has a term: when it is over, or there is none yet, and nothing is
 * in flight that would renew it, the path costs nothing.  One request a second
 * is what it takes to see that a path has recovered.
 */
static double time_to_serve(const struct path *p, nsec now)
{
	if (p->inflight == 0 && !path_estimate_holds(p, now))
		return 0;
	return (double)(p->measured ? p->latency : FIRST_GUESS) *
	       (double)(p->load + REQUEST_OVERHEAD);
}

static unsigned service_time(const struct path_group *g, path_set set, nsec now)
{
	return least(g, set, time_to_serve, now);
}

static const struct path_policy policies[] = {
	{ "active-passive", .exclusive = true, active_passive },
	{ "round-robin", .exclusive = false, round_robin },
	{ "queue-depth", .exclusive = false, queue_depth },
	{ "service-time", .exclusive = false, service_time },
};

const struct path_policy *path_policy_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++)
		if (strcmp(policies[i].name, name) == 0)
			return &policies[i];
	return NULL;
}
