/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as XML, as the query protocols want it: an object's members are
 * elements, a list is its items in elements of that name. */
#ifndef API_XML_H
#define API_XML_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Text that grows; `failed` when memory ran out. */
struct text {
	char *data; /* malloc'ed, NUL-terminated */
	size_t len, size;
	bool failed;
};

void text_add(struct text *t, const char *more);
__attribute__((format(printf, 2, 3))) void text_format(struct text *t,
						       const char *format, ...);
/* The members of an object, without an element around them. */
void xml_members(struct text *t, const json_t *object, const char *item);
/* The data, for the caller to free; NULL: no memory. */
char *text_take(struct text *t);

#endif
