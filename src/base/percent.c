/* SPDX-License-Identifier: Apache-2.0 */
#include "base/percent.h"

#include <stdbool.h>
#include <string.h>

static bool is_unreserved(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || (c && strchr("-._~", c));
}

char *percent_encode(char *to, const char *from, size_t len, const char *safe)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; len > 0; len--, from++) {
		unsigned char c = (unsigned char)*from;

		if (is_unreserved(*from) || (c && strchr(safe, c))) {
			*to++ = *from;
		} else {
			*to++ = '%';
			*to++ = digits[c >> 4];
			*to++ = digits[c & 15];
		}
	}
	*to = '\0';
	return to;
}
