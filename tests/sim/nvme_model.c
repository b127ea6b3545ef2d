/* SPDX-License-Identifier: Apache-2.0 */
#include "nvme_model.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

enum { BLOCK = 512 };

/* --------------------------------------------------------------- one block */

static void fill(uint8_t *buf, size_t size, int cell, uint32_t version)
{
	uint64_t word = (uint64_t)version << 8 | (uint64_t)cell;

	for (size_t i = 0; i < size; i += sizeof(word))
		memcpy(buf + i, &word, sizeof(word));
}

static bool holds(const uint8_t *block, int cell, uint32_t version)
{
	uint8_t expected[BLOCK];

	if (version == 0)
		memset(expected, 0, BLOCK);
	else
		fill(expected, BLOCK, cell, version);
	return memcmp(block, expected, BLOCK) == 0;
}

/* Nothing that was begun after it had ended, had ended before `since`. */
static bool is_current(const struct model_cell *c, nsec ended, nsec since)
{
	for (int i = 0; i < MODEL_HISTORY; i++) {
		const struct model_write *h = &c->history[i];

		if (h->version != 0 && h->begun > ended && h->ended < since)
			return false;
	}
	return true;
}

/* May a read that began then, and has ended now, return that block? */
static bool may_hold(const struct model_cell *c, const uint8_t *block,
		     nsec since)
{
	if (holds(block, c->number, 0) && is_current(c, -1, since))
		return true; /* never written */
	for (int i = 0; i < MODEL_HISTORY; i++) {
		const struct model_write *h = &c->history[i];

		if (h->version != 0 &&
		    holds(block, c->number, h->zeroes ? 0 : h->version) &&
		    is_current(c, h->ended, since))
			return true;
	}
	return false;
}

/* ---------------------------------------------------------------- requests */

static void took(struct model *m, nsec since)
{
	m->longest = MAX(m->longest, reactor_now() - since);
	m->done++;
}

static uint64_t place(const struct model_cell *c)
{
	return (uint64_t)c->number * MODEL_CELL_MAX;
}

static struct model_write *begin(struct model_cell *c, bool zeroes)
{
	struct model_write *h = &c->history[++c->versions % MODEL_HISTORY];

	CHECK(h->version == 0 || h->ended != NSEC_NEVER);
	*h = (struct model_write){ c->versions, reactor_now(), NSEC_NEVER,
				   zeroes };
	return h;
}

void model_write(struct model *m, int cell)
{
	struct model_cell *c = &m->cells[cell];
	struct model_write *h = begin(c, false);
	uint8_t *buf = malloc(c->size);

	CHECK(buf != NULL);
	fill(buf, c->size, cell, h->version);
	CHECK_OK(nvme_world_write(m->w, place(c), buf, c->size));
	h->ended = reactor_now();
	took(m, h->begun);
	free(buf);
}

void model_zero(struct model *m, int cell)
{
	struct model_cell *c = &m->cells[cell];
	struct model_write *h = begin(c, true);
	struct nvmei_request r = { .op = BLOCK_WRITE_ZEROES,
				   .offset = place(c),
				   .length = c->size };

	CHECK_OK(nvmei_do(m->w->volume, &r));
	h->ended = reactor_now();
	took(m, h->begun);
}

void model_read(struct model *m, int cell)
{
	struct model_cell *c = &m->cells[cell];
	uint8_t *buf = malloc(c->size);
	nsec since = reactor_now();

	CHECK(buf != NULL);
	CHECK_OK(nvme_world_read(m->w, place(c), buf, c->size));
	for (size_t at = 0; at < c->size; at += BLOCK)
		CHECK(may_hold(c, buf + at, since));
	took(m, since);
	free(buf);
}

/* ------------------------------------------------------------------- tasks */

struct user {
	struct model *m;
	int cell, rounds;
};

static void use_cell(void *arg)
{
	struct user *u = arg;
	struct nvme_world *w = u->m->w;

	for (; u->rounds > 0; u->rounds--) {
		switch (rng_below(sim_rng(), 9)) {
		case 0:
			model_zero(u->m, u->cell);
			break;
		case 1 ... 4:
			model_write(u->m, u->cell);
			break;
		default:
			model_read(u->m, u->cell);
			break;
		}
		task_sleep(rng_below(sim_rng(), u->m->pause));
	}
	free(u);
	nvme_world_task_ended(w);
}

void model_start(struct model *m, int rounds)
{
	struct user *u;

	for (int i = 0; i < 2 * MODEL_CELLS; i++) {
		u = malloc(sizeof(*u));
		CHECK(u != NULL);
		*u = (struct user){ m, i / 2, rounds };
		nvme_world_spawn(m->w, use_cell, u);
	}
}

struct model *model_create(struct nvme_world *w)
{
	struct model *m = calloc(1, sizeof(*m));

	CHECK(m != NULL);
	m->w = w;
	m->pause = MSEC(2);
	for (int i = 0; i < MODEL_CELLS; i++) {
		m->cells[i].w = w;
		m->cells[i].number = i;
		/* In the capsule, or by R2T. */
		m->cells[i].size = i % 2 ? 1024 : 8192;
	}
	return m;
}

void model_end(struct model *m)
{
	for (int i = 0; i < MODEL_CELLS; i++)
		model_read(m, i);
	free(m);
}
