/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests: where each one is.
 *
 *	     submit, none is usable       a path is chosen
 *	IDLE ─────────────────▶ WAITING ─────────────────▶ INFLIGHT
 *	 ▲                       ▲   ▲                        │
 *	 │                       │   └── retry; path lost ────┤
 *	 │                fenced │                            │
 *	 │                      FENCED ◀── path lost, must ───┤
 *	 │                                 not run twice      │
 *	 └───────────── done; fail, cancel from anywhere ─────┘
 *
 * A request whose path is chosen at submit goes from IDLE to INFLIGHT.
 *
 * request_set_state() alone moves a request.  Whatever list it comes to, it
 * takes the place that its submission gives it; so those of a lost path stand
 * before younger ones that wait already, and whoever waits is served in order.
 */
#include "path/internal.h"

static const unsigned char allowed[] = {
	[PATH_REQ_IDLE] = 1 << PATH_REQ_WAITING | 1 << PATH_REQ_INFLIGHT,
	[PATH_REQ_WAITING] = 1 << PATH_REQ_INFLIGHT | 1 << PATH_REQ_IDLE,
	[PATH_REQ_INFLIGHT] = 1 << PATH_REQ_IDLE | 1 << PATH_REQ_WAITING |
			      1 << PATH_REQ_FENCED,
	[PATH_REQ_FENCED] = 1 << PATH_REQ_WAITING | 1 << PATH_REQ_IDLE,
};

static void leave(struct path_group *g, struct path_request *r)
{
	switch (r->state) {
	case PATH_REQ_IDLE:
		return;
	case PATH_REQ_WAITING:
		g->waiting_count--;
		break;
	case PATH_REQ_INFLIGHT:
		r->path->inflight--;
		r->path->load -= request_weight(r);
		break;
	case PATH_REQ_FENCED:
		break;
	}
	list_del(&r->link);
}

/* Searches from the tail, where the place of nearly all is, or from `younger`:
 * a sorted list that is moved from its end costs one pass. */
static void place(struct list *head, struct path_request *r,
		  struct path_request *younger)
{
	struct list *at = younger ? younger->link.prev : head->prev;

	while (at != head &&
	       list_entry(at, struct path_request, link)->order > r->order)
		at = at->prev;
	list_prepend(at, &r->link);
}

/* `p`: the path that it is in flight on, or was.  `younger`: NULL, or a request
 * known to stand behind it in its new list. */
static void request_set_state(struct path_group *g, struct path_request *r,
			      enum path_request_state to, struct path *p,
			      struct path_request *younger)
{
	assert(allowed[r->state] & 1 << to);
	leave(g, r);
	r->state = to;
	r->path = p;
	switch (to) {
	case PATH_REQ_IDLE:
		break;
	case PATH_REQ_WAITING:
		g->waiting_count++;
		place(&g->waiting, r, younger);
		break;
	case PATH_REQ_INFLIGHT:
		p->inflight++;
		p->load += request_weight(r);
		place(&p->requests, r, younger);
		break;
	case PATH_REQ_FENCED:
		place(&p->fenced, r, younger);
		break;
	}
}

/* ------------------------------------------------- what the owner says */

struct path *path_group_submit(struct path_group *g, struct path_request *r,
			       nsec now)
{
	struct path *p;

	assert(r->state == PATH_REQ_IDLE);
	r->order = ++g->submitted;
	r->tries = 0;
	r->path = NULL;
	/* Not past those that wait, even if a path just became usable. */
	p = list_empty(&g->waiting) ? group_choose(g, r, now) : NULL;
	if (likely(p)) {
		request_send(g, r, p, now);
		return p;
	}
	request_set_state(g, r, PATH_REQ_WAITING, NULL, NULL);
	if (!g->preferred && g->stranded == NSEC_NEVER)
		g->stranded = now; /* there never was a usable path */
	return NULL;
}

void path_request_done(struct path_group *g, struct path_request *r,
		       enum path_verdict verdict, size_t bytes, nsec now)
{
	struct path *p = r->path;

	assert(r->state == PATH_REQ_INFLIGHT);
	path_sample(p, now - r->sent, now);
	p->completed++;
	p->bytes += bytes;
	r->elsewhere = verdict == PATH_RETRY_ELSEWHERE;
	if (likely(verdict == PATH_DONE))
		request_set_state(g, r, PATH_REQ_IDLE, NULL, NULL);
	else
		request_set_state(g, r, PATH_REQ_WAITING, p, NULL);
	path_heard(p, now);
}

void path_request_cancel(struct path_group *g, struct path_request *r)
{
	if (r->state != PATH_REQ_IDLE)
		request_set_state(g, r, PATH_REQ_IDLE, NULL, NULL);
}

/* ------------------------------------------------ what happens to them */

void request_send(struct path_group *g, struct path_request *r, struct path *p,
		  nsec now)
{
	if (!path_expects(p))
		p->quiet = now;
	r->tries++;
	r->sent = now;
	request_set_state(g, r, PATH_REQ_INFLIGHT, p, NULL);
}

void request_fail(struct path_group *g, struct path_request *r)
{
	request_set_state(g, r, PATH_REQ_IDLE, NULL, NULL);
}

/* A lost path's requests wait again: for another path, or for the fence. */
void requests_leave(struct path *p)
{
	struct path_request *r, *waits = NULL, *fenced = NULL;
	struct path_group *g = p->group;

	while ((r = list_last(&p->requests, struct path_request, link))) {
		p->failovers++;
		if (r->needs_fence) {
			request_set_state(g, r, PATH_REQ_FENCED, p, fenced);
			fenced = r;
		} else {
			request_set_state(g, r, PATH_REQ_WAITING, NULL, waits);
			waits = r;
		}
	}
	if (!fenced)
		return;
	if (!p->fencing)
		path_want(p, PATH_ACT_FENCE);
	else if (!(p->todo & 1U << PATH_ACT_FENCE))
		p->fence_again = true;
	p->fencing = true;
}

void requests_unfence(struct path *p)
{
	struct path_request *r, *waits = NULL;

	while ((r = list_last(&p->fenced, struct path_request, link))) {
		request_set_state(p->group, r, PATH_REQ_WAITING, NULL, waits);
		waits = r;
	}
}

/* Before a path is freed: none that waits may remember it. */
void requests_forget(struct path_group *g, const struct path *p)
{
	struct path_request *r;

	list_for_each (r, &g->waiting, link)
		if (r->path == p)
			r->path = NULL;
}
