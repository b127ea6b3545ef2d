/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A target with one subsystem, one malloc device and two listeners, in a
 * simulation; the test's body runs as a task of it.
 */
#ifndef TESTS_NVME_TARGET_WORLD_H
#define TESTS_NVME_TARGET_WORLD_H

#include "../in_task.h"
#include "block/block.h"
#include "host.h"
#include "nvme/target/target.h"
#include "reactor/sim.h"

#define SUBNQN "nqn.2026-11.io.hawser:test"

struct world {
	struct block_registry *blocks;
	struct block_device *device; /* 4 MiB of 512-byte blocks */
	struct nvmet *target;
	struct nvmet_subsystem *subsystem; /* nsid 1 */
	struct addr path[2];
};

/* Everything is as written; then `body` runs, and all must end. */
void in_world(uint64_t seed, const struct nvmet_transport *transport,
	      void (*body)(struct world *w));
/* The same on real sockets, over `reactors` threads. */
void in_real_world(int reactors, const struct nvmet_transport *transport,
		   void (*body)(struct world *w));

#endif
