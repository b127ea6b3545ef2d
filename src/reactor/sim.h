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

/* Begins with delays of 20 to 60 us on the network and 10 to 100 us on disk,
 * and no faults. */
int reactor_create_sim(uint64_t seed, struct reactor **out);
bool sim_deadlocked(const struct reactor *r);

/* What follows is for the tasks of a simulation. */
struct rng *sim_rng(void);
void sim_set_faults(const struct sim_faults *faults);

enum sim_link {
	SIM_LINK_UP,
	SIM_LINK_SILENT,  /* segments vanish; both ends see nothing.  What was
			     sent is delivered when the link is up again */
	SIM_LINK_REFUSED, /* existing connections reset, new ones refused */
};
/* `listener` is the address that was connected to, should the listener have a
 * wildcard. */
void sim_set_link(const struct addr *listener, enum sim_link state);

/* Resets the connections that lead to it now; new ones succeed. */
void sim_cut(const struct addr *listener);

/* Power failure for the files below the directory `prefix`.  Each loses a
 * random part of what was written since its last file_sync(), torn anywhere
 * between two sectors of 512 bytes.  Names behave as on a journaling file
 * system: of the changes since the last file_sync_dir() a random tail is lost.
 * Neither makes the other durable.  Files that are open fail with -EIO from now
 * on; their tasks are the test's to end. */
void sim_crash_files(const char *prefix);

#endif
