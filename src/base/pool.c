/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/util.h"

#ifndef __has_feature
#define __has_feature(x) 0 /* gcc 12 */
#endif

/* 4 KiB, and then 5, 6, 7, 8, 10, 12, 14, 16 KiB, … up to POOL_MAX */
enum { SMALLEST = 12, STEPS = 4, CLASSES = 9 * STEPS + 1 };

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

/* The class that has room for `size`, which it makes its own size. */
static unsigned class_of(size_t *size)
{
	unsigned doubling;
	size_t step;

	if (*size <= (size_t)1 << SMALLEST) {
		*size = (size_t)1 << SMALLEST;
		return 0;
	}
	doubling = 63 - __builtin_clzl(*size - 1);
	step = ((size_t)1 << doubling) / STEPS;
	*size = round_up(*size, step);
	return (doubling - SMALLEST) * STEPS + *size / step - STEPS;
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

/* aligned_alloc() wants a multiple of the alignment, by the letter. */
static void *allocate(size_t size)
{
	void *memory;

	return posix_memalign(&memory, 4096, size) == 0 ? memory : NULL;
}

void *pool_get(size_t size, size_t *actual)
{
	struct pool *p = own_pool();
	struct piece *piece;
	unsigned c = class_of(&size);

	*actual = size;
	if (p == NULL || c >= CLASSES || p->first[c] == NULL)
		return allocate(size);
	piece = p->first[c];
	p->first[c] = piece->next;
	p->kept -= size;
	return piece;
}

void pool_put(void *memory, size_t actual)
{
	unsigned c = class_of(&actual);
	struct pool *p = own_pool();
	struct piece *piece = memory;

	if (p == NULL || c >= CLASSES || p->kept + actual > keep_bytes) {
		free(memory);
		return;
	}
	piece->next = p->first[c];
	p->first[c] = piece;
	p->kept += actual;
}
