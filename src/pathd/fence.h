/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A controller that is lost may still have writes on their way, which would
 * undo what was written after them by another.  By Cross-Controller Reset (NVMe
 * Base 2.3, 8.3.3) another controller of the subsystem sees to it that none of
 * them has an effect any more.  Sent through the kernel's controllers, as
 * passthrough commands.  Blocks; any thread, for offload().
 */
#ifndef PATHD_FENCE_H
#define PATHD_FENCE_H

#include <stdbool.h>
#include <stdint.h>

/* Which instance of a controller it is, as the controller says. */
struct fence_identity {
	uint16_t cntlid;
	uint8_t ciu, ccrl; /* ccrl 0: it can't reset others */
	uint64_t cirn;
};

/* Of the controller "nvme0", over its own connection.  0 or -errno. */
int fence_identify(const char *ctrl, struct fence_identity *out);

/* Has `by` reset the other one, and waits until that is complete, for two
 * seconds at most.  0 or -errno; -EOPNOTSUPP: it can't. */
int fence_reset(const char *by, const struct fence_identity *lost);

#endif
