/* SPDX-License-Identifier: Apache-2.0 */
/* Volume ids, old and new, and paths in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "csi/handle.h"

#define FS "fs-0123456789abcdef0"
#define AP "fsap-00112233445566778"

static void good_ones(void **state)
{
	static const struct {
		const char *text, *path, *point;
		bool s3files;
	} cases[] = {
		{ FS, "/", "" },
		{ "efs:" FS, "/", "" },
		{ "s3files:" FS, "/", "", true },
		{ FS ":", "/", "" },
		{ FS "::", "/", "" },
		{ FS ":/a/b", "/a/b", "" },
		{ FS ":a//b/", "/a/b", "" },
		{ FS ":./a/../b", "/b", "" },
		{ FS ":../../a", "/a", "" },
		{ FS "::" AP, "/", AP },
		{ "efs:" FS "::" AP, "/", AP },
		{ "efs:" FS ":/sub:" AP, "/sub", AP },
		{ "fs-01234567", "/", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct handle h;

		assert_int_equal(handle_parse(cases[i].text, &h), 0);
		assert_string_equal(h.path, cases[i].path);
		assert_string_equal(h.point, cases[i].point);
		assert_int_equal(h.s3files, cases[i].s3files);
		assert_int_equal(strncmp(h.fs, "fs-0123456", 10), 0);
	}
}

static void bad_ones(void **state)
{
	static const char *const cases[] = {
		"",
		"x",
		"efs:",
		"efs:efs:" FS,
		"EFS:" FS,
		"fs-",
		"fs-0123456",
		"fs-0123456A",
		"fs-0123456789012345678901234567890123456789a",
		" " FS,
		FS " ",
		FS "::" AP ":x",
		FS "::fsap-",
		FS "::" FS,
		AP,
		FS "/a",
	};
	char longest[2 * HANDLE_PATH_SIZE] = FS ":/";
	struct handle h;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(handle_parse(cases[i], &h), -EINVAL);
	memset(longest + strlen(longest), 'x', HANDLE_PATH_SIZE);
	assert_int_equal(handle_parse(longest, &h), -EINVAL);
}

static void written_and_read(void **state)
{
	char text[HANDLE_SIZE];
	struct handle h;

	handle_format(FS, AP, text);
	assert_string_equal(text, "efs:" FS "::" AP);
	assert_int_equal(handle_parse(text, &h), 0);
	assert_string_equal(h.fs, FS);
	assert_string_equal(h.point, AP);
}

static void what_holds_what(void **state)
{
	assert_true(handle_path_holds("/", "/"));
	assert_true(handle_path_holds("/", "/a"));
	assert_true(handle_path_holds("/a", "/a"));
	assert_true(handle_path_holds("/a", "/a/b"));
	assert_false(handle_path_holds("/a", "/ab"));
	assert_false(handle_path_holds("/a/b", "/a"));
	assert_false(handle_path_holds("/a", "/"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones),
		cmocka_unit_test(bad_ones),
		cmocka_unit_test(written_and_read),
		cmocka_unit_test(what_holds_what),
	};

	return cmocka_run_group_tests_name("handle", tests, NULL, NULL);
}
