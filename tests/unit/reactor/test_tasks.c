/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks, timers, wake-ups from other threads, completions, wait queues, locks
 * and offloaded calls: the same in each world. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "base/util.h"
#include "worlds.h"

static char trace[256];

static void note(const void *c)
{
	trace[strlen(trace) + 1] = '\0';
	trace[strlen(trace)] = (char)(intptr_t)c;
}

static void traced(void *arg)
{
	note(arg);
	task_yield();
	note(arg);
}

WORLD_TEST(tasks_take_turns_in_the_order_of_becoming_ready)
{
	trace[0] = '\0';
	task_spawn("a", traced, (void *)'a');
	task_spawn("b", traced, (void *)'b');
	task_spawn("c", traced, (void *)'c');
	task_yield();
	task_yield();
	task_yield();
	assert_string_equal(trace, "abcabc");
}

static void sleeper(void *arg)
{
	task_sleep(MSEC((intptr_t)arg));
	sprintf(trace + strlen(trace), "%d ", (int)(intptr_t)arg);
}

WORLD_TEST(sleepers_wake_in_the_order_of_their_deadlines)
{
	static const intptr_t order[] = { 30, 10, 20, 5, 25, 15 };
	nsec start = reactor_now();

	trace[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		task_spawn("sleeper", sleeper, (void *)order[i]);
	task_sleep(MSEC(40));
	assert_string_equal(trace, "5 10 15 20 25 30 ");
	assert_true(reactor_now() - start >= MSEC(40));
	assert_true(reactor_now() - start < SEC(5));
}

WORLD_TEST(a_wake_up_before_the_park_is_not_lost)
{
	task_wake(task_self());
	assert_true(task_park(NSEC_NEVER));
	assert_false(task_park(reactor_now() + MSEC(1)));
	task_wake(task_self());
	task_sleep(MSEC(1)); /* leaves it to who parks next */
	assert_true(task_park(reactor_now() + MSEC(1)));
}

static void done_soon(void *arg)
{
	task_sleep(MSEC(2));
	completion_done(arg, 42);
}

WORLD_TEST(a_completion_hands_over_its_result)
{
	struct completion c;

	completion_init(&c);
	assert_int_equal(completion_wait_until(&c, reactor_now() + 1),
			 -ETIMEDOUT);
	task_spawn("done", done_soon, &c);
	assert_int_equal(completion_wait(&c), 42);
}

static struct waitq queue;
static int condition;

static void waiter(void *arg)
{
	while (condition == 0)
		waitq_wait(&queue, NSEC_NEVER);
	condition--;
	note(arg);
}

WORLD_TEST(a_wait_queue_wakes_first_come_first_served)
{
	trace[0] = '\0';
	condition = 0;
	waitq_init(&queue);
	task_spawn("a", waiter, (void *)'a');
	task_spawn("b", waiter, (void *)'b');
	task_spawn("c", waiter, (void *)'c');
	task_yield();
	assert_false(waitq_wait(&queue, reactor_now() + MSEC(1)));
	condition = 1;
	waitq_wake_one(&queue);
	task_yield();
	assert_string_equal(trace, "a");
	condition = 2;
	waitq_wake_all(&queue);
	task_yield();
	assert_string_equal(trace, "abc");
	assert_true(waitq_empty(&queue));
}

static struct task_rwlock lock;

static void reader(void *arg)
{
	task_read_lock(&lock);
	note(arg);
	task_sleep(MSEC(1));
	task_read_unlock(&lock);
}

static void writer(void *arg)
{
	task_write_lock(&lock);
	note(arg);
	task_sleep(MSEC(1));
	note(arg);
	task_write_unlock(&lock);
}

WORLD_TEST(a_writer_is_alone_and_holds_up_the_readers_behind_it)
{
	trace[0] = '\0';
	task_rwlock_init(&lock);
	task_spawn("r", reader, (void *)'1');
	task_spawn("r", reader, (void *)'2');
	task_spawn("w", writer, (void *)'W');
	task_spawn("r", reader, (void *)'3');
	task_spawn("w", writer, (void *)'X');
	task_yield();
	/* More only if this thread was held up meanwhile. */
	assert_memory_equal(trace, "12", 2);
	while (strlen(trace) < strlen("12WW3XX"))
		task_sleep(MSEC(1));
	assert_string_equal(trace, "12WW3XX");
	task_rwlock_fini(&lock);
}

static int square(void *arg)
{
	return *(int *)arg * *(int *)arg;
}

static int offloads;

static void offloader(void *arg)
{
	for (int i = 0; i < 50; i++) {
		int n = i;

		assert_int_equal(offload(square, &n), i * i);
		offloads++;
	}
}

WORLD_TEST(offloaded_calls_return_to_their_own_task)
{
	offloads = 0;
	for (int i = 0; i < 8; i++)
		task_spawn("offloader", offloader, NULL);
	while (offloads < 8 * 50)
		task_sleep(MSEC(1));
}

static int deep(int n)
{
	volatile char page[1024];

	page[0] = n;
	return n == 0 ? 0 : deep(n - 1) + page[0];
}

static int ended;

static void short_task(void *arg)
{
	deep(20);
	task_yield();
	ended++;
}

WORLD_TEST(thousands_of_tasks_come_and_go)
{
	enum { ROUNDS = 3, N = 1000 };
	struct reactor_stats stats;

	for (int round = 0; round < ROUNDS; round++) {
		ended = 0;
		for (int i = 0; i < N; i++)
			assert_int_equal(task_spawn("t", short_task, NULL), 0);
		while (ended < N)
			task_yield();
	}
	task_yield();
	reactor_get_stats(reactor_self(), &stats);
	assert_int_equal(stats.tasks, 1);
	assert_true(stats.stacks_pooled <= 256);
	assert_true(stats.switches >= ROUNDS * N * 2);
}

static int fired, fired_in_order;
static nsec last;

static void random_sleeper(void *arg)
{
	nsec until = reactor_now() + USEC((intptr_t)arg);

	task_sleep_until(until);
	assert_true(reactor_now() >= until);
	fired++;
	fired_in_order += until >= last;
	last = until;
}

/* The heap against many deadlines, a third of which are given up early. */
WORLD_TEST(many_timers_fire_in_order)
{
	enum { N = 1000 };
	struct rng rng;

	rng_init(&rng, 7);
	fired = fired_in_order = 0;
	last = 0;
	for (int i = 0; i < N; i++) {
		intptr_t usec = 1000 + rng_below(&rng, 20000);

		assert_int_equal(task_spawn("s", random_sleeper, (void *)usec),
				 0);
		if (i % 3 == 0) {
			task_wake(task_self());
			task_park(reactor_now() + USEC(usec));
		}
	}
	while (fired < N)
		task_sleep(MSEC(1));
	assert_int_equal(fired_in_order, N);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(tasks_take_turns_in_the_order_of_becoming_ready),
	cmocka_unit_test(sleepers_wake_in_the_order_of_their_deadlines),
	cmocka_unit_test(a_wake_up_before_the_park_is_not_lost),
	cmocka_unit_test(a_completion_hands_over_its_result),
	cmocka_unit_test(a_wait_queue_wakes_first_come_first_served),
	cmocka_unit_test(a_writer_is_alone_and_holds_up_the_readers_behind_it),
	cmocka_unit_test(offloaded_calls_return_to_their_own_task),
	cmocka_unit_test(thousands_of_tasks_come_and_go),
	cmocka_unit_test(many_timers_fire_in_order),
};

int main(void)
{
	return run_in_worlds("tasks", tests, ARRAY_SIZE(tests));
}
