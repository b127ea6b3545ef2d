/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The group: which path takes the next request, and what the owner has to do.
 *
 * The choice is three questions, each a function:
 *
 *	usable?		path_rank(): connection state and access state
 *	preferred?	group_best(): those of the best rank there is
 *	least loaded?	the policy (policy.c), among these
 *
 * The first two change with a path's state only; the answer is kept in
 * group->preferred (group_rerank()), so that a request asks the third alone.
 */
#include <errno.h>
#include <string.h>

#include "path/internal.h"

#define LONGEST SEC(3600) /* that a silence or a pause can be configured */

/* ------------------------------------------------------- options and life */

static void fill_in(struct path_options *o)
{
#define DEFAULT(field, value)                                                  \
	if (!o->field)                                                         \
	o->field = (value)

	DEFAULT(policy, "queue-depth");
	DEFAULT(rr_min_io, 1);
	DEFAULT(reconnect_delay, MSEC(100));
	DEFAULT(reconnect_max, MAX(SEC(5), o->reconnect_delay));
	DEFAULT(reconnect_alone,
		MIN(MAX(MSEC(500), o->reconnect_delay), o->reconnect_max));
	DEFAULT(connect_timeout, SEC(3));
	DEFAULT(fast_io_fail_timeout, -1);
	DEFAULT(ctrlr_loss_timeout, -1);
	DEFAULT(suspect_factor, 4);
	DEFAULT(suspect_min, MSEC(20));
	DEFAULT(suspect_max, MAX(MSEC(150), o->suspect_min));
	DEFAULT(probe_min, MSEC(40));
	DEFAULT(probe_max, MAX(MSEC(200), o->probe_min));
	DEFAULT(probe_alone, o->probe_max);
	DEFAULT(idle_probe, SEC(5));
#undef DEFAULT
}

static bool in_order(nsec low, nsec high)
{
	return low > 0 && low <= high && high <= LONGEST;
}

static bool sensible(const struct path_options *o)
{
	return path_policy_find(o->policy) && o->suspect_factor <= 1000 &&
	       in_order(o->reconnect_delay, o->reconnect_max) &&
	       in_order(o->reconnect_delay, o->reconnect_alone) &&
	       in_order(o->reconnect_alone, o->reconnect_max) &&
	       in_order(o->connect_timeout, LONGEST) &&
	       in_order(o->suspect_min, o->suspect_max) &&
	       in_order(o->probe_min, o->probe_max) &&
	       in_order(o->probe_max, o->probe_alone);
}

int path_group_create(const struct path_options *options,
		      struct path_group **out)
{
	struct path_options o = *options;
	struct path_group *g;

	fill_in(&o);
	if (!sensible(&o))
		return -EINVAL;
	g = calloc(1, sizeof(*g));
	if (!g)
		return -ENOMEM;
	g->options = o;
	g->policy = path_policy_find(o.policy);
	g->options.policy = g->policy->name; /* the owner's may go away */
	g->stranded = NSEC_NEVER;
	g->last = NO_CHOICE;
	list_init(&g->waiting);
	list_init(&g->busy);
	*out = g;
	return 0;
}

void path_group_destroy(struct path_group *g)
{
	assert(list_empty(&g->waiting));
	while (g->count > 0) {
		struct path *p = g->paths[--g->count];

		assert(list_empty(&p->requests) && list_empty(&p->fenced));
		path_free(p);
	}
	free(g);
}

int path_group_set_policy(struct path_group *g, const char *policy)
{
	const struct path_policy *found = path_policy_find(policy);

	if (!found)
		return -EINVAL;
	g->policy = found;
	return 0;
}

int path_group_set_rr_min_io(struct path_group *g, unsigned n)
{
	if (n == 0)
		return -EINVAL;
	g->options.rr_min_io = n;
	return 0;
}

void path_group_favour(struct path_group *g, const struct path *p)
{
	assert(!p || p->group == g);
	g->favourite = p;
}

const char *path_group_policy(const struct path_group *g)
{
	return g->policy->name;
}

unsigned path_group_rr_min_io(const struct path_group *g)
{
	return g->options.rr_min_io;
}

int path_add(struct path_group *g, const char *label, void *owner, nsec now,
	     struct path **out)
{
	struct path *p;

	if (g->count == PATH_MAX_PATHS)
		return -ENOSPC;
	p = path_new(g, label, owner, now);
	if (!p)
		return -ENOMEM;
	p->index = g->count;
	g->paths[g->count++] = p;
	*out = p;
	return 0;
}

/* Closes the gap that a removed path leaves, and frees it.  It is lost, so
 * that its bit is in no set that matters, but the others' bits move. */
void group_drop(struct path_group *g, struct path *p)
{
	unsigned i = p->index;
	path_set below = path_bit(i) - 1;

	requests_forget(g, p);
	if (g->favourite == p)
		g->favourite = NULL;
	g->count--;
	memmove(&g->paths[i], &g->paths[i + 1],
		(g->count - i) * sizeof(g->paths[0]));
	for (; i < g->count; i++)
		g->paths[i]->index = i;
	g->preferred = (g->preferred & below) | (g->preferred >> 1 & ~below);
	if (g->last == p->index)
		g->run = 0;
	if (g->last != NO_CHOICE && g->last >= p->index)
		g->last--; /* from 0 to NO_CHOICE: the first is next */
	path_free(p);
}

