/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fiber is a stack that runs until it switches to another one.  This is the
 * lowest layer of tasks, and the only one that knows the processor: the switch
 * is a dozen instructions of assembly (fiber_x86_64.S, fiber_aarch64.S), which
 * save what the C ABI says a call preserves and nothing else; processors
 * without such a file use ucontext(3) (fiber_ucontext.c), ten times slower.
 * Signal masks and floating-point modes are the thread's, not the fiber's.
 *
 * The sanitizers are told of each switch.  Without that, AddressSanitizer takes
 * a task's stack for a wild one, and ThreadSanitizer sees one thread with the
 * call stacks of many.
 */
#ifndef REACTOR_FIBER_H
#define REACTOR_FIBER_H

#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define FIBER_TSAN 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define FIBER_ASAN 1
#endif
#ifdef __SANITIZE_THREAD__
#define FIBER_TSAN 1
#endif

/* Bytes, unless the reactor's options say otherwise.  AddressSanitizer puts
 * room around each variable. */
#ifdef FIBER_ASAN
#define TASK_STACK (256 << 10)
#else
#define TASK_STACK (64 << 10)
#endif

#ifdef FIBER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif
#ifdef FIBER_TSAN
#include <sanitizer/tsan_interface.h>
#endif

/* Never returns: its last act is fiber_leave(). */
typedef void fiber_entry(void *arg);

struct fiber {
	void *sp; /* while it does not run */
#ifdef FIBER_ASAN
	const void *bottom;
	size_t size;
	void *fake_stack;
#endif
#ifdef FIBER_TSAN
	void *tsan;
#endif
};

/* In assembly: saves the caller at *save and continues what was saved as sp. */
void fiber_jump(void **save, void *sp);
/* A stack that, when jumped to, calls entry(arg): what to pass as sp. */
void *fiber_prepare(void *stack, size_t size, fiber_entry *entry, void *arg);

/* The calling thread's own stack, as something to switch back to. */
static inline void fiber_init_thread(struct fiber *f)
{
#ifdef FIBER_TSAN
	f->tsan = __tsan_get_current_fiber();
#endif
}

static inline void fiber_init(struct fiber *f, void *stack, size_t size,
			      fiber_entry *entry, void *arg)
{
	f->sp = fiber_prepare(stack, size, entry, arg);
#ifdef FIBER_ASAN
	f->bottom = stack;
	f->size = size;
	f->fake_stack = NULL;
#endif
#ifdef FIBER_TSAN
	f->tsan = __tsan_create_fiber(0);
#endif
}

/* Not while it runs. */
static inline void fiber_fini(struct fiber *f)
{
#ifdef FIBER_TSAN
	__tsan_destroy_fiber(f->tsan);
#endif
}

/* Inlined, because ThreadSanitizer pairs the entry and exit of functions. */
__attribute__((always_inline)) static inline void fiber_switch(
	struct fiber *from, struct fiber *to)
{
#ifdef FIBER_ASAN
	__sanitizer_start_switch_fiber(&from->fake_stack, to->bottom, to->size);
#endif
#ifdef FIBER_TSAN
	__tsan_switch_to_fiber(to->tsan, 0);
#endif
	fiber_jump(&from->sp, to->sp);
#ifdef FIBER_ASAN
	__sanitizer_finish_switch_fiber(from->fake_stack, NULL, NULL);
#endif
}

/* The first thing an entry function does; `from` is who switched to it. */
__attribute__((always_inline)) static inline void fiber_arrive(
	struct fiber *from)
{
#ifdef FIBER_ASAN
	__sanitizer_finish_switch_fiber(NULL, &from->bottom, &from->size);
#endif
}

/* A switch without return. */
__attribute__((always_inline)) static inline void fiber_leave(
	struct fiber *from, struct fiber *to)
{
#ifdef FIBER_ASAN
	__sanitizer_start_switch_fiber(NULL, to->bottom, to->size);
#endif
#ifdef FIBER_TSAN
	__tsan_switch_to_fiber(to->tsan, 0);
#endif
	fiber_jump(&from->sp, to->sp);
	__builtin_trap();
}

#endif
