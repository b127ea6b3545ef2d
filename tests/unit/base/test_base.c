/* SPDX-License-Identifier: Apache-2.0 */
/* The containers and values of base/: each keeps its promises, at the edges
 * too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/hist.h"
#include "base/htable.h"
#include "base/list.h"
#include "base/pool.h"
#include "base/rng.h"
#include "base/utf8.h"

struct item {
	int value;
	struct list link;
	struct hnode node;
};

static void list_keeps_order_and_splices(void **state)
{
	struct list a = LIST_INIT(a), b = LIST_INIT(b);
	struct item items[6], *it, *tmp;
	int expect = 0;

	for (int i = 0; i < 6; i++) {
		items[i].value = i;
		list_append(i < 3 ? &a : &b, &items[i].link);
	}
	list_splice(&a, &b);
	assert_true(list_empty(&b));
	list_for_each (it, &a, link)
		assert_int_equal(it->value, expect++);
	assert_int_equal(expect, 6);

	list_for_each_safe (it, tmp, &a, link)
		if (it->value % 2 == 0)
			list_del(&it->link);
	list_del(&items[0].link); /* unlinked already: harmless */
	assert_int_equal(list_first(&a, struct item, link)->value, 1);
	assert_int_equal(list_last(&a, struct item, link)->value, 5);
}

static void htable_finds_what_is_in_it(void **state)
{
	enum { N = 5000 };
	struct item *items = calloc(N, sizeof(*items)), *it;
	struct htable t = {};
	size_t seen = 0;

	for (int i = 0; i < N; i++) {
		items[i].value = i;
		/* Few hashes, so that chains of equal ones are walked. */
		htable_insert(&t, &items[i].node, hash_u64(i / 4));
	}
	assert_int_equal(t.count, N);
	for (int i = 0; i < N; i++) {
		int found = 0;

		htable_for_each_match (it, &t, hash_u64(i / 4), node)
			found += it->value == i;
		assert_int_equal(found, 1);
	}
	htable_for_each (it, &t, node)
		seen++;
	assert_int_equal(seen, N);
	for (int i = 0; i < N; i += 2)
		htable_remove(&t, &items[i].node);
	while ((it = htable_pop_entry(&t, struct item, node)) != NULL)
		assert_int_equal(it->value % 2, 1);
	assert_int_equal(t.count, 0);
	assert_null(htable_first(&t, hash_u64(1)));
	htable_fini(&t);
	free(items);
}

/* The first vectors that the authors of SipHash published. */
static void siphash_agrees_with_its_authors(void **state)
{
	static const uint64_t expect[] = {
		0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a,
		0x85676696d7fb7e2d, 0xcf2794e0277187b7, 0x18765564cd99a68d,
		0xcbc9466e58fee3ce, 0xab0200f58b01d137, 0x93f5f5799a932462,
	};
	uint8_t bytes[16];
	struct siphash_key key;

	for (int i = 0; i < 16; i++)
		bytes[i] = i;
	key.k0 = load_le64(bytes);
	key.k1 = load_le64(bytes + 8);
	for (size_t i = 0; i < ARRAY_SIZE(expect); i++)
		assert_true(siphash24(&key, bytes, i) == expect[i]);
}

static void arena_is_bounded_and_aligned(void **state)
{
	char initial[100];
	struct arena a;
	size_t got = 0;
	char *p;

	arena_init(&a, initial + 1, sizeof(initial) - 1, 10000);
	while ((p = arena_alloc(&a, 24)) != NULL) {
		assert_int_equal((uintptr_t)p % 16, 0);
		memset(p, 1, 24);
		got += 32;
	}
	assert_in_range(got, 8000, 10100);
	arena_reset(&a);
	assert_string_equal(arena_strndup(&a, "abcdef", 3), "abc");
	assert_null(arena_calloc(&a, SIZE_MAX / 2, 3));
	assert_null(arena_strndup(&a, "", SIZE_MAX));
	arena_fini(&a);
}

