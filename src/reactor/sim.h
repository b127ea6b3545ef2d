/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulation backend: a reactor whose time is virtual and whose network
 * and files are in memory.  Whole clients and servers run in one process, as
 * tasks of one reactor; a seed decides every delay and fault, so a failure
 * replays exactly.  Time jumps to the next event when no task is ready; when
 * there is neither, every task waits for ever: reactor_run() then returns, and
 * sim_deadlocked() is true.
 *
 * A link is the address a listener has: what is done to an address is done to
 * all connections that lead to it.
 */
#ifndef REACTOR_SIM_H
#define REACTOR_SIM_H

#include "base/addr.h"
#include "base/rng.h"
#include "reactor/reactor.h"

struct sim_faults {
	nsec delay_min, delay_max; /* of a segment, one way */
	double cut;		   /* chance that a write cuts the connection */
	double short_read;	   /* chance that a read gets part only */
	nsec disk_min, disk_max;   /* of a file operation and of offload() */
	double disk_error;	   /* chance of -EIO */
};

int reactor_create_sim(uint64_t seed, struct reactor **out);
struct rng *sim_rng(void); /* of the running simulation */
bool sim_deadlocked(const struct reactor *r);
void sim_set_faults(const struct sim_faults *faults);

enum sim_link {
	SIM_LINK_UP,
	SIM_LINK_SILENT,  /* segments vanish; both ends see nothing.  What was
			     sent is delivered when the link is up again */
	SIM_LINK_REFUSED, /* existing connections reset, new ones refused */
};
void sim_set_link(const struct addr *listener, enum sim_link state);

/* Resets the connections that lead to it now; new ones succeed. */
void sim_cut(const struct addr *listener);

/* Power failure for files below `prefix`: each loses a random part of what was
 * written since its last file_sync(); names behave as on a journaling file
 * system (in order, the tail lost).  Open files fail with -EIO from now on. */
void sim_crash_files(const char *prefix);

#endif
