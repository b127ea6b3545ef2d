/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks and the one primitive to wait: park and wake.
 *
 *	          task_park()                 task_wake(), once
 *	RUNNING ───────────────▶ PARKED ─────────────────────────▶ WOKEN
 *	   ▲  │                    │ deadline                        │
 *	   │  └── task_wake() ─────┼───────────────────────────────▶ │
 *	   │                       ▼                                 │
 *	   └──────────────── ready, then resumed ◀───────────────────┘
 *
 * Who moves a task out of PARKED (one atomic exchange says who) puts it into
 * the ready list: directly on its own thread, through the reactor's inbox from
 * any other.  Nobody else touches the task, so a waker needs no reference to
 * it beyond the moment of the exchange and the posting.
 *
 * A task is the top of its own stack: one allocation, one pool.
 */
#include "reactor/internal.h"

#include <errno.h>

enum { CALLS_PER_RUN = 16 };

static struct task *must_be_in_task(void)
{
	struct reactor *r = reactor_current;

	assert(r != NULL && r->current != NULL);
	return r->current;
}

struct task *task_self(void)
{
	return reactor_current != NULL ? reactor_current->current : NULL;
}

const char *task_name(const struct task *t)
{
	return t->name;
}

static void make_ready(struct task *t)
{
	list_append(&t->reactor->ready, &t->ready);
}

static void deliver_ready(struct message *m)
{
	make_ready(container_of(m, struct task, message));
}

static void deliver_start(struct message *m)
{
	task_start(container_of(m, struct task, message));
}

static void deadline_passed(struct timer *timer)
{
	struct task *t = container_of(timer, struct task, timer);
	enum task_state parked = TASK_PARKED;

	if (atomic_compare_exchange_strong(&t->state, &parked, TASK_RUNNING))
		make_ready(t);
}

static void task_main(void *arg)
{
	struct task *t = arg;
	struct reactor *r = t->reactor;

	fiber_arrive(&r->loop);
	t->fn(t->arg);
	MAGIC_CLEAR(t);
	fiber_leave(&t->fiber, &r->loop);
}

static bool count_task(struct reactor *r)
{
	if (atomic_fetch_add(&r->task_count, 1) < r->max_tasks)
		return true;
	atomic_fetch_sub(&r->task_count, 1);
	return false;
}

int task_create(struct reactor *r, const char *name, task_fn *fn, void *arg,
		struct task **out)
{
	struct task *t;
	char *stack;
	size_t size;

	if (!count_task(r))
		return -EAGAIN;
	stack = stack_get(&r->stacks);
	if (stack == NULL) {
		atomic_fetch_sub(&r->task_count, 1);
		return -ENOMEM;
	}
	size = (r->stacks.size - sizeof(*t)) & ~(size_t)63;
	t = (struct task *)(stack + size);
	*t = (struct task){
		.reactor = r,
		.name = name,
		.fn = fn,
		.arg = arg,
		.stack = stack,
		.message.deliver = deliver_start,
	};
	MAGIC_SET(t, TASK_MAGIC);
	list_init(&t->ready);
	list_init(&t->all);
	timer_init(&t->timer, deadline_passed);
	fiber_init(&t->fiber, stack, size, task_main, t);
	*out = t;
	return 0;
}

void task_start(struct task *t)
{
	t->message.deliver = deliver_ready;
	list_append(&t->reactor->tasks, &t->all);
	make_ready(t);
}

static void task_destroy(struct task *t)
{
	struct reactor *r = t->reactor;

	timer_cancel(&r->timers, &t->timer);
	list_del(&t->all);
	fiber_fini(&t->fiber);
	stack_put(&r->stacks, t->stack);
	reactor_trim_later(r);
	atomic_fetch_sub(&r->task_count, 1);
}

void tasks_drop(struct reactor *r)
{
	while (!list_empty(&r->tasks))
		task_destroy(list_first(&r->tasks, struct task, all));
}

void task_run(struct reactor *r, struct task *t)
{
	r->current = t;
	t->unparked = 0;
	stat_add(&r->switches, 1);
	fiber_switch(&r->loop, &t->fiber);
	r->current = NULL;
	if (unlikely(t->magic != TASK_MAGIC))
		task_destroy(t);
}

static void switch_to_loop(struct task *t)
{
	fiber_switch(&t->fiber, &t->reactor->loop);
}

int task_spawn(const char *name, task_fn *fn, void *arg)
{
	return reactor_spawn(reactor_current, name, fn, arg);
}

int reactor_spawn(struct reactor *r, const char *name, task_fn *fn, void *arg)
{
	struct task *t;
	int err = task_create(r, name, fn, arg, &t);

	if (err != 0)
		return err;
	if (r == reactor_current)
		task_start(t);
	else
		reactor_post(r, &t->message);
	return 0;
}

void task_yield(void)
{
	struct task *t = must_be_in_task();

	make_ready(t);
	switch_to_loop(t);
}

void task_breathe(void)
{
	if (++must_be_in_task()->unparked > CALLS_PER_RUN)
		task_yield();
}

bool task_park(nsec deadline)
{
	struct task *t = must_be_in_task();
	struct reactor *r = t->reactor;
	enum task_state running = TASK_RUNNING;

	if (atomic_compare_exchange_strong(&t->state, &running, TASK_PARKED)) {
		if (deadline != NSEC_NEVER)
			timer_set(&r->timers, &t->timer, deadline);
		switch_to_loop(t);
		timer_cancel(&r->timers, &t->timer);
	}
	return atomic_exchange(&t->state, TASK_RUNNING) == TASK_WOKEN;
}

void task_wake(struct task *t)
{
	struct reactor *r = t->reactor;

	MAGIC_CHECK(t, TASK_MAGIC);
	if (atomic_exchange(&t->state, TASK_WOKEN) != TASK_PARKED)
		return;
	if (r == reactor_current)
		make_ready(t);
	else
		reactor_post(r, &t->message);
}

void task_sleep(nsec duration)
{
	task_sleep_until(nsec_after(reactor_now(), duration));
}

void task_sleep_until(nsec deadline)
{
	bool woken = false;

	while (reactor_now() < deadline)
		woken |= task_park(deadline);
	/* A wake-up that came meanwhile is for whoever parks next. */
	if (woken)
		task_wake(task_self());
}
