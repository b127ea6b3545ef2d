/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The NVMe/TCP host and the target, in virtual time, with faults by seed.  A
 * model says what each place of the volume must hold: a read returns what was
 * written last, whatever happened on the way, and however late.
 */
#include "nvme_world.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

enum { PLACES = 8, PLACE_SIZE = 16384 };

static const struct nvmei_attach plain;

/* ------------------------------------------------------------------ a model */

/* A place of the volume, and its one user. */
struct place {
	struct nvme_world *w;
	int number, rounds;
	uint64_t version; /* acknowledged last */
	uint8_t buf[PLACE_SIZE];
};

static void fill(uint8_t *buf, int place, uint64_t version)
{
	uint64_t word = version << 8 | (uint64_t)place;

	for (size_t i = 0; i < PLACE_SIZE; i += sizeof(word))
		memcpy(buf + i, &word, sizeof(word));
}

static void write_place(struct place *p)
{
	fill(p->buf, p->number, p->version + 1);
	/* Small ones go in the capsule, large ones by R2T. */
	for (size_t at = 0, n; at < PLACE_SIZE; at += n) {
		n = rng_below(sim_rng(), 4) == 0 ? 4096 : PLACE_SIZE - at;
		CHECK_OK(nvme_world_write(
			p->w, (uint64_t)p->number * PLACE_SIZE + at,
			p->buf + at, n));
	}
	p->version++;
}

static void check_place(struct place *p)
{
	static uint8_t expected[PLACE_SIZE];

	CHECK_OK(nvme_world_read(p->w, (uint64_t)p->number * PLACE_SIZE, p->buf,
				 PLACE_SIZE));
	if (p->version == 0)
		memset(expected, 0, sizeof(expected));
	else
		fill(expected, p->number, p->version);
	CHECK(memcmp(p->buf, expected, PLACE_SIZE) == 0);
}

static void use_place(void *arg)
{
	struct place *p = arg;

	for (int i = 0; i < p->rounds; i++) {
		if (rng_below(sim_rng(), 2) == 0)
			write_place(p);
		else
			check_place(p);
		task_sleep(rng_below(sim_rng(), MSEC(2)));
	}
	nvme_world_task_ended(p->w);
}

static struct place *use_places(struct nvme_world *w, int rounds)
{
	struct place *p = calloc(PLACES, sizeof(*p));

	CHECK(p != NULL);
	for (int i = 0; i < PLACES; i++) {
		p[i].w = w;
		p[i].number = i;
		p[i].rounds = rounds;
		nvme_world_spawn(w, use_place, &p[i]);
	}
	return p;
}

/* Whatever was left behind has had all the time to land. */
static void check_places(struct place *p)
{
	task_sleep(SEC(30));
	for (int i = 0; i < PLACES; i++)
		check_place(&p[i]);
	free(p);
}

/* ----------------------------------------------------------------- no faults */

static void one_path(struct nvme_world *w)
{
	struct place *p;

	nvme_world_attach(w, 1, &plain);
	p = use_places(w, 20);
	nvme_world_join(w, 0);
	check_places(p);
}

int main(int argc, char **argv)
{
	static const struct nvme_world_test tests[] = {
		{ "one_path", one_path, 20 },
		{},
	};

	return nvme_world_main(tests, argc, argv);
}
