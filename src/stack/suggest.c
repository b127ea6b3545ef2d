/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/suggest.h"

#include <string.h>

#include "base/util.h"

enum { WORD_MAX = 64 };

/* How many letters have to be put in, taken out or changed (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1], n = strlen(b), diagonal, above, best;

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		diagonal = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < n; j++) {
			above = row[j + 1];
			best = MIN(above, row[j]) + 1;
			row[j + 1] = MIN(best, diagonal + (a[i] != b[j]));
			diagonal = above;
		}
	}
	return row[n];
}

const char *suggest(const char *word, const char *const *names, size_t n,
		    size_t stride)
{
	const char *best = NULL;
	size_t len = strlen(word), limit = MAX(len / 3, (size_t)2);

	if (len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		const char *name = *(const char *const *)((const char *)names +
							  i * stride);
		size_t d = strlen(name) > WORD_MAX ? WORD_MAX
						   : distance(word, name);

		if (d <= limit) {
			limit = d - (d > 0);
			best = name;
		}
	}
	return best;
}
