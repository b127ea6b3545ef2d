/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reactor: one event loop, one thread, many tasks (task.h).
 *
 * A reactor runs the tasks that are ready, in the order in which they became
 * so, then asks its backend for events: io_uring, epoll with a few worker
 * threads, or the simulation (sim.h: virtual time, in-memory network and
 * files).  What runs above it cannot tell which; nothing above reactor/ reads
 * a clock, or touches the network or the disk, by any other way.
 *
 * It sleeps when idle.  When events come close together it polls for a
 * bounded, adaptive time first, because a wake-up can cost more than the event.
 *
 * A thread runs at most one reactor.  Unless a comment says "any thread", a
 * function is for the reactor's own tasks.
 *
 *	struct reactor *r;
 *	reactor_create(&(struct reactor_options){}, &r);
 *	reactor_spawn(r, "main", main_task, &args);
 *	reactor_run(r);		// until reactor_stop()
 *	reactor_destroy(r);
 */
#ifndef REACTOR_REACTOR_H
#define REACTOR_REACTOR_H

#include <stdbool.h>

#include "base/clock.h"
#include "reactor/task.h"

struct reactor;

enum reactor_backend {
	REACTOR_AUTO, /* io_uring; epoll where io_uring is refused.  The
			 environment variable HAWSER_REACTOR=epoll|uring
			 decides for it */
	REACTOR_URING,
	REACTOR_EPOLL,
};

struct reactor_options {
	enum reactor_backend backend;
	int workers;   /* threads for offload() and, with epoll, files;
			  0: 16.  Started when first needed */
	nsec max_poll; /* bound of polling before sleep; 0: 50 us; < 0: never */
	size_t stack_size; /* of a task, guard page excluded; 0: 64 KiB */
	size_t max_tasks;  /* task_spawn() beyond it is -EAGAIN; 0: 1 million */
};

/* 0 or -errno: -ENOSYS/-EPERM when REACTOR_URING was demanded and is refused;
 * -EAGAIN: there are REACTOR_NUMBERS. */
int reactor_create(const struct reactor_options *options, struct reactor **out);

/* Runs on the calling thread until reactor_stop().  May be called again, on the
 * same thread. */
void reactor_run(struct reactor *r);

/* Makes reactor_run() return after the current turn, as soon as calls that have
 * gone to the kernel or a worker are back.  Tasks stay where they are.  Any
 * thread, and async-signal-safe. */
void reactor_stop(struct reactor *r);

/* Not while it runs.  Tasks that have not ended are dropped with their stacks:
 * what they own is not freed, so orderly programs end their tasks first. */
void reactor_destroy(struct reactor *r);

/* The reactor that runs on this thread, or NULL. */
struct reactor *reactor_self(void);

const char *reactor_backend_name(const struct reactor *r);

/* The running reactor's number: no other that lives has it.  For rooms that
 * keep something for each reactor. */
enum { REACTOR_NUMBERS = 256 };
unsigned reactor_number(void);

/* Starts fn(arg) as a task of r.  Any thread. 0 or -errno as task_spawn(). */
int reactor_spawn(struct reactor *r, const char *name, task_fn *fn, void *arg);

/* Has m->deliver(m) called on r's thread, in a later turn: on the loop's stack,
 * where it must not park.  Until then the message is r's.  For what must not
 * fail for want of memory; in the order of the posts.  Any thread. */
void reactor_post(struct reactor *r, struct message *m);

/* Monotonic time, read when the current turn of the loop began or later.
 * reactor_now_precise() reads the clock: for measuring within a turn. */
nsec reactor_now(void);
nsec reactor_now_precise(void);

/* Time of day since 1970 (virtual in the simulation). Any thread. */
nsec reactor_realtime(void);

/* For code that is called back instead of waiting in a task: has t->fire called
 * on the loop's stack, where it must not park.  timer_init() comes first; by
 * the reactor that runs, for its own timers. */
struct timer;
void reactor_timer_set(struct timer *t, nsec deadline); /* set or not */
void reactor_timer_cancel(struct timer *t);		/* set or not */

/* Runs fn(arg) on a worker thread and parks the calling task until it has
 * returned; the result is fn's.  For calls that block (LMDB commit, fsync of a
 * directory, libcephfs).  fn must not use tasks.  In the simulation fn runs at
 * once on the reactor's thread, and the task sleeps a simulated delay. */
int offload(int (*fn)(void *arg), void *arg);

/* Numbers for `hawserd`'s metrics.  Any thread; may lag. */
struct reactor_stats {
	uint64_t turns, switches, sleeps, polls_hit, wakeups;
	size_t tasks, stacks_pooled;
};
void reactor_get_stats(const struct reactor *r, struct reactor_stats *out);

/*
 * A set of reactors, a thread each; the first runs on the thread that calls
 * reactor_set_run().  Servers spread connections with reactor_set_pick().
 */
struct reactor_set;

int reactor_set_create(int n, const struct reactor_options *options,
		       struct reactor_set **out);
void reactor_set_run(struct reactor_set *set);	/* returns after _stop() */
void reactor_set_stop(struct reactor_set *set); /* any thread, signal-safe */
void reactor_set_destroy(struct reactor_set *set);
int reactor_set_count(const struct reactor_set *set);
struct reactor *reactor_set_get(const struct reactor_set *set, int i);
struct reactor *reactor_set_pick(struct reactor_set *set); /* round robin */

#endif
