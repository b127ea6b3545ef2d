/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contents that are known by seed and offset alone, so that any block can be
 * checked, whoever wrote it and in which order.  A word of 8 bytes at a time.
 */
#include <string.h>

#include "base/hash.h"
#include "perf/internal.h"

static uint64_t word_at(uint64_t seed, uint64_t offset)
{
	return hash_u64(seed ^ (offset / 8));
}

uint64_t client_seed(const struct client *c)
{
	return hash_u64(c->s->seed + c->number + 1);
}

void pattern_fill(void *buf, size_t len, uint64_t seed, uint64_t offset)
{
	char *p = buf;

	for (size_t i = 0; i < len; i += 8) {
		uint64_t word = word_at(seed, offset + i);

		memcpy(p + i, &word, MIN(len - i, sizeof(word)));
	}
}

bool pattern_check(const void *buf, size_t len, uint64_t seed, uint64_t offset)
{
	const char *p = buf;

	for (size_t i = 0; i < len; i += 8) {
		uint64_t word = word_at(seed, offset + i);

		if (memcmp(p + i, &word, MIN(len - i, sizeof(word))) != 0)
			return false;
	}
	return true;
}
