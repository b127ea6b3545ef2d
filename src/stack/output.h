/* SPDX-License-Identifier: Apache-2.0 */
/* The outputs of a stack: those of deploy/terraform/outputs.tf. */
#ifndef STACK_OUTPUT_H
#define STACK_OUTPUT_H

#include "stack/internal.h"

/* What outputs are made of. */
struct view {
	const struct stack *s;
	const struct resources *is;
	const char *prices; /* a file; NULL: the one that is installed */
};

/* A new reference: null for what the stack has not (an access point that is
 * switched off).  NULL, after having said why. */
json_t *output_value(const struct view *v, const char *name);
/* All of them by name. */
json_t *output_all(const struct view *v);

/* False, after having said so: there is no such output. */
bool output_check_name(const char *name);
/* Can it be told without asking the service? */
bool output_is_offline(const struct stack *s, const char *name);

void output_print_help(void);

/* manifest.c: texts; malloc'ed. */
char *manifest_storage_class(const char *fs);
char *manifest_volume(const char *name, const char *fs, const char *point,
		      const char *size);

#endif
