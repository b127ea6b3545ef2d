/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Byte ranges that are locked by one owner, as POSIX has them: a range set
 * replaces what it covers; neighbours of one kind melt into one.  Kept in order
 * of offset, so that they can be taken again after a server restart.
 */
#ifndef NFS_CLIENT_RANGES_H
#define NFS_CLIENT_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range {
	uint64_t first, last; /* inclusive; last UINT64_MAX: to the end */
	bool exclusive;
};

struct ranges {
	struct range *v; /* malloc'ed */
	size_t n, room;
};

/* The offset and length of the protocol as first and last; false: they don't
 * make a range. */
bool range_from_length(uint64_t offset, uint64_t len, bool exclusive,
		       struct range *out);
uint64_t range_length(const struct range *r);

/* 0 or -ENOMEM, then nothing is changed. */
int ranges_set(struct ranges *r, struct range range);
int ranges_clear(struct ranges *r, struct range range);
void ranges_fini(struct ranges *r);

#endif
