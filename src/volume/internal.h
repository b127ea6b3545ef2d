/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of volume/ share.
 *
 *	options.c  what a user says
 *	volume.c   attaches it, and lets it go
 *	io.c	   any range of bytes as requests of whole blocks
 *	edge.c	   blocks of which only a part is written
 *	report.c   how its paths are
 */
#ifndef VOLUME_INTERNAL_H
#define VOLUME_INTERNAL_H

#include "base/range.h"
#include "nvme/initiator/initiator.h"
#include "reactor/reactor.h"
#include "status/status.h"
#include "volume/volume.h"

/* A path that is wanted: attached, or tried again from time to time. */
struct volume_way {
	struct addr addr;
	bool attached;
};

struct volume {
	struct volume_options options;
	char hostnqn[VOLUME_NQN_SIZE];
	struct nvmei *host;
	struct nvmei_volume *nvme;
	struct volume_way ways[VOLUME_PATHS_MAX];
	unsigned n_ways;

	struct range_lock blocks; /* of what is being written */
	struct status *status;
	char where[PATH_MAX];

	bool closing;
	bool keeping;	     /* a task attaches what is missing */
	struct waitq change; /* of the two above */
};

/* Blocks of a volume that a task holds while it writes them; parks. */
struct volume_hold {
	struct range_hold range;
	struct completion granted;
};
void volume_take(struct volume *v, struct volume_hold *h, uint64_t offset,
		 uint64_t len, bool shared);
void volume_release(struct volume *v, struct volume_hold *h);

/* edge.c: `len` bytes of one block, of which they are not all.  data NULL:
 * zeroes. */
int edge_write(struct volume *v, const void *data, size_t len, uint64_t offset,
	       unsigned flags);
int edge_read(struct volume *v, void *data, size_t len, uint64_t offset);

/* io.c: whole blocks. */
int blocks_do(struct volume *v, enum block_op op, void *buf, uint64_t len,
	      uint64_t offset, unsigned flags);

#endif
