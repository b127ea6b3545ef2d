/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mirror: one volume on several replicas (*legs*), each of which has all of it.
 *
 * Writes go to all legs that are up, reads to one that has everything.  A map
 * remembers, for each *region* of the volume, which legs have missed something
 * there (stale), and whether the others may differ for the moment (active).  It
 * outlives the host: what it says on disk is never better than the truth, so
 * that after a crash of the host, or when a leg returns, just the regions that
 * it names are copied.
 *
 *	byte of a region   bit i     leg i is stale: its data count for nothing
 *	                   bit 7     active: writes are in progress, or are not
 *	                             known to be on all legs' media
 *
 * The rules, on which everything rests:
 *
 *	- before a write goes to any leg, its region is active on disk
 *	- before it is acknowledged, legs that have missed it are stale on disk
 *	- a region stops to be active after a flush of all legs that are up
 *	- it stops to be stale on a leg when all of it was copied there, and
 *	  flushed, and the leg has missed nothing meanwhile
 *	- a leg that goes down becomes stale in all active regions: it may have
 *	  lost what was in its cache
 *	- after a crash one leg is chosen in each active region, and the others
 *	  become stale there, before anything is read
 *	- each region has a leg that is up and not stale: one that is the last
 *	  to have something is not let go (mirror_can_lose())
 *
 * Requests that change something, and copies, take turns where they overlap
 * (range.h), so that all legs see one order.
 *
 * No I/O, no clock, no thread: the owner does what the operations say.  The
 * order of events is theirs; calls may come back from within an operation.
 */
#ifndef MIRROR_MIRROR_H
#define MIRROR_MIRROR_H

#include <stdint.h>

#include "base/list.h"
#include "base/range.h"

enum {
	MIRROR_LEGS_MAX = 4,
	MIRROR_REGIONS_MAX = 65536,
	MIRROR_REGION_MIN = 1 << 20, /* bytes */
	MIRROR_COPY = 128 << 10,     /* bytes copied at a time */
	MIRROR_PAGE = 4096, /* the map is saved in pieces of that size */
	MIRROR_ACTIVE = 0x80,
};

enum mirror_op { MIRROR_READ, MIRROR_WRITE, MIRROR_FLUSH };

struct mirror;
struct mirror_request;

/* Something to do on a leg. */
struct mirror_io {
	struct mirror *mirror;
	unsigned leg;
	enum mirror_op op;
	uint64_t offset, length;
	void *copy; /* the data of a copy; NULL: those of the request */
	struct mirror_request *request; /* NULL: it is the mirror's own */
	void (*done)(struct mirror_io *io, int error); /* the mirror's */
	bool busy;
};

/* In the submitter's memory until done() is called, which may be at once.  It
 * lies within one region; what a WRITE writes is the owner's to know. */
struct mirror_request {
	enum mirror_op op;
	uint64_t offset, length;
	void (*done)(struct mirror_request *r, int error);

	/* The mirror's. */
	struct mirror *mirror;
	struct range_hold hold;
	struct list link; /* waits for the map */
	uint64_t region;
	unsigned tried;	  /* READ: legs */
	unsigned written; /* legs that have it */
	unsigned failed;
	unsigned pending;
	bool issued;
	int error;
	struct mirror_io io[MIRROR_LEGS_MAX];
};

struct mirror_operations {
	/* Answered by mirror_io_done(), at once or later.  A leg that goes down
	 * has all its requests answered. */
	void (*submit)(void *arg, struct mirror_io *io);
	/* Bytes of the map are to be on stable storage; one at a time, answered
	 * by mirror_saved().  `bytes` stays until then. */
	void (*save)(void *arg, const void *bytes, uint32_t offset,
		     uint32_t len);
};

/* Bytes of a region, a power of two, for a volume of that size. */
uint64_t mirror_region_size(uint64_t size);
/* How many, which is the size of the map. */
uint32_t mirror_regions(uint64_t size);

/*
 * `map`: as it was saved last, copied; `up`: the legs that are there, a bit for
 * each.  -ENODATA: some region would have no leg (*missing: legs of which one
 * is needed); -EINVAL: the map says that of all legs, which it never does;
 * -ENOMEM.  The map is then saved, and requests wait for that.
 */
int mirror_create(unsigned legs, uint64_t size, const uint8_t *map, unsigned up,
		  const struct mirror_operations *ops, void *arg,
		  struct mirror **out, unsigned *missing);
/* No request is in progress, and no answer outstanding (mirror_is_idle()). */
void mirror_destroy(struct mirror *m);
/* From now on nothing is begun but requests. */
void mirror_quiesce(struct mirror *m);
bool mirror_is_idle(const struct mirror *m);

void mirror_submit(struct mirror *m, struct mirror_request *r);
void mirror_io_done(struct mirror_io *io, int error);
void mirror_saved(struct mirror *m, int error);

/* May that leg go, or is it the last to have something? */
bool mirror_can_lose(const struct mirror *m, unsigned leg);
/* It can be lost; its requests are answered after this. */
void mirror_leg_down(struct mirror *m, unsigned leg);
/* It is back, and nothing that was sent to it before can land there any more.
 */
void mirror_leg_up(struct mirror *m, unsigned leg);
/* From time to time, a second or so: what rests stops to be active, and what
 * failed is tried again. */
void mirror_tick(struct mirror *m);

struct mirror_info {
	unsigned up;					  /* legs */
	uint32_t regions, active, stale[MIRROR_LEGS_MAX]; /* regions */
	uint64_t copied; /* bytes, since it was created */
};
void mirror_get_info(const struct mirror *m, struct mirror_info *out);
/* Asserts every invariant; for tests. */
void mirror_check(const struct mirror *m);

#endif
