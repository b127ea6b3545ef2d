/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop.  One turn: fire the timers that are due, deliver what other threads
 * posted and files have done, run the tasks that are ready, collect events.
 *
 * Going to sleep and being woken by another thread is Dekker's game: the
 * reactor says "sleeping" (idle.c) and then looks into the inbox; a poster puts
 * its message there and then looks at "sleeping".  One of them sees the other.
 */
#include "reactor/internal.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/log.h"
#include "reactor/backend.h"

enum {
	RUNS_PER_TURN = 128, /* so that busy tasks don't starve events */
};

__thread struct reactor *reactor_current;

nsec clock_read(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return nsec_from_timespec(ts);
}

struct reactor *reactor_self(void)
{
	return reactor_current;
}

static bool virtual_time(void)
{
	return reactor_current != NULL && reactor_current->ops->virtual_time;
}

nsec reactor_now(void)
{
	return reactor_current != NULL ? reactor_current->now
				       : clock_read(CLOCK_MONOTONIC);
}

nsec reactor_now_precise(void)
{
	return virtual_time() ? reactor_current->now
			      : clock_read(CLOCK_MONOTONIC);
}

nsec reactor_realtime(void)
{
	return virtual_time() ? reactor_current->now + reactor_current->epoch
			      : clock_read(CLOCK_REALTIME);
}

const char *reactor_backend_name(const struct reactor *r)
{
	return r->ops->name;
}

unsigned reactor_number(void)
{
	return reactor_current->number;
}

void reactor_timer_set(struct timer *t, nsec deadline)
{
	timer_set(&reactor_current->timers, t, deadline);
}

void reactor_timer_cancel(struct timer *t)
{
	timer_cancel(&reactor_current->timers, t);
}

static _Atomic bool numbers[REACTOR_NUMBERS];

/* The lowest that is free, or -EAGAIN. */
static int number_get(void)
{
	for (int i = 0; i < REACTOR_NUMBERS; i++)
		if (!atomic_exchange(&numbers[i], true))
			return i;
	return -EAGAIN;
}

/* Stacks that nobody used for a second are given back. */
void reactor_trim_later(struct reactor *r)
{
	if (!r->trim.set && !r->ops->virtual_time)
		timer_set(&r->timers, &r->trim, r->now + SEC(1));
}

static void trim_stacks(struct timer *t)
{
	struct reactor *r = container_of(t, struct reactor, trim);

	if (stack_pool_trim(&r->stacks) > 0)
		reactor_trim_later(r);
}

int reactor_init(struct reactor *r, const struct backend_ops *ops,
		 const struct reactor_options *o)
{
	int number = number_get();

	if (number < 0)
		return number;
	*r = (struct reactor){
		.number = number,
		.ops = ops,
		.now = clock_read(CLOCK_MONOTONIC),
		.idle.max_poll = o->max_poll != 0 ? o->max_poll : USEC(50),
		.max_tasks = o->max_tasks != 0 ? o->max_tasks : 1000000,
		.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	if (r->wake_fd < 0) {
		atomic_store(&numbers[number], false);
		return -errno;
	}
	MAGIC_SET(r, REACTOR_MAGIC);
	list_init(&r->ready);
	list_init(&r->tasks);
	list_init(&r->finished);
	timer_init(&r->trim, trim_stacks);
	stack_pool_init(&r->stacks,
			o->stack_size != 0 ? o->stack_size : TASK_STACK);
	return 0;
}

void reactor_fini(struct reactor *r)
{
	stack_pool_fini(&r->stacks);
	close(r->wake_fd);
	atomic_store(&numbers[r->number], false);
	MAGIC_CLEAR(r);
}

static void wake_loop(struct reactor *r)
{
	uint64_t one = 1;

	if (atomic_load(&r->sleeping) && atomic_exchange(&r->sleeping, 0))
		if (write(r->wake_fd, &one, sizeof(one)) < 0)
			return; /* full: it is as good as written */
}

void reactor_post(struct reactor *r, struct message *m)
{
	atomic_fetch_add(&r->posters, 1);
	m->next = atomic_load(&r->inbox);
	while (!atomic_compare_exchange_weak(&r->inbox, &m->next, m))
		;
	wake_loop(r);
	atomic_fetch_sub(&r->posters, 1);
}

static void deliver_inbox(struct reactor *r)
{
	struct message *m, *next, *oldest = NULL;

	if (inbox_empty(r))
		return;
	for (m = atomic_exchange(&r->inbox, NULL); m != NULL; m = next) {
		next = m->next;
		m->next = oldest;
		oldest = m;
	}
	for (m = oldest; m != NULL; m = next) {
		next = m->next;
		m->deliver(m);
	}
}

void reactor_destroy(struct reactor *r)
{
	MAGIC_CHECK(r, REACTOR_MAGIC);
	assert(reactor_current != r);
	/* A poster that has just completed our last task may still be on its
	 * way out. */
	while (atomic_load(&r->posters) > 0)
		sched_yield();
	while (!inbox_empty(r))
		deliver_inbox(r);
	tasks_drop(r);
	r->ops->destroy(r);
	reactor_fini(r);
	free(r);
}

static void run_ready(struct reactor *r)
{
	for (int i = 0; i < RUNS_PER_TURN && !list_empty(&r->ready); i++) {
		struct task *t = list_first(&r->ready, struct task, ready);

		list_del(&t->ready);
		task_run(r, t);
	}
}

static void collect_events(struct reactor *r)
{
	bool busy = !list_empty(&r->ready) || !list_empty(&r->finished) ||
		    !inbox_empty(r);
	nsec until = timers_next(&r->timers);

	if (busy || until <= r->now)
		r->ops->wait(r, 0);
	else if (r->ops->virtual_time)
		r->ops->wait(r, until);
	else
		idle_wait(r, until);
}

static void turn(struct reactor *r)
{
	stat_add(&r->turns, 1);
	if (!r->ops->virtual_time)
		r->now = clock_read(CLOCK_MONOTONIC);
	timers_run(&r->timers, r->now);
	deliver_inbox(r);
	file_requests_done(r);
	run_ready(r);
	collect_events(r);
}

static void finish_errands(struct reactor *r)
{
	while (r->errands > 0) {
		idle_wait(r, NSEC_NEVER);
		deliver_inbox(r);
	}
}

void reactor_run(struct reactor *r)
{
	int err;

	MAGIC_CHECK(r, REACTOR_MAGIC);
	assert(reactor_current == NULL);
	reactor_current = r;
	fiber_init_thread(&r->loop);
	err = r->ops->start(r);
	if (err != 0)
		log_error("reactor: cannot start: %s", strerror(-err));
	while (err == 0 && !atomic_load(&r->stopping))
		turn(r);
	atomic_store(&r->stopping, 0);
	finish_errands(r);
	reactor_current = NULL;
}

int offload(int (*fn)(void *arg), void *arg)
{
	return reactor_current->ops->offload(fn, arg);
}

void reactor_stop(struct reactor *r)
{
	atomic_store(&r->stopping, 1);
	wake_loop(r);
}

void reactor_get_stats(const struct reactor *r, struct reactor_stats *out)
{
	*out = (struct reactor_stats){
		.turns = atomic_load(&r->turns),
		.switches = atomic_load(&r->switches),
		.sleeps = atomic_load(&r->sleeps),
		.polls_hit = atomic_load(&r->polls_hit),
		.wakeups = atomic_load(&r->wakeups),
		.tasks = atomic_load(&r->task_count),
		.stacks_pooled =
			stack_pool_count((struct stack_pool *)&r->stacks),
	};
}
