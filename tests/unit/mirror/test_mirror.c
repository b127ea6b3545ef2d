/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mirror on legs in memory, by seed: requests are done in any order, some
 * fail; legs go, with what was in their caches or without, and come back after
 * what was on its way to them has landed, or not; saves of the map fail, or are
 * torn; the host crashes in the middle of everything.  A model knows for each
 * block what a read may return; in the end all legs are the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "base/util.h"
#include "mirror/mirror.h"

enum {
	BLOCK = 64 << 10,
	REGIONS = 3,
	BLOCKS = REGIONS * (MIRROR_REGION_MIN / BLOCK) - 3,
	SIZE = BLOCKS * BLOCK,
	LEGS = 3,
	QUEUE = 64,
	DEPTH = 6,
	VALUES = 256,
	STEPS = 600,
};

/* What a read of a block may return. */
struct set {
	unsigned n;
	uint32_t v[VALUES];
};

struct late {
	bool used;
	uint64_t block, blocks;
	uint32_t value[BLOCKS];
};

struct leg {
	bool up, shaky; /* its requests fail now and then */
	uint32_t now[BLOCKS], media[BLOCKS];
	struct late late[QUEUE]; /* writes that may land until it is back */
};

struct op {
	bool used;
	struct mirror_request r;
	uint64_t block;
	uint32_t value;
	struct set may; /* READ: what it may return */
	bool alone;	/* … no write of that block was in progress */
};

struct world {
	struct rng rng;
	struct mirror *m;
	struct leg leg[LEGS];
	uint8_t disk[REGIONS]; /* the map */
	bool cache_loss;
	unsigned steps;
	uint64_t last; /* block that was written */

	struct mirror_io *queue[QUEUE];
	unsigned queued;
	bool saving, map_fails;
	uint8_t save[REGIONS];
	uint32_t save_offset, save_len;

	struct op op[DEPTH];
	struct set may[BLOCKS], unflushed[BLOCKS];
	bool writing[BLOCKS];
	bool wrote; /* since the flush in progress began */
	uint32_t values;
	unsigned long done, failed, crashes, lost;
};

static bool has(const struct set *s, uint32_t v)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->v[i] == v)
			return true;
	return false;
}

static void add(struct set *s, uint32_t v)
{
	if (has(s, v))
		return;
	assert_true(s->n < VALUES);
	s->v[s->n++] = v;
}

static void only(struct set *s, uint32_t v)
{
	s->n = 1;
	s->v[0] = v;
}

/* --------------------------------------------------------------- operations */

static void on_submit(void *arg, struct mirror_io *io)
{
	struct world *w = arg;

	assert_true(w->queued < QUEUE);
	w->queue[w->queued++] = io;
}

static void on_save(void *arg, const void *bytes, uint32_t offset, uint32_t len)
{
	struct world *w = arg;

	assert_false(w->saving);
	assert_true(offset + len <= REGIONS);
	w->saving = true;
	memcpy(w->save, bytes, len);
	w->save_offset = offset;
	w->save_len = len;
}

static const struct mirror_operations operations = { on_submit, on_save };

static uint32_t *copy_at(const struct mirror_io *io, uint64_t i)
{
	return (uint32_t *)((char *)io->copy + i * BLOCK);
}

static uint32_t value_of(const struct mirror_io *io, uint64_t i)
{
	return io->copy != NULL
		       ? *copy_at(io, i)
		       : container_of(io->request, struct op, r)->value;
}

static void perform(struct world *w, struct mirror_io *io)
{
	struct leg *leg = &w->leg[io->leg];
	uint64_t first = io->offset / BLOCK, n = io->length / BLOCK;

	if (io->op == MIRROR_FLUSH)
		memcpy(leg->media, leg->now, sizeof(leg->media));
	for (uint64_t i = 0; i < n && io->op == MIRROR_WRITE; i++)
		leg->now[first + i] = value_of(io, i);
	for (uint64_t i = 0; i < n && io->op == MIRROR_READ; i++)
		if (io->copy != NULL)
			*copy_at(io, i) = leg->now[first + i];
		else
			container_of(io->request, struct op, r)->value =
				leg->now[first + i];
}

static struct mirror_io *take(struct world *w, unsigned i)
{
	struct mirror_io *io = w->queue[i];

	w->queue[i] = w->queue[--w->queued];
	return io;
}

