/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of reservations: what I/O each kind of host may do under each type,
 * as the table of the specification has it; single cases of its text; and
 * random commands against a model that keeps the same by other means.
 */
#include "../in_task.h"
#include "base/rng.h"
#include "base/util.h"
#include "nvme/target/registrants.h"

enum {
	CONFLICT = NVME_SC_RESERVATION_CONFLICT | NVME_SC_DNR,
	INVALID = NVME_SC_INVALID_FIELD | NVME_SC_DNR,
	HOSTS = 5,
	KEYS = 4, /* 1 to 3; 0 is none */
};

static const uint8_t ids[HOSTS][16] = { { 1 }, { 2 }, { 3 }, { 4 }, { 5 } };

/* What each host was told, by notice. */
static unsigned told[HOSTS][4];

static void note(void *arg, const uint8_t host[16], enum nvme_resv_notice what)
{
	told[host[0] - 1][what]++;
}

static void init(struct registrants *r)
{
	registrants_init(r);
	r->told = note;
	memset(told, 0, sizeof(told));
}

static uint16_t reg(struct registrants *r, int host, uint64_t key)
{
	return registrants_register(r, ids[host], NVME_RREGA_REGISTER, false, 0,
				    key);
}

static uint16_t unreg(struct registrants *r, int host, uint64_t key)
{
	return registrants_register(r, ids[host], NVME_RREGA_UNREGISTER, false,
				    key, 0);
}

static uint16_t acquire(struct registrants *r, int host, uint64_t key,
			enum nvme_resv_type type)
{
	return registrants_acquire(r, ids[host], NVME_RACQA_ACQUIRE, type, key,
				   0);
}

static uint16_t preempt(struct registrants *r, int host, uint64_t key,
			enum nvme_resv_type type, uint64_t other)
{
	return registrants_acquire(r, ids[host], NVME_RACQA_PREEMPT, type, key,
				   other);
}

static uint16_t release(struct registrants *r, int host, uint64_t key,
			enum nvme_resv_type type)
{
	return registrants_release(r, ids[host], NVME_RRELA_RELEASE, type, key);
}

/* ------------------------------------------------------------------- table */

/* Base 2.3, 8.1.24: Command Behavior in the Presence of a Reservation. */
static void io_is_allowed_as_the_table_says(void **state)
{
	static const struct {
		enum nvme_resv_type type;
		/* of the holder, another registrant, a stranger */
		const char *read, *write;
	} table[] = {
		{ NVME_RTYPE_WE, "yyy", "ynn" },
		{ NVME_RTYPE_EA, "ynn", "ynn" },
		{ NVME_RTYPE_WERO, "yyy", "yyn" },
		{ NVME_RTYPE_EARO, "yyn", "yyn" },
		{ NVME_RTYPE_WEAR, "yyy", "yyn" },
		{ NVME_RTYPE_EAAR, "yyn", "yyn" },
	};
	struct registrants r;

	init(&r);
	assert_int_equal(reg(&r, 0, 1), 0);
	assert_int_equal(reg(&r, 1, 2), 0);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		for (int h = 0; h < 3; h++) {
			assert_true(registrants_allow(&r, ids[h], false));
			assert_true(registrants_allow(&r, ids[h], true));
		}
		assert_int_equal(acquire(&r, 0, 1, table[i].type), 0);
		for (int h = 0; h < 3; h++) {
			assert_int_equal(registrants_allow(&r, ids[h], false),
					 table[i].read[h] == 'y');
			assert_int_equal(registrants_allow(&r, ids[h], true),
					 table[i].write[h] == 'y');
		}
		assert_int_equal(release(&r, 0, 1, table[i].type), 0);
	}
	registrants_fini(&r);
}

/* ------------------------------------------------------------------- cases */

