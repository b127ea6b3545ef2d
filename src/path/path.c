/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One path: its connection state, and what the owner says about it.
 *
 *	                        answer
 *	                   ┌───────────────┐
 *	        connected  ▼    silence    │
 *	CONNECTING ─────▶ LIVE ───────▶ SUSPECT
 *	  ▲    │           │               │
 *	  │    │ failed,   │ failed        │ failed, or the probe
 *	  │    │ too slow  ▼               │ is not answered
 *	  │    └────────▶ LOST ◀───────────┘
 *	  └─────────────────┘
 *	    pause is over
 *
 * path_set_state() alone changes it, along these edges.  A suspect path keeps
 * what is in flight on it, as the answers may come yet, and takes new requests
 * only when no live path is there.  A lost path has no requests: they went to
 * wait, and the next path_group_next() sends them elsewhere.
 */
#include <string.h>

#include "base/log.h"
#include "path/internal.h"

static const unsigned char allowed[] = {
	[PATH_CONNECTING] = 1 << PATH_LIVE | 1 << PATH_LOST,
	[PATH_LIVE] = 1 << PATH_SUSPECT | 1 << PATH_LOST,
	[PATH_SUSPECT] = 1 << PATH_LIVE | 1 << PATH_LOST,
	[PATH_LOST] = 1 << PATH_CONNECTING,
};

void path_set_state(struct path *p, enum path_state to, nsec now)
{
	assert(allowed[p->state] & 1 << to);
	log_debug("path %s: %s -> %s", p->label, path_state_name(p->state),
		  path_state_name(to));
	p->state = to;
	p->since = now;
	group_rerank(p->group, now);
}

/* -------------------------------------------------------------------- life */

struct path *path_new(struct path_group *g, const char *label, void *owner,
		      nsec now)
{
	struct path *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->label = strdup(label);
	if (!p->label) {
		free(p);
		return NULL;
	}
	p->group = g;
	p->owner = owner;
	p->state = PATH_CONNECTING;
	p->since = p->down_since = now;
	list_init(&p->busy);
	list_init(&p->requests);
	list_init(&p->fenced);
	path_want(p, PATH_ACT_CONNECT);
	return p;
}

void path_free(struct path *p)
{
	list_del(&p->busy);
	free(p->label);
	free(p);
}

void *path_owner(const struct path *p)
{
	return p->owner;
}

void path_set_label(struct path *p, const char *label)
{
	char *copy = strdup(label);

	if (copy == NULL)
		return;
	free(p->label);
	p->label = copy;
}

void path_want(struct path *p, enum path_action_kind kind)
{
	p->todo |= 1U << kind;
	if (list_empty(&p->busy))
		list_append(&p->group->busy, &p->busy);
}

static void unwant(struct path *p, unsigned kinds)
{
	p->todo &= ~kinds;
	if (!p->todo)
		list_del(&p->busy);
}

static bool is_up(const struct path *p)
{
	return p->state == PATH_LIVE || p->state == PATH_SUSPECT;
}

/* Double the last pause, unless the connection held for longer than that: a
 * path that comes up only to break again is left alone for longer each time. */
static nsec next_delay(const struct path *p, bool was_up, nsec now)
{
	const struct path_options *o = &p->group->options;

	if (p->delay == 0 || (was_up && now - p->up_since > p->delay))
		return o->reconnect_delay;
	return MIN(2 * p->delay, o->reconnect_max);
}

void path_lose(struct path *p, const char *why, nsec now)
{
	bool was_up = is_up(p);

	if (was_up && why)
		log_warn("path %s: lost (%s), %u requests move", p->label, why,
			 p->inflight);
	if (was_up) {
		p->losses++;
		p->down_since = now;
	}
	p->delay = next_delay(p, was_up, now);
	p->attempt = p->probing = false;
	unwant(p, 1U << PATH_ACT_CONNECT | 1U << PATH_ACT_PROBE);
	path_set_state(p, PATH_LOST, now);
	requests_leave(p);
}

void path_remove(struct path *p, nsec now)
{
	if (p->state != PATH_LOST)
		path_lose(p, p->inflight > 0 ? "removed" : NULL, now);
	p->given_up = p->removed = true;
	unwant(p, ~(1U << PATH_ACT_FENCE));
	if (!p->fencing)
		group_drop(p->group, p);
}

/* ------------------------------------------------------------------ events */

void path_connected(struct path *p, nsec now)
{
	if (is_up(p))
		return;
	if (!p->attempt) { /* nobody waits for it any more */
		path_want(p, PATH_ACT_CLOSE);
		return;
	}
	log_info("path %s: connected", p->label);
	p->attempt = false;
	p->quiet = p->up_since = now;
	p->patience = 0;
	/* It may be another route now: what the old one took says nothing,
	 * and would get this one lost if it is slower. */
	p->measured = false;
	p->latency = p->deviation = 0;
	path_set_state(p, PATH_LIVE, now);
}

void path_failed(struct path *p, nsec now)
{
	if (is_up(p) || p->attempt)
		path_lose(p, "connection failed", now);
}

void path_retry(struct path *p, nsec now)
{
	if (p->state != PATH_LOST || p->given_up || p->disabled)
		return;
	path_set_state(p, PATH_CONNECTING, now);
	path_want(p, PATH_ACT_CONNECT);
}

void path_disable(struct path *p, bool disabled, nsec now)
{
	if (p->disabled == disabled)
		return;
	if (p->state != PATH_LOST)
		path_lose(p, "disabled", now);
	p->disabled = disabled;
	p->down_since = now;
	path_retry(p, now);
}

void path_heard(struct path *p, nsec now)
{
	if (!is_up(p))
		return;
	p->quiet = now;
	if (likely(p->state == PATH_LIVE))
		return;
	if (p->todo & 1U << PATH_ACT_PROBE) { /* not sent yet: no need */
		unwant(p, 1U << PATH_ACT_PROBE);
		p->probing = false;
	}
	path_set_state(p, PATH_LIVE, now);
}

/* Probes are answered and requests are not: slow, but alive.  Each such answer
 * doubles the silence that it takes to ask again. */
void path_probe_answered(struct path *p, nsec now)
{
	unwant(p, 1U << PATH_ACT_PROBE);
	p->probing = false;
	if (p->inflight > 0 && p->patience < PATIENCE_MAX)
		p->patience++;
	path_heard(p, now);
}

void path_set_access(struct path *p, enum path_access access, nsec now)
{
	if (p->access == access)
		return;
	log_info("path %s: %s -> %s", p->label, path_access_name(p->access),
		 path_access_name(access));
	p->access = access;
	group_rerank(p->group, now);
}

void path_fenced(struct path *p, nsec now)
{
	if (!p->fencing || p->todo & 1U << PATH_ACT_FENCE)
		return; /* not asked, or not yet */
	if (p->fence_again) {
		p->fence_again = false;
		path_want(p, PATH_ACT_FENCE);
		return;
	}
	p->fencing = false;
	requests_unfence(p);
	if (p->removed)
		group_drop(p->group, p);
}

/* RFC 6298, section 2, with its weights of 1/8 and 1/4; an estimate that does
 * not hold any more has no weight. */
void path_sample(struct path *p, nsec latency, nsec now)
{
	nsec error = latency - p->latency;

	if (path_estimate_holds(p, now)) {
		p->deviation +=
			((error < 0 ? -error : error) - p->deviation) / 4;
		p->latency += error / 8;
	} else {
		p->latency = latency;
		p->deviation = latency / 2;
	}
	p->measured = true;
	p->measured_at = now;
	p->patience = 0;
}
