/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves the check of signatures by the examples that AWS publishes (key
 * AKIDEXAMPLE, service "service", 30 August 2015), and that any change of what
 * was signed is noticed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "api/sigv4.h"

#define CREDENTIAL                                                             \
	"AWS4-HMAC-SHA256 "                                                    \
	"Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "

enum { NOON = 1440938160 }; /* 2015-08-30 12:36:00 */

static bool secret_of(void *arg, const char *key,
		      char secret[SIGV4_SECRET_MAX + 1])
{
	strcpy(secret, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
	return strcmp(key, "AKIDEXAMPLE") == 0;
}

struct request {
	const char *method, *path, *query, *authorization, *date, *extra;
	time_t now;
};

static enum sigv4_verdict check(const struct request *q)
{
	struct sigv4_header headers[] = {
		{ "Host", "example.amazonaws.com" },
		{ "X-Amz-Date", q->date ? q->date : "20150830T123600Z" },
		{ "Authorization", q->authorization },
		{ "My-Header1", q->extra },
	};
	struct sigv4_request r = {
		.method = q->method ? q->method : "GET",
		.path = q->path ? q->path : "/",
		.query = q->query ? q->query : "",
		.headers = headers,
		.n_headers = q->extra ? 4 : 3,
		.now = q->now ? q->now : NOON,
	};
	struct sigv4_scope scope;
	char text[SIGV4_TEXT];

	SHA256((const uint8_t *)"", 0, r.body);
	return sigv4_check(&r, secret_of, NULL, &scope, text);
}

/* get-vanilla */
static const char vanilla[] =
	CREDENTIAL "SignedHeaders=host;x-amz-date, Signature="
		   "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763"
		   "fbf31";

static void test_the_examples_are_valid(void **state)
{
	/* get-vanilla-query-order-key-case */
	static const char order[] =
		CREDENTIAL "SignedHeaders=host;x-amz-date, Signature="
			   "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d32"
			   "19ec94cdf2500";
	/* post-vanilla */
	static const char post[] =
		CREDENTIAL "SignedHeaders=host;x-amz-date, Signature="
			   "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb6"
			   "8e92efbe5d6b";

	assert_int_equal(check(&(struct request){ .authorization = vanilla }),
			 SIGV4_VALID);
	assert_int_equal(check(&(struct request){
				 .authorization = order,
				 .query = "Param2=value2&Param1=value1" }),
			 SIGV4_VALID);
	assert_int_equal(check(&(struct request){ .authorization = post,
						  .method = "POST" }),
			 SIGV4_VALID);
}

static void test_any_change_is_noticed(void **state)
{
	const struct request changes[] = {
		{ .authorization = vanilla, .method = "PUT" },
		{ .authorization = vanilla, .path = "/a" },
		{ .authorization = vanilla, .query = "a" },
		{ .authorization = vanilla, .date = "20150830T123601Z" },
	};
	char bent[sizeof(vanilla)];

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		assert_int_equal(check(&changes[i]), SIGV4_MISMATCH);
	for (size_t i = sizeof(vanilla) - 65; i < sizeof(vanilla) - 1; i++) {
		strcpy(bent, vanilla);
		bent[i] = bent[i] == '0' ? '1' : '0';
		assert_int_equal(
			check(&(struct request){ .authorization = bent }),
			SIGV4_MISMATCH);
	}
}

/* Cut anywhere, it is incomplete or wrong, and nothing worse. */
static void test_headers_that_are_cut(void **state)
{
	char cut[sizeof(vanilla)];

	for (size_t i = 0; i < sizeof(vanilla) - 1; i++) {
		memcpy(cut, vanilla, i);
		cut[i] = '\0';
		assert_int_not_equal(
			check(&(struct request){ .authorization = cut }),
			SIGV4_VALID);
	}
}

static void test_time(void **state)
{
	static const struct {
		int offset;
		enum sigv4_verdict verdict;
	} cases[] = {
		{ SIGV4_SKEW, SIGV4_VALID },
		{ SIGV4_SKEW + 1, SIGV4_EXPIRED },
		{ -SIGV4_SKEW, SIGV4_VALID },
		{ -SIGV4_SKEW - 1, SIGV4_EXPIRED },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(check(&(struct request){
					 .authorization = vanilla,
					 .now = NOON + cases[i].offset }),
				 cases[i].verdict);
	assert_int_equal(check(&(struct request){ .authorization = vanilla,
						  .date = "now" }),
			 SIGV4_INCOMPLETE);
}

static void test_unknown_keys(void **state)
{
	char other[sizeof(vanilla)];

	strcpy(other, vanilla);
	*strchr(other, 'X') = 'Y';
	assert_int_equal(check(&(struct request){ .authorization = other }),
			 SIGV4_UNKNOWN_KEY);
}

static void test_unescape(void **state)
{
	static const struct {
		const char *from, *to;
		bool query;
	} cases[] = {
		{ "a%2Fb", "a/b", false }, { "a+b", "a+b", false },
		{ "a+b", "a b", true },	   { "%", "%", true },
		{ "%4", "%4", true },	   { "%4g", "%4g", true },
		{ "%c3%A9", "é", true },   { "", "", true },
	};
	char text[32];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strcpy(text, cases[i].from);
		assert_int_equal(sigv4_unescape(text, cases[i].query),
				 strlen(cases[i].to));
		assert_string_equal(text, cases[i].to);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_examples_are_valid),
		cmocka_unit_test(test_any_change_is_noticed),
		cmocka_unit_test(test_headers_that_are_cut),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_unknown_keys),
		cmocka_unit_test(test_unescape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
