/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between sim_net.c (addresses, listeners, links) and sim_stream.c (what
 * happens on a connection).
 *
 * A connection is two pipes, one for each direction; a pipe is a queue of
 * segments, each with a timer that says when it arrives.
 *
 *	client                     connection                    server
 *	  ├── writes ▶ pipe[0]: seg seg seg … ──────────── reads ──▶┤
 *	  ◀── reads ──────────────── … seg seg :pipe[1] ◀ writes ───┤
 */
#ifndef REACTOR_SIM_NET_H
#define REACTOR_SIM_NET_H

#include "reactor/sim_internal.h"

struct sim_address { /* what sim.h calls a link */
	struct list link;
	struct addr addr;
	enum sim_link state;
	nsec silent_since;
	struct list connections;
	struct waitq changed;
};

struct sim_pipe {
	struct sim_connection *connection;
	struct sim_stream *reader;
	struct list segments;
	size_t bytes;
	nsec last_arrival;
	bool ended, reset; /* FIN or RST is in it, RST is in it */
};

struct sim_stream {
	struct stream stream;
	struct sim_connection *connection;
	struct sim_pipe *in, *out;
	int error; /* of all calls from now on */
	bool closed;
	nsec patience;			/* with a silent link; 0: for ever */
	struct timer impatience;	/* set while the link is silent */
	struct task *reading, *writing; /* parked */
};

struct sim_connection {
	struct list link; /* in address->connections */
	struct sim_address *address;
	struct sim_pipe pipe[2];
	struct sim_stream end[2]; /* the client's, the server's */
	struct list queued;	  /* in the listener's backlog */
};

/* How long a segment takes, one way. */
nsec sim_net_delay(void);

/* From an address to `to`; freed when both ends are closed. */
struct sim_connection *sim_connection_create(struct sim_address *to,
					     const struct addr *from);
/* At once, and for both ends. */
void sim_connection_reset(struct sim_connection *c);
/* The link falls silent; it is up again: what has not arrived is sent anew. */
void sim_connection_pause(struct sim_connection *c);
void sim_connection_resume(struct sim_connection *c);
/* With the simulation. */
void sim_connection_destroy(struct timers *timers, struct sim_connection *c);

#endif
