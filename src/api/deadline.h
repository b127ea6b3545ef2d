/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deadlines of connections: who takes too long over a request, over reading an
 * answer, or between two requests, loses his connection, and sooner when many
 * want one.  libmicrohttpd's own time-out begins anew with every byte, so that
 * a few hundred slow clients could keep everybody else out.
 *
 *	         opened, answered                  request is there
 *	(none) ──────────────────▶ waits for client ──────────────▶ (none)
 *	                                 │ too long
 *	                                 ▼
 *	                             shut down; the library notices
 *
 * Any thread.  Time is counted in ticks of deadlines_enforce().
 */
#ifndef API_DEADLINE_H
#define API_DEADLINE_H

#include <pthread.h>

#include "base/list.h"

struct deadlines {
	pthread_mutex_t lock; /* of all, and of the deadlines in the list */
	struct list waiting;  /* the oldest first */
	unsigned n, crowd;    /* connections; from how many on it is crowded */
	unsigned ticks;
};

struct deadline {
	struct list link; /* deadlines.waiting, or none */
	int fd;
	unsigned since;
};

void deadlines_init(struct deadlines *all, unsigned crowd);
void deadlines_fini(struct deadlines *all);

/* A connection comes, which waits for its client, and goes, before its
 * descriptor is closed. */
void deadline_add(struct deadlines *all, struct deadline *d, int fd);
void deadline_remove(struct deadlines *all, struct deadline *d);
/* It waits for the client from now on; it does not. */
void deadline_start(struct deadlines *all, struct deadline *d);
void deadline_stop(struct deadlines *all, struct deadline *d);

/* To be called every second. */
void deadlines_enforce(struct deadlines *all);

#endif
