/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of a StorageClass; tests/csi/controller.py has what is said of
 * those that are wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "csi/param.h"
#include "csi/tags.h"

#define UNIQUE "5abd1f35-f81f-4e5f-8841-06586690262f"
#define GOOD                                                                   \
	{ "provisioningMode", "efs-ap" }, { "fileSystemId", "fs-01234567" },   \
	{                                                                      \
		"directoryPerms", "700"                                        \
	}

static int parse(struct params *p, const char *key, const char *value)
{
	struct param_pair pairs[] = { GOOD, { key, value } };
	char err[PARAM_TEXT_SIZE] = "";
	int r;

	params_init(p);
	r = params_parse_early(p, pairs, ARRAY_SIZE(pairs), err);
	if (r == 0)
		r = params_parse_late(p, pairs, ARRAY_SIZE(pairs), err);
	if (r < 0) /* it is about that one */
		assert_non_null(strstr(err, key));
	return r;
}

static void defaults(void **state)
{
	struct params p;

	assert_int_equal(parse(&p, "nobody", "knows"), 0);
	assert_true(p.tagging);
	assert_true(p.unique_directory);
	assert_false(p.reuse);
	assert_false(p.multipathing);
	assert_int_equal(p.max_targets, 0);
	assert_int_equal(p.uid, -1);
	assert_int_equal(p.gid, -1);
}

static void booleans(void **state)
{
	static const char *const yes[] = {
		"1", "t", "T", "TRUE", "true", "True"
	};
	static const char *const no[] = { "0",	   "f",	    "F",
					  "FALSE", "false", "False" };
	static const char *const neither[] = { "", "yes", "tRUE", " true",
					       "2" };
	struct params p;

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		assert_int_equal(parse(&p, "multipathing", yes[i]), 0);
		assert_true(p.multipathing);
		assert_int_equal(parse(&p, "enableTagging", no[i]), 0);
		assert_false(p.tagging);
		assert_int_equal(parse(&p, "ensureUniqueDirectory", no[i]), 0);
		assert_false(p.unique_directory);
	}
	for (size_t i = 0; i < ARRAY_SIZE(neither); i++) {
		assert_int_equal(parse(&p, "multipathing", neither[i]),
				 -EINVAL);
		assert_int_equal(parse(&p, "reuseAccessPoint", neither[i]),
				 -EINVAL);
		assert_int_equal(parse(&p, "ensureUniqueDirectory", neither[i]),
				 0);
		assert_true(p.unique_directory);
	}
}

static void numbers(void **state)
{
	static const char *const bad[] = {
		"",    "-1",	     "x",
		"1x",  "0x1",	     " 1",
		"1.0", "4294967296", "99999999999999999999"
	};
	struct params p;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(parse(&p, "uid", bad[i]), -EINVAL);
		assert_int_equal(parse(&p, "gidRangeEnd", bad[i]), -EINVAL);
		assert_int_equal(parse(&p, "maxMultipathTargets", bad[i]),
				 -EINVAL);
	}
	assert_int_equal(parse(&p, "uid", "0"), 0);
	assert_int_equal(p.uid, 0);
	assert_int_equal(parse(&p, "gid", "4294967295"), 0);
	assert_int_equal(p.gid, 4294967295LL);
	assert_int_equal(parse(&p, "gidRangeStart", "0"), -EINVAL);
	assert_int_equal(parse(&p, "gidRangeStart", "1"), 0);
}

static void range_is(int64_t start, int64_t end, uint32_t want_start,
		     uint32_t want_end)
{
	char err[PARAM_TEXT_SIZE];
	struct gid_range range;
	struct params p;

	assert_int_equal(parse(&p, "x", "y"), 0);
	p.gid_start = start;
	p.gid_end = end;
	assert_int_equal(params_check_ids(&p, &range, err), 0);
	assert_int_equal(range.start, want_start);
	assert_int_equal(range.end, want_end);
}

static void ranges(void **state)
{
	range_is(-1, -1, 50000, 60000);
	range_is(1, 2, 1, 2);
	range_is(7, 1000000, 7, 10007);
	range_is(4294967294, 4294967295, 4294967294, 4294967295);
}

static void root_is(const char *base, const char *pattern, bool unique,
		    const char *want)
{
	char root[EFS_PATH_SIZE], err[PARAM_TEXT_SIZE];
	struct params p;
	int r;

	assert_int_equal(parse(&p, "x", "y"), 0);
	p.base_path = base;
	p.pattern = pattern;
	p.unique_directory = unique;
	p.pv_name = "pv";
	p.pvc_name = "claim";
	p.pvc_namespace = "space";
	r = params_root(&p, "volume", UNIQUE, root, err);
	if (want == NULL) {
		assert_int_equal(r, -EINVAL);
		return;
	}
	assert_int_equal(r, 0);
	assert_string_equal(root, want);
}

static void roots(void **state)
{
	char big[2000], want[EFS_PATH_SIZE];

	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	root_is("", "", true, "/volume");
	root_is("a", "", true, "/a/volume");
	root_is("/a//b/", "", false, "/a/b/volume");
	root_is("", "${.PVC.name}", true, "/claim-" UNIQUE);
	root_is("", "${.PVC.namespace}/${.PVC.name}/${.PV.name}", false,
		"/space/claim/pv");
	root_is("", "$.PV.name{", false, "/$.PV.name{");
	root_is("", "${.PV.name", false, NULL);
	root_is("", "${.pv.name}", false, NULL);
	root_is("", "}", false, NULL);
	root_is("", big, false, NULL);
	root_is(big, "", false, NULL);
	root_is("/a/b/c/d", "", false, "/a/b/c/d/volume");
	root_is("/a/b/c/d/e", "", false, NULL);
	/* "/", 92 of it, "/volume": 100 characters, and one more. */
	big[92] = '\0';
	snprintf(want, sizeof(want), "/%.92s/volume", big);
	root_is(big, "", false, want);
	big[92] = 'x';
	big[93] = '\0';
	root_is(big, "", false, NULL);
}

static void tags(void **state)
{
	static const char *const bad[] = { "x", ":v", "k:v:w", "k", "k v" };
	json_t *list = tags_parse(" k:v  team\\:x:a\\ b e: ");

	assert_int_equal(json_array_size(list), 3);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(list, 1), "Key")),
			    "team:x");
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(list, 1), "Value")),
			    "a b");
	json_decref(list);
	list = tags_parse("");
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_null(tags_parse(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults), cmocka_unit_test(booleans),
		cmocka_unit_test(numbers),  cmocka_unit_test(ranges),
		cmocka_unit_test(roots),    cmocka_unit_test(tags),
	};

	return cmocka_run_group_tests_name("param", tests, NULL, NULL);
}
