/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks: stackful coroutines.  Code in a task looks like blocking code; where
 * it would block, the task parks and its reactor runs another.  A task stays
 * on the reactor that started it, and between two calls that may park nothing
 * else of that reactor runs: data of one reactor needs no lock.
 *
 * Calls that may park say so here.  Never park while holding a pthread mutex.
 *
 * A task's stack has 64 KiB unless the reactor says otherwise, with a guard
 * page below: no large arrays on it, no deep recursion.
 */
#ifndef REACTOR_TASK_H
#define REACTOR_TASK_H

#include <pthread.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/list.h"

struct task;
typedef void task_fn(void *arg);

/* Starts fn(arg) on the calling reactor, behind the tasks that are ready now;
 * does not park. `name` is borrowed for the task's life (a literal).
 * 0, -ENOMEM, -EAGAIN (too many tasks). */
int task_spawn(const char *name, task_fn *fn, void *arg);

/* The running task; NULL on the loop's own stack and outside reactors. */
struct task *task_self(void);
const char *task_name(const struct task *t);

/* Lets the other ready tasks run first. */
void task_yield(void);

/* Parks for that long, or until that point of reactor_now(). */
void task_sleep(nsec duration);
void task_sleep_until(nsec deadline);

/*
 * The primitive below everything else.  task_park() returns when somebody has
 * called task_wake() since the last task_park() returned, or at the deadline;
 * so a wake-up is never lost, and may be spurious: callers re-test their
 * condition.  task_wake() may be called from any thread, while the task lives.
 * task_park() is true if woken, false at the deadline.
 */
bool task_park(nsec deadline);
void task_wake(struct task *t);

/* How one thread hands a piece of work to a reactor: embedded in what it is
 * about, so that it needs no memory.  For the structures below. */
struct message {
	struct message *next;
	void (*deliver)(struct message *m); /* on the reactor's thread */
};

/*
 * Completion: something that happens once, waited for by one task, announced
 * from any thread.
 *
 *	struct completion c;
 *	completion_init(&c);
 *	start_it(&c);			// elsewhere: completion_done(&c, r)
 *	r = completion_wait(&c);
 */
struct completion {
	struct task *waiter; /* owned by the task that initialised it */
	struct message message;
	bool done; /* of the waiter's thread */
	int result;
};

void completion_init(struct completion *c); /* the calling task will wait */
/* After this the completion may be gone: nothing may touch it. Any thread. */
void completion_done(struct completion *c, int result);
int completion_wait(struct completion *c); /* parks; returns the result */
/* -ETIMEDOUT at the deadline; then completion_done() is still to come, and the
 * memory has to outlast it. */
int completion_wait_until(struct completion *c, nsec deadline);

/*
 * Wait queue: tasks of one reactor that wait for a condition of that reactor's
 * data.  FIFO.  The waiter re-tests: `while (!cond) waitq_wait(&q, deadline);`
 */
struct waitq {
	struct list waiters;
};

void waitq_init(struct waitq *q);
bool waitq_wait(struct waitq *q, nsec deadline); /* parks; false: deadline */
void waitq_wake_one(struct waitq *q);
void waitq_wake_all(struct waitq *q);
bool waitq_empty(const struct waitq *q);

/*
 * Locks that may be held while parking, by tasks of any reactor; FIFO, so that
 * nobody starves.  A writer waits for the readers before it, and holds up the
 * readers behind it.  Not recursive.
 */
struct task_rwlock {
	pthread_mutex_t guard; /* of the members below; never held parked */
	struct list waiters;
	int readers; /* holding it */
	bool writer; /* holding it */
};

void task_rwlock_init(struct task_rwlock *l);
void task_rwlock_fini(struct task_rwlock *l);
void task_read_lock(struct task_rwlock *l);  /* may park */
void task_write_lock(struct task_rwlock *l); /* may park */
void task_read_unlock(struct task_rwlock *l);
void task_write_unlock(struct task_rwlock *l);

#endif
