/* SPDX-License-Identifier: Apache-2.0 */
/* Byte-range locks against a model: an array that says of each byte who has
 * which lock on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>

#include <cmocka.h>

#include "base/rng.h"
#include "nfs/server/internal.h"

enum { OWNERS = 4, BYTES = 40, STEPS = 4000, SEEDS = 50 };

/* The last byte of the model stands for the rest of the file. */
static uint64_t edge(unsigned byte, bool end)
{
	return end && byte == BYTES - 1 ? UINT64_MAX : byte;
}

struct fixture {
	struct nfs_server srv;
	struct nfsd_file file;
	struct nfsd_state *states[OWNERS];
	char names[OWNERS];
	uint8_t model[OWNERS][BYTES]; /* 0, 1 read, 2 write */
	struct nfsd_client client;    /* last: it ends in an array */
};

static void init(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->client.srv = f->file.srv = &f->srv;
	f->client.id = 7;
	pthread_mutex_init(&f->client.lock, NULL);
	pthread_mutex_init(&f->file.lock, NULL);
	list_init(&f->file.opens);
	list_init(&f->file.ranges);
	list_init(&f->file.waiters);
	for (int i = 0; i < OWNERS; i++) {
		f->names[i] = 'a' + i;
		f->states[i] =
			nfsd_state_new(&f->client,
				       (struct xdr_bytes){ &f->names[i], 1 },
				       true, &f->file);
		assert_non_null(f->states[i]);
	}
}

static void fini(struct fixture *f)
{
	struct nfsd_dropped *d = NULL, *next;

	for (int i = 0; i < OWNERS; i++)
		nfsd_state_drop(f->states[i], &d);
	assert_int_equal(f->client.nranges, 0);
	assert_int_equal(f->client.nstates, 0);
	assert_int_equal(f->srv.held, 0);
	assert_true(list_empty(&f->file.ranges));
	for (; d != NULL; d = next) {
		next = d->next;
		free(d);
	}
	htable_fini(&f->client.states);
	htable_fini(&f->client.pairs);
	htable_fini(&f->client.owners);
}

static bool model_conflict(const struct fixture *f, int owner, unsigned start,
			   unsigned end, bool write)
{
	for (int o = 0; o < OWNERS; o++)
		for (unsigned b = start; o != owner && b <= end; b++)
			if (f->model[o][b] == 2 ||
			    (write && f->model[o][b] == 1))
				return true;
	return false;
}

/* The ranges say of each byte what the model says, and no range less than they
 * must: as many as there are runs of equal bytes. */
static void compare(const struct fixture *f, uint64_t seed)
{
	for (int o = 0; o < OWNERS; o++) {
		uint8_t found[BYTES] = {};
		unsigned runs = 0, ranges = 0;
		const struct nfsd_range *r;

		list_for_each (r, &f->states[o]->ranges, by_state) {
			ranges++;
			for (unsigned b = 0; b < BYTES; b++)
				if (r->start <= b && b <= r->end)
					found[b] = 1 + r->write;
		}
		for (unsigned b = 0; b < BYTES; b++) {
			uint8_t before = b == 0 ? 0 : f->model[o][b - 1];

			if (found[b] != f->model[o][b])
				fail_msg("seed %ju: owner %d, byte %u",
					 (uintmax_t)seed, o, b);
			runs += f->model[o][b] != 0 && f->model[o][b] != before;
		}
		if (ranges != runs)
			fail_msg("seed %ju: %u ranges for %u runs",
				 (uintmax_t)seed, ranges, runs);
	}
	nfsd_ranges_check(&f->file);
}

static void step(struct fixture *f, struct rng *rng)
{
	int owner = rng_below(rng, OWNERS);
	unsigned start = rng_below(rng, BYTES);
	unsigned end = start + rng_below(rng, BYTES - start);
	bool write = rng_chance(rng, 0.5), unlock = rng_chance(rng, 0.4);
	struct nfsd_owner_ref who = { 7, { &f->names[owner], 1 } };
	bool conflict = !unlock && model_conflict(f, owner, start, end, write);

	if (!unlock)
		assert_int_equal(
			nfsd_range_conflict(&f->file, &who, edge(start, false),
					    edge(end, true), write) != NULL,
			conflict);
	if (conflict)
		return;
	assert_int_equal(nfsd_range_set(f->states[owner], edge(start, false),
					edge(end, true), write, unlock),
			 0);
	memset(&f->model[owner][start], unlock ? 0 : 1 + write,
	       end - start + 1);
}