static void answer_one(struct world *w)
{
	struct mirror_io *io;
	int error = 0;

	if (w->queued == 0)
		return;
	io = take(w, (unsigned)rng_below(&w->rng, w->queued));
	if (w->leg[io->leg].shaky && rng_chance(&w->rng, 0.2))
		error = -5;
	if (error == 0 || rng_chance(&w->rng, 0.5))
		perform(w, io); /* an error may come after the deed */
	mirror_io_done(io, error);
}

static void save_one(struct world *w)
{
	int error = w->map_fails && rng_chance(&w->rng, 0.5) ? -5 : 0;

	if (!w->saving)
		return;
	if (error == 0 || rng_chance(&w->rng, 0.5))
		memcpy(w->disk + w->save_offset, w->save, w->save_len);
	w->saving = false;
	mirror_saved(w->m, error);
}

/* ----------------------------------------------------------------- requests */

static void flush_ended(struct world *w)
{
	for (unsigned i = 0; i < BLOCKS && !w->wrote; i++)
		w->unflushed[i] = w->may[i];
}

static void write_ended(struct world *w, struct op *op, int error)
{
	w->writing[op->block] = false;
	if (error == 0)
		only(&w->may[op->block], op->value);
}

static void read_ended(struct world *w, struct op *op)
{
	if (!has(&op->may, op->value))
		fail_msg("block %u: %u is none of %u values, the first %u",
			 (unsigned)op->block, op->value, op->may.n,
			 op->may.v[0]);
	if (op->alone) /* and from now on nothing else */
		only(&w->may[op->block], op->value);
}

static struct world *world;

static void op_done(struct mirror_request *r, int error)
{
	struct op *op = container_of(r, struct op, r);
	struct world *w = world;

	op->used = false;
	w->done++;
	w->failed += error < 0;
	if (r->op == MIRROR_WRITE)
		write_ended(w, op, error);
	else if (error == 0 && r->op == MIRROR_READ)
		read_ended(w, op);
	else if (error == 0)
		flush_ended(w);
}

static void begin_write(struct world *w, struct op *op)
{
	op->value = ++w->values;
	w->last = op->block;
	w->writing[op->block] = w->wrote = true;
	add(&w->may[op->block], op->value);
	add(&w->unflushed[op->block], op->value);
	for (unsigned i = 0; i < DEPTH; i++)
		if (w->op[i].used && w->op[i].block == op->block) {
			w->op[i].alone = false;
			add(&w->op[i].may, op->value);
		}
}

static void begin(struct world *w)
{
	struct op *op = w->op;
	uint64_t kind = rng_below(&w->rng, 10);
	bool flushing = false;

	for (unsigned i = 0; i < DEPTH; i++)
		flushing |= w->op[i].used && w->op[i].r.op == MIRROR_FLUSH;
	while (op < w->op + DEPTH && op->used)
		op++;
	if (op == w->op + DEPTH)
		return;
	/* Mostly what was written last: there legs may differ. */
	op->block =
		rng_chance(&w->rng, 0.5) ? w->last : rng_below(&w->rng, BLOCKS);
	op->r = (struct mirror_request){
		.op = kind < 5	 ? MIRROR_WRITE
		      : kind < 9 ? MIRROR_READ
				 : MIRROR_FLUSH,
		.offset = op->block * BLOCK,
		.length = BLOCK,
		.done = op_done,
	};
	/* Now and then nobody writes, and what rests is cleaned and copied. */
	if (op->r.op == MIRROR_WRITE)
		op->block = rng_below(&w->rng, BLOCKS);
	op->r.offset = op->block * BLOCK;
	if (op->r.op == MIRROR_WRITE &&
	    (w->writing[op->block] || w->steps / 60 % 2 == 1))
		return;
	if (op->r.op == MIRROR_FLUSH) {
		if (flushing)
			return;
		w->wrote = false;
		for (unsigned i = 0; i < BLOCKS; i++)
			w->wrote |= w->writing[i];
	}
	if (op->r.op == MIRROR_WRITE)
		begin_write(w, op);
	op->may = w->may[op->block];
	op->alone = !w->writing[op->block];
	op->used = true;
	mirror_submit(w->m, &op->r);
}

/* --------------------------------------------------------------------- legs */

static void remember_late(struct world *w, struct mirror_io *io)
{
	struct leg *leg = &w->leg[io->leg];

	for (unsigned i = 0; i < QUEUE && io->op == MIRROR_WRITE; i++) {
		struct late *l = &leg->late[i];

		if (l->used)
			continue;
		l->used = true;
		l->block = io->offset / BLOCK;
		l->blocks = io->length / BLOCK;
		for (uint64_t n = 0; n < l->blocks; n++)
			l->value[n] = value_of(io, n);
		return;
	}
}

