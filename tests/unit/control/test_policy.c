/* SPDX-License-Identifier: Apache-2.0 */
/* Proves how policies decide, by tables: a policy, a request, a decision. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control/policy.h"

#define FS "arn:aws:elasticfilesystem:eu-west-1:000000000000:file-system/fs-1"

static const struct policy_key keys[] = {
	{ "aws:SourceIp", "10.1.2.3" },
	{ "aws:SecureTransport", "false" },
	{ "aws:username", "joe" },
	{ "n", "10" },
	{ "aws:CurrentTime", "2026-06-01T00:00:00Z" },
	{ "arn", "arn:aws:iam::000000000000:user/joe" },
	{ "odd", "*" },
	{ "odder", "\1" },
	{ "oddest", "j\2e" },
	{ "aws:TagKeys", "team" },
	{ "aws:TagKeys", "cost" },
};

static enum policy_decision decide(const char *text, const char *principal)
{
	const struct policy_request r = {
		.action = "elasticfilesystem:ClientWrite",
		.resource = FS,
		.principal = principal,
		.account = "000000000000",
		.keys = keys,
		.n_keys = sizeof(keys) / sizeof(keys[0]),
	};
	json_t *policy = policy_parse(text);
	enum policy_decision decision;

	assert_non_null(policy);
	decision = policy_evaluate(policy, &r, NULL);
	json_decref(policy);
	return decision;
}

#define ALLOW(rest) "{\"Effect\":\"Allow\"" rest "}"
#define DENY(rest)  "{\"Effect\":\"Deny\"" rest "}"
#define POLICY(s)   "{\"Statement\":[" s "]}"
#define NEWER(s)    "{\"Version\":\"2012-10-17\",\"Statement\":[" s "]}"

static void statements(void **state)
{
	static const struct {
		const char *policy;
		enum policy_decision decision;
	} cases[] = {
		{ POLICY(ALLOW(",\"Action\":\"*\"")), POLICY_ALLOW },
		{ POLICY(ALLOW(",\"Action\":\"ELASTICfilesystem:Client*\"")),
		  POLICY_ALLOW },
		{ POLICY(ALLOW(",\"Action\":[\"x\",\"*:ClientWrit?\"]")),
		  POLICY_ALLOW },
		{ POLICY(ALLOW(",\"Action\":\"*:ClientMount\"")),
		  POLICY_NOTHING },
		{ POLICY(ALLOW(",\"NotAction\":\"*:ClientMount\"")),
		  POLICY_ALLOW },
		{ POLICY(ALLOW(",\"Action\":\"*\"") "," DENY(
			  ",\"Action\":\"*\"")),
		  POLICY_DENY },
		{ POLICY(DENY(",\"Action\":\"*\"") "," ALLOW(
			  ",\"Action\":\"*\"")),
		  POLICY_DENY },
		{ "{\"Statement\":" ALLOW(",\"Action\":\"*\"") "}",
		  POLICY_ALLOW },
		{ POLICY(ALLOW(",\"Action\":\"*\",\"Resource\":\"" FS "\"")),
		  POLICY_ALLOW },
		/* Whichever region is named. */
		{ POLICY(ALLOW(",\"Action\":\"*\",\"Resource\":"
			       "\"arn:aws:elasticfilesystem:us-east-1:*:"
			       "file-system/fs-1\"")),
		  POLICY_ALLOW },
		{ POLICY(ALLOW(",\"Action\":\"*\",\"Resource\":"
			       "\"arn:aws:elasticfilesystem:us-east-1:*:"
			       "file-system/fs-2\"")),
		  POLICY_NOTHING },
		{ POLICY(ALLOW(",\"Action\":\"*\",\"NotResource\":\"*\"")),
		  POLICY_NOTHING },
		/* A last wildcard reaches as far as the text does. */
		{ POLICY(ALLOW(",\"Action\":\"*\",\"Resource\":"
			       "\"arn:aws:elasticfilesystem:*\"")),
		  POLICY_ALLOW },
		{ POLICY(ALLOW(",\"Action\":\"*\",\"Resource\":"
			       "\"ARN:aws:elasticfilesystem:*\"")),
		  POLICY_NOTHING },
		/* Variables, in the newer version only. */
		{ NEWER(ALLOW(",\"Action\":\"*\",\"Resource\":"
			      "\"arn:aws:elasticfilesystem:*:*:file-system/"
			      "${none, 'fs-1'}\"")),
		  POLICY_ALLOW },
		{ POLICY(ALLOW(",\"Action\":\"*\",\"Resource\":"
			       "\"arn:aws:elasticfilesystem:*:*:file-system/"
			       "${none, 'fs-1'}\"")),
		  POLICY_NOTHING },
		{ NEWER(ALLOW(",\"Action\":\"*\",\"Resource\":\"${none}*\"")),
		  POLICY_NOTHING },
		{ NEWER(ALLOW(",\"Action\":\"*\",\"Resource\":\"${odd}\"")),
		  POLICY_NOTHING },
		{ NEWER(ALLOW(",\"Action\":\"*\",\"Resource\":\"${*}\"")),
		  POLICY_NOTHING },
		{ NEWER(ALLOW(",\"Action\":\"*\",\"Resource\":\"${\"")),
		  POLICY_NOTHING },
		{ POLICY(ALLOW(",\"Action\":\"*\",\"Resource\":\"\\u0001\"")),
		  POLICY_NOTHING },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(decide(cases[i].policy, NULL),
				 cases[i].decision);
}

