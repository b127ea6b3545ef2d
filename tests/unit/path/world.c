/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <stdio.h>
#include <string.h>

/* Unlike assert() it says when, too. */
#define must(w, condition)                                                     \
	do {                                                                   \
		if (!(condition)) {                                            \
			fprintf(stderr, "%s:%d: at %lld us: %s\n", __FILE__,   \
				__LINE__, (long long)(w)->now / 1000,          \
				#condition);                                   \
			abort();                                               \
		}                                                              \
	} while (0)

static void later(struct world *w, nsec delay, struct event e)
{
	must(w, w->event_count < WORLD_EVENTS);
	e.at = w->now + delay;
	w->events[w->event_count++] = e;
}

/* Over a link: as TCP does, what is on a silent one is kept, and arrives when
 * the link is up again, if the connection is still the same. */
static void over_link(struct world *w, nsec delay, struct event e)
{
	later(w, delay, e);
	if (w->links[e.link].mode == LINK_SILENT)
		w->events[w->event_count - 1].at = NSEC_NEVER;
}

static void release(struct world *w, unsigned link)
{
	for (unsigned i = 0; i < w->event_count; i++)
		if (w->events[i].link == link && w->events[i].at == NSEC_NEVER)
			w->events[i].at = w->now + w->links[link].rtt;
}

static bool is_stale(const struct world *w, const struct event *e)
{
	return e->connection != w->links[e->link].connection;
}

static void forget_stale(struct world *w)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < w->event_count; i++)
		if (w->events[i].kind == EV_FENCED ||
		    !is_stale(w, &w->events[i]))
			w->events[kept++] = w->events[i];
	w->event_count = kept;
}

static void end(struct world *w, struct job *job, int error)
{
	must(w, job->out);
	must(w, job->r.state == PATH_REQ_IDLE);
	job->out = false;
	job->ended = w->now;
	job->error = error;
	job->ends++;
	w->out--;
	if (error) {
		w->failed++;
		return;
	}
	w->done++;
	w->longest = MAX(w->longest,
			 w->now - job->submitted - job->r.tries * job->service);
}

static void put_on_wire(struct world *w, struct job *job, struct path *p)
{
	unsigned i = (unsigned)(uintptr_t)path_owner(p);
	struct link_end *l = &w->links[i];

	must(w, job->r.path == p && job->r.state == PATH_REQ_INFLIGHT);
	must(w, l->path == p && l->connected);
	l->sent++;
	over_link(w, l->rtt + job->service,
		  (struct event){ .kind = EV_REPLY,
				  .link = i,
				  .connection = l->connection,
				  .job = job });
}

static void do_action(struct world *w, const struct path_action *a)
{
	unsigned i = a->path ? (unsigned)(uintptr_t)path_owner(a->path) : 0;
	struct link_end *l = &w->links[i];
	struct event e = { .link = i, .connection = l->connection };

	switch (a->kind) {
	case PATH_ACT_CLOSE:
		l->closes++;
		l->connected = false;
		l->connection++;
		break;
	case PATH_ACT_FENCE:
		l->fences++;
		e.kind = EV_FENCED;
		later(w, l->fence, e);
		break;
	case PATH_ACT_GIVE_UP:
		l->given_up++;
		break;
	case PATH_ACT_CONNECT:
		must(w, !l->connected);
		l->attempts++;
		e.connection = ++l->connection;
		e.kind = l->mode == LINK_REFUSED ? EV_REFUSED : EV_CONNECTED;
		over_link(w, l->rtt, e);
		break;
	case PATH_ACT_PROBE:
		must(w, l->connected);
		l->probes++;
		e.kind = EV_PROBED;
		over_link(w, l->rtt, e);
		break;
	case PATH_ACT_SEND:
		put_on_wire(w, container_of(a->request, struct job, r),
			    a->path);
		break;
	case PATH_ACT_FAIL:
		end(w, container_of(a->request, struct job, r), a->error);
		break;
	}
}

/* After every event: do as told, and look at everything. */
static void settle(struct world *w)
{
	struct path_action a;
	unsigned limit = 4 * WORLD_REQUESTS;

	path_group_check(w->group);
	while (path_group_next(w->group, w->now, &a)) {
		do_action(w, &a);
		path_group_check(w->group);
		must(w, limit-- > 0);
	}
	w->steps++;
}

static void reply(struct world *w, struct job *job, struct link_end *l)
{
	/* A job that went elsewhere, or came back here, is not answered by
	 * what an earlier connection says: that one is closed. */
	must(w, job->r.state == PATH_REQ_INFLIGHT && job->r.path == l->path);
	path_request_done(w->group, &job->r, PATH_DONE, job->r.bytes, w->now);
	end(w, job, 0);
}

