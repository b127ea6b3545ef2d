/* SPDX-License-Identifier: Apache-2.0 */
/* UUIDs (RFC 9562), and bytes as hexadecimal digits. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UUID_BYTES = 16, UUID_TEXT_SIZE = 37 };

/* A random one (version 4). */
void uuid_random(uint8_t uuid[UUID_BYTES]);
/* "5abd1f35-f81f-4e5f-8841-06586690262f", in either case; false: it is not. */
bool uuid_parse(const char *text, uint8_t uuid[UUID_BYTES]);
/* In lower case; returns text. */
const char *uuid_format(const uint8_t uuid[UUID_BYTES],
			char text[UUID_TEXT_SIZE]);

/* Exactly `len` bytes, in either case. */
bool hex_parse(const char *text, uint8_t *bytes, size_t len);
/* In upper case, as SPDK writes NGUIDs; `text` has room for 2 * len + 1. */
const char *hex_format(const uint8_t *bytes, size_t len, char *text);

#endif