static void a_host_registers_with_one_key(void **state)
{
	struct registrants r;

	init(&r);
	assert_int_equal(reg(&r, 0, 0), INVALID);
	assert_int_equal(reg(&r, 0, 1), 0);
	assert_int_equal(reg(&r, 0, 1), 0);
	assert_int_equal(reg(&r, 0, 2), CONFLICT);
	assert_int_equal(registrants_register(&r, ids[0], NVME_RREGA_REPLACE,
					      false, 3, 2),
			 CONFLICT);
	assert_int_equal(registrants_register(&r, ids[0], NVME_RREGA_REPLACE,
					      false, 1, 2),
			 0);
	assert_int_equal(registrants_register(&r, ids[0], NVME_RREGA_REPLACE,
					      true, 9, 3),
			 0);
	assert_int_equal(registrants_register(&r, ids[1], NVME_RREGA_REPLACE,
					      true, 9, 4),
			 0); /* IEKEY: whether it was registered or not */
	assert_int_equal(unreg(&r, 0, 1), CONFLICT);
	assert_int_equal(unreg(&r, 0, 3), 0);
	assert_int_equal(unreg(&r, 0, 3), CONFLICT);
	assert_int_equal(r.generation, 6);
	assert_int_equal(registrants_register(&r, ids[1], 3, false, 4, 4),
			 INVALID);
	registrants_fini(&r);
}

static void there_is_a_bound_to_registrants(void **state)
{
	struct registrants r;
	uint8_t id[16] = {};

	init(&r);
	for (unsigned i = 0; i < REGISTRANTS_MAX; i++) {
		memcpy(id, &i, sizeof(i));
		assert_int_equal(registrants_register(&r, id,
						      NVME_RREGA_REGISTER,
						      false, 0, 1),
				 0);
	}
	id[15] = 1;
	assert_int_not_equal(registrants_register(&r, id, NVME_RREGA_REGISTER,
						  false, 0, 1),
			     0);
	assert_int_equal(r.n, REGISTRANTS_MAX);
	registrants_fini(&r);
}

static void a_holder_keeps_what_it_has(void **state)
{
	struct registrants r;

	init(&r);
	reg(&r, 0, 1);
	reg(&r, 1, 2);
	assert_int_equal(acquire(&r, 2, 1, NVME_RTYPE_WE), CONFLICT);
	assert_int_equal(acquire(&r, 0, 2, NVME_RTYPE_WE), CONFLICT);
	assert_int_equal(acquire(&r, 0, 1, 7), INVALID);
	assert_int_equal(acquire(&r, 0, 1, 0), INVALID);
	assert_int_equal(acquire(&r, 0, 1, NVME_RTYPE_WE), 0);
	assert_int_equal(acquire(&r, 0, 1, NVME_RTYPE_WE), 0);
	assert_int_equal(acquire(&r, 0, 1, NVME_RTYPE_EA), CONFLICT);
	assert_int_equal(acquire(&r, 1, 2, NVME_RTYPE_WE), CONFLICT);
	assert_int_equal(release(&r, 1, 2, NVME_RTYPE_WE), 0); /* not its */
	assert_int_equal(r.type, NVME_RTYPE_WE);
	assert_int_equal(release(&r, 0, 1, NVME_RTYPE_EA), INVALID);
	assert_int_equal(release(&r, 0, 1, NVME_RTYPE_WE), 0);
	assert_int_equal(r.type, NVME_RTYPE_NONE);
	assert_int_equal(told[1][NVME_RESV_RELEASED], 0);
	registrants_fini(&r);
}

static void a_reservation_goes_with_its_holder(void **state)
{
	struct registrants r;

	init(&r);
	reg(&r, 0, 1);
	reg(&r, 1, 2);
	acquire(&r, 0, 1, NVME_RTYPE_EARO);
	assert_int_equal(unreg(&r, 0, 1), 0);
	assert_int_equal(r.type, NVME_RTYPE_NONE);
	assert_int_equal(told[1][NVME_RESV_RELEASED], 1);
	/* That of all registrants, with the last one. */
	reg(&r, 0, 1);
	acquire(&r, 0, 1, NVME_RTYPE_WEAR);
	assert_int_equal(unreg(&r, 0, 1), 0);
	assert_int_equal(r.type, NVME_RTYPE_WEAR);
	assert_int_equal(unreg(&r, 1, 2), 0);
	assert_int_equal(r.type, NVME_RTYPE_NONE);
	registrants_fini(&r);
}

