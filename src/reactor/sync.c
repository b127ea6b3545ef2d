/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Completions, wait queues and locks: all made of task_park() and task_wake().
 */
#include "reactor/internal.h"

#include <errno.h>

/* From here on, reactor's thread only: the waiter cannot see `done` and leave
 * while another thread is still about to wake it. */
static void deliver_done(struct message *m)
{
	struct completion *c = container_of(m, struct completion, message);
	struct task *waiter = c->waiter;

	c->done = true;
	task_wake(waiter);
}

static void deliver_errand(struct message *m)
{
	struct completion *c = container_of(m, struct completion, message);

	c->waiter->reactor->errands--;
	deliver_done(m);
}

void completion_init(struct completion *c)
{
	*c = (struct completion){
		.waiter = task_self(),
		.message.deliver = deliver_done,
	};
}

void errand_init(struct completion *c)
{
	completion_init(c);
	c->message.deliver = deliver_errand;
	c->waiter->reactor->errands++;
}

void completion_done(struct completion *c, int result)
{
	struct reactor *r = c->waiter->reactor;

	c->result = result;
	if (r == reactor_current)
		c->message.deliver(&c->message);
	else
		reactor_post(r, &c->message);
}

int completion_wait_until(struct completion *c, nsec deadline)
{
	while (!c->done)
		if (!task_park(deadline) && !c->done)
			return -ETIMEDOUT;
	return c->result;
}

int completion_wait(struct completion *c)
{
	return completion_wait_until(c, NSEC_NEVER);
}

struct queued {
	struct list link;
	struct task *task;
};

void waitq_init(struct waitq *q)
{
	list_init(&q->waiters);
}

bool waitq_wait(struct waitq *q, nsec deadline)
{
	struct queued me = { .task = task_self() };
	bool woken;

	list_append(&q->waiters, &me.link);
	woken = task_park(deadline);
	woken |= list_empty(&me.link); /* woken and timed out at once */
	list_del(&me.link);
	return woken;
}

void waitq_wake_one(struct waitq *q)
{
	struct queued *first = list_first(&q->waiters, struct queued, link);

	if (first == NULL)
		return;
	list_del(&first->link);
	task_wake(first->task);
}

void waitq_wake_all(struct waitq *q)
{
	while (!list_empty(&q->waiters))
		waitq_wake_one(q);
}

bool waitq_empty(const struct waitq *q)
{
	return list_empty(&q->waiters);
}

/* Granting takes a waiter out of the list and announces it under the guard; the
 * completion then belongs to the waiter alone. */
struct lock_waiter {
	struct list link;
	bool writer;
	struct completion granted;
};

void task_rwlock_init(struct task_rwlock *l)
{
	pthread_mutex_init(&l->guard, NULL);
	list_init(&l->waiters);
	l->readers = 0;
	l->writer = false;
}

void task_rwlock_fini(struct task_rwlock *l)
{
	assert(l->readers == 0 && !l->writer && list_empty(&l->waiters));
	pthread_mutex_destroy(&l->guard);
}

static bool admit(struct task_rwlock *l, bool writer)
{
	if (l->writer || (writer && l->readers > 0))
		return false;
	if (writer)
		l->writer = true;
	else
		l->readers++;
	return true;
}

static void rwlock_lock(struct task_rwlock *l, bool writer)
{
	struct lock_waiter me = { .writer = writer };
	bool mine;

	pthread_mutex_lock(&l->guard);
	mine = list_empty(&l->waiters) && admit(l, writer);
	if (!mine) {
		completion_init(&me.granted);
		list_append(&l->waiters, &me.link);
	}
	pthread_mutex_unlock(&l->guard);
	if (!mine)
		completion_wait(&me.granted);
}

static void admit_waiters(struct task_rwlock *l)
{
	struct lock_waiter *w;

	while ((w = list_first(&l->waiters, struct lock_waiter, link)) !=
		       NULL &&
	       admit(l, w->writer)) {
		list_del(&w->link);
		completion_done(&w->granted, 0);
	}
}

void task_read_lock(struct task_rwlock *l)
{
	rwlock_lock(l, false);
}

void task_write_lock(struct task_rwlock *l)
{
	rwlock_lock(l, true);
}

void task_read_unlock(struct task_rwlock *l)
{
	pthread_mutex_lock(&l->guard);
	assert(l->readers > 0);
	l->readers--;
	admit_waiters(l);
	pthread_mutex_unlock(&l->guard);
}

void task_write_unlock(struct task_rwlock *l)
{
	pthread_mutex_lock(&l->guard);
	assert(l->writer);
	l->writer = false;
	admit_waiters(l);
	pthread_mutex_unlock(&l->guard);
}
