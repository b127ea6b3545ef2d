/* SPDX-License-Identifier: Apache-2.0 */
/* What a stack consists of, and reading it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "stack/internal.h"

const struct kind *const stack_kinds[] = {
	&group_kind,	    &file_system_kind, &mount_target_kind,
	&access_point_kind, &alarm_kind,       NULL,
};

const char *stack_verb;

void stack_error(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "hawser %s: ", stack_verb);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

/* ------------------------------------------------------------- resources */

struct resource *resource_add(struct resources *r, const char *key)
{
	struct resource *added;

	added = calloc(1, sizeof(*added));
	r->list = reallocarray(r->list, r->n + 1, sizeof(*r->list));
	if (r->list == NULL || added == NULL)
		abort();
	r->list[r->n++] = added;
	added->attributes = json_object();
	snprintf(added->key, sizeof(added->key), "%s", key);
	return added;
}

void resources_free(struct resources *r)
{
	for (size_t i = 0; i < r->n; i++) {
		json_decref(r->list[i]->attributes);
		json_decref(r->list[i]->facts);
		free(r->list[i]);
	}
	free(r->list);
	*r = (struct resources){};
}

struct resource *resources_find(const struct resources *r,
				const struct kind *kind, const char *key)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->list[i]->kind == kind &&
		    strcmp(r->list[i]->key, key) == 0)
			return r->list[i];
	return NULL;
}

/* Of those that were added since there were `from`. */
static void set_kind(struct resources *r, size_t from, const struct kind *kind)
{
	for (size_t i = from; i < r->n; i++)
		r->list[i]->kind = kind;
}

int stack_read(struct stack *s, struct resources *is)
{
	for (const struct kind *const *k = stack_kinds; *k; k++) {
		size_t from = is->n;
		int error = (*k)->read(s, is);

		if (error < 0)
			return error;
		set_kind(is, from, *k);
		if ((*k)->id_offset && is->n > from)
			strcpy((char *)s + (*k)->id_offset, is->list[from]->id);
	}
	return 0;
}

int stack_declare(struct stack *s, const struct kind *kind,
		  struct resources *wanted)
{
	size_t from = wanted->n;
	int error = kind->declare(s, wanted);

	set_kind(wanted, from, kind);
	return error;
}
