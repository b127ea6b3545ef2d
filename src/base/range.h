/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks on ranges of numbers: what overlaps goes one after another, in the
 * order in which it came; what is shared may overlap what is shared.  Holds are
 * in the caller's memory; nothing parks, nothing is allocated.  A search costs
 * as much as there are holds, which their owner bounds.
 *
 * Not synchronised: one reactor owns it.
 */
#ifndef BASE_RANGE_H
#define BASE_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct range_lock {
	struct list held, waiting; /* range_hold.link */
};

struct range_hold {
	struct list link;
	uint64_t start, end; /* [start, end) */
	bool shared;
	void (*granted)(struct range_hold *h);
};

void range_lock_init(struct range_lock *l);
/* True: it is held now.  False: granted() is called when it is, from somebody's
 * range_release(). */
bool range_take(struct range_lock *l, struct range_hold *h);
void range_release(struct range_lock *l, struct range_hold *h);

#endif
