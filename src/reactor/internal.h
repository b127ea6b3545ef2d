/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of reactor/ share: the reactor itself, and the narrow table
 * through which it reaches the world.
 */
#ifndef REACTOR_INTERNAL_H
#define REACTOR_INTERNAL_H

#include <stdatomic.h>

#include "base/util.h"
#include "reactor/fiber.h"
#include "reactor/file.h"
#include "reactor/reactor.h"
#include "reactor/stack.h"
#include "reactor/stream.h"
#include "reactor/timer.h"

enum { REACTOR_MAGIC = 0x4ac70001, TASK_MAGIC = 0x7a5c0001 };

struct backend_ops; /* backend.h */

/* idle.c */
struct idle {
	nsec max_poll; /* < 0: never */
	nsec window;   /* how long to poll before the next sleep */
	int misses;    /* polls in a row that saw nothing */
	nsec banned_until;
};

struct reactor {
	unsigned magic;
	unsigned number;
	const struct backend_ops *ops;
	void *backend; /* its own state */

	/* Of the reactor's thread. */
	nsec now;
	nsec epoch;	      /* virtual time: now is 0 there */
	struct task *current; /* NULL on the loop's stack */
	struct fiber loop;
	struct list ready; /* tasks, FIFO */
	struct list tasks; /* all that have started */
	struct timers timers;
	struct timer trim; /* set while stacks are pooled */
	struct idle idle;
	nsec disk_slow_until; /* disk.c */
	int errands;	      /* errand_init() */
	struct list finished; /* file requests, before done() */

	/* Of all threads. */
	struct stack_pool stacks;
	size_t max_tasks;
	_Atomic size_t task_count;
	_Atomic(struct message *) inbox; /* newest first */
	atomic_int posters;		 /* inside reactor_post() */
	atomic_int sleeping;
	atomic_int stopping;
	int wake_fd; /* eventfd; polled by the backend */

	/* Written by the reactor's thread, read by any. */
	_Atomic uint64_t turns, switches, sleeps, polls_hit, wakeups;
};

enum task_state {
	TASK_RUNNING, /* or ready; no wake-up is pending */
	TASK_PARKED,
	TASK_WOKEN, /* running or ready, and the next park returns at once */
};

struct task {
	unsigned magic;
	_Atomic(enum task_state) state;
	struct reactor *reactor;
	struct list ready; /* in reactor->ready */
	struct list all;   /* in reactor->tasks */
	struct message message;
	struct timer timer;
	struct fiber fiber;
	int unparked; /* calls since it was resumed: task_breathe() */
	const char *name;
	task_fn *fn;
	void *arg;
	void *stack;
};

/* What reactor_self() returns. */
extern __thread struct reactor *reactor_current;

nsec clock_read(clockid_t id);

/* file.c: calls done() for what has finished. */
void file_requests_done(struct reactor *r);

/* sync.c */

/* A completion of something that the kernel or a worker does with the task's
 * memory.  reactor_run() does not return before all of them are done, so that
 * tasks can be dropped afterwards. */
void errand_init(struct completion *c);

/* task.c */

/* By calls that often need not park: so that a task whose data is always there
 * lets the others run now and then. */
void task_breathe(void);
void task_run(struct reactor *r, struct task *t);
int task_create(struct reactor *r, const char *name, task_fn *fn, void *arg,
		struct task **out); /* any thread */
void task_start(struct task *t);    /* reactor's thread */
void tasks_drop(struct reactor *r);

/* reactor.c */
int reactor_init(struct reactor *r, const struct backend_ops *ops,
		 const struct reactor_options *o);
void reactor_fini(struct reactor *r);
void reactor_trim_later(struct reactor *r);

static inline bool inbox_empty(const struct reactor *r)
{
	return atomic_load(&r->inbox) == NULL;
}

/* Nothing is ready: waits for events, for messages, for `until`. */
void idle_wait(struct reactor *r, nsec until);

static inline void stat_add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(
		counter,
		atomic_load_explicit(counter, memory_order_relaxed) + n,
		memory_order_relaxed);
}

#endif