static void land(struct world *w, struct leg *leg)
{
	for (unsigned i = 0; i < QUEUE; i++) {
		struct late *l = &leg->late[i];

		if (l->used && rng_chance(&w->rng, 0.5))
			memcpy(leg->now + l->block, l->value,
			       l->blocks * sizeof(uint32_t));
		l->used = false;
	}
}

static void lose_cache(struct world *w, struct leg *leg)
{
	w->lost++;
	for (unsigned i = 0; i < BLOCKS; i++)
		if (rng_chance(&w->rng, 0.5))
			leg->now[i] = leg->media[i];
	memcpy(leg->media, leg->now, sizeof(leg->media));
}

static void leg_down(struct world *w, unsigned n)
{
	struct mirror_io *io;

	if (!mirror_can_lose(w->m, n))
		return;
	w->leg[n].up = false;
	mirror_leg_down(w->m, n);
	for (unsigned i = 0; i < w->queued;) {
		io = w->queue[i];
		if (io->leg != n) {
			i++;
			continue;
		}
		remember_late(w, take(w, i));
		mirror_io_done(io, -125);
		i = 0;
	}
	if (w->cache_loss && rng_chance(&w->rng, 0.5))
		lose_cache(w, &w->leg[n]);
}

static void leg_up(struct world *w, unsigned n)
{
	land(w, &w->leg[n]);
	w->leg[n].up = true;
	mirror_leg_up(w->m, n);
}

/* -------------------------------------------------------------------- the host
 */

static void start(struct world *w, unsigned up)
{
	unsigned missing;
	int rc = mirror_create(LEGS, SIZE, w->disk, up, &operations, w, &w->m,
			       &missing);

	if (rc < 0) {
		assert_int_equal(rc, -61); /* ENODATA */
		assert_int_not_equal(missing, 0);
		start(w, (1 << LEGS) - 1);
		return;
	}
	for (unsigned i = 0; i < LEGS; i++)
		w->leg[i].up = up >> i & 1;
}

/* Of the save in progress, a part is on disk; of requests, some are done. */
static void crash(struct world *w)
{
	w->crashes++;
	if (w->saving)
		memcpy(w->disk + w->save_offset, w->save,
		       rng_below(&w->rng, w->save_len + 1));
	w->saving = false;
	while (w->queued > 0) {
		struct mirror_io *io = take(w, 0);

		if (io->op != MIRROR_READ && rng_chance(&w->rng, 0.5))
			perform(w, io);
	}
	for (unsigned i = 0; i < LEGS; i++)
		land(w, &w->leg[i]);
	for (unsigned i = 0; i < DEPTH; i++)
		w->op[i].used = false;
	for (unsigned i = 0; i < BLOCKS; i++) {
		w->writing[i] = false;
		for (unsigned n = 0; w->cache_loss && n < w->unflushed[i].n;
		     n++)
			add(&w->may[i], w->unflushed[i].v[n]);
	}
	w->wrote = true;
	mirror_destroy(w->m);
	start(w, 1 + (unsigned)rng_below(&w->rng, (1 << LEGS) - 1));
}

static void step(struct world *w)
{
	uint64_t what = rng_below(&w->rng, 1000);
	unsigned n = (unsigned)rng_below(&w->rng, LEGS);

	w->steps++;
	if (what < 300)
		begin(w);
	else if (what < 750)
		answer_one(w);
	else if (what < 900)
		save_one(w);
	else if (what < 930)
		mirror_tick(w->m);
	else if (what < 950 && w->leg[n].up)
		leg_down(w, n);
	else if (what < 975 && !w->leg[n].up)
		leg_up(w, n);
	else if (what < 985)
		w->leg[n].shaky = !w->leg[n].shaky;
	else if (what < 990)
		w->map_fails = !w->map_fails;
	else if (what < 996)
		crash(w);
	mirror_check(w->m);
}

/* Everything works again; until all legs have all, and nothing is active. */
static void settle(struct world *w)
{
	struct mirror_info info;
	unsigned rounds = 0;

	w->map_fails = false;
	for (unsigned i = 0; i < LEGS; i++) {
		w->leg[i].shaky = false;
		if (!w->leg[i].up)
			leg_up(w, i);
	}
	do {
		for (int i = 0; i < 200; i++) {
			answer_one(w);
			save_one(w);
		}
		mirror_tick(w->m);
		mirror_get_info(w->m, &info);
		assert_true(rounds++ < 100);
	} while (!mirror_is_idle(w->m) || info.active > 0 ||
		 info.stale[0] + info.stale[1] + info.stale[2] > 0);
}

