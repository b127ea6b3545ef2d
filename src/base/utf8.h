/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8: texts that were cut, or that came from outside, made fit for JSON. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>

/* The length of the character that `text` begins with, 1..4; 0: it is none, or
 * not in its shortest form, or a surrogate (RFC 3629). */
size_t utf8_length(const char *text);

/* Every byte that is part of no character becomes a '?'. */
void utf8_repair(char *text);

#endif
