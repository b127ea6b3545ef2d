/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/input_type.h"

#include <math.h>
#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "stack/cost.h"
#include "stack/internal.h"

void input_complain(struct check *c, const char *key, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	stack_error("%s:%d: %s: %s", c->d->path, document_line(c->d, key), key,
		    text);
	c->wrong++;
}

const char *input_words(const char *values, char words[INPUT_WORDS])
{
	size_t n = 0;
	const char *bar, *next;

	for (; *values && n < 200; values = *bar ? bar + 1 : bar) {
		bar = strchrnul(values, '|');
		next = *bar ? strchrnul(bar + 1, '|') : bar;
		n += snprintf(words + n, INPUT_WORDS - n, "%.*s%s",
			      (int)(bar - values), values,
			      !*bar    ? ""
			      : !*next ? " or "
				       : ", ");
	}
	return words;
}

static bool fits(const char *pattern, const char *text)
{
	regex_t compiled;
	bool yes;

	if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		abort(); /* the pattern stands in this file */
	yes = regexec(&compiled, text, 0, NULL, 0) == 0;
	regfree(&compiled);
	return yes;
}

/* What a value is, for a message. */
static const char *shown(const json_t *value)
{
	if (json_is_array(value))
		return "a list";
	if (json_is_object(value))
		return "a mapping";
	return json_is_null(value) ? "null" : json_string_value(value);
}

/* ------------------------------------------------------------- the types */

static json_t *read_text(struct check *c, const struct input *i,
			 const json_t *value)
{
	const char *text = json_string_value(value);
	char words[INPUT_WORDS];

	if (text == NULL)
		input_complain(c, i->name, "a text is needed, not %s",
			       shown(value));
	else if (i->values && !is_one_of(text, i->values))
		input_complain(c, i->name, "'%.100s' is not accepted: %s%s",
			       text, input_words(i->values, words),
			       i->nullable ? ", or null" : "");
	else if (i->pattern && !fits(i->pattern, text))
		input_complain(c, i->name, "'%.100s' is not accepted: %s", text,
			       i->accepts);
	else
		return json_string(text);
	return NULL;
}

static json_t *read_flag(struct check *c, const struct input *i,
			 const json_t *value)
{
	const char *text = json_string_value(value) ?: "";

	if (is_one_of(text, "true|True|TRUE"))
		return json_true();
	if (is_one_of(text, "false|False|FALSE"))
		return json_false();
	input_complain(c, i->name, "'%.100s' is not accepted: true or false",
		       shown(value));
	return NULL;
}

static json_t *read_number(struct check *c, const char *key, double min,
			   double max, const json_t *value)
{
	const char *text = json_string_value(value) ?: "";
	char *end;
	double n = strtod(text, &end);

	if (end != text && *end == '\0' && isfinite(n) && n >= min && n <= max)
		return json_real(n);
	input_complain(c, key,
		       "'%.100s' is not accepted: a number from %g to %g",
		       shown(value), min, max);
	return NULL;
}

static json_t *read_list(struct check *c, const struct input *i,
			 const json_t *value)
{
	size_t n = json_array_size(value);
	int wrong = c->wrong;

	if (!json_is_array(value)) {
		input_complain(c, i->name, "'%.100s' is not accepted: a list",
			       shown(value));
	} else if (n < i->min || n > i->max) {
		input_complain(c, i->name, "%zu are not accepted: %g to %g", n,
			       i->min, i->max);
	}
	for (size_t k = 0; k < n; k++) {
		const char *text = json_string_value(json_array_get(value, k));

		if (text == NULL || !fits(i->pattern, text))
			input_complain(c, i->name,
				       "'%.100s' is not accepted: %s",
				       shown(json_array_get(value, k)),
				       i->accepts);
		for (size_t m = 0; m < k && text != NULL; m++)
			if (json_equal(json_array_get(value, m),
				       json_array_get(value, k)))
				input_complain(c, i->name,
					       "'%.100s' is there twice", text);
	}
	return c->wrong == wrong ? json_deep_copy(value) : NULL;
}

static json_t *read_map(struct check *c, const struct input *i,
			const json_t *value)
{
	int wrong = c->wrong;
	const char *key;
	json_t *text;

	if (!json_is_object(value))
		input_complain(c, i->name,
			       "'%.100s' is not accepted: KEY: TEXT",
			       shown(value));
	json_object_foreach((json_t *)value, key, text)
	{
		if (!json_is_string(text) || json_string_length(text) > 256)
			input_complain(
				c, i->name,
				"%.64s: a text of up to 256 bytes is needed",
				key);
		if (key[0] == '\0' || strlen(key) > 128 ||
		    strncmp(key, "aws:", 4) == 0 ||
		    is_one_of(key, STACK_OWN_TAGS))
			input_complain(
				c, i->name,
				"'%.64s' is not accepted: a key of up to 128 "
				"bytes that does not start with aws: and is "
				"not one of hawser's own",
				key);
	}
	if (json_object_size(value) > STACK_TAGS_MAX)
		input_complain(c, i->name, "%zu are not accepted: up to %d",
			       json_object_size(value), STACK_TAGS_MAX);
	return c->wrong == wrong ? json_deep_copy(value) : NULL;
}

static json_t *read_usage(struct check *c, const struct input *i,
			  const json_t *value)
{
	json_t *usage = json_object(), *given, *n;
	const char *key, *other;
	char name[128];

	if (!json_is_object(value))
		input_complain(c, i->name,
			       "'%.100s' is not accepted: a mapping",
			       shown(value));
	json_object_foreach((json_t *)value, key, given)
	{
		other = cost_item_suggest(key);
		if (other != NULL) {
			input_complain(c, i->name, "unknown key '%.64s'%s%s",
				       key, other[0] ? "; did you mean " : "",
				       other);
			continue;
		}
		snprintf(name, sizeof(name), "%s", i->name);
		n = read_number(c, name, 0, 1e15, given);
		if (n != NULL)
			json_object_set_new(usage, key, n);
	}
	return usage;
}

json_t *input_default(const struct input *i)
{
	switch (i->type) {
	case FLAG:
		return json_boolean(i->by_default[0] == 't');
	case LIST:
		return json_array();
	case MAP:
		return json_object();
	default:
		return i->by_default ? json_string(i->by_default) : json_null();
	}
}

json_t *input_convert(struct check *c, const struct input *i,
		      const json_t *value)
{
	if (json_is_null(value) && i->nullable)
		return json_null();
	if (json_is_null(value) && !i->required)
		return input_default(i);
	switch (i->type) {
	case TEXT:
		return read_text(c, i, value);
	case FLAG:
		return read_flag(c, i, value);
	case NUMBER:
		return read_number(c, i->name, i->min, i->max, value);
	case LIST:
		return read_list(c, i, value);
	case MAP:
		return read_map(c, i, value);
	default:
		return read_usage(c, i, value);
	}
}
