/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS to a mount target, as amazon-efs-utils has it, without a tunnel: a client
 * makes itself a key, and for each connection a certificate that says which
 * file system and access point he wants, and, with IAM, who he is (claims.h).
 * So each connection is signed with the access key of its moment.
 */
#ifndef EFS_SECURE_H
#define EFS_SECURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

struct addr;
struct stream;
struct secure;

struct secure_options { /* strings are borrowed until secure_create() is done */
	const char *fs; /* "": not known */
	const char *access_point; /* NULL: none */
	bool iam;
	const char *region, *profile, *credentials_file; /* aws.h; or NULL */
	bool verify;	     /* the server's certificate */
	const char *ca_file; /* NULL: the system's */
	/* Whom that must be for; NULL: the address that is connected to. */
	const char *host;
};

enum { SECURE_TEXT_SIZE = 600 };

/* 0, or -errno and why in `err`.  Blocks for some tenths of a second. */
int secure_create(const struct secure_options *o, struct secure **out,
		  char err[SECURE_TEXT_SIZE]);
/* NULL is fine.  No connection is being made with it. */
void secure_destroy(struct secure *s);

/* The handshake on `lower`, which is the new stream's from now on, or closed.
 * Parks.  0, or -errno and why in `err`; nfs_secure_fn of nfs/client. */
int secure_connect(void *secure, const struct addr *to, struct stream *lower,
		   nsec deadline, struct stream **out, char *err, size_t size);

#endif
