/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What hawser perf nvme -w verify finds: one flipped bit, wherever it is, one
 * block of another time, one of another place, one that nobody here wrote; and
 * that it says which of these it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "perf/nvme.h"

enum { IO = 4096, BLOCK = 512 };

static const struct nvme_settings settings = { .io_size = IO };
static struct nvme_lane lane;
static uint8_t buf[IO], other[IO];

static int reset(void **state)
{
	memset(&lane, 0, sizeof(lane));
	lane.s = &settings;
	lane.block_size = BLOCK;
	lane.start = 8 * IO;
	lane.run = 0x1234567;
	nvme_verify_fill(&lane, buf, 5, 7);
	return 0;
}

static void assert_found(const char *what)
{
	assert_false(nvme_verify_check(&lane, buf, 5, 7));
	assert_int_equal(lane.failed, 1);
	assert_non_null(strstr(lane.text, what));
}

static void what_was_written_is_right(void **state)
{
	assert_true(nvme_verify_check(&lane, buf, 5, 7));
	assert_int_equal(lane.failed, 0);
}

static void any_flipped_bit_is_found(void **state)
{
	for (int bit = 0; bit < IO * 8; bit++) {
		buf[bit / 8] ^= 1 << bit % 8;
		assert_false(nvme_verify_check(&lane, buf, 5, 7));
		buf[bit / 8] ^= 1 << bit % 8;
	}
	assert_int_equal(lane.failed, IO * 8);
	buf[3 * BLOCK + 100] ^= 1;
	reset(state);
	buf[3 * BLOCK + 100] ^= 1;
	assert_found("block 107: wrong contents"); /* (8 + 5) * 8 + 3 */
}

static void a_stale_block_is_found(void **state)
{
	nvme_verify_fill(&lane, other, 5, 6);
	memcpy(buf + 2 * BLOCK, other + 2 * BLOCK, BLOCK);
	assert_found("block 106: stale: write 6, not write 7");
}

static void a_misplaced_block_is_found(void **state)
{
	nvme_verify_fill(&lane, other, 4, 7);
	memcpy(buf, other + BLOCK, BLOCK);
	assert_found("block 104: misplaced: it is block 97");
}

static void a_foreign_block_is_found(void **state)
{
	memset(buf + 7 * BLOCK, 0, BLOCK);
	assert_found("block 111: not what this run wrote");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_was_written_is_right, reset),
		cmocka_unit_test_setup(any_flipped_bit_is_found, reset),
		cmocka_unit_test_setup(a_stale_block_is_found, reset),
		cmocka_unit_test_setup(a_misplaced_block_is_found, reset),
		cmocka_unit_test_setup(a_foreign_block_is_found, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
