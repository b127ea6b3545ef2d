/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_scan.h"

#include <errno.h>
#include <string.h>

static void scan_in_string(struct json_scan *s, char c)
{
	if (s->escaped)
		s->escaped = false;
	else if (c == '\\')
		s->escaped = true;
	else if (c == '"')
		s->in_string = false;
}

ssize_t json_scan(struct json_scan *s, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = data[i];

		if (s->in_string) {
			scan_in_string(s, c);
		} else if (c == '{' || c == '[') {
			if (++s->depth > JSON_DEPTH_MAX)
				return -E2BIG;
		} else if (s->depth == 0) {
			if (c == '\0' || strchr(" \t\r\n", c) == NULL)
				return -EPROTO;
		} else if (c == '"') {
			s->in_string = true;
		} else if ((c == '}' || c == ']') && --s->depth == 0) {
			return i + 1;
		}
	}
	return 0;
}
