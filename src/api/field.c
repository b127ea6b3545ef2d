/* SPDX-License-Identifier: Apache-2.0 */
#include "api/field.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/protocol.h"
#include "base/log.h"
#include "base/util.h"

/* Where a value stands, for messages: "tags.1.member.key". */
struct place {
	const struct place *above;
	const char *name;
	size_t index; /* in a list, from 1; 0: it is in none */
};

enum { PLACE_SIZE = 256, SHOWN_SIZE = 96 };

/* ------------------------------------------------------------- messages */

/* AWS's messages spell members with a small first letter. */
static size_t write_place(const struct place *p, char text[PLACE_SIZE])
{
	size_t n = p->above ? write_place(p->above, text) : 0;
	int more;

	if (p->index != 0)
		more = snprintf(text + n, PLACE_SIZE - n, ".%zu.member",
				p->index);
	else
		more = snprintf(text + n, PLACE_SIZE - n, "%s%c%s",
				n ? "." : "", p->name[0] | 0x20, p->name + 1);
	return MIN(n + more, (size_t)PLACE_SIZE - 1);
}

static int violates(struct api_call *call, const struct place *p,
		    const char *value, const char *constraint)
{
	char place[PLACE_SIZE];

	write_place(p, place);
	return api_refuse(call, call->service->protocol->invalid,
			  "1 validation error detected: Value '%.*s' at '%s' "
			  "failed to satisfy constraint: Member must %s",
			  SHOWN_SIZE, value, place, constraint);
}

/* ---------------------------------------------------------------- checks */

static bool matches(struct api_pattern *p, const char *text)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	int r;

	pthread_mutex_lock(&lock);
	if (p->compiled.buffer == NULL &&
	    regcomp(&p->compiled, p->text, REG_EXTENDED | REG_NOSUB) != 0) {
		log_error("api: pattern %s", p->text);
		abort();
	}
	pthread_mutex_unlock(&lock);
	r = regexec(&p->compiled, text, 0, NULL, 0);
	return r == 0;
}

