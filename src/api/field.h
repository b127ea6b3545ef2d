/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields: what an operation's input looks like, as a table, against which it is
 * held before the operation runs; so operations take values as they are.
 */
#ifndef API_FIELD_H
#define API_FIELD_H

#include <jansson.h>
#include <regex.h>
#include <stdbool.h>

struct api_call;

enum api_type {
	API_STRING,
	API_INTEGER,
	API_NUMBER,
	API_BOOLEAN,
	API_TIME,   /* seconds since 1970; a text of ISO 8601 in a query */
	API_OBJECT, /* `fields` says of what */
	API_LIST,   /* of what fields[0] says */
};

enum api_place { API_BODY, API_PATH, API_QUERY };

/* A POSIX extended regular expression, compiled when first used. */
struct api_pattern {
	const char *text;
	const char *shown; /* in messages, if it is not the text */
	regex_t compiled;
};

struct api_field {
	const char *name; /* NULL ends the table */
	enum api_type type;
	bool required;
	/* Length of strings (characters) and lists, value of numbers; max 0:
	 * no bound. */
	double min, max;
	const char *values; /* NULL, or what a string may be: "a|b|c" */
	struct api_pattern *pattern;
	const struct api_field *fields;
	enum api_place place;
	const char *wire; /* its name in the query; NULL: `name` */
};

/* Holds `input` against the table, and drops what it does not know.  0, or
 * refuses in AWS's words. */
int api_check_fields(struct api_call *call, const struct api_field *fields,
		     json_t *input);

/* A value that came as text, of the path or the query, as the field's type; a
 * new reference, NULL: it is not of that type, or not UTF-8. */
json_t *api_field_parse(const struct api_field *f, const char *text,
			size_t len);

/* Of input that fits. */
const char *api_string(const struct api_call *call, const char *name);
json_int_t api_integer(const struct api_call *call, const char *name,
		       json_int_t absent);
json_t *api_value(const struct api_call *call, const char *name);

#endif
