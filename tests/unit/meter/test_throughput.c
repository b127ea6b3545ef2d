/* SPDX-License-Identifier: Apache-2.0 */
/* What the throughput modes permit, second by second of a time that is ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/util.h"
#include "meter/throughput.h"

#undef KIB
#undef MIB
#undef GIB
#undef TIB
#define KIB 1024.0
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)

static const struct throughput_rule bursting = { THROUGHPUT_BURSTING, 0, 0 };

#define assert_near(is, want)                                                  \
	assert_true((is) >= (want)-1e-3 * (want)-1 &&                          \
		    (is) <= (want) + 1e-3 * (want) + 1)

/* Bytes that go through until then, in pieces, as fast as it is allowed. */
static double drive(struct throughput *t, double piece, nsec *now, nsec until)
{
	struct throughput_cost cost = { piece, 1 };
	double sum = 0;
	nsec next;

	while (*now < until) {
		next = throughput_take(t, &cost, *now);
		if (next == NSEC_NEVER)
			sum += piece;
		else
			*now = next;
	}
	return sum;
}

static double rate_at(double stored, double credits)
{
	struct throughput t;

	throughput_init(&t, &bursting, 0);
	throughput_set_stored(&t, (uint64_t)stored, 0);
	throughput_set_credits(&t, credits, 0, 0);
	return throughput_permitted(&t, 0);
}

static void an_operation_is_metered_as_4_kib_at_least(void **state)
{
	assert_near(throughput_write_cost(0).bytes, 4096);
	assert_near(throughput_write_cost(4096).bytes, 4096);
	assert_near(throughput_write_cost(4097).bytes, 4097);
	assert_near(throughput_write_cost(1 << 20).operations, 5);
}

static void of_reads_a_third_is_metered(void **state)
{
	assert_near(throughput_read_cost(3 << 20).bytes, 1 << 20);
	assert_near(throughput_read_cost(1).bytes, 4096.0 / 3);
	assert_near(throughput_read_cost(1).operations, 1);
}

static void baseline_is_50_kib_for_each_gib_but_at_least_1_mib(void **state)
{
	assert_near(rate_at(0, 0), MIB);
	assert_near(rate_at(20 * GIB, 0), MIB);
	assert_near(rate_at(20.48 * GIB, 0), MIB);
	assert_near(rate_at(21 * GIB, 0), 21 * 50 * KIB);
	assert_near(rate_at(100 * GIB, 0), 100 * 50 * KIB);
	assert_near(rate_at(TIB, 0), 50 * MIB);
}

static void burst_is_100_mib_and_more_beyond_a_tib(void **state)
{
	assert_near(rate_at(0, 1), 100 * MIB);
	assert_near(rate_at(TIB, 1), 100 * MIB);
	assert_near(rate_at(1.5 * TIB, 1), 150 * MIB);
	assert_near(rate_at(10 * TIB, 1), 1000 * MIB);
}

static void a_new_one_has_2_1_tib_of_credits(void **state)
{
	struct throughput t;

	throughput_init(&t, &bursting, 0);
	assert_near(throughput_credits(&t, 0), 2.1 * TIB);
	assert_near(throughput_permitted(&t, 0), 100 * MIB);
}

static void credits_are_earned_at_the_baseline_up_to_a_bound(void **state)
{
	struct throughput t;

	throughput_init(&t, &bursting, 0);
	throughput_set_stored(&t, (uint64_t)(100 * GIB), 0);
	throughput_set_credits(&t, 0, 0, 0);
	assert_near(throughput_credits(&t, SEC(3600)), 3600 * 100 * 50 * KIB);
	assert_near(throughput_credits(&t, SEC(3600) * 24 * 365), 2.1 * TIB);
	throughput_set_stored(&t, (uint64_t)(3 * TIB), SEC(3600) * 24 * 365);
	assert_near(throughput_credits(&t, SEC(3600) * 24 * 730), 6.3 * TIB);
}

static void credits_go_on_being_earned_while_nobody_served(void **state)
{
	struct throughput t;

	throughput_init(&t, &bursting, 0);
	throughput_set_stored(&t, (uint64_t)(10 * GIB), 0);
	throughput_set_credits(&t, 5 * MIB, SEC(60), 0);
	assert_near(throughput_credits(&t, 0), 5 * MIB + 60 * 500 * KIB);
	throughput_set_credits(&t, 5 * MIB, SEC(-60), 0);
	assert_near(throughput_credits(&t, 0), 5 * MIB);
}

static void burst_then_baseline(void **state)
{
	struct throughput t;
	nsec now = 0;
	double sum;

	throughput_init(&t, &bursting, 0);
	throughput_set_stored(&t, (uint64_t)(100 * GIB), 0);
	throughput_set_credits(&t, 1000 * MIB, 0, 0);
	/* Spent at 100 MiB/s, earned at 4.88. */
	sum = drive(&t, MIB, &now, SEC(10));
	assert_near(sum / MIB / 10, 100);
	sum = drive(&t, MIB, &now, SEC(20));
	assert_true(throughput_credits(&t, now) < MIB);
	assert_near(throughput_permitted(&t, now), 100 * 50 * KIB);
	sum = drive(&t, 64 * KIB, &now, SEC(120));
	assert_true(sum / 100 > 0.99 * 100 * 50 * KIB);
	assert_true(sum / 100 < 1.01 * 100 * 50 * KIB);
}