static size_t characters(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static int check_length(struct api_call *call, const struct place *p,
			const struct api_field *f, const char *shown, size_t n)
{
	char text[64];

	if (f->max == 0 && f->min == 0)
		return 0;
	if (n < f->min) {
		snprintf(text, sizeof(text),
			 "have length greater than or equal to %.0f", f->min);
		return violates(call, p, shown, text);
	}
	if (f->max != 0 && n > f->max) {
		snprintf(text, sizeof(text),
			 "have length less than or equal to %.0f", f->max);
		return violates(call, p, shown, text);
	}
	return 0;
}

static int check_string(struct api_call *call, const struct place *p,
			const struct api_field *f, const json_t *value)
{
	const char *text = json_string_value(value);
	char constraint[256];
	int r;

	if (strlen(text) != json_string_length(value))
		return violates(call, p, text, "have no NUL in it");
	r = check_length(call, p, f, text, characters(text));
	if (r < 0)
		return r;
	if (f->values != NULL && !is_one_of(text, f->values)) {
		snprintf(constraint, sizeof(constraint),
			 "satisfy enum value set: [%s]", f->values);
		for (char *c = constraint; *c; c++)
			if (*c == '|')
				*c = ',';
		return violates(call, p, text, constraint);
	}
	if (f->pattern != NULL && !matches(f->pattern, text)) {
		snprintf(constraint, sizeof(constraint),
			 "satisfy regular expression pattern: %s",
			 f->pattern->shown ? f->pattern->shown
					   : f->pattern->text);
		return violates(call, p, text, constraint);
	}
	return 0;
}

static int check_number(struct api_call *call, const struct place *p,
			const struct api_field *f, const json_t *value)
{
	double n = json_number_value(value);
	char shown[32], text[64];

	snprintf(shown, sizeof(shown), "%.15g", n);
	if (f->max == 0 && f->min == 0)
		return 0;
	if (n < f->min) {
		snprintf(text, sizeof(text),
			 "have value greater than or equal to %.15g", f->min);
		return violates(call, p, shown, text);
	}
	if (f->max != 0 && n > f->max) {
		snprintf(text, sizeof(text),
			 "have value less than or equal to %.15g", f->max);
		return violates(call, p, shown, text);
	}
	return 0;
}

static int check_members(struct api_call *call, const struct place *above,
			 const struct api_field *fields, json_t *object);
static int check_value(struct api_call *call, const struct place *p,
		       const struct api_field *f, json_t *value);

static int check_list(struct api_call *call, const struct place *p,
		      const struct api_field *f, json_t *list)
{
	int r = check_length(call, p, f, "[…]", json_array_size(list));

	for (size_t i = 0; i < json_array_size(list) && r == 0; i++)
		r = check_value(call, &(struct place){ p, NULL, i + 1 },
				&f->fields[0], json_array_get(list, i));
	return r;
}

static bool is_type(const json_t *value, enum api_type type)
{
	switch (type) {
	case API_STRING:
		return json_is_string(value);
	case API_INTEGER:
		return json_is_integer(value);
	case API_NUMBER:
		return json_is_number(value);
	case API_BOOLEAN:
		return json_is_boolean(value);
	case API_TIME:
		return json_is_number(value);
	case API_OBJECT:
		return json_is_object(value);
	case API_LIST:
		return json_is_array(value);
	}
	return false;
}

static int check_value(struct api_call *call, const struct place *p,
		       const struct api_field *f, json_t *value)
{
	static const char *const names[] = {
		[API_STRING] = "be a string",
		[API_INTEGER] = "be an integer",
		[API_NUMBER] = "be a number",
		[API_BOOLEAN] = "be true or false",
		[API_TIME] = "be a time",
		[API_OBJECT] = "be a structure",
		[API_LIST] = "be a list",
	};

	if (!is_type(value, f->type)) {
		auto_free char *shown =
			json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

		return violates(call, p, shown ? shown : "", names[f->type]);
	}
	switch (f->type) {
	case API_STRING:
		return check_string(call, p, f, value);
	case API_INTEGER:
	case API_NUMBER:
		return check_number(call, p, f, value);
	case API_BOOLEAN:
	case API_TIME:
		return 0;
	case API_OBJECT:
		return check_members(call, p, f->fields, value);
	case API_LIST:
		return check_list(call, p, f, value);
	}
	return 0;
}

static bool is_known(const struct api_field *f, const char *name)
{
	for (; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return true;
	return false;
}

/* What the table does not know is dropped, as AWS does: newer clients send
 * more.  A null is absent. */
static void drop_unknown(const struct api_field *fields, json_t *object)
{
	const char *name;
	json_t *value;
	void *next;

	json_object_foreach_safe(object, next, name,
				 value) if (json_is_null(value) ||
					    !is_known(fields, name))
		json_object_del(object, name);
}

static int check_members(struct api_call *call, const struct place *above,
			 const struct api_field *fields, json_t *object)
{
	if (fields != NULL)
		drop_unknown(fields, object);
	for (const struct api_field *f = fields; f && f->name; f++) {
		struct place p = { above, f->name, 0 };
		json_t *value = json_object_get(object, f->name);
		int r = 0;

		if (value != NULL)
			r = check_value(call, &p, f, value);
		else if (f->required)
			r = violates(call, &p, "null", "not be null");
		if (r < 0)
			return r;
	}
	return 0;
}

int api_check_fields(struct api_call *call, const struct api_field *fields,
		     json_t *input)
{
	return check_members(call, NULL, fields, input);
}

/* --------------------------------------------------- values that are text */

static json_t *parse_integer(const char *text)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	return errno || end == text || *end ? NULL : json_integer(n);
}

static json_t *parse_number(const char *text)
{
	char *end;
	double n = strtod(text, &end);

	return end == text || *end ? NULL : json_real(n);
}

/* "2024-01-01T00:00:00Z", with or without a fraction and an offset. */
static json_t *parse_time(const char *text)
{
	struct tm tm = {};
	const char *p = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int hours = 0, minutes = 0, sign = 1;
	double fraction = 0;
	char *end;

	if (p == NULL) {
		memset(&tm, 0, sizeof(tm));
		p = strptime(text, "%Y-%m-%d", &tm);
		return p && *p == '\0' ? json_real((double)timegm(&tm)) : NULL;
	}
	if (*p == '.') {
		fraction = strtod(p, &end);
		p = end;
	}
	if ((*p == '+' || *p == '-') &&
	    sscanf(p + 1, "%2d:%2d", &hours, &minutes) >= 1)
		sign = *p == '+' ? 1 : -1;
	else if (*p != '\0' && strcmp(p, "Z") != 0)
		return NULL;
	return json_real((double)timegm(&tm) + fraction -
			 sign * (hours * 3600 + minutes * 60));
}

json_t *api_field_parse(const struct api_field *f, const char *text, size_t len)
{
	switch (f->type) {
	case API_INTEGER:
		return parse_integer(text);
	case API_NUMBER:
		return parse_number(text);
	case API_TIME:
		return parse_time(text);
	case API_BOOLEAN:
		if (strcasecmp(text, "true") == 0)
			return json_true();
		return strcasecmp(text, "false") == 0 ? json_false() : NULL;
	default:
		return json_stringn(text, len);
	}
}

/* ---------------------------------------------------------------- values */

json_t *api_value(const struct api_call *call, const char *name)
{
	return json_object_get(call->input, name);
}

const char *api_string(const struct api_call *call, const char *name)
{
	return json_string_value(api_value(call, name));
}

json_int_t api_integer(const struct api_call *call, const char *name,
		       json_int_t absent)
{
	json_t *value = api_value(call, name);

	return value ? json_integer_value(value) : absent;
}
