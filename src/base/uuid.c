/* SPDX-License-Identifier: Apache-2.0 */
#include "base/uuid.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"

void uuid_random(uint8_t uuid[UUID_BYTES])
{
	random_bytes(uuid, UUID_BYTES);
	uuid[6] = (uuid[6] & 0x0f) | 0x40;
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
}

static bool parse_byte(const char *text, uint8_t *byte)
{
	unsigned value;

	if (!isxdigit((unsigned char)text[0]) ||
	    !isxdigit((unsigned char)text[1]) ||
	    sscanf(text, "%2x", &value) != 1)
		return false;
	*byte = value;
	return true;
}

bool uuid_parse(const char *text, uint8_t uuid[UUID_BYTES])
{
	if (strlen(text) != UUID_TEXT_SIZE - 1)
		return false;
	for (int i = 0; i < UUID_BYTES; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			if (*text++ != '-')
				return false;
		if (!parse_byte(text, &uuid[i]))
			return false;
		text += 2;
	}
	return true;
}

const char *uuid_format(const uint8_t uuid[UUID_BYTES],
			char text[UUID_TEXT_SIZE])
{
	char *at = text;

	for (int i = 0; i < UUID_BYTES; i++)
		at += sprintf(at, "%s%02x",
			      i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			      uuid[i]);
	return text;
}

bool hex_parse(const char *text, uint8_t *bytes, size_t len)
{
	if (strlen(text) != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!parse_byte(text + 2 * i, &bytes[i]))
			return false;
	return true;
}

const char *hex_format(const uint8_t *bytes, size_t len, char *text)
{
	text[0] = '\0';
	for (size_t i = 0; i < len; i++)
		sprintf(text + 2 * i, "%02X", bytes[i]);
	return text;
}
