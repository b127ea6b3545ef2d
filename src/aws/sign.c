/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/sign.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

void sigv4_hex(const uint8_t *from, size_t len, char *hex)
{
	for (size_t i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", from[i]);
}

static void hmac(uint8_t key[SIGV4_HASH], const char *text)
{
	HMAC(EVP_sha256(), key, SIGV4_HASH, (const uint8_t *)text, strlen(text),
	     key, NULL);
}

void sigv4_sign(const char *secret, const struct sigv4_scope *scope,
		const char *text, char hex[SIGV4_HEX_SIZE])
{
	char first[SIGV4_SECRET_MAX + 5];
	uint8_t key[SIGV4_HASH];

	snprintf(first, sizeof(first), "AWS4%s", secret);
	HMAC(EVP_sha256(), first, strlen(first), (const uint8_t *)scope->date,
	     strlen(scope->date), key, NULL);
	hmac(key, scope->region);
	hmac(key, scope->service);
	hmac(key, "aws4_request");
	hmac(key, text);
	sigv4_hex(key, sizeof(key), hex);
	OPENSSL_cleanse(first, sizeof(first));
	OPENSSL_cleanse(key, sizeof(key));
}