static void a_reservation_is_preempted(void **state)
{
	struct registrants r;

	init(&r);
	for (int h = 0; h < 4; h++)
		reg(&r, h, h < 2 ? 1 : h);
	acquire(&r, 0, 1, NVME_RTYPE_WE);
	assert_int_equal(preempt(&r, 2, 2, NVME_RTYPE_EA, 0), INVALID);
	assert_int_equal(preempt(&r, 2, 2, NVME_RTYPE_EA, 9), CONFLICT);
	assert_int_equal(preempt(&r, 4, 2, NVME_RTYPE_EA, 1), CONFLICT);
	/* Hosts 0 and 1 have the holder's key. */
	assert_int_equal(preempt(&r, 2, 2, NVME_RTYPE_EA, 1), 0);
	assert_int_equal(r.type, NVME_RTYPE_EA);
	assert_int_equal(r.n, 2);
	assert_true(registrants_allow(&r, ids[2], true));
	assert_int_equal(told[0][NVME_RESV_REGISTRATION_PREEMPTED], 1);
	assert_int_equal(told[1][NVME_RESV_REGISTRATION_PREEMPTED], 1);
	assert_int_equal(told[3][NVME_RESV_RELEASED], 1);
	/* A holder changes the type by preempting itself. */
	assert_int_equal(preempt(&r, 2, 2, NVME_RTYPE_EAAR, 2), 0);
	assert_int_equal(r.type, NVME_RTYPE_EAAR);
	assert_int_equal(r.n, 2);
	/* All others at once. */
	assert_int_equal(preempt(&r, 3, 3, NVME_RTYPE_WE, 0), 0);
	assert_int_equal(r.type, NVME_RTYPE_WE);
	assert_int_equal(r.n, 1);
	assert_int_equal(told[2][NVME_RESV_REGISTRATION_PREEMPTED], 1);
	registrants_fini(&r);
}

static void clear_takes_it_all_away(void **state)
{
	struct registrants r;

	init(&r);
	reg(&r, 0, 1);
	reg(&r, 1, 2);
	acquire(&r, 0, 1, NVME_RTYPE_EA);
	assert_int_equal(
		registrants_release(&r, ids[1], NVME_RRELA_CLEAR, 0, 2), 0);
	assert_int_equal(r.type, NVME_RTYPE_NONE);
	assert_int_equal(r.n, 0);
	assert_int_equal(told[0][NVME_RESV_PREEMPTED], 1);
	assert_int_equal(told[1][NVME_RESV_PREEMPTED], 0);
	registrants_fini(&r);
}

/* ------------------------------------------------------------------- model */

/* By host: its key (0: not registered); who acquired; the type. */
struct model {
	uint64_t key[HOSTS];
	int owner; /* -1: none, or all registrants */
	int type;
	uint32_t generation;
};

static bool for_all(int type)
{
	return type == NVME_RTYPE_WEAR || type == NVME_RTYPE_EAAR;
}

static int count(const struct model *m, uint64_t key)
{
	int n = 0;

	for (int h = 0; h < HOSTS; h++)
		n += m->key[h] != 0 && (key == 0 || m->key[h] == key);
	return n;
}

static bool holds(const struct model *m, int h)
{
	return m->key[h] != 0 && (m->owner == h || for_all(m->type));
}

static void settle(struct model *m)
{
	if (m->owner >= 0 ? m->key[m->owner] == 0 : count(m, 0) == 0) {
		m->owner = -1;
		m->type = 0;
	}
}

static void take(struct model *m, int h, int type)
{
	m->type = type;
	m->owner = for_all(type) ? -1 : h;
}

static uint16_t model_register(struct model *m, int h, int action, bool ignore,
			       uint64_t current, uint64_t new)
{
	bool good = m->key[h] != 0 && (ignore || m->key[h] == current);

	if (action != NVME_RREGA_UNREGISTER && new == 0)
		return INVALID;
	if (action == NVME_RREGA_REGISTER && m->key[h] != 0 && m->key[h] != new)
		return CONFLICT;
	if (action == NVME_RREGA_UNREGISTER && !good)
		return CONFLICT;
	if (action == NVME_RREGA_REPLACE && !good &&
	    !(ignore && m->key[h] == 0))
		return CONFLICT;
	m->key[h] = action == NVME_RREGA_UNREGISTER ? 0 : new;
	m->generation++;
	settle(m);
	return 0;
}

