/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the three files of the simulation share.  All of it belongs to one
 * reactor, and to its thread.
 */
#ifndef REACTOR_SIM_INTERNAL_H
#define REACTOR_SIM_INTERNAL_H

#include "base/htable.h"
#include "reactor/backend.h"
#include "reactor/sim.h"

struct sim {
	struct rng rng;
	struct sim_faults faults;
	bool deadlocked;

	/* sim_net.c */
	struct list links; /* one for each address that was ever named */
	struct list listeners;
	uint16_t next_port;

	/* sim_disk.c */
	struct htable names;  /* path -> inode */
	struct list name_log; /* changes that are not durable, oldest first */
	struct list open_files;
};

extern const struct net_ops sim_net;
extern const struct disk_ops sim_disk;

/* The running simulation. */
struct sim *sim_current(void);

/* Uniform in [min, max]. */
nsec sim_random_delay(nsec min, nsec max);

void sim_net_init(struct sim *s);
void sim_net_fini(struct sim *s, struct timers *timers);
void sim_disk_init(struct sim *s);
void sim_disk_fini(struct sim *s);

#endif
