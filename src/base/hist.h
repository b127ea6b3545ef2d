/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Latency histogram: 16 buckets for each power of two, so that a percentile is
 * right to 6 %.  Fixed size, no allocation, mergeable.  Not synchronised.
 */
#ifndef BASE_HIST_H
#define BASE_HIST_H

#include "base/clock.h"

enum { HIST_SUB = 16, HIST_BUCKETS = 61 * HIST_SUB };

struct hist {
	uint64_t count;
	nsec sum, min, max;
	uint64_t buckets[HIST_BUCKETS];
};

void hist_init(struct hist *h);
void hist_add(struct hist *h, nsec value); /* below 0 counts as 0 */
void hist_merge(struct hist *into, const struct hist *from);
/* The value that `percent` (0..100) of the samples do not exceed; 0 if none. */
nsec hist_percentile(const struct hist *h, double percent);

#endif
