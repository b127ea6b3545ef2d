/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FILE: a file or a block device of the host.
 *
 *	file.c       the way with O_DIRECT: callbacks, no copy
 *	file_slow.c  the rest, in tasks: through the page cache, and what
 *	             fallocate(2) does
 *	file_open.c  how a file is found, made, and resized
 */
#ifndef BLOCK_FILE_H
#define BLOCK_FILE_H

#include "block/registry.h"
#include "reactor/file.h"

enum { FILE_REGIONS = 64, FILE_REGION = BLOCK_TRANSFER_MAX };

struct file_device {
	struct block_device device;
	struct file *file;
	bool direct;	 /* O_DIRECT */
	uint32_t memory; /* then: alignment of addresses */

	/* Through the page cache, where two requests for a block can meet in
	 * the middle: locks for regions of the file.  Of several, the one with
	 * the lower number is taken first. */
	struct task_rwlock regions[FILE_REGIONS];

	_Atomic bool no_punch, no_zero; /* fallocate(2) has refused */
	/* The kernel could not write something back, and said so once: no flush
	 * may succeed any more. */
	_Atomic bool lost;
};

struct file_lane {
	struct block_lane lane;
	struct list spare; /* struct file_op */
};

static inline struct file_device *file_of(struct block_device *d)
{
	return container_of(d, struct file_device, device);
}

/* What block_done_fn may be given. */
int file_error(int error);
/* Notes a failed flush; the result for whoever waits for it. */
int file_flushed(struct file_device *f, int error);

void file_submit_slowly(struct file_device *f, struct block_request *r);

int file_create(struct block_device *d, const struct block_spec *spec,
		char text[256]);
void file_destroy(struct block_device *d);
int file_resize(struct block_device *d, uint64_t blocks);

#endif
