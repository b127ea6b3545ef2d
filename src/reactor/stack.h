/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stacks for tasks: mmap'ed, guard pages below, pooled.  The pool is bounded,
 * and what it held unused for a whole period goes back to the kernel.
 */
#ifndef REACTOR_STACK_H
#define REACTOR_STACK_H

#include <pthread.h>

#include "base/list.h"

struct stack_pool {
	size_t size;	      /* usable bytes of a stack */
	pthread_mutex_t lock; /* of the rest: reactor_spawn() is any thread's */
	struct list free;     /* warmest first */
	size_t count;	      /* in free */
	size_t unused;	      /* smallest count since the last trim */
};

void stack_pool_init(struct stack_pool *p, size_t size);
void stack_pool_fini(struct stack_pool *p);

/* The lowest usable address of a stack, or NULL. Any thread. */
void *stack_get(struct stack_pool *p);
void stack_put(struct stack_pool *p, void *stack);

/* Ends a period.  The number of stacks still pooled. */
size_t stack_pool_trim(struct stack_pool *p);
size_t stack_pool_count(struct stack_pool *p);

#endif