static void principals(void **state)
{
	static const char joe[] = "arn:aws:iam::000000000000:user/joe";
	static const struct {
		const char *principal;
		bool nobody, joe;
	} cases[] = {
		{ "\"*\"", true, true },
		{ "{\"AWS\":\"*\"}", true, true },
		{ "{\"AWS\":\"000000000000\"}", false, true },
		{ "{\"AWS\":\"arn:aws:iam::000000000000:root\"}", false, true },
		{ "{\"AWS\":[\"x\",\"arn:aws:iam::000000000000:user/joe\"]}",
		  false, true },
		{ "{\"AWS\":\"arn:aws:iam::000000000000:user/jo*\"}", false,
		  false },
		{ "{\"AWS\":\"arn:aws:iam::111111111111:root\"}", false,
		  false },
		{ "{\"Service\":\"*\"}", false, false },
	};
	char policy[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(policy, sizeof(policy),
			 POLICY(ALLOW(",\"Action\":\"*\",\"Principal\":%s")),
			 cases[i].principal);
		assert_int_equal(decide(policy, NULL) == POLICY_ALLOW,
				 cases[i].nobody);
		assert_int_equal(decide(policy, joe) == POLICY_ALLOW,
				 cases[i].joe);
	}
}

static void conditions(void **state)
{
	static const struct {
		const char *condition;
		bool holds;
	} cases[] = {
		{ "{\"StringEquals\":{\"AWS:username\":\"joe\"}}", true },
		{ "{\"StringEquals\":{\"aws:username\":\"Joe\"}}", false },
		{ "{\"StringEqualsIgnoreCase\":{\"aws:username\":\"Joe\"}}",
		  true },
		{ "{\"StringEquals\":{\"aws:username\":[\"a\",\"joe\"]}}",
		  true },
		{ "{\"StringNotEquals\":{\"aws:username\":[\"a\",\"joe\"]}}",
		  false },
		{ "{\"StringLike\":{\"aws:username\":\"j*\"}}", true },
		{ "{\"StringNotLike\":{\"aws:username\":\"j*\"}}", false },
		{ "{\"StringEquals\":{\"none\":\"\"}}", false },
		{ "{\"StringNotEquals\":{\"none\":\"\"}}", true },
		{ "{\"StringEqualsIfExists\":{\"none\":\"x\"}}", true },
		{ "{\"Null\":{\"none\":\"true\"}}", true },
		{ "{\"Null\":{\"aws:username\":true}}", false },
		{ "{\"Null\":{\"aws:username\":\"false\"}}", true },
		{ "{\"Bool\":{\"aws:SecureTransport\":\"true\"}}", false },
		{ "{\"Bool\":{\"aws:SecureTransport\":false}}", true },
		{ "{\"NumericLessThan\":{\"n\":\"10\"}}", false },
		{ "{\"NumericLessThanEquals\":{\"n\":10}}", true },
		{ "{\"NumericGreaterThan\":{\"n\":\"9\"}}", true },
		{ "{\"NumericGreaterThanEquals\":{\"none\":\"9\"}}", false },
		{ "{\"NumericEquals\":{\"n\":\"1e1\"}}", true },
		{ "{\"DateGreaterThan\":{\"aws:CurrentTime\":\"2026-01-01\"}}",
		  true },
		{ "{\"DateLessThan\":{\"aws:CurrentTime\":"
		  "\"2026-01-01T00:00:00Z\"}}",
		  false },
		{ "{\"IpAddress\":{\"aws:SourceIp\":\"10.1.0.0/16\"}}", true },
		{ "{\"IpAddress\":{\"aws:SourceIp\":\"10.1.2.3\"}}", true },
		{ "{\"IpAddress\":{\"aws:SourceIp\":\"10.2.0.0/16\"}}", false },
		{ "{\"NotIpAddress\":{\"aws:SourceIp\":\"10.2.0.0/16\"}}",
		  true },
		{ "{\"Bool\":{\"aws:SecureTransport\":\"false\"},"
		  "\"StringEquals\":{\"aws:username\":\"jim\"}}",
		  false },
		{ "{\"Unheard\":{\"aws:username\":\"joe\"}}", false },
		/* One of the numbers will do, whatever the operator. */
		{ "{\"NumericGreaterThanEquals\":{\"n\":[\"9\",\"11\"]}}",
		  true },
		{ "{\"NumericLessThanEquals\":{\"n\":[9,11]}}", true },
		{ "{\"NumericEquals\":{\"n\":\"10x\"}}", false },
		{ "{\"NumericLessThan\":{\"aws:username\":1}}", false },
		{ "{\"IpAddress\":{\"aws:SourceIp\":\"10.1.77.1/16\"}}", true },
		{ "{\"NotIpAddress\":{\"aws:SourceIp\":\"10.1.77.1/16\"}}",
		  false },
		{ "{\"NotIpAddressIfExists\":{\"none\":\"10.0.0.0/8\"}}",
		  true },
		/* Wildcards stay in their part of an ARN. */
		{ "{\"ArnLike\":{\"arn\":\"arn:aws:iam::*:user/j*\"}}", true },
		{ "{\"ArnEquals\":{\"arn\":\"arn:*:iam::*:user/joe\"}}", true },
		{ "{\"ArnLike\":{\"arn\":\"arn:aws:*:user/joe\"}}", false },
		{ "{\"ArnNotLike\":{\"arn\":\"arn:aws:iam::1*:*\"}}", true },
		{ "{\"ArnLike\":{\"arn\":\"*\"}}", false },
		{ "{\"StringLike\":{\"arn\":\"*:user/joe\"}}", true },
		/* Variables. */
		{ "{\"StringEquals\":{\"arn\":\"arn:aws:iam::000000000000:"
		  "user/${aws:username}\"}}",
		  true },
		{ "{\"StringLike\":{\"arn\":\"*/${ AWS:USERNAME }\"}}", false },
		{ "{\"StringLike\":{\"arn\":\"*/${AWS:USERNAME}\"}}", true },
		{ "{\"StringEquals\":{\"odd\":\"${*}\"}}", true },
		{ "{\"StringLike\":{\"aws:username\":\"${odd}\"}}", false },
		{ "{\"StringLike\":{\"aws:username\":\"${odder}\"}}", false },
		{ "{\"StringLike\":{\"aws:username\":\"${oddest}\"}}", false },
		/* Of several values. */
		{ "{\"ForAllValues:StringEquals\":{\"aws:TagKeys\":"
		  "[\"team\",\"cost\",\"x\"]}}",
		  true },
		{ "{\"ForAllValues:StringEquals\":{\"aws:TagKeys\":"
		  "[\"team\"]}}",
		  false },
		{ "{\"ForAnyValue:StringEquals\":{\"aws:TagKeys\":"
		  "[\"team\"]}}",
		  true },
		{ "{\"ForAnyValue:StringNotEquals\":{\"aws:TagKeys\":"
		  "[\"team\"]}}",
		  true },
		{ "{\"ForAllValues:StringNotEquals\":{\"aws:TagKeys\":"
		  "[\"team\"]}}",
		  false },
		{ "{\"ForAllValues:StringEquals\":{\"none\":\"x\"}}", true },
		{ "{\"ForAnyValue:StringEquals\":{\"none\":\"x\"}}", false },
		{ "{\"ForAnyValue:StringNotEquals\":{\"none\":\"x\"}}", false },
		{ "{\"ForAnyValue:StringLikeIfExists\":{\"none\":\"x\"}}",
		  true },
	};
	char policy[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(policy, sizeof(policy),
			 NEWER(ALLOW(",\"Action\":\"*\",\"Condition\":%s")),
			 cases[i].condition);
		if ((decide(policy, NULL) == POLICY_ALLOW) != cases[i].holds)
			fail_msg("%s", cases[i].condition);
	}
}

