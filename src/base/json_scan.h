/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the end of a JSON object or array in a stream of bytes, without
 * building anything: JSON-RPC on a socket has no framing but that, and a
 * parser that recurses has to be kept from values that are too deep.  Each byte
 * is looked at once, however it arrives.  What the scanner lets through may
 * still be no JSON; but it is not deeper than JSON_DEPTH_MAX, so a recursive
 * parser is safe with it.
 */
#ifndef BASE_JSON_SCAN_H
#define BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { JSON_DEPTH_MAX = 32 };

/* All zero at the start of a value. */
struct json_scan {
	unsigned depth;
	bool in_string, escaped;
};

/* The number of bytes up to and with the last one of the value; 0: it goes on,
 * call again with the bytes that follow.  White space before a value counts as
 * part of it.  -EPROTO: it starts with neither { nor [; -E2BIG: too deep. */
ssize_t json_scan(struct json_scan *s, const char *data, size_t len);

#endif
