/* SPDX-License-Identifier: Apache-2.0 */
#include "csi/tags.h"

#include <string.h>

#include "base/util.h"

enum { WORD_MAX = 256 };

/* Up to one of `stops`; how long, or -1. */
static int take_word(const char **text, const char *stops, char word[WORD_MAX])
{
	int n = 0;

	while (**text && strchr(stops, **text) == NULL) {
		if (**text == '\\' && (*text)[1])
			++*text;
		if (n == WORD_MAX - 1)
			return -1;
		word[n++] = *(*text)++;
	}
	word[n] = '\0';
	return n;
}

json_t *tags_parse(const char *text)
{
	char key[WORD_MAX], value[WORD_MAX];
	json_t *tags = json_array();

	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		if (take_word(&text, ": ", key) <= 0 || *text != ':')
			goto bad;
		text++;
		if (take_word(&text, ": ", value) < 0 || *text == ':')
			goto bad;
		json_array_append_new(tags, json_pack("{s:s, s:s}", "Key", key,
						      "Value", value));
	}
	return tags;
bad:
	json_decref(tags);
	return NULL;
}
