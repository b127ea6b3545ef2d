/* SPDX-License-Identifier: Apache-2.0 */
/* What amazon-efs-utils 3.2 signs when it mounts: a vector made by its code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/mount_client.h"

static const struct mount_claims sample = {
	.fs = "fs-30ba6ec9ab45dad95",
	.key = "AKIAAF3B6K73DIV2QGM2",
	.date = "20261121T192929Z",
	.public_key = "cedbd3170d866b4d1866867b6549f74753c7e242",
};

static void expect(const struct mount_claims *c, const char *hash)
{
	char text[MOUNT_STRING_SIZE], wanted[MOUNT_STRING_SIZE];

	snprintf(wanted, sizeof(wanted),
		 "AWS4-HMAC-SHA256\n20261121T192929Z\n"
		 "20261121/us-east-1/elasticfilesystem/aws4_request\n%s",
		 hash);
	assert_true(mount_claims_string(c, "us-east-1", text));
	assert_string_equal(text, wanted);
}

static void test_string(void **state)
{
	expect(&sample, "6aec79382286a07b8d406ace9ab408116b04ea1f8ea83dfc01654a"
			"245e5b80cc");
}

static void test_token(void **state)
{
	struct mount_claims c = sample;

	strcpy(c.token, "IQoJ+/==");
	expect(&c, "3ec421cdc6f10c62670fcdf70e46df31fb99d482"
		   "aaf6d0622cdcaec3e5f86691");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_string),
		cmocka_unit_test(test_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
