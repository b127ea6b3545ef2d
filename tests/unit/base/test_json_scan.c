/* SPDX-License-Identifier: Apache-2.0 */
/* Proves that the end of a message is found wherever the bytes are cut. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/rng.h"
#include "base/json_scan.h"

static ssize_t scan_whole(const char *text)
{
	struct json_scan s = {};

	return json_scan(&s, text, strlen(text));
}

static void a_value_ends_with_the_bracket_that_closes_it(void **state)
{
	assert_int_equal(scan_whole("{}"), 2);
	assert_int_equal(scan_whole(" \r\n\t{} "), 6);
	assert_int_equal(scan_whole("[[],{}][]"), 7);
	assert_int_equal(scan_whole("{\"a\":\"}\"}{}"), 9);
	assert_int_equal(scan_whole("{\"a\":\"\\\"}\"}"), 11);
	assert_int_equal(scan_whole("{\"a\":\"\\\\\"}x"), 10);
}

static void an_open_value_wants_more(void **state)
{
	assert_int_equal(scan_whole(""), 0);
	assert_int_equal(scan_whole("  "), 0);
	assert_int_equal(scan_whole("{"), 0);
	assert_int_equal(scan_whole("{\"a\":\"}"), 0);
	assert_int_equal(scan_whole("[[]"), 0);
}

static void what_is_neither_object_nor_array_is_refused(void **state)
{
	assert_int_equal(scan_whole("hello"), -EPROTO);
	assert_int_equal(scan_whole(" 5"), -EPROTO);
	assert_int_equal(scan_whole("\"a\""), -EPROTO);
	assert_int_equal(scan_whole("}"), -EPROTO);
	assert_int_equal(json_scan(&(struct json_scan){}, "\0", 1), -EPROTO);
}

static void nesting_has_a_bound(void **state)
{
	char text[2 * JSON_DEPTH_MAX + 2];

	memset(text, '[', JSON_DEPTH_MAX + 1);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	text[2 * JSON_DEPTH_MAX] = '\0';
	assert_int_equal(scan_whole(text), 2 * JSON_DEPTH_MAX);
	memset(text, '[', JSON_DEPTH_MAX + 1);
	assert_int_equal(scan_whole(text), -E2BIG);
}

/* A random object of about `len` bytes, strings and escapes included. */
static size_t random_object(struct rng *rng, char *text, size_t len)
{
	static const char *const parts[] = { "\"a\\\"}{\"", "1", "[]", "{}",
					     "\"\\\\\"" };
	unsigned open = 0;
	size_t n = 1;

	text[0] = '{';
	while (n < len) {
		size_t which = rng_below(rng, 7);

		if (which == 5 && open < JSON_DEPTH_MAX / 2 - 1) {
			memcpy(text + n, "[{", 2);
			n += 2;
			open++;
		} else if (which == 6 && open > 0) {
			memcpy(text + n, "}]", 2);
			n += 2;
			open--;
		} else if (which < 5) {
			memcpy(text + n, parts[which], strlen(parts[which]));
			n += strlen(parts[which]);
		}
	}
	for (; open > 0; open--, n += 2)
		memcpy(text + n, "}]", 2);
	text[n++] = '}';
	return n;
}

static void every_way_to_cut_a_message_gives_the_same_end(void **state)
{
	const char *env = getenv("SEED");
	uint64_t seed = env ? strtoull(env, NULL, 0) : (uint64_t)time(NULL);
	char text[512];
	struct rng rng;

	print_message("SEED=%llu\n", (unsigned long long)seed);
	rng_init(&rng, seed);
	for (int round = 0; round < 2000; round++) {
		size_t len = random_object(&rng, text, 400), at = 0;
		struct json_scan s = {};
		ssize_t n = 0;

		while (at < len && n == 0) {
			size_t piece = rng_below(&rng, len - at) + 1;

			n = json_scan(&s, text + at, piece);
			at += n ? (size_t)n : piece;
		}
		assert_true(n > 0);
		assert_int_equal(at, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_ends_with_the_bracket_that_closes_it),
		cmocka_unit_test(an_open_value_wants_more),
		cmocka_unit_test(what_is_neither_object_nor_array_is_refused),
		cmocka_unit_test(nesting_has_a_bound),
		cmocka_unit_test(every_way_to_cut_a_message_gives_the_same_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
