/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last step of AWS Signature Version 4: a key that is good for a day, a
 * region and a service, and with it the signature of a text.  Pure; any thread.
 */
#ifndef AWS_SIGN_H
#define AWS_SIGN_H

#include <stddef.h>
#include <stdint.h>

enum {
	SIGV4_HASH = 32,
	SIGV4_HEX_SIZE = 2 * SIGV4_HASH + 1,
	SIGV4_WORD_MAX = 64, /* key id, region, service */
	SIGV4_SECRET_MAX = 128,
};

struct sigv4_scope {
	char key[SIGV4_WORD_MAX + 1];
	char date[9]; /* 20260131 */
	char region[SIGV4_WORD_MAX + 1];
	char service[SIGV4_WORD_MAX + 1];
};

/* Digits, the letters among them small. */
void sigv4_hex(const uint8_t *from, size_t len, char *hex);

/* Signs the string to sign.  Of the scope all but the key's id counts. */
void sigv4_sign(const char *secret, const struct sigv4_scope *scope,
		const char *text, char hex[SIGV4_HEX_SIZE]);

#endif