static void form(void **state)
{
	static const struct {
		const char *policy, *fault;
	} cases[] = {
		{ "{}", "Statement" },
		{ POLICY(""), "Statement" },
		{ POLICY("5"), "Statement" },
		{ POLICY(ALLOW(",\"Action\":\"*\"")), "Principal" },
		{ POLICY(ALLOW(",\"Principal\":\"*\"")), "Action" },
		{ POLICY(ALLOW(",\"Principal\":\"*\",\"Action\":\"s3:*\"")),
		  "Action" },
		{ POLICY(ALLOW(",\"Principal\":\"*\",\"Action\":\"*\","
			       "\"Colour\":\"red\"")),
		  "Statement" },
		{ POLICY(ALLOW(",\"Principal\":\"*\",\"Action\":\"*\","
			       "\"Condition\":{\"Unheard\":{}}")),
		  "Condition" },
		{ POLICY(ALLOW(",\"Principal\":\"*\",\"Action\":\"*\"")),
		  NULL },
#define BY(who)                                                                \
	POLICY(ALLOW(",\"Action\":\"*\",\"Principal\":{\"AWS\":\"" who "\"}"))
		{ BY("*"), NULL },
		{ BY("123456789012"), NULL },
		{ BY("arn:aws:iam::123456789012:role/EfsReadOnly"), NULL },
		{ BY("arn:aws:iam::123456789012:role/*"), "Principal" },
		{ BY("joe"), "Principal" },
		{ POLICY(ALLOW(
			  ",\"Action\":\"*\",\"Principal\":{\"A\":\"*\"}")),
		  "Principal" },
		{ "{\"Id\":\"x\",\"Statement\":" ALLOW(
			  ",\"Principal\":\"*\",\"Action\":\"*\"") "}",
		  NULL },
		{ "{\"Colour\":\"red\",\"Statement\":" ALLOW(
			  ",\"Principal\":\"*\",\"Action\":\"*\"") "}",
		  "element" },
	};
	const char *fault;
	json_t *policy;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		policy = policy_parse(cases[i].policy);
		fault = policy_fault(policy, "elasticfilesystem:", true);
		if (cases[i].fault == NULL)
			assert_null(fault);
		else
			assert_string_equal(fault, cases[i].fault);
		json_decref(policy);
	}
	assert_null(policy_parse("[]"));
	assert_null(policy_parse("{\"a\":1,\"a\":2}"));
}

static void wildcards(void **state)
{
	assert_true(policy_matches("a*b*c", "axxbyybc", false));
	assert_false(policy_matches("a*b*c", "axxbyyb", false));
	assert_true(policy_matches("*", "", false));
	assert_false(policy_matches("?", "", false));
	assert_false(policy_matches("", "a", false));
	assert_true(policy_matches("A?c", "abC", true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statements), cmocka_unit_test(principals),
		cmocka_unit_test(conditions), cmocka_unit_test(form),
		cmocka_unit_test(wildcards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
