/* SPDX-License-Identifier: Apache-2.0 */
/* The command lines of hawser plan, apply, outputs and destroy. */
#ifndef STACK_OPTIONS_H
#define STACK_OPTIONS_H

#include "stack/plan.h"

enum { DONE, FAILED, USAGE, HELPED = -1 };

struct options {
	const char *file, *output, *prices;
	struct aws_options aws;
	struct consent consent;
	bool yes, json;
};

enum verb_bit { PLAN = 1, APPLY = 2, OUTPUTS = 4, DESTROY = 8, ALL = 15 };

struct verb {
	const char *name, *usage, *about;
	enum verb_bit bit;
};

const struct verb *options_verb(enum verb_bit bit);

/* DONE, USAGE after having said why, or HELPED. */
int options_parse(const struct verb *v, int argc, char **argv,
		  struct options *o);

#endif
