/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buffers for requests, replies and data, in two sizes.  A few free ones are
 * kept, so that the usual load allocates nothing; how many are in use is
 * bounded by the requests that the kernel has in flight.
 */
#ifndef FUSE_BUFFER_H
#define FUSE_BUFFER_H

#include "base/list.h"

enum {
	BUFFER_SMALL = 4096,
	/* A WRITE's data, and its header's page. */
	BUFFER_LARGE = (1 << 20) + 4096,
	BUFFERS_KEPT_SMALL = 256,
	BUFFERS_KEPT_LARGE = 16,
};

struct buffer {
	struct list link;
	bool large;
	size_t used; /* the owner's */
	char data[];
};

struct buffers {
	struct list small, large;
	unsigned nsmall, nlarge;
};

void buffers_init(struct buffers *b);
void buffers_fini(struct buffers *b);
/* Of at least that size, up to BUFFER_LARGE; NULL: no memory. */
struct buffer *buffer_take(struct buffers *b, size_t size);
void buffer_give(struct buffers *b, struct buffer *buffer);

#endif
