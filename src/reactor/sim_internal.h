/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the simulation share.  All of it belongs to one
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

/* Zeroed; a simulation does not go on without memory. */
void *sim_alloc(size_t size);

/* sim_inode.c: the contents of a file, with or without a name. */
struct sim_inode {
	int refs; /* its name, open files, entries of the name log */
	uint64_t size, durable_size;
	struct htable pages;
};

struct sim_inode *sim_inode_create(void);
struct sim_inode *sim_inode_ref(struct sim_inode *inode); /* NULL is allowed */
void sim_inode_put(struct sim_inode *inode);
void sim_inode_write(struct sim_inode *inode, const char *from, size_t len,
		     uint64_t offset);
void sim_inode_read(struct sim_inode *inode, char *to, size_t len,
		    uint64_t offset);
void sim_inode_zero(struct sim_inode *inode, uint64_t from, uint64_t to);
void sim_inode_resize(struct sim_inode *inode, uint64_t size);
int64_t sim_inode_seek_hole(struct sim_inode *inode, uint64_t offset);
int64_t sim_inode_seek_data(struct sim_inode *inode, uint64_t offset);
uint64_t sim_inode_allocated(struct sim_inode *inode);
void sim_inode_sync(struct sim_inode *inode);
void sim_inode_crash(struct sim_inode *inode, struct rng *rng);

void sim_net_init(struct sim *s);
void sim_net_fini(struct sim *s, struct timers *timers);
void sim_disk_init(struct sim *s);
void sim_disk_fini(struct sim *s);

#endif