/* A small one gets 1 MiB/s without credits, and owes nothing for it. */
static void the_minimum_leaves_no_debt(void **state)
{
	struct throughput t;
	nsec now = 0;
	double sum;

	throughput_init(&t, &bursting, 0);
	throughput_set_stored(&t, (uint64_t)GIB, 0);
	throughput_set_credits(&t, 0, 0, 0);
	sum = drive(&t, 64 * KIB, &now, SEC(1000));
	assert_true(sum / 1000 > 0.99 * MIB && sum / 1000 < 1.01 * MIB);
	assert_true(throughput_credits(&t, now + SEC(100)) > 90 * 50 * KIB);
}

static void provisioned_is_kept_to(void **state)
{
	const struct throughput_rule r = { THROUGHPUT_PROVISIONED, 8 * MIB, 0 };
	struct throughput t;
	nsec now = 0;
	double sum;

	throughput_init(&t, &r, 0);
	sum = drive(&t, MIB, &now, SEC(100));
	assert_true(sum / 100 > 0.99 * 8 * MIB && sum / 100 < 1.02 * 8 * MIB);
	assert_near(throughput_credits(&t, now), 2.1 * TIB);
}

static void more_data_than_was_provisioned_for_bursts(void **state)
{
	const struct throughput_rule r = { THROUGHPUT_PROVISIONED, 8 * MIB, 0 };
	struct throughput t;

	throughput_init(&t, &r, 0);
	/* 163.84 GiB have a baseline of 8 MiB/s. */
	throughput_set_stored(&t, (uint64_t)(163 * GIB), 0);
	assert_near(throughput_permitted(&t, 0), 8 * MIB);
	throughput_set_stored(&t, (uint64_t)(164 * GIB), 0);
	assert_near(throughput_permitted(&t, 0), 100 * MIB);
}

static void elastic_is_limited_only_if_told_so(void **state)
{
	const struct throughput_rule free = { THROUGHPUT_ELASTIC, 0, 0 };
	const struct throughput_rule capped = { THROUGHPUT_ELASTIC, MIB, 0 };
	const struct throughput_cost much = { TIB, 1000000 };
	struct throughput t;
	nsec now = 0;

	throughput_init(&t, &free, 0);
	for (int i = 0; i < 1000; i++)
		assert_true(throughput_take(&t, &much, 0) == NSEC_NEVER);
	assert_false(throughput_is_limited(&free));
	assert_true(throughput_is_limited(&capped));
	throughput_set_rule(&t, &capped, 0);
	assert_true(drive(&t, 64 * KIB, &now, SEC(10)) < 10.2 * MIB);
}

static void operations_are_limited_beside_bytes(void **state)
{
	const struct throughput_rule r = { THROUGHPUT_ELASTIC, 0, 1000 };
	struct throughput_cost write = throughput_write_cost(1);
	struct throughput t;
	nsec now = 0, next;
	unsigned n = 0;

	throughput_init(&t, &r, 0);
	while (now < SEC(10)) {
		next = throughput_take(&t, &write, now);
		if (next == NSEC_NEVER)
			n++;
		else
			now = next;
	}
	assert_in_range(n, 1990, 2020);
}

static void a_new_rule_is_in_force_at_once(void **state)
{
	const struct throughput_rule slow = { THROUGHPUT_PROVISIONED, MIB, 0 };
	const struct throughput_rule fast = { THROUGHPUT_ELASTIC, 0, 0 };
	const struct throughput_cost big = { 100 * MIB, 1 };
	struct throughput t;

	throughput_init(&t, &slow, 0);
	assert_true(throughput_take(&t, &big, 0) == NSEC_NEVER);
	assert_true(throughput_take(&t, &big, 0) > SEC(99));
	throughput_set_rule(&t, &fast, SEC(1));
	assert_true(throughput_take(&t, &big, SEC(1)) == NSEC_NEVER);
}

static void what_was_not_needed_comes_back(void **state)
{
	const struct throughput_rule r = { THROUGHPUT_PROVISIONED, MIB, 0 };
	const struct throughput_cost big = { 10 * MIB, 1 };
	struct throughput t;

	throughput_init(&t, &r, 0);
	assert_true(throughput_take(&t, &big, 0) == NSEC_NEVER);
	throughput_give_back(&t, &big);
	assert_true(throughput_take(&t, &big, 0) == NSEC_NEVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_operation_is_metered_as_4_kib_at_least),
		cmocka_unit_test(of_reads_a_third_is_metered),
		cmocka_unit_test(
			baseline_is_50_kib_for_each_gib_but_at_least_1_mib),
		cmocka_unit_test(burst_is_100_mib_and_more_beyond_a_tib),
		cmocka_unit_test(a_new_one_has_2_1_tib_of_credits),
		cmocka_unit_test(
			credits_are_earned_at_the_baseline_up_to_a_bound),
		cmocka_unit_test(
			credits_go_on_being_earned_while_nobody_served),
		cmocka_unit_test(burst_then_baseline),
		cmocka_unit_test(the_minimum_leaves_no_debt),
		cmocka_unit_test(provisioned_is_kept_to),
		cmocka_unit_test(more_data_than_was_provisioned_for_bursts),
		cmocka_unit_test(elastic_is_limited_only_if_told_so),
		cmocka_unit_test(operations_are_limited_beside_bytes),
		cmocka_unit_test(a_new_rule_is_in_force_at_once),
		cmocka_unit_test(what_was_not_needed_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
