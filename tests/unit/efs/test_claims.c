/* SPDX-License-Identifier: Apache-2.0 */
/* What amazon-efs-utils 3.2 signs when it mounts: a vector made by its code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/x509.h>

#include "base/util.h"
#include "efs/claims.h"

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

/* What the client writes the server reads, with every length of a token. */
static void test_certificate(void **state)
{
	static const size_t lengths[] = { 0, 1, 100, 127, 128, 255, 256, 4096 };
	static struct mount_claims c, read;
	EVP_PKEY *key = EVP_EC_gen("P-256");

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		const char *fault = NULL;
		uint8_t *der = NULL;
		X509 *x;
		int len;

		c = sample;
		strcpy(c.access_point, "fsap-0123456789abcdef0");
		memset(c.token, 'x', lengths[i]);
		c.token[lengths[i]] = '\0';
		assert_true(mount_claims_sign(&c, key, "secret", "us-east-1",
					      1795375769));
		assert_string_equal(c.date, "20261122T192929Z");
		x = mount_claims_certificate(&c, key, 1795375769);
		assert_non_null(x);
		assert_int_equal(X509_verify(x, key), 1);
		len = i2d_X509(x, &der);
		assert_true(mount_claims_read(der, len, &read, &fault));
		assert_int_equal(read.begin, 1795375769 - 15 * 60);
		assert_int_equal(read.end, 1795375769 + 3 * 3600);
		c.begin = read.begin;
		c.end = read.end;
		strcpy(c.program, MOUNT_CLAIMS_PROGRAM);
		assert_memory_equal(&c, &read, sizeof(c));
		OPENSSL_free(der);
		X509_free(x);
	}
	EVP_PKEY_free(key);
}

/* What is wrong with a certificate that says this; NULL: nothing. */
static const char *fault_of(const struct mount_claims *said,
			    struct mount_claims *read)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct mount_claims c = *said;
	const char *fault = NULL;
	uint8_t *der = NULL;
	X509 *x;
	int len;

	assert_true(mount_claims_sign(&c, key, "secret", "us-east-1",
				      1795375769));
	x = mount_claims_certificate(&c, key, 1795375769);
	assert_non_null(x);
	len = i2d_X509(x, &der);
	mount_claims_read(der, len, read, &fault);
	OPENSSL_free(der);
	X509_free(x);
	EVP_PKEY_free(key);
	return fault;
}

/* They would stand in the log. */
static void test_a_claim_is_one_word(void **state)
{
	struct mount_claims c = sample, read;

	assert_null(fault_of(&c, &read));
	strcpy(c.key, "AKIAX\nerror: all is lost");
	assert_non_null(fault_of(&c, &read));
	c = sample;
	strcpy(c.access_point, "fsap-\033[2J");
	assert_non_null(fault_of(&c, &read));
	c = sample;
	strcpy(c.fs, "fs 1");
	assert_non_null(fault_of(&c, &read));
}

/* Else it would be one for all of them. */
static void test_a_signature_is_for_one_file_system(void **state)
{
	struct mount_claims c = sample, read;

	c.fs[0] = '\0';
	assert_non_null(fault_of(&c, &read));
	c.key[0] = '\0';
	assert_null(fault_of(&c, &read));
}

static void test_it_is_good_as_long_as_its_certificate(void **state)
{
	const time_t made = 1795375769;
	struct mount_claims c;

	assert_null(fault_of(&sample, &c));
	assert_true(mount_claims_current(&c, made));
	assert_true(mount_claims_current(&c, made + 3 * 3600));
	assert_false(mount_claims_current(&c, made + 4 * 3600));
	assert_false(mount_claims_current(&c, made - 3600));
	/* A certificate that says it is of another time than its signature. */
	c.begin += 3600;
	c.end += 3600;
	assert_false(mount_claims_current(&c, made + 3600));
	/* Nor is any signature good for more than a day. */
	c.begin -= 3600;
	c.end += 90 * 86400;
	assert_true(mount_claims_current(&c, made + 86400 - 60));
	assert_false(mount_claims_current(&c, made + 86400 + 60));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_string),
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_a_claim_is_one_word),
		cmocka_unit_test(test_a_signature_is_for_one_file_system),
		cmocka_unit_test(test_it_is_good_as_long_as_its_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
