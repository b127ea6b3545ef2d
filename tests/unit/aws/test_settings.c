/* SPDX-License-Identifier: Apache-2.0 */
/* Settings come from options, environment and files, in that order. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "aws/internal.h"
#include "base/util.h"

static char home[] = "/tmp/aws-test-XXXXXX";

static void write_file(const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", home, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* An empty environment but for a home with both files. */
static int set_up(void **state)
{
	char path[PATH_MAX];

	strcpy(home, "/tmp/aws-test-XXXXXX");
	assert_non_null(mkdtemp(home));
	clearenv();
	setenv("HOME", home, 1);
	snprintf(path, sizeof(path), "%s/.aws", home);
	assert_int_equal(mkdir(path, 0700), 0);
	write_file(".aws/credentials", "# a remark\n[default]\n"
				       "aws_access_key_id = AKIADEFAULT\n"
				       "aws_secret_access_key=secret=1\n"
				       "[ other ]\r\n"
				       "aws_access_key_id=AKIAOTHER\r\n"
				       "aws_secret_access_key=two\r\n"
				       "aws_session_token=token\r\n");
	write_file(".aws/config", "[default]\nregion = eu-west-1\n"
				  "[profile other]\nregion=us-west-2\n");
	return 0;
}

static int tear_down(void **state)
{
	char command[PATH_MAX + 16];

	snprintf(command, sizeof(command), "/bin/rm -r %s", home);
	return system(command);
}

static void expect(const struct aws_options *o, const char *region,
		   const char *id, const char *secret, const char *token)
{
	struct aws_settings s;
	struct aws_error e;
	struct aws_key key;

	assert_int_equal(settings_load(&s, o), 0);
	assert_string_equal(s.region, region);
	assert_int_equal(settings_key(&s, &key, &e), 0);
	assert_string_equal(key.id, id);
	assert_string_equal(key.secret, secret);
	if (token == NULL)
		assert_null(key.token);
	else
		assert_string_equal(key.token, token);
	aws_key_free(&key);
	settings_free(&s);
}

static void test_profiles(void **state)
{
	expect(&(struct aws_options){ 0 }, "eu-west-1", "AKIADEFAULT",
	       "secret=1", NULL);
	expect(&(struct aws_options){ .profile = "other" }, "us-west-2",
	       "AKIAOTHER", "two", "token");
	setenv("AWS_PROFILE", "other", 1);
	setenv("AWS_REGION", "ap-south-1", 1);
	expect(&(struct aws_options){ 0 }, "ap-south-1", "AKIAOTHER", "two",
	       "token");
}

static void test_environment_before_files_after_options(void **state)
{
	setenv("AWS_ACCESS_KEY_ID", "AKIAENV", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "env", 1);
	expect(&(struct aws_options){ .region = "x-1" }, "x-1", "AKIAENV",
	       "env", NULL);
	expect(&(struct aws_options){ .profile = "other" }, "us-west-2",
	       "AKIAOTHER", "two", "token");
}

static void expect_no_key(const struct aws_options *o, const char *why)
{
	struct aws_settings s;
	struct aws_error e = { 0 };
	struct aws_key key;

	assert_int_equal(settings_load(&s, o), 0);
	assert_int_equal(settings_key(&s, &key, &e), -ENOENT);
	assert_non_null(strstr(e.message, why));
	aws_key_free(&key);
	settings_free(&s);
}

static void test_no_key(void **state)
{
	expect_no_key(&(struct aws_options){ .profile = "absent" }, "[absent]");
	setenv("AWS_ACCESS_KEY_ID", "AKIAENV", 1);
	expect_no_key(&(struct aws_options){ 0 }, "AWS_SECRET_ACCESS_KEY");
}

/* A file that is written anew counts at the next call. */
static void test_new_key(void **state)
{
	expect(&(struct aws_options){ 0 }, "eu-west-1", "AKIADEFAULT",
	       "secret=1", NULL);
	write_file(".aws/credentials", "[default]\naws_access_key_id=AKIANEW\n"
				       "aws_secret_access_key=new\n");
	expect(&(struct aws_options){ 0 }, "eu-west-1", "AKIANEW", "new", NULL);
}

static void expect_endpoint(const char *option, const char *service,
			    const char *url)
{
	struct aws_settings s = { .endpoint = (char *)option,
				  .region = (char *)"us-east-1" };
	char found[256];

	settings_endpoint(&s, service, found, sizeof(found));
	assert_string_equal(found, url);
}

static void test_endpoints(void **state)
{
	expect_endpoint(NULL, "ec2", "https://ec2.us-east-1.amazonaws.com");
	setenv("HAWSER_API_URL", "http://127.0.0.1:1/", 1);
	expect_endpoint(NULL, "ec2", "http://127.0.0.1:1");
	setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:2", 1);
	setenv("AWS_ENDPOINT_URL_EFS", "http://127.0.0.1:3", 1);
	expect_endpoint(NULL, "ec2", "http://127.0.0.1:2");
	expect_endpoint(NULL, "elasticfilesystem", "http://127.0.0.1:3");
	expect_endpoint("http://[::1]:4", "elasticfilesystem",
			"http://[::1]:4");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_profiles),
		TEST(test_environment_before_files_after_options),
		TEST(test_no_key),
		TEST(test_new_key),
		TEST(test_endpoints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
