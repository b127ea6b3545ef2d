/* SPDX-License-Identifier: Apache-2.0 */
/* What mount(8) hands over: the options, each taken or refused, and which of
 * the two clients they mean; the source before the colon. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mount/internal.h"

/* As mount(8) calls: source, directory, -o. */
static int parse(struct wish *w, const char *options)
{
	static char list[WISH_TEXT];
	const char *argv[] = {
		"/sbin/mount.hawser", "fs-01234567:/", "/mnt", "-o", list, NULL
	};

	snprintf(list, sizeof(list), "%s", options);
	return wish_parse(w, 5, (char **)argv);
}

static void assert_refused(const char *options)
{
	struct wish w;

	if (parse(&w, options) != -EINVAL)
		fail_msg("taken: %s", options);
}

static void test_all_of_efs_utils_is_taken_or_refused(void **state)
{
	static const char *const taken[] = {
		"tls",
		"tls,iam",
		"tls,iam,awsprofile=p",
		"az=us-east-1a",
		"tls,accesspoint=fsap-0123456789abcdef0",
		"notls",
		"noocsp",
		"mounttargetip=10.0.0.1",
		"region=eu-west-1",
		"stunnel",
		"tls,cafile=/x",
		"tls,tlshost=h",
		"tls,verify=0",
		"tlsport=20049",
		"_netdev",
		"nodirects3read",
		"nos3readcache",
	};
	static const char *const refused[] = {
		"awscredsuri=/x",
		"rolearn=x",
		"jwtpath=/x",
		"ocsp",
		"azid=x",
		"crossaccount",
		"netns=/x",
		"capath=/x",
		"iam",
		"tls,notls",
		"accesspoint=fsap-1",
		"accesspoint=fsap-0123456789ABCDEF0",
		"cafile=/x",
		"tlshost=h",
		"mounttargetip=name",
		"mounttargetip=",
		"tls=1",
	};
	struct wish w;

	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		if (parse(&w, taken[i]) != 0)
			fail_msg("refused: %s", taken[i]);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		assert_refused(refused[i]);
}

static void test_options_say_which_client(void **state)
{
	struct wish w;

	assert_int_equal(parse(&w, "rw,rsize=4096,policy=round-robin"), 0);
	assert_string_equal(w.only_fuse, "policy");
	assert_string_equal(w.options, "rsize=4096,policy=round-robin");
	assert_int_equal(parse(&w, "lookupcache=none,nosuid"), 0);
	assert_string_equal(w.only_kernel, "lookupcache");
	assert_refused("lookupcache=none,policy=round-robin");
	assert_refused("client=fuse,soft");
	assert_refused("client=kernel,policy=round-robin");
	assert_refused("client=kernel,tls");
	assert_refused("tls,nosharecache");
	assert_refused("client=user");
}

static void test_addresses_keep_their_order(void **state)
{
	struct wish w;

	assert_int_equal(parse(&w, "addr=10.0.1.10,mounttargetip_1=10.0.2.10,"
				   "mounttargetip_2=10.0.3.10"),
			 0);
	assert_int_equal(w.naddresses, 3);
	assert_string_equal(w.address[2], "10.0.3.10");
}

static void test_retry_and_multipath(void **state)
{
	struct wish w;

	assert_int_equal(parse(&w, "defaults"), 0);
	assert_true(w.multipath);
	assert_int_equal(parse(&w, "nomultipath,bg,retry=7,max_connect=3"), 0);
	assert_false(w.multipath);
	assert_true(w.background);
	assert_int_equal(w.retry, 7);
	assert_int_equal(w.max_connect, 3);
	assert_refused("retry=soon");
	assert_refused("retry=");
	assert_refused("max_connect=-1");
}

static void test_what_is_not_known(void **state)
{
	const char *argv[] = { "mount.efs", "-s", "fs-01234567:/", "/mnt", "-o",
			       NULL,	    NULL };
	char list[] = "hrad,ro";
	struct wish w;

	assert_refused("hrad");
	argv[5] = list;
	assert_int_equal(wish_parse(&w, 6, (char **)argv), 0);
	assert_true(w.read_only);
	assert_int_equal(wish_parse(&w, 3, (char **)argv), -EINVAL);
}

static void expect_source(const char *source, const char *fs, const char *name,
			  const char *path)
{
	struct site s;

	assert_int_equal(site_read_source(source, &s), 0);
	assert_string_equal(s.fs, fs);
	assert_string_equal(s.name, name);
	assert_string_equal(s.path, path);
}

static void test_source(void **state)
{
	struct site s;

	expect_source("fs-01234567:/a/b", "fs-01234567", "fs-01234567", "/a/b");
	expect_source("fs-01234567", "fs-01234567", "fs-01234567", "/");
	expect_source("fs-01234567:", "fs-01234567", "fs-01234567", "/");
	expect_source("10.0.0.1:/", "", "10.0.0.1", "/");
	expect_source("[2001:db8::1]:/x", "", "[2001:db8::1]", "/x");
	expect_source("fs-01234567.efs.eu-west-1.amazonaws.com:/",
		      "fs-01234567", "fs-01234567.efs.eu-west-1.amazonaws.com",
		      "/");
	expect_source("eu-west-1a.fs-01234567.efs.x.y:/", "fs-01234567",
		      "eu-west-1a.fs-01234567.efs.x.y", "/");
	expect_source("fs-server.example.com:/", "", "fs-server.example.com",
		      "/");
	assert_int_equal(site_read_source("10.0.0.1", &s), -EINVAL);
	assert_int_equal(site_read_source(":/x", &s), -EINVAL);
	assert_int_equal(site_read_source("", &s), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_of_efs_utils_is_taken_or_refused),
		cmocka_unit_test(test_options_say_which_client),
		cmocka_unit_test(test_addresses_keep_their_order),
		cmocka_unit_test(test_retry_and_multipath),
		cmocka_unit_test(test_what_is_not_known),
		cmocka_unit_test(test_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
