/* SPDX-License-Identifier: Apache-2.0 */
#include "api/xml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_FIRST = 1024 };

static void add_bytes(struct text *t, const char *more, size_t len)
{
	size_t size = t->size ? t->size : TEXT_FIRST;
	char *data;

	if (t->failed)
		return;
	while (size <= t->len + len)
		size *= 2;
	if (size > t->size) {
		data = realloc(t->data, size);
		if (data == NULL) {
			t->failed = true;
			return;
		}
		t->data = data;
		t->size = size;
	}
	memcpy(t->data + t->len, more, len);
	t->len += len;
	t->data[t->len] = '\0';
}

void text_add(struct text *t, const char *more)
{
	add_bytes(t, more, strlen(more));
}

void text_format(struct text *t, const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	text_add(t, line);
}

char *text_take(struct text *t)
{
	if (t->data == NULL)
		text_add(t, "");
	if (!t->failed)
		return t->data;
	free(t->data);
	return NULL;
}

/* U+FFFE and U+FFFF; a parser would refuse the whole. */
static bool is_nothing(const char *value)
{
	const unsigned char *p = (const unsigned char *)value;

	return p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe;
}

/* Control characters have no place in XML 1.0, but for these three. */
static void add_escaped(struct text *t, const char *value)
{
	for (; *value; value++) {
		if (*value == '&') {
			text_add(t, "&amp;");
		} else if (*value == '<') {
			text_add(t, "&lt;");
		} else if (*value == '>') {
			text_add(t, "&gt;");
		} else if (strchr("\t\n\r", *value) != NULL) {
			text_format(t, "&#%d;", *value);
		} else if (is_nothing(value)) {
			text_add(t, "?");
			value += 2;
		} else {
			add_bytes(t, (unsigned char)*value < ' ' ? " " : value,
				  1);
		}
	}
}

static void add_value(struct text *t, const json_t *value, const char *item)
{
	char number[32];
	size_t i;

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		xml_members(t, value, item);
		break;
	case JSON_ARRAY:
		for (i = 0; i < json_array_size(value); i++) {
			text_format(t, "<%s>", item);
			add_value(t, json_array_get(value, i), item);
			text_format(t, "</%s>", item);
		}
		break;
	case JSON_STRING:
		add_escaped(t, json_string_value(value));
		break;
	case JSON_INTEGER:
		snprintf(number, sizeof(number), "%lld",
			 (long long)json_integer_value(value));
		text_add(t, number);
		break;
	case JSON_REAL:
		snprintf(number, sizeof(number), "%.15g",
			 json_real_value(value));
		text_add(t, number);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		text_add(t, json_is_true(value) ? "true" : "false");
		break;
	case JSON_NULL:
		break;
	}
}

void xml_members(struct text *t, const json_t *object, const char *item)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)object, name, value)
	{
		text_format(t, "<%s>", name);
		add_value(t, value, item);
		text_format(t, "</%s>", name);
	}
}
