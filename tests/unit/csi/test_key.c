/* SPDX-License-Identifier: Apache-2.0 */
/* Access keys in a credentials file, and values in a query. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "csi/aws.h"

static const char file[] = "# a file\n"
			   "[other]\n"
			   "aws_access_key_id=AKIAOTHER\n"
			   "aws_secret_access_key=a=b/c+d\n"
			   "aws_session_token = token \n"
			   "\n"
			   "[default]\r\n"
			   "; region = x\r\n"
			   "region = eu-west-1\r\n"
			   "  aws_access_key_id = AKIADEFAULT\r\n"
			   "\taws_secret_access_key =  secret\r\n"
			   "[half]\n"
			   "aws_access_key_id = AKIAHALF\n"
			   "[default2]";

static void profiles(void **state)
{
	struct aws_key key;

	assert_int_equal(aws_key_parse(file, "default", &key), 0);
	assert_string_equal(key.id, "AKIADEFAULT");
	assert_string_equal(key.secret, "secret");
	assert_string_equal(key.token, "");
	assert_int_equal(aws_key_parse(file, "other", &key), 0);
	assert_string_equal(key.secret, "a=b/c+d");
	assert_string_equal(key.token, "token");
	assert_int_equal(aws_key_parse(file, "half", &key), -ENOENT);
	assert_int_equal(aws_key_parse(file, "default2", &key), -ENOENT);
	assert_int_equal(aws_key_parse(file, "nobody", &key), -ENOENT);
	assert_int_equal(aws_key_parse("", "default", &key), -ENOENT);
}

static void encoding(void **state)
{
	char out[100];

	assert_string_equal(aws_escape("aZ09-._~", out), "aZ09-._~");
	assert_string_equal(aws_escape("a b&c=d/+%\xc3\xa4", out),
			    "a%20b%26c%3Dd%2F%2B%25%C3%A4");
	assert_string_equal(aws_escape("", out), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profiles),
		cmocka_unit_test(encoding),
	};

	return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}
