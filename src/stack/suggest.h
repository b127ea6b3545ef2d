/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody meant who wrote a name that is none. */
#ifndef STACK_SUGGEST_H
#define STACK_SUGGEST_H

#include <stddef.h>

/* The nearest of n names, which stand `stride` bytes apart; NULL: none is
 * near. */
const char *suggest(const char *word, const char *const *names, size_t n,
		    size_t stride);

#endif
