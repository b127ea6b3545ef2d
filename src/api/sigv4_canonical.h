/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical request of Signature Version 4: what of a request is signed, in
 * the one form that client and server make of it.
 *
 *	method, path, query with its parameters sorted, headers that are signed,
 *	their names, hash of the body
 *
 * It is hashed piece by piece and exists nowhere as a whole.
 */
#ifndef API_SIGV4_CANONICAL_H
#define API_SIGV4_CANONICAL_H

#include "api/sigv4.h"

enum { SIGV4_NAMES_SIZE = 1024 }; /* of "host;x-amz-date" */

/* The parameters of a query, sorted, names and values encoded anew. */
struct sigv4_pairs;
/* NULL: too many, or no memory. */
struct sigv4_pairs *sigv4_pairs_read(const char *query);
void sigv4_pairs_free(struct sigv4_pairs *p);
/* The encoded value, or NULL. */
const char *sigv4_pairs_find(const struct sigv4_pairs *p, const char *name);

/* `names`: of the headers that are signed.  false: one of them is not there. */
bool sigv4_canonical_hash(const struct sigv4_request *r,
			  const struct sigv4_pairs *q, bool presigned,
			  const char *names, uint8_t out[SIGV4_HASH]);

#endif
