/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inputs of a stack: which keys its file may have, what they may be, what
 * they are if they are not there.  They are the variables of
 * deploy/terraform/variables.tf, with the same rules.
 */
#ifndef STACK_INPUT_H
#define STACK_INPUT_H

#include <jansson.h>
#include <stdbool.h>

#include "stack/document.h"

/* Every input by name, of its type, defaults filled in; a new reference.
 * NULL, after a line for each thing that is wrong: where, which key, what it
 * is, what is accepted. */
json_t *input_read(const struct document *d);

/* The lines of --help. */
void input_print_help(void);

/* Of a read input. */
const char *input_text(const json_t *inputs, const char *name); /* NULL: null */
bool input_flag(const json_t *inputs, const char *name);

#endif
