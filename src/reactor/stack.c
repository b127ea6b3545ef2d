/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pooled stack keeps its list link in its topmost bytes, which are touched
 * anyway: a parked task costs the pages it has used, an unused stack nothing.
 *
 * Guards by MADV_GUARD_INSTALL (Linux 6.13) leave one mapping for all stacks;
 * PROT_NONE splits it, and vm.max_map_count then ends us at 32,000 tasks.
 */
#include "reactor/stack.h"

#include <sys/mman.h>

#include "reactor/fiber.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

/* Many pages of guard, so that one large frame does not step over it. */
enum { POOL_MAX = 256, GUARD = 64 << 10 };

static void *stack_map(size_t size)
{
	char *base =
		mmap(NULL, GUARD + size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK,
		     -1, 0);

	if (base == MAP_FAILED)
		return NULL;
	/* A huge page would make every idle task cost 2 MiB. */
	madvise(base, GUARD + size, MADV_NOHUGEPAGE);
	if (madvise(base, GUARD, MADV_GUARD_INSTALL) != 0 &&
	    mprotect(base, GUARD, PROT_NONE) != 0) {
		munmap(base, GUARD + size);
		return NULL;
	}
#ifdef FIBER_ASAN
	__lsan_register_root_region(base + GUARD, size);
#endif
	return base + GUARD;
}

static void stack_unmap(void *stack, size_t size)
{
#ifdef FIBER_ASAN
	__lsan_unregister_root_region(stack, size);
#endif
	munmap((char *)stack - GUARD, GUARD + size);
}

static struct list *link_of(struct stack_pool *p, void *stack)
{
	return (struct list *)((char *)stack + p->size) - 1;
}

static void *stack_of(struct stack_pool *p, struct list *link)
{
	return (char *)(link + 1) - p->size;
}

static void unmap_all(struct stack_pool *p, struct list *stacks)
{
	while (!list_empty(stacks)) {
		struct list *link = stacks->next;

		list_del(link);
		stack_unmap(stack_of(p, link), p->size);
	}
}

void stack_pool_init(struct stack_pool *p, size_t size)
{
	p->size = round_up(size, sysconf(_SC_PAGESIZE));
	pthread_mutex_init(&p->lock, NULL);
	list_init(&p->free);
	p->count = p->unused = 0;
}

void stack_pool_fini(struct stack_pool *p)
{
	unmap_all(p, &p->free);
	pthread_mutex_destroy(&p->lock);
}

void *stack_get(struct stack_pool *p)
{
	struct list *link = NULL;

	pthread_mutex_lock(&p->lock);
	if (p->count > 0) {
		link = p->free.next;
		list_del(link);
		p->count--;
		p->unused = MIN(p->unused, p->count);
	}
	pthread_mutex_unlock(&p->lock);
	return link != NULL ? stack_of(p, link) : stack_map(p->size);
}

void stack_put(struct stack_pool *p, void *stack)
{
	bool pooled;

#ifdef FIBER_ASAN
	/* The last frames never returned: their red zones are still there. */
	__asan_unpoison_memory_region(stack, p->size);
#endif
	pthread_mutex_lock(&p->lock);
	pooled = p->count < POOL_MAX;
	if (pooled) {
		list_prepend(&p->free, link_of(p, stack));
		p->count++;
	}
	pthread_mutex_unlock(&p->lock);
	if (!pooled)
		stack_unmap(stack, p->size);
}

size_t stack_pool_trim(struct stack_pool *p)
{
	struct list cold = LIST_INIT(cold);
	size_t left;

	pthread_mutex_lock(&p->lock);
	for (; p->unused > 0; p->unused--, p->count--) {
		struct list *link = p->free.prev;

		list_del(link);
		list_append(&cold, link);
	}
	left = p->unused = p->count;
	pthread_mutex_unlock(&p->lock);
	unmap_all(p, &cold);
	return left;
}

size_t stack_pool_count(struct stack_pool *p)
{
	size_t count;

	pthread_mutex_lock(&p->lock);
	count = p->count;
	pthread_mutex_unlock(&p->lock);
	return count;
}
