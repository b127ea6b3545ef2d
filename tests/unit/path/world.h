/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small world around a path group: virtual time, links that answer after a
 * while, go silent or refuse, and an owner that does what the group says.
 * After every step the group checks itself, and the owner what it was promised:
 * each request ends once, and only on a way that it was sent.
 */
#ifndef TEST_WORLD_H
#define TEST_WORLD_H

#include "base/rng.h"
#include "path/path.h"

enum { WORLD_PATHS = 8, WORLD_REQUESTS = 256, WORLD_EVENTS = 4096 };

enum link_mode { LINK_UP, LINK_SILENT, LINK_REFUSED };

struct link_end {
	struct path *path; /* NULL: not in use */
	enum link_mode mode;
	bool connected;
	unsigned connection; /* what belongs to an earlier one is stale */
	nsec rtt;
	nsec fence; /* what a fence takes */
	unsigned attempts, probes, fences, closes, given_up, sent;
};

struct job {
	struct path_request r;
	nsec service; /* at the other end, on top of the round trip */
	bool out;     /* submitted, not ended */
	nsec submitted, ended;
	int error;
	unsigned ends;
};

struct event {
	nsec at;
	enum { EV_CONNECTED, EV_REFUSED, EV_PROBED, EV_REPLY, EV_FENCED } kind;
	unsigned link, connection;
	struct job *job;
};

struct world {
	struct path_group *group;
	nsec now;
	struct link_end links[WORLD_PATHS];
	struct job jobs[WORLD_REQUESTS];
	struct event events[WORLD_EVENTS];
	unsigned event_count;
	unsigned out, done, failed; /* jobs */
	nsec longest; /* that a job took beyond its service, at each try */
	uint64_t steps;
	unsigned live_changes; /* times that a live path stopped being it */
	struct job *watch;     /* no SEND for it may come (or NULL) */
};

/* `n` paths, all connected, 100 us of round trip. */
void world_init(struct world *w, const struct path_options *o, unsigned n);
void world_fini(struct world *w);

/* Adds link i as a path, which begins to connect. */
void world_add(struct world *w, unsigned i);
void world_remove(struct world *w, unsigned i);

/* Submits a job that takes `service` at the other end; NULL: all in use. */
struct job *world_submit(struct world *w, nsec service, bool needs_fence);
/* Runs for that long, to the last event and timer in between. */
void world_run(struct world *w, nsec duration);
/* Runs like that, and submits a job every `pause`. */
void world_load(struct world *w, nsec duration, nsec pause, nsec service);

void world_link(struct world *w, unsigned i, enum link_mode mode);
/* The connection breaks, and both ends see it. */
void world_reset(struct world *w, unsigned i);
/* By an order; the owner closes the connection. */
void world_disable(struct world *w, unsigned i, bool disabled);

enum path_state world_state(const struct world *w, unsigned i);

#endif