static void addresses_round_trip(void **state)
{
	static const char *const good[][2] = {
		{ "127.0.0.1", "127.0.0.1:2049" },
		{ "10.1.2.3:65535", "10.1.2.3:65535" },
		{ "::1", "[::1]:2049" },
		{ "[2001:db8::1]:80", "[2001:db8::1]:80" },
		{ "unix:/run/x", "unix:/run/x" },
	};
	static const char *const bad[] = {
		"",	      "host", "1.2.3",	 "1.2.3.4:", "1.2.3.4:65536",
		"1.2.3.4:-1", "[::1", "[::1]80", "unix:",    "1.2.3.4:1x",
	};
	char text[ADDR_TEXT_MAX];
	struct addr a, b;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(addr_parse(&a, good[i][0], 2049), 0);
		assert_string_equal(addr_format(&a, text), good[i][1]);
		assert_int_equal(addr_parse(&b, text, 1), 0);
		assert_true(addr_equal(&a, &b));
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(addr_parse(&a, bad[i], 2049), -EINVAL);
}

static void percentiles_are_right_to_a_sixteenth(void **state)
{
	static struct hist h;

	hist_init(&h);
	assert_int_equal(hist_percentile(&h, 50), 0);
	for (int i = 1; i <= 100000; i++)
		hist_add(&h, i);
	assert_in_range(hist_percentile(&h, 50), 50000, 53200);
	assert_in_range(hist_percentile(&h, 99), 99000, 100000);
	assert_int_equal(hist_percentile(&h, 100), 100000);
	hist_add(&h, INT64_MAX);
	assert_true(hist_percentile(&h, 100) == INT64_MAX);
}

static void the_same_seed_gives_the_same_numbers(void **state)
{
	struct rng a, b;

	rng_init(&a, 7);
	rng_init(&b, 7);
	for (int i = 0; i < 1000; i++) {
		uint64_t n = rng_below(&a, 10);

		assert_true(n < 10);
		assert_int_equal(n, rng_below(&b, 10));
	}
}

static void a_pool_has_room_and_finds_the_same_piece_again(void **state)
{
	size_t size = 1, actual, again;

	for (; size < 3 * (size_t)POOL_MAX; size += size / 3 + 1) {
		char *p = pool_get(size, &actual);

		assert_non_null(p);
		assert_in_range(actual, size, size + size / 4 + 4096);
		memset(p, 1, actual);
		pool_put(p, actual);
		p = pool_get(actual, &again); /* its own size is its size */
		assert_int_equal(again, actual);
		pool_put(p, size);
	}
}

static void what_is_no_utf8_becomes_question_marks(void **state)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
		{ "", "" },
		{ "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z",
		  "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z" },
		{ "cut \xc3", "cut ?" },
		{ "cut \xe2\x82", "cut ??" },
		{ "\xff\x80", "??" },
		{ "\xc0\xaf", "??" },		/* not the shortest form */
		{ "\xed\xa0\x80", "???" },	/* a surrogate */
		{ "\xf4\x90\x80\x80", "????" }, /* beyond the last */
	};
	char text[32];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strcpy(text, cases[i].text);
		utf8_repair(text);
		assert_string_equal(text, cases[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_keeps_order_and_splices),
		cmocka_unit_test(htable_finds_what_is_in_it),
		cmocka_unit_test(siphash_agrees_with_its_authors),
		cmocka_unit_test(arena_is_bounded_and_aligned),
		cmocka_unit_test(addresses_round_trip),
		cmocka_unit_test(percentiles_are_right_to_a_sixteenth),
		cmocka_unit_test(the_same_seed_gives_the_same_numbers),
		cmocka_unit_test(what_is_no_utf8_becomes_question_marks),
		cmocka_unit_test(
			a_pool_has_room_and_finds_the_same_piece_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
