/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The switch for processors that have no assembly here.  What is passed around
 * as "sp" is a ucontext_t: at the top of the stack for a fiber that has not run
 * yet, on the stack of the caller of fiber_jump() for one that rests.
 */
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#include "reactor/fiber.h"

struct start {
	ucontext_t context;
	fiber_entry *entry;
	void *arg;
};

void fiber_jump(void **save, void *sp)
{
	ucontext_t here;

	*save = &here;
	swapcontext(&here, sp);
}

/* makecontext() passes ints only. */
static void begin(unsigned high, unsigned low)
{
	struct start *s = (void *)((uintptr_t)high << 16 << 16 | low);

	s->entry(s->arg);
}

void *fiber_prepare(void *stack, size_t size, fiber_entry *entry, void *arg)
{
	uintptr_t top = (uintptr_t)stack + size - sizeof(struct start);
	struct start *s = (struct start *)(top & ~(uintptr_t)63);

	getcontext(&s->context);
	s->context.uc_stack.ss_sp = stack;
	s->context.uc_stack.ss_size = (char *)s - (char *)stack;
	s->context.uc_link = NULL;
	s->entry = entry;
	s->arg = arg;
	makecontext(&s->context, (void (*)(void))begin, 2,
		    (unsigned)((uintptr_t)s >> 16 >> 16),
		    (unsigned)(uintptr_t)s);
	return &s->context;
}
