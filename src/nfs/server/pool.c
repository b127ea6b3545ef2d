/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Large pieces of memory for calls and bulk data.  Each thread keeps some of
 * each size, so that the hot path neither allocates nor locks; what is freed
 * by another thread than it was taken by stays there.
 *
 * Pages of a piece that were never touched cost nothing: a reply buffer of
 * 128 KiB from which 300 bytes were sent is one page.
 */
#include <pthread.h>

#include "nfs/server/internal.h"

#ifndef __has_feature
#define __has_feature(x) 0 /* gcc 12 */
#endif

enum { SMALLEST = 12, LARGEST = 21, CLASSES = LARGEST - SMALLEST + 1 };

/* Of each thread.  None under AddressSanitizer, which could not see a use after
 * free. */
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
static const size_t keep_bytes = 0;
#else
static const size_t keep_bytes = MIB(16);
#endif

struct piece {
	struct piece *next;
};

struct pool {
	struct pool *next; /* all_pools */
	size_t kept;
	struct piece *first[CLASSES];
};

/* Pools are reached from here also after their thread has ended. */
static struct pool *all_pools;
static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
static __thread struct pool *pool;

static unsigned class_of(size_t size)
{
	unsigned c = 0;

	while ((size_t)1 << (SMALLEST + c) < size)
		c++;
	return c;
}

/* A thread may have none, if memory is short. */
static struct pool *own_pool(void)
{
	if (pool != NULL)
		return pool;
	pool = calloc(1, sizeof(*pool));
	if (pool == NULL)
		return NULL;
	pthread_mutex_lock(&all_lock);
	pool->next = all_pools;
	all_pools = pool;
	pthread_mutex_unlock(&all_lock);
	return pool;
}

void *nfsd_pool_get(size_t size, size_t *actual)
{
	unsigned c = class_of(size);
	struct pool *p = own_pool();
	struct piece *piece;

	if (c >= CLASSES)
		return NULL;
	*actual = (size_t)1 << (SMALLEST + c);
	if (p == NULL || p->first[c] == NULL)
		return malloc(*actual);
	piece = p->first[c];
	p->first[c] = piece->next;
	p->kept -= *actual;
	return piece;
}

void nfsd_pool_put(void *memory, size_t actual)
{
	unsigned c = class_of(actual);
	struct pool *p = own_pool();
	struct piece *piece = memory;

	if (p == NULL || p->kept + actual > keep_bytes) {
		free(memory);
		return;
	}
	piece->next = p->first[c];
	p->first[c] = piece;
	p->kept += actual;
}
