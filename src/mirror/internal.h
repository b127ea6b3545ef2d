/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of mirror/ share.
 *
 *	mirror.c   legs come and go; what there is to know
 *	map.c      the map, in memory and on disk
 *	request.c  reads, writes, flushes
 *	copy.c     what legs have missed is copied
 *	clean.c    what rests stops to be active
 */
#ifndef MIRROR_INTERNAL_H
#define MIRROR_INTERNAL_H

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mirror/mirror.h"

struct region {
	uint8_t now;	/* as it is */
	uint8_t disk;	/* what is certainly on disk */
	bool recent;	/* written since the last tick */
	bool cleaning;	/* not written since the flush began */
	bool postponed; /* a copy failed: not before the next tick */
	uint32_t writers;
};

/* A region that is being copied. */
struct copy {
	bool running;
	bool going, again; /* go_on() is on the stack; and goes round again */
	uint64_t region;
	unsigned targets; /* legs; less when one fails */
	unsigned source;
	uint64_t offset, end; /* the piece that is being copied, and of all */
	struct range_hold hold;
	unsigned pending;
	struct mirror_io io[MIRROR_LEGS_MAX];
	void *buffer;
};

struct mirror {
	const struct mirror_operations *ops;
	void *arg;
	unsigned legs, up; /* a number; bits */
	uint64_t size;
	unsigned shift; /* of a region */
	uint32_t regions;
	struct region *region;
	struct range_lock ranges;
	unsigned requests;
	bool quiet;

	/* map.c */
	bool saving;
	uint32_t save_offset, save_len;
	uint8_t *save;	     /* a page */
	uint64_t *dirty;     /* a bit for each page */
	struct list unsaved; /* requests that wait for it */
	bool stale_unsaved;  /* legs became stale, and it may not be on disk */
	uint32_t stale[MIRROR_LEGS_MAX]; /* regions */

	/* clean.c */
	bool cleaning;
	bool clean_failed;
	unsigned clean_pending;
	struct mirror_io clean_io[MIRROR_LEGS_MAX];

	struct copy copy;
	bool nothing_to_copy; /* since the last event */
	uint64_t copied;
};

static inline unsigned all_legs(const struct mirror *m)
{
	return (1U << m->legs) - 1;
}

/* Legs that have all of that region, and are up. */
static inline unsigned good_legs(const struct mirror *m, uint64_t region)
{
	return m->up & ~m->region[region].now;
}

/* map.c */
void map_set(struct mirror *m, uint64_t region, unsigned bits);
void map_clear(struct mirror *m, uint64_t region, unsigned bits);
/* What that request needs to go on is on disk. */
bool map_suffices(const struct mirror_request *r);
void map_save(struct mirror *m); /* what has changed, when it is its turn */
/* The legs have missed something there: a copy in progress misses it, too.
 * False: nobody else has it, and then they stay. */
bool map_set_stale(struct mirror *m, uint64_t region, unsigned legs);

/* request.c: the map was saved, or could not be. */
void request_continue(struct mirror_request *r, int error);

/* copy.c */
void copy_start(struct mirror *m); /* if there is something to do */
void copy_missed(struct mirror *m, uint64_t region, unsigned legs);

/* clean.c */
void clean_start(struct mirror *m);

static inline void io_start(struct mirror *m, struct mirror_io *io)
{
	assert(!io->busy);
	io->mirror = m;
	io->busy = true;
	m->ops->submit(m->arg, io);
}

#endif
