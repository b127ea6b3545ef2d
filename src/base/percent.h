/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_PERCENT_H
#define BASE_PERCENT_H

#include <stddef.h>

/*
 * Percent-encoding (RFC 3986 2.1): all but the unreserved characters and those
 * of `safe` become %XX.  `to` has room for three times `len` and a NUL; returns
 * where the NUL is.
 */
char *percent_encode(char *to, const char *from, size_t len, const char *safe);

#endif
