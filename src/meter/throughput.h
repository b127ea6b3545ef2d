/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meter: what an elastic file system may carry, by the rules of Amazon EFS.
 * Pure logic: no I/O, no clock, no lock; whoever calls brings the time.
 *
 * Every operation is *metered* as the bytes it moves, at least 4 KiB; of what
 * is read a third counts ("Metering throughput" in the EFS User Guide's page
 * "How Amazon EFS reports file system and object sizes"; it gives the 4 KiB
 * for metadata, bills 32 KiB at least for data of elastic file systems, and
 * names no minimum otherwise).  Metered bytes are what the throughput modes
 * permit:
 *
 *	elastic		as much as comes, or up to a limit
 *	provisioned	what was provisioned; what bursting would give, once the
 *			baseline of the data stored is higher
 *	bursting	burst throughput while there are credits, then baseline
 *
 *	baseline	50 KiB/s for each GiB stored; it is what credits are
 *			earned at.  1 MiB/s may be had in any case.
 *	burst		100 MiB/s, and for each TiB stored beyond the first as
 *			much again
 *	credits		a metered byte costs one.  A new file system has 2.1
 *			TiB, and no more than that, for each TiB stored, can be
 *			saved.
 *
 * ("Bursting throughput" there; "Amazon EFS increases file system minimum
 * throughput", June 2020.)
 *
 * Performance mode generalPurpose bounds operations as well: 35,000 a second,
 * of which one that reads data or metadata is one, and one that changes some is
 * five ("Quotas for Amazon EFS file systems" in the EFS User Guide's "Amazon
 * EFS quotas", as of 2022).  Today EFS permits that much to One Zone and
 * bursting file systems (35,000 reads, 7,000 writes a second), and others more
 * ("Performance specifications" there): the configuration can, too.
 */
#ifndef METER_THROUGHPUT_H
#define METER_THROUGHPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

enum {
	THROUGHPUT_OPERATION_MIN = 4096, /* metered bytes */
	THROUGHPUT_READ_SHARE = 3,	 /* one of them is metered */
	THROUGHPUT_WRITE_OPERATIONS = 5,
	THROUGHPUT_OPERATIONS = 35000, /* a second, of generalPurpose */
};
#define THROUGHPUT_CREDITS_NEW 2308974418330.0 /* 2.1 TiB */

enum throughput_mode {
	THROUGHPUT_ELASTIC,
	THROUGHPUT_PROVISIONED,
	THROUGHPUT_BURSTING,
};

struct throughput_rule {
	enum throughput_mode mode;
	double bytes; /* a second: provisioned, or elastic's; 0: no limit */
	double operations; /* a second; 0: no limit */
};

/* What one operation takes. */
struct throughput_cost {
	double bytes, operations;
};
struct throughput_cost throughput_read_cost(uint64_t bytes);
struct throughput_cost throughput_write_cost(uint64_t bytes);

/* Of one file system.  The members are for throughput.c. */
struct throughput {
	struct throughput_rule rule;
	double stored;	/* bytes */
	double credits; /* bytes; below 0: an operation took more than there
			   was */
	bool exhausted; /* no credits, and not yet a second's worth again */
	double bytes, operations; /* that may be taken now; below 0: debt */
	nsec at;		  /* when all that was right */
};

/* With the credits of a new file system. */
void throughput_init(struct throughput *t, const struct throughput_rule *rule,
		     nsec now);
/* In force from `now` on. */
void throughput_set_rule(struct throughput *t,
			 const struct throughput_rule *rule, nsec now);
void throughput_set_stored(struct throughput *t, uint64_t bytes, nsec now);
/* As they were saved, that long ago: what was earned since is added. */
void throughput_set_credits(struct throughput *t, double credits, nsec ago,
			    nsec now);

/* Does anything have to be asked for at all? */
static inline bool throughput_is_limited(const struct throughput_rule *r)
{
	return r->mode != THROUGHPUT_ELASTIC || r->bytes > 0 ||
	       r->operations > 0;
}

/* Takes what an operation costs.  NSEC_NEVER: taken; else the point in time
 * at which to ask again.  Operations are taken whole, and what is too much is a
 * debt that the next one waits for. */
nsec throughput_take(struct throughput *t, const struct throughput_cost *cost,
		     nsec now);
/* What turned out to be less. */
void throughput_give_back(struct throughput *t,
			  const struct throughput_cost *cost);

/* Bytes a second, at that time; 0: no limit. */
double throughput_permitted(struct throughput *t, nsec now);
double throughput_credits(struct throughput *t, nsec now);

#endif
