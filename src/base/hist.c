/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hist.h"

#include <string.h>

#include "base/util.h"

/* Values below 16 have a bucket each; above, the four bits that follow the
 * leading one choose it. */
static unsigned bucket_of(uint64_t v)
{
	int shift;

	if (v < HIST_SUB)
		return v;
	shift = 63 - __builtin_clzll(v) - 4;
	return (shift + 1) * HIST_SUB + ((v >> shift) & (HIST_SUB - 1));
}

static uint64_t upper_bound(unsigned b)
{
	int shift;

	if (b < HIST_SUB)
		return b;
	shift = b / HIST_SUB - 1;
	return (((uint64_t)HIST_SUB + b % HIST_SUB + 1) << shift) - 1;
}

void hist_init(struct hist *h)
{
	memset(h, 0, sizeof(*h));
	h->min = NSEC_NEVER;
}

void hist_add(struct hist *h, nsec value)
{
	value = MAX(value, (nsec)0);
	h->count++;
	h->sum += value;
	h->min = MIN(h->min, value);
	h->max = MAX(h->max, value);
	h->buckets[bucket_of(value)]++;
}

void hist_merge(struct hist *into, const struct hist *from)
{
	into->count += from->count;
	into->sum += from->sum;
	into->min = MIN(into->min, from->min);
	into->max = MAX(into->max, from->max);
	for (size_t i = 0; i < HIST_BUCKETS; i++)
		into->buckets[i] += from->buckets[i];
}

nsec hist_percentile(const struct hist *h, double percent)
{
	uint64_t rank = h->count * percent / 100.0;
	uint64_t seen = 0;

	if (h->count == 0)
		return 0;
	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		seen += h->buckets[i];
		if (seen > rank || seen == h->count)
			return MIN((nsec)upper_bound(i), h->max);
	}
	return h->max;
}