static void check_end(struct world *w)
{
	for (unsigned i = 0; i < BLOCKS; i++)
		for (unsigned n = 0; n < LEGS; n++) {
			assert_int_equal(w->leg[n].now[i], w->leg[0].now[i]);
			assert_true(has(&w->may[i], w->leg[n].now[i]));
		}
	for (unsigned i = 0; i < REGIONS; i++)
		assert_int_equal(w->disk[i], 0);
}

static void run_seed(uint64_t seed, unsigned long totals[4])
{
	struct world *w = calloc(1, sizeof(*w));

	world = w;
	rng_init(&w->rng, seed);
	w->cache_loss = seed & 1;
	for (unsigned i = 0; i < BLOCKS; i++) {
		only(&w->may[i], 0);
		only(&w->unflushed[i], 0);
	}
	start(w, (1 << LEGS) - 1);
	for (unsigned i = 0; i < STEPS; i++)
		step(w);
	settle(w);
	check_end(w);
	totals[0] += w->done;
	totals[1] += w->failed;
	totals[2] += w->crashes;
	totals[3] += w->lost;
	mirror_destroy(w->m);
	free(w);
}

static void reads_return_the_last_write(void **state)
{
	const char *given = getenv("SEED");
	uint64_t first = given ? strtoull(given, NULL, 0) : 1;
	uint64_t last = given ? first : 60000;
	unsigned long totals[4] = {};

	for (uint64_t seed = first; seed <= last; seed++) {
		printf("SEED=%llu\r", (unsigned long long)seed);
		run_seed(seed, totals);
	}
	printf("%lu requests, %lu failed, %lu crashes, %lu caches lost\n",
	       totals[0], totals[1], totals[2], totals[3]);
	if (given == NULL)
		for (int i = 0; i < 4; i++)
			assert_int_not_equal(totals[i], 0);
}

/* -------------------------------------------------------- many regions */

static char *lowest, *highest; /* of the stack, where submit() was called */
static bool copies_fail;
static struct mirror *many;

static void answer_at_once(void *arg, struct mirror_io *io)
{
	char here;

	lowest = lowest == NULL ? &here : MIN(lowest, &here);
	highest = MAX(highest, &here);
	mirror_io_done(io, copies_fail ? -19 : 0);
}

static void save_at_once(void *arg, const void *bytes, uint32_t offset,
			 uint32_t len)
{
	if (many != NULL)
		mirror_saved(many, 0);
}

/* However many regions there are, to copy them takes no more of the stack; also
 * where nothing ever waits. */
static void copies_need_no_stack(void **state)
{
	static const struct mirror_operations ops = { answer_at_once,
						      save_at_once };
	static uint8_t map[MIRROR_REGIONS_MAX];
	uint64_t size = (uint64_t)MIRROR_REGIONS_MAX * MIRROR_REGION_MIN;
	struct mirror_info info;
	unsigned missing;

	memset(map, 2, sizeof(map));
	assert_int_equal(
		mirror_create(2, size, map, 3, &ops, NULL, &many, &missing), 0);
	copies_fail = true;
	mirror_tick(many);
	assert_true(mirror_is_idle(many));
	mirror_get_info(many, &info);
	assert_int_equal(info.stale[1], MIRROR_REGIONS_MAX);
	copies_fail = false;
	mirror_tick(many);
	mirror_get_info(many, &info);
	assert_int_equal(info.stale[1], 0);
	assert_int_equal(info.copied, size);
	assert_in_range(highest - lowest, 0, 4096);
	mirror_destroy(many);
}

/* It never is, unless the file was damaged. */
static void a_region_that_all_lack_is_refused(void **state)
{
	static const struct mirror_operations ops = { answer_at_once,
						      save_at_once };
	uint8_t map[2] = { 0, 3 };
	unsigned missing;

	assert_int_equal(mirror_create(2, 2 * MIRROR_REGION_MIN, map, 3, &ops,
				       NULL, &many, &missing),
			 -22);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_return_the_last_write),
		cmocka_unit_test(copies_need_no_stack),
		cmocka_unit_test(a_region_that_all_lack_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