static uint16_t model_acquire(struct model *m, int h, int action, int type,
			      uint64_t current, uint64_t other)
{
	bool wins;

	if (type < 1 || type > 6)
		return INVALID;
	if (m->key[h] == 0 || m->key[h] != current)
		return CONFLICT;
	if (action == NVME_RACQA_ACQUIRE) {
		if (m->type != 0)
			return holds(m, h) && m->type == type ? 0 : CONFLICT;
		take(m, h, type);
		return 0;
	}
	if (other == 0 && !for_all(m->type))
		return INVALID;
	if (other != 0 && count(m, other) == 0)
		return CONFLICT;
	wins = other == 0 || (m->owner >= 0 && m->key[m->owner] == other);
	for (int i = 0; i < HOSTS; i++)
		if ((other == 0 || m->key[i] == other) && !(wins && i == h))
			m->key[i] = 0;
	if (wins)
		take(m, h, type);
	settle(m);
	m->generation++;
	return 0;
}

static uint16_t model_release(struct model *m, int h, int action, int type,
			      uint64_t current)
{
	if (action == NVME_RRELA_RELEASE && (type < 1 || type > 6))
		return INVALID;
	if (m->key[h] == 0 || m->key[h] != current)
		return CONFLICT;
	if (action == NVME_RRELA_CLEAR) {
		memset(m->key, 0, sizeof(m->key));
		m->generation++;
	} else if (!holds(m, h)) {
		return 0;
	} else if (m->type != type) {
		return INVALID;
	}
	m->owner = -1;
	m->type = 0;
	return 0;
}

static bool model_allows(const struct model *m, int h, bool write)
{
	bool exclusive = m->type == NVME_RTYPE_EA ||
			 m->type == NVME_RTYPE_EARO ||
			 m->type == NVME_RTYPE_EAAR;

	if (m->type == 0 || holds(m, h) || (!write && !exclusive))
		return true;
	return m->type >= NVME_RTYPE_WERO && m->key[h] != 0;
}

static void compare(const struct registrants *r, const struct model *m)
{
	const struct registrant *reg;

	require(r->type == (unsigned)m->type);
	require(r->generation == m->generation);
	require((int)r->n == count(m, 0));
	list_for_each (reg, &r->all, link) {
		int h = reg->host[0] - 1;

		require(reg->key == m->key[h]);
		require((r->type != 0 && registrants_is_holder(r, reg)) ==
			(m->type != 0 && holds(m, h)));
	}
	for (int h = 0; h < HOSTS; h++) {
		require(registrants_allow(r, ids[h], false) ==
			model_allows(m, h, false));
		require(registrants_allow(r, ids[h], true) ==
			model_allows(m, h, true));
	}
}

static void step(struct rng *rng, struct registrants *r, struct model *m)
{
	int h = rng_below(rng, HOSTS), type = rng_below(rng, 8);
	uint64_t key = rng_below(rng, KEYS), other = rng_below(rng, KEYS);
	bool ignore = rng_chance(rng, 0.2);
	int action = rng_below(rng, 3);

	if (m->key[h] != 0 && rng_chance(rng, 0.7))
		key = m->key[h];
	if (m->type != 0 && rng_chance(rng, 0.3))
		type = m->type;
	switch (rng_below(rng, 3)) {
	case 0:
		require(registrants_register(r, ids[h], action, ignore, key,
					     other) ==
			model_register(m, h, action, ignore, key, other));
		break;
	case 1:
		require(registrants_acquire(r, ids[h], action, type, key,
					    other) ==
			model_acquire(m, h, action, type, key, other));
		break;
	default:
		action = rng_chance(rng, 0.1);
		require(registrants_release(r, ids[h], action, type, key) ==
			model_release(m, h, action, type, key));
		break;
	}
}

static void random_commands_do_what_the_model_does(void **state)
{
	const char *env = getenv("SEED");
	uint64_t seed = env != NULL ? strtoull(env, NULL, 0) : 1;
	struct model m = { .owner = -1 };
	struct registrants r;
	struct rng rng;

	print_message("SEED=%llu\n", (unsigned long long)seed);
	rng_init(&rng, seed);
	init(&r);
	for (int i = 0; i < 200000; i++) {
		step(&rng, &r, &m);
		compare(&r, &m);
	}
	registrants_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(io_is_allowed_as_the_table_says),
		cmocka_unit_test(a_host_registers_with_one_key),
		cmocka_unit_test(there_is_a_bound_to_registrants),
		cmocka_unit_test(a_holder_keeps_what_it_has),
		cmocka_unit_test(a_reservation_goes_with_its_holder),
		cmocka_unit_test(a_reservation_is_preempted),
		cmocka_unit_test(clear_takes_it_all_away),
		cmocka_unit_test(random_commands_do_what_the_model_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
