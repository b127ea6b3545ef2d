/* SPDX-License-Identifier: Apache-2.0 */
/* Where transports belong outlives the process. */
#include "../in_task.h"

#include "pathd/record.h"

static const char name[] = "switch-0/xprt-1-tcp";

static struct record make(uint64_t inode)
{
	struct record r = { .inode = inode };

	assert_int_equal(addr_parse(&r.home, "10.77.0.1:2049", 0), 0);
	assert_int_equal(addr_parse(&r.from, "10.77.0.1:2049", 0), 0);
	assert_int_equal(addr_parse(&r.goal, "10.77.1.1:2049", 0), 0);
	return r;
}

static void what_is_saved_is_read(void **state)
{
	const char *dir = *state;
	struct record in = make(1234567890123), out;

	assert_int_equal(record_open(dir), 0);
	assert_false(record_load(dir, name, &out));
	assert_int_equal(record_save(dir, name, &in), 0);
	assert_true(record_load(dir, name, &out));
	assert_int_equal(out.inode, in.inode);
	assert_true(addr_equal(&out.home, &in.home));
	assert_true(addr_equal(&out.from, &in.from));
	assert_true(addr_equal(&out.goal, &in.goal));
	record_remove(dir, name);
	assert_false(record_load(dir, name, &out));
}

static void what_cannot_be_read_is_none(void **state)
{
	char file[256];
	struct record out;
	FILE *f;

	snprintf(file, sizeof(file), "%s/switch-0:xprt-1-tcp", (char *)*state);
	f = fopen(file, "w");
	fputs("12 nonsense", f);
	fclose(f);
	assert_false(record_load(*state, name, &out));
}

static bool is_five(void *arg, const char *transport, uint64_t inode)
{
	return inode == 5;
}

static void the_unwanted_are_swept(void **state)
{
	struct record five = make(5), six = make(6), out;

	assert_int_equal(record_save(*state, "switch-0/xprt-5-tcp", &five), 0);
	assert_int_equal(record_save(*state, "switch-0/xprt-6-tcp", &six), 0);
	record_sweep(*state, is_five, NULL);
	assert_true(record_load(*state, "switch-0/xprt-5-tcp", &out));
	assert_false(record_load(*state, "switch-0/xprt-6-tcp", &out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(what_is_saved_is_read),
		test_with_directory(what_cannot_be_read_is_none),
		test_with_directory(the_unwanted_are_swept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
