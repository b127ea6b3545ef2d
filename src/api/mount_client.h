/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who mounts?  amazon-efs-utils puts what it has to say into the certificate of
 * its TLS connection, which it signs itself: file system, access point, and, if
 * it is told to use IAM, a signature of the access key over the certificate's
 * key, which therefore is worth nothing to anybody else.
 */
#ifndef API_MOUNT_CLIENT_H
#define API_MOUNT_CLIENT_H

#include "control/control.h"

struct access_keys;

/* control_options.identify; `keys`: struct access_keys.  Any thread; does not
 * park. */
bool mount_client_identify(void *keys, const struct control_client *client,
			   struct control_client_identity *out);

/*
 * The same without clock and keys, for tests: what a certificate says.  The
 * strings are "" where it says nothing.
 */
enum { MOUNT_TOKEN_MAX = 4096 };
struct mount_claims {
	char fs[CONTROL_ID_SIZE], access_point[CONTROL_ID_SIZE];
	char key[129];	     /* of IAM; "": none is used */
	char signature[129]; /* hex */
	char date[17];	     /* "20261121T201500Z" */
	char token[MOUNT_TOKEN_MAX + 1];
	char public_key[41]; /* hex SHA-1 of its bits */
};
bool mount_claims_read(const uint8_t *der, size_t len, struct mount_claims *out,
		       const char **fault);
/* The string to sign, for `region`. */
enum { MOUNT_STRING_SIZE = 512 };
bool mount_claims_string(const struct mount_claims *c, const char *region,
			 char text[MOUNT_STRING_SIZE]);

#endif
