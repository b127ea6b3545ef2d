/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contents that tell what they are.  Each block begins with its own number, the
 * generation that was written, and the run; the words after that follow from
 * these, so that one bit that is wrong is found, and a block that is right, but
 * somewhere else or from another time, too.
 */
#include <string.h>

#include "base/hash.h"
#include "perf/nvme.h"

#define STEP 0x9e3779b97f4a7c15ULL

/* The words of a block: the first three, and where the others start. */
struct head {
	uint64_t block, generation, run, start;
};

static struct head head_of(const struct nvme_lane *lane, uint64_t block,
			   uint32_t generation)
{
	struct head h = { block, generation, lane->run, 0 };

	h.start = hash_u64(block ^ hash_u64(generation ^ h.run));
	return h;
}

static uint64_t first_block(const struct nvme_lane *lane, uint64_t unit)
{
	return (lane->start + unit * lane->s->io_size) / lane->block_size;
}

void nvme_verify_fill(const struct nvme_lane *lane, void *buf, uint64_t unit,
		      uint32_t generation)
{
	uint64_t block = first_block(lane, unit);
	unsigned words = lane->block_size / 8;
	uint64_t *to = buf;

	for (uint32_t at = 0; at < lane->s->io_size; at += lane->block_size) {
		struct head h = head_of(lane, block++, generation);

		for (unsigned i = 0; i < words; i++)
			to[i] = h.start + i * STEP;
		memcpy(to, &h, 3 * sizeof(*to));
		to += words;
	}
}

/* Why a block is not what it should be. */
static void complain(struct nvme_lane *lane, const uint64_t *words,
		     const struct head *want)
{
	struct head got;
	unsigned long long block = want->block;

	memcpy(&got, words, 3 * sizeof(*words));
	if (got.run != want->run)
		nvme_lane_fail(lane, "block %llu: not what this run wrote",
			       block);
	else if (got.block != want->block)
		nvme_lane_fail(lane, "block %llu: misplaced: it is block %llu",
			       block, (unsigned long long)got.block);
	else if (got.generation != want->generation)
		nvme_lane_fail(lane,
			       "block %llu: stale: write %llu, not write %llu",
			       block, (unsigned long long)got.generation,
			       (unsigned long long)want->generation);
	else
		nvme_lane_fail(lane, "block %llu: wrong contents", block);
}

static bool check_block(struct nvme_lane *lane, const uint64_t *words,
			uint64_t block, uint32_t generation)
{
	struct head h = head_of(lane, block, generation);
	unsigned n = lane->block_size / 8;
	uint64_t wrong = words[0] ^ h.block;

	wrong |= words[1] ^ h.generation;
	wrong |= words[2] ^ h.run;
	for (unsigned i = 3; i < n; i++)
		wrong |= words[i] ^ (h.start + i * STEP);
	if (wrong != 0)
		complain(lane, words, &h);
	return wrong == 0;
}

bool nvme_verify_check(struct nvme_lane *lane, const void *buf, uint64_t unit,
		       uint32_t generation)
{
	uint64_t block = first_block(lane, unit);
	const uint64_t *words = buf;

	for (uint32_t at = 0; at < lane->s->io_size; at += lane->block_size) {
		if (!check_block(lane, words, block++, generation))
			return false;
		words += lane->block_size / 8;
	}
	return true;
}
