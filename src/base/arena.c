/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <string.h>

#include "base/util.h"

enum { ALIGN = 16, CHUNK = 4096 };

struct arena_chunk {
	struct arena_chunk *next;
	size_t size;
	_Alignas(ALIGN) char data[];
};

void arena_init(struct arena *a, void *initial, size_t size, size_t limit)
{
	size_t skew = -(uintptr_t)initial & (ALIGN - 1);

	*a = (struct arena){ .limit = limit };
	if (initial != NULL && size > skew) {
		a->initial = (char *)initial + skew;
		a->initial_size = size - skew;
	}
	arena_reset(a);
}

void arena_reset(struct arena *a)
{
	while (a->chunks != NULL) {
		struct arena_chunk *c = a->chunks;

		a->chunks = c->next;
		free(c);
	}
	a->used = 0;
	a->next = a->initial;
	a->end = a->initial ? a->initial + a->initial_size : NULL;
}

void arena_fini(struct arena *a)
{
	arena_reset(a);
	*a = (struct arena){};
}

static bool add_chunk(struct arena *a, size_t size)
{
	struct arena_chunk *c;

	size = MAX(size, (size_t)CHUNK);
	if (size > a->limit - a->used)
		return false;
	c = malloc(sizeof(*c) + size);
	if (c == NULL)
		return false;
	c->size = size;
	c->next = a->chunks;
	a->chunks = c;
	a->used += size;
	a->next = c->data;
	a->end = c->data + size;
	return true;
}

void *arena_alloc(struct arena *a, size_t size)
{
	void *p;

	if (size > a->limit + a->initial_size)
		return NULL;
	size = round_up(MAX(size, (size_t)1), ALIGN);
	if ((size_t)(a->end - a->next) < size && !add_chunk(a, size))
		return NULL;
	p = a->next;
	a->next += size;
	return p;
}

void *arena_zalloc(struct arena *a, size_t size)
{
	void *p = arena_alloc(a, size);

	return p != NULL ? memset(p, 0, size) : NULL;
}

void *arena_calloc(struct arena *a, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return arena_zalloc(a, bytes);
}

char *arena_strndup(struct arena *a, const void *data, size_t len)
{
	char *p = len < SIZE_MAX ? arena_alloc(a, len + 1) : NULL;

	if (p != NULL) {
		memcpy(p, data, len);
		p[len] = '\0';
	}
	return p;
}
