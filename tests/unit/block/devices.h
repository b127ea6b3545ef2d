/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of block devices share: a registry, requests in one line, and
 * a model that any device is held against.
 */
#ifndef TESTS_BLOCK_DEVICES_H
#define TESTS_BLOCK_DEVICES_H

#include "../in_task.h"
#include "../reactor/worlds.h"
#include "base/rng.h"
#include "base/util.h"
#include "block/block.h"

struct block_registry *registry_create(void);
/* Destroys what is in it, too; tops before bases. */
void registry_destroy(struct block_registry *reg);

struct block_spec malloc_spec(const char *name, uint32_t block_size,
			      uint64_t blocks);
struct block_spec filter_spec(enum block_kind kind, const char *name,
			      const char *base);
struct block_device *make(struct block_registry *reg,
			  const struct block_spec *spec);

/* One request; parks.  Its error. */
int transfer(struct block_device *d, enum block_op op, uint64_t offset,
	     void *buf, uint64_t length);

/* A request on its way. */
struct io {
	struct block_request request;
	struct iovec iov[4];
	bool done;
	int error;
	struct task *waiter;
};
void io_start(struct block_device *d, struct io *io, enum block_op op,
	      uint64_t offset, void *buf, uint64_t length);
int io_wait(struct io *io);

/*
 * Several tasks do random requests, each to blocks of its own, and hold what
 * they read against what they wrote.  Some requests are cancelled: these have
 * either been done or have no effect.
 */
struct property {
	struct block_device *device;
	uint64_t seed;
	unsigned tasks, requests; /* of each task */
	double cancel;		  /* chance */
	bool misaligned;	  /* memory at odd addresses, too */
};
void property_run(const struct property *p);

/* SEED= of the environment, or one for this run, which is printed. */
uint64_t test_seed(void);

#endif
