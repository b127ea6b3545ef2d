/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of one request: allocated piece by piece, freed all at once.  An
 * arena has a bound, given at the start, so that what a peer sends can't make
 * it grow without limit: beyond it arena_alloc() returns NULL.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
	char *next, *end;	    /* free part of the current chunk */
	struct arena_chunk *chunks; /* what was taken from malloc */
	size_t used, limit;	    /* bytes, chunk by chunk */
	char *initial;		    /* borrowed from the caller, or NULL */
	size_t initial_size;
};

/* The first allocations are served from `initial` (may be NULL, 0), which is
 * the caller's and often on its stack; `limit` bounds what malloc adds. */
void arena_init(struct arena *a, void *initial, size_t size, size_t limit);
void arena_fini(struct arena *a);

/* Frees everything, for the next request; keeps `initial`. */
void arena_reset(struct arena *a);

/* Aligned for any type, not zeroed; NULL beyond the limit. */
void *arena_alloc(struct arena *a, size_t size);
void *arena_zalloc(struct arena *a, size_t size);
/* n * size without overflow. */
void *arena_calloc(struct arena *a, size_t n, size_t size);
/* A copy with a NUL behind it. */
char *arena_strndup(struct arena *a, const void *data, size_t len);

#endif
