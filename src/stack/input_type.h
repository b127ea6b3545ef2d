/* SPDX-License-Identifier: Apache-2.0 */
/* The types of a stack's inputs: what a value has to be. */
#ifndef STACK_INPUT_TYPE_H
#define STACK_INPUT_TYPE_H

#include <jansson.h>
#include <stdbool.h>

#include "stack/document.h"

enum input_type { TEXT, FLAG, NUMBER, LIST, MAP, USAGE };

struct input {
	const char *name;
	enum input_type type;
	bool required;
	bool nullable;		/* null is a value of its own */
	const char *by_default; /* NULL: null, or empty */
	const char *values;	/* of a text: "a|b|c" */
	const char *pattern;	/* of a text, or of each in a list */
	const char *accepts;	/* the same in words */
	double min, max;	/* of a number; of how many are in a list */
	const char *help;
};

/* A file being checked. */
struct check {
	const struct document *d;
	json_t *out;
	int wrong;
};

/* Says "FILE:LINE: KEY: …" and counts it. */
__attribute__((format(printf, 3, 4))) void input_complain(struct check *c,
							  const char *key,
							  const char *format,
							  ...);

/* The value that the file gives, as one of its type; NULL after a complaint. */
json_t *input_convert(struct check *c, const struct input *i,
		      const json_t *value);
/* What it is if the file does not give it. */
json_t *input_default(const struct input *i);

/* "a|b|c" as "a, b or c" */
enum { INPUT_WORDS = 256 };
const char *input_words(const char *values, char words[INPUT_WORDS]);

#endif