/* -------------------------------------------------------------- the choice */

enum path_rank path_rank(const struct path *p)
{
	bool optimized = p->access == PATH_OPTIMIZED;

	if (p->access > PATH_NON_OPTIMIZED)
		return RANK_UNUSABLE;
	switch (p->state) {
	case PATH_LIVE:
		return optimized ? RANK_LIVE_OPTIMIZED
				 : RANK_LIVE_NON_OPTIMIZED;
	case PATH_SUSPECT:
		return optimized ? RANK_SUSPECT_OPTIMIZED
				 : RANK_SUSPECT_NON_OPTIMIZED;
	case PATH_CONNECTING:
	case PATH_LOST:
		break;
	}
	return RANK_UNUSABLE;
}

/* The paths of the best rank there is, `except` one (or NULL). */
path_set group_best(const struct path_group *g, const struct path *except)
{
	enum path_rank best = RANK_UNUSABLE;
	path_set set = 0;

	for (unsigned i = 0; i < g->count; i++) {
		enum path_rank rank = path_rank(g->paths[i]);

		if (g->paths[i] == except || rank == RANK_UNUSABLE)
			continue;
		if (rank < best) {
			best = rank;
			set = 0;
		}
		if (rank == best)
			set |= path_bit(i);
	}
	return set;
}

/* After any change of a path's connection or access state. */
void group_rerank(struct path_group *g, nsec now)
{
	path_set before = g->preferred;

	g->preferred = group_best(g, NULL);
	if (g->options.stay && g->favourite &&
	    !(g->preferred & path_bit(g->favourite->index)))
		g->favourite = NULL;
	if (g->preferred)
		g->stranded = NSEC_NEVER;
	else if (before)
		g->stranded = now;
}

/* The policy's choice, remembered for its next one. */
static struct path *take_turn(struct path_group *g, path_set set, nsec now)
{
	unsigned i = g->policy->select(g, set, now);

	g->run = i == g->last ? g->run + 1 : 1;
	g->last = i;
	return g->paths[i];
}

/* The path for a request that is sent now; NULL: none is usable.  One that is
 * to be repeated has a say: on its path again if that can be, or on any other
 * if there is one. */
struct path *group_choose(struct path_group *g, const struct path_request *r,
			  nsec now)
{
	path_set others = 0;

	if (!g->preferred)
		return NULL;
	if (unlikely(r->path)) {
		if (!r->elsewhere && path_rank(r->path) != RANK_UNUSABLE)
			return r->path;
		if (r->elsewhere)
			others = group_best(g, r->path);
	}
	return take_turn(g, others ? others : g->preferred, now);
}

/* --------------------------------------------------------- what to do next */

/* Is no path coming back? */
static bool hopeless(const struct path_group *g)
{
	bool any = g->gave_up;

	for (unsigned i = 0; i < g->count; i++) {
		if (!g->paths[i]->given_up && !g->paths[i]->disabled)
			return false;
		any = true;
	}
	return any;
}

/* When requests that wait begin to fail. */
nsec group_fail_at(const struct path_group *g)
{
	nsec timeout = g->options.fast_io_fail_timeout;

	if (hopeless(g))
		return 0;
	if (timeout < 0 || g->stranded == NSEC_NEVER)
		return NSEC_NEVER;
	return nsec_after(g->stranded, timeout);
}

/* What a path wants done, first things first. */
static void next_of_path(struct path *p, struct path_action *out)
{
	enum path_action_kind kind = __builtin_ctz(p->todo);

	p->todo &= ~(1U << kind);
	if (!p->todo)
		list_del(&p->busy);
	if (kind == PATH_ACT_CONNECT)
		p->attempt = true;
	*out = (struct path_action){ .kind = kind, .path = p };
}

/* The request that waits longest goes, fails, or (false) goes on waiting. */
static bool next_of_waiting(struct path_group *g, nsec now,
			    struct path_action *out)
{
	struct path_request *r =
		list_first(&g->waiting, struct path_request, link);
	struct path *p;
	int error = 0;

	if (!r)
		return false;
	p = group_choose(g, r, now);
	if (p) {
		request_send(g, r, p, now);
		*out = (struct path_action){ PATH_ACT_SEND, p, r };
		return true;
	}
	if (hopeless(g))
		error = -ENODEV;
	else if (now >= group_fail_at(g))
		error = -ETIMEDOUT;
	if (!error)
		return false;
	request_fail(g, r);
	*out = (struct path_action){ PATH_ACT_FAIL, NULL, r, error };
	return true;
}

bool path_group_next(struct path_group *g, nsec now, struct path_action *out)
{
	struct path *p = list_first(&g->busy, struct path, busy);

	if (p) {
		next_of_path(p, out);
		return true;
	}
	return next_of_waiting(g, now, out);
}