static void happen(struct world *w, const struct event *e)
{
	struct link_end *l = &w->links[e->link];

	if (e->kind == EV_FENCED) {
		if (l->path)
			path_fenced(l->path, w->now);
		return;
	}
	if (is_stale(w, e))
		return;
	if (l->mode == LINK_SILENT) {
		over_link(w, 0, *e);
		return;
	}
	switch (e->kind) {
	case EV_CONNECTED:
		l->connected = l->mode == LINK_UP;
		if (l->connected)
			path_connected(l->path, w->now);
		else
			path_failed(l->path, w->now);
		break;
	case EV_REFUSED:
		path_failed(l->path, w->now);
		break;
	case EV_PROBED:
		path_probe_answered(l->path, w->now);
		break;
	case EV_REPLY:
		reply(w, e->job, l);
		break;
	case EV_FENCED:
		break;
	}
}

static struct event take_next(struct world *w, nsec until)
{
	unsigned next = 0;
	struct event e;

	for (unsigned i = 1; i < w->event_count; i++)
		if (w->events[i].at < w->events[next].at)
			next = i;
	if (w->event_count == 0 || w->events[next].at > until)
		return (struct event){ .at = NSEC_NEVER };
	e = w->events[next];
	/* keeps the order of those at the same time */
	memmove(&w->events[next], &w->events[next + 1],
		(--w->event_count - next) * sizeof(e));
	return e;
}

void world_run(struct world *w, nsec duration)
{
	nsec until = w->now + duration;

	settle(w);
	for (;;) {
		nsec deadline = path_group_deadline(w->group);
		struct event e = take_next(w, MIN(until, deadline));

		if (e.at != NSEC_NEVER) {
			w->now = e.at;
			happen(w, &e);
		} else if (deadline <= until) {
			w->now = MAX(w->now, deadline);
			path_group_tick(w->group, w->now);
			must(w, path_group_deadline(w->group) > w->now ||
					path_group_waiting(w->group));
		} else {
			break;
		}
		settle(w);
	}
	w->now = until;
}

void world_load(struct world *w, nsec duration, nsec pause, nsec service)
{
	for (nsec until = w->now + duration; w->now < until;) {
		world_submit(w, service, false);
		world_run(w, pause);
	}
}

struct job *world_submit(struct world *w, nsec service, bool needs_fence)
{
	struct job *job = w->jobs;
	struct path *p;

	while (job->out)
		if (++job == w->jobs + WORLD_REQUESTS)
			return NULL;
	*job = (struct job){
		.r = { .needs_fence = needs_fence, .bytes = 4096 },
		.service = service,
		.out = true,
		.submitted = w->now,
	};
	w->out++;
	p = path_group_submit(w->group, &job->r, w->now);
	if (p)
		put_on_wire(w, job, p);
	settle(w);
	return job;
}

void world_link(struct world *w, unsigned i, enum link_mode mode)
{
	w->links[i].mode = mode;
	forget_stale(w);
	if (mode == LINK_UP)
		release(w, i);
	if (mode == LINK_REFUSED)
		world_reset(w, i);
}

void world_reset(struct world *w, unsigned i)
{
	struct link_end *l = &w->links[i];

	if (!l->connected)
		return;
	l->connected = false;
	l->connection++;
	path_failed(l->path, w->now);
	settle(w);
}

void world_disable(struct world *w, unsigned i, bool disabled)
{
	if (w->links[i].connected)
		world_reset(w, i);
	path_disable(w->links[i].path, disabled, w->now);
	settle(w);
}

void world_add(struct world *w, unsigned i)
{
	struct link_end *l = &w->links[i];
	char label[16];

	snprintf(label, sizeof(label), "link %u", i);
	l->connection++;
	must(w, path_add(w->group, label, (void *)(uintptr_t)i, w->now,
			 &l->path) == 0);
	settle(w);
}

void world_remove(struct world *w, unsigned i)
{
	struct link_end *l = &w->links[i];

	l->connected = false;
	l->connection++;
	path_remove(l->path, w->now);
	settle(w);
}

void world_init(struct world *w, const struct path_options *o, unsigned n)
{
	memset(w, 0, sizeof(*w));
	w->now = SEC(1000);
	must(w, path_group_create(o, &w->group) == 0);
	for (unsigned i = 0; i < WORLD_PATHS; i++) {
		w->links[i].rtt = USEC(100);
		w->links[i].fence = MSEC(5);
	}
	for (unsigned i = 0; i < n; i++)
		world_add(w, i);
	world_run(w, MSEC(1));
	for (unsigned i = 0; i < n; i++)
		must(w, world_state(w, i) == PATH_LIVE);
}

void world_fini(struct world *w)
{
	for (unsigned i = 0; i < WORLD_REQUESTS; i++)
		path_request_cancel(w->group, &w->jobs[i].r);
	path_group_destroy(w->group);
}

enum path_state world_state(const struct world *w, unsigned i)
{
	struct path_info info;

	path_get_info(w->links[i].path, &info);
	return info.state;
}
