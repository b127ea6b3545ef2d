/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS Signature Version 4, as a server checks it: who signed a request, and is
 * it the request that was signed?  In the Authorization header, or in the query
 * of a presigned URL.  ("Signature Version 4 signing process" in the AWS
 * documentation; services other than S3: paths are encoded twice, the hash of
 * the body is always part of it.)
 *
 * Pure: no I/O, no clock; any thread.
 */
#ifndef API_SIGV4_H
#define API_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "aws/sign.h"

enum {
	SIGV4_SKEW = 300,		   /* seconds a clock may be wrong */
	SIGV4_EXPIRES_MAX = 7 * 24 * 3600, /* seconds, of a presigned URL */
	SIGV4_SIGNED_MAX = 64,		   /* headers that are signed */
	SIGV4_PAIRS_MAX = 512,		   /* of the query */
};

struct sigv4_header {
	const char *name, *value; /* as they came */
};

struct sigv4_request {
	const char *method;
	const char *path, *query; /* as they came, encoded; query "": none */
	const struct sigv4_header *headers;
	size_t n_headers;
	uint8_t body[SIGV4_HASH]; /* SHA-256 */
	time_t now;
};

enum sigv4_verdict {
	SIGV4_VALID,
	SIGV4_UNSIGNED,
	SIGV4_INCOMPLETE, /* parts are missing or malformed */
	SIGV4_UNKNOWN_KEY,
	SIGV4_EXPIRED, /* or not valid yet */
	SIGV4_MISMATCH,
};

/* The secret of a key; false: there is no such key. */
typedef bool sigv4_secret_fn(void *arg, const char *key,
			     char secret[SIGV4_SECRET_MAX + 1]);

/* `text` says why not, in AWS's words.  The scope is what the request says of
 * itself, as far as it was understood, whatever the verdict; "" what it does
 * not say. */
enum { SIGV4_TEXT = 256 };
enum sigv4_verdict sigv4_check(const struct sigv4_request *r,
			       sigv4_secret_fn *secret, void *arg,
			       struct sigv4_scope *scope,
			       char text[SIGV4_TEXT]);

/* "%2F" and "+" decoded; in place; the new length, which may have NULs
 * before it.  Of a path "+" stays. */
size_t sigv4_unescape(char *text, bool query);

#endif
