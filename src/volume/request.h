/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to a volume as callbacks, for who has many of them at a time; what
 * volume.h has is made of these.
 */
#ifndef VOLUME_REQUEST_H
#define VOLUME_REQUEST_H

#include "mirror/mirror.h"
#include "nvme/initiator/initiator.h"
#include "volume/volume.h"

/* Private: a command of the mirror's on one leg. */
struct leg_io {
	struct nvmei_request nvme;
	struct mirror_io *io; /* NULL: free */
	struct iovec iov;
	struct list link; /* leg.ios */
};

/*
 * Whole blocks, no more than volume_max_transfer() where there are data, in one
 * region of a mirror; in its submitter's memory until done() is called, maybe
 * at once, on any stack.  The submitter fills in the first part.
 */
struct volume_request {
	enum block_op op;
	unsigned flags; /* BLOCK_FUA, BLOCK_UNMAP */
	uint64_t offset, length;
	struct iovec iov;
	void (*done)(struct volume_request *r, int error);

	/* Private. */
	struct volume *volume;
	union {
		struct nvmei_request nvme;
		struct {
			struct mirror_request mirror;
			struct leg_io legs[MIRROR_LEGS_MAX];
		};
	};
};
void volume_submit(struct volume *v, struct volume_request *r);

/* A request must not cross a multiple of that many bytes; 0: it may. */
uint64_t volume_region(const struct volume *v);
/* What a volume that is no mirror consists of; NULL: it is one. */
struct nvmei_volume *volume_nvme(const struct volume *v);

#endif
