/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client of EFS says of itself by the certificate of its TLS connection,
 * which it signs itself: file system, access point, and, with IAM, a signature
 * of an access key over the certificate's key, which therefore is worth nothing
 * to anybody else.  Both ends of it; pure, any thread.
 */
#ifndef EFS_CLAIMS_H
#define EFS_CLAIMS_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define MOUNT_CLAIMS_ARC     "1.3.6.1.4.1.4843.7." /* of the extensions */
#define MOUNT_CLAIMS_SERVICE "elasticfilesystem"
#define MOUNT_CLAIMS_PROGRAM "hawser" /* of our own client's */

enum {
	MOUNT_CLAIMS_ID = 32,
	MOUNT_CLAIMS_TOKEN = 4096,
	MOUNT_CLAIMS_SECONDS = 86400, /* a signature is good for */
	MOUNT_CLAIMS_SKEW = 300,      /* seconds that a clock may be wrong */
};

/* The strings are "" where it says nothing. */
struct mount_claims {
	char fs[MOUNT_CLAIMS_ID], access_point[MOUNT_CLAIMS_ID];
	char key[129];	     /* of IAM; "": none is used */
	char signature[129]; /* hex */
	char date[17];	     /* "20261121T201500Z" */
	char token[MOUNT_CLAIMS_TOKEN + 1];
	char public_key[41]; /* hex SHA-1 of its bits */
	char program[33];    /* that made it: "hawser"; or what AWS's says */
	time_t begin, end;   /* of the certificate's validity, as it was read */
};

/* Of a certificate in DER.  false: *fault says what is wrong with it. */
bool mount_claims_read(const uint8_t *der, size_t len, struct mount_claims *out,
		       const char **fault);

/* Neither certificate nor signature has expired, nor is from the future. */
bool mount_claims_current(const struct mount_claims *c, time_t now);

/* The string to sign, for `region`. */
enum { MOUNT_STRING_SIZE = 512 };
bool mount_claims_string(const struct mount_claims *c, const char *region,
			 char text[MOUNT_STRING_SIZE]);

/* As a client: fills in public_key and, if there is a key's id, date and
 * signature; fs, access_point, key and token are given. */
bool mount_claims_sign(struct mount_claims *c, EVP_PKEY *key,
		       const char *secret, const char *region, time_t now);

/* A certificate that says so, good for three hours around `now`, or NULL. */
X509 *mount_claims_certificate(const struct mount_claims *c, EVP_PKEY *key,
			       time_t now);

#endif