static void ranges_are_what_a_byte_array_says(void **state)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct fixture f;
		struct rng rng;

		rng_init(&rng, seed);
		init(&f);
		for (int i = 0; i < STEPS / 10; i++) {
			step(&f, &rng);
			compare(&f, seed);
		}
		fini(&f);
	}
}

static void who_waits_longest_comes_first(void **state)
{
	struct nfsd_owner_ref a = { 1, xdr_text("a") },
			      b = { 2, xdr_text("b") };
	struct nfsd_owner_ref c = { 3, xdr_text("c") };
	static struct nfs_server srv;
	struct nfsd_file f = { .srv = &srv };

	list_init(&f.waiters);
	nfsd_waiter_note(&f, &a, 0, 9, true, SEC(1));
	nfsd_waiter_note(&f, &b, 0, 9, true, SEC(2));
	assert_false(nfsd_waiter_before(&f, &a, 0, 9, true, SEC(2)));
	assert_true(nfsd_waiter_before(&f, &b, 0, 9, true, SEC(2)));
	assert_true(nfsd_waiter_before(&f, &c, 9, 9, true, SEC(2)));
	assert_false(nfsd_waiter_before(&f, &c, 10, 19, true, SEC(2)));
	/* a does not ask again in time: b is next. */
	assert_false(nfsd_waiter_before(&f, &b, 0, 9, true, SEC(4)));
	nfsd_waiter_forget(&f, &b, 0, 9);
	assert_int_equal(f.nwaiters, 1);
	/* And after a while it is forgotten. */
	assert_false(nfsd_waiter_before(&f, &b, 0, 9, true, SEC(100)));
	assert_int_equal(f.nwaiters, 0);
}

static void a_waiter_that_polls_slowly_is_waited_for_longer(void **state)
{
	struct nfsd_owner_ref a = { 1, xdr_text("a") },
			      b = { 2, xdr_text("b") };
	static struct nfs_server srv;
	struct nfsd_file f = { .srv = &srv };

	list_init(&f.waiters);
	nfsd_waiter_note(&f, &a, 0, 9, true, SEC(0));
	nfsd_waiter_note(&f, &a, 0, 9, true, SEC(8));
	assert_true(nfsd_waiter_before(&f, &b, 0, 9, true, SEC(20)));
	assert_false(nfsd_waiter_before(&f, &b, 0, 9, true, SEC(30)));
	nfsd_waiters_drop(&f);
}

/* Names of a kilobyte count with what they name: states of all clients take a
 * bounded amount of memory, and all of it comes back. */
static void what_is_held_is_bounded(void **state)
{
	char name[NFS4_OPAQUE_LIMIT] = {};
	struct xdr_bytes owner = { name, sizeof(name) };
	struct nfsd_owner_ref who = { 7, owner };
	struct fixture f;
	size_t before;

	init(&f);
	before = f.srv.held;
	nfsd_waiter_note(&f.file, &who, 0, 9, true, SEC(1));
	assert_true(f.srv.held > before + sizeof(name));
	nfsd_waiters_drop(&f.file);
	assert_int_equal(f.srv.held, before);
	f.srv.held = NFSD_HELD_BYTES;
	nfsd_waiter_note(&f.file, &who, 0, 9, true, SEC(1));
	assert_int_equal(f.file.nwaiters, 0);
	assert_null(nfsd_state_new(&f.client, owner, true, &f.file));
	assert_int_equal(nfsd_range_set(f.states[0], 0, 9, true, false),
			 -ENOMEM);
	/* As if room had been left for a state, but not for its owner. */
	f.srv.held = NFSD_HELD_BYTES - 1;
	assert_null(nfsd_state_new(&f.client, owner, true, &f.file));
	assert_int_equal(f.srv.held, NFSD_HELD_BYTES - 1);
	f.srv.held = before;
	fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_what_a_byte_array_says),
		cmocka_unit_test(what_is_held_is_bounded),
		cmocka_unit_test(who_waits_longest_comes_first),
		cmocka_unit_test(
			a_waiter_that_polls_slowly_is_waited_for_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
