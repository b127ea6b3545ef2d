/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include <stdint.h>

size_t utf8_length(const char *text)
{
	static const struct {
		uint8_t mask, head;
		uint32_t least;
	} forms[] = {
		{ 0x80, 0x00, 0 },
		{ 0xe0, 0xc0, 0x80 },
		{ 0xf0, 0xe0, 0x800 },
		{ 0xf8, 0xf0, 0x10000 },
	};
	const uint8_t *p = (const uint8_t *)text;
	uint32_t c;

	for (size_t n = 0; n < 4; n++) {
		if ((*p & forms[n].mask) != forms[n].head)
			continue;
		c = *p & (uint8_t)~forms[n].mask;
		for (size_t i = 1; i <= n; i++) {
			if ((p[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (p[i] & 0x3f);
		}
		return c < forms[n].least || c > 0x10ffff ||
				       (c >= 0xd800 && c <= 0xdfff)
			       ? 0
			       : n + 1;
	}
	return 0;
}

void utf8_repair(char *text)
{
	while (*text) {
		size_t n = utf8_length(text);

		if (n == 0)
			*text = '?';
		text += n ? n : 1;
	}
}
