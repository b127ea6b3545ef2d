/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time: each path has one thing that is due next, which its state names.
 *
 *	CONNECTING	connect_timeout after the attempt began: lost
 *	LIVE		silent while an answer is due: suspect
 *			idle for idle_probe: a probe, so that an answer is due
 *	SUSPECT		no sign of life in the probe's time: lost
 *	LOST		the pause is over: connecting
 *
 * and a path that is down for ctrlr_loss_timeout is given up.  due() says when,
 * expire() what then.  One step per call and path: each wait starts anew when
 * its state is entered, not when the last one should have ended, so that a
 * process that was stopped for a while does not find all its paths lost.
 */
#include "base/log.h"
#include "path/internal.h"

/* The silence that is still usual, within bounds. */
static nsec usual(const struct path *p, nsec low, nsec high)
{
	nsec factor = p->group->options.suspect_factor;

	if (!p->measured)
		return high;
	return MIN(MAX(factor * (p->latency + 4 * p->deviation), low), high);
}

static nsec suspect_after(const struct path *p)
{
	const struct path_options *o = &p->group->options;
	nsec silence = usual(p, o->suspect_min, o->suspect_max);

	return MIN(silence << p->patience, o->suspect_max);
}

/* Is any path live?  Those preferred are of one rank: one speaks for all. */
static bool has_live(const struct path_group *g)
{
	return g->preferred &&
	       g->paths[__builtin_ctzll(g->preferred)]->state == PATH_LIVE;
}

/* To give up the last path moves nothing anywhere; and when all are silent at
 * once, it is rather the other end that pauses.  So it gets all the time. */
static nsec probe_after(const struct path *p)
{
	const struct path_options *o = &p->group->options;

	return has_live(p->group) ? usual(p, o->probe_min, o->probe_max)
				  : o->probe_alone;
}

static nsec give_up_at(const struct path *p)
{
	nsec timeout = p->group->options.ctrlr_loss_timeout;

	return timeout < 0 ? NSEC_NEVER : nsec_after(p->down_since, timeout);
}

/* While somebody may be waiting for just this path, it is tried more often. */
static nsec pause_of(const struct path *p)
{
	const struct path_group *g = p->group;

	return g->preferred ? p->delay
			    : MIN(p->delay, g->options.reconnect_alone);
}

static nsec due(const struct path *p)
{
	const struct path_options *o = &p->group->options;

	switch (p->state) {
	case PATH_CONNECTING:
		return MIN(give_up_at(p),
			   p->attempt ? p->since + o->connect_timeout
				      : NSEC_NEVER);
	case PATH_LIVE:
		if (path_expects(p))
			return p->quiet + suspect_after(p);
		return o->idle_probe < 0 ? NSEC_NEVER
					 : nsec_after(p->quiet, o->idle_probe);
	case PATH_SUSPECT:
		return p->since + probe_after(p);
	case PATH_LOST:
		return p->given_up || p->disabled
			       ? NSEC_NEVER
			       : MIN(give_up_at(p), p->since + pause_of(p));
	}
	return NSEC_NEVER;
}

static void drop_silent(struct path *p, const char *why, nsec now)
{
	path_want(p, PATH_ACT_CLOSE);
	path_lose(p, why, now);
}

static void give_up(struct path *p, nsec now)
{
	log_warn("path %s: given up", p->label);
	if (p->attempt)
		path_want(p, PATH_ACT_CLOSE);
	if (p->state == PATH_CONNECTING)
		path_lose(p, "given up", now);
	p->given_up = p->group->gave_up = true;
	path_want(p, PATH_ACT_GIVE_UP);
}

static void probe(struct path *p, nsec now)
{
	if (path_expects(p))
		path_set_state(p, PATH_SUSPECT, now);
	else
		p->quiet = now;
	p->probing = true;
	path_want(p, PATH_ACT_PROBE);
}

static void expire(struct path *p, nsec now)
{
	bool down = p->state == PATH_CONNECTING || p->state == PATH_LOST;

	if (down && now >= give_up_at(p)) {
		give_up(p, now);
		return;
	}
	switch (p->state) {
	case PATH_CONNECTING:
		drop_silent(p, "connect timeout", now);
		break;
	case PATH_LIVE:
		probe(p, now);
		break;
	case PATH_SUSPECT:
		drop_silent(p, "silent", now);
		break;
	case PATH_LOST:
		path_set_state(p, PATH_CONNECTING, now);
		path_want(p, PATH_ACT_CONNECT);
		break;
	}
}

void path_group_tick(struct path_group *g, nsec now)
{
	for (unsigned i = 0; i < g->count; i++)
		if (now >= due(g->paths[i]))
			expire(g->paths[i], now);
}

nsec path_group_deadline(const struct path_group *g)
{
	nsec soonest = list_empty(&g->waiting) ? NSEC_NEVER : group_fail_at(g);

	for (unsigned i = 0; i < g->count; i++)
		soonest = MIN(soonest, due(g->paths[i]));
	return soonest;
}
