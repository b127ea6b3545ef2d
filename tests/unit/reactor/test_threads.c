/* SPDX-License-Identifier: Apache-2.0 */
/* What involves threads, signals and descriptors, which the simulation does not
 * have: wake-ups, spawns and locks across reactors; an idle reactor sleeps. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "reactor/fd.h"
#include "reactor/stream.h"
#include "worlds.h"

static void *complete(void *arg)
{
	completion_done(arg, 7);
	return NULL;
}

/* The completion is on a stack that is used again at once: the other thread
 * must not touch it any more. */
static int one_completion(void)
{
	struct completion c;
	pthread_t thread;
	int result;

	completion_init(&c);
	pthread_create(&thread, NULL, complete, &c);
	result = completion_wait(&c);
	memset(&c, 0xff, sizeof(c));
	pthread_detach(thread);
	return result;
}

WORLD_TEST(completions_come_from_other_threads)
{
	for (int i = 0; i < 300; i++)
		assert_int_equal(one_completion(), 7);
}

static atomic_int wakes_wanted;
static struct task *sleeper;

static void *wake_again_and_again(void *arg)
{
	while (atomic_load(&wakes_wanted) > 0)
		task_wake(sleeper);
	return NULL;
}

WORLD_TEST(wake_ups_from_other_threads_are_not_lost)
{
	pthread_t threads[2];

	sleeper = task_self();
	atomic_store(&wakes_wanted, 2000);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, wake_again_and_again, NULL);
	while (atomic_fetch_sub(&wakes_wanted, 1) > 1)
		assert_true(task_park(reactor_now() + SEC(20)));
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}

static atomic_int spawned;

static void count_me(void *arg)
{
	atomic_fetch_add(&spawned, 1);
}

static void *spawn_many(void *r)
{
	for (int i = 0; i < 500; i++)
		while (reactor_spawn(r, "counted", count_me, NULL) != 0)
			;
	return NULL;
}

WORLD_TEST(tasks_are_spawned_from_other_threads)
{
	pthread_t threads[2];

	atomic_store(&spawned, 0);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, spawn_many, reactor_self());
	while (atomic_load(&spawned) < 1000)
		task_sleep(MSEC(1));
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}

/* A set of reactors whose tasks share a lock and what it guards. */

enum { REACTORS = 3, TASKS = 6, TURNS = 60 };

static struct reactor_set *set;
static struct task_rwlock lock;
static long guarded, guarded_twin; /* equal whenever nobody writes */
static atomic_int tasks_left, torn;

static void read_or_write(bool write)
{
	if (write) {
		task_write_lock(&lock);
		guarded++;
		task_yield();
		guarded_twin++;
		task_write_unlock(&lock);
	} else {
		task_read_lock(&lock);
		if (guarded != guarded_twin)
			atomic_fetch_add(&torn, 1);
		task_yield();
		if (guarded != guarded_twin)
			atomic_fetch_add(&torn, 1);
		task_read_unlock(&lock);
	}
}

static void lock_and_unlock(void *arg)
{
	for (int i = 0; i < TURNS; i++)
		read_or_write(i % 3 == 0);
	if (atomic_fetch_sub(&tasks_left, 1) == 1)
		reactor_set_stop(set);
}

static void a_lock_is_shared_by_the_reactors_of_a_set(void **state)
{
	struct reactor_options o = { .backend = world_backend() };

	task_rwlock_init(&lock);
	guarded = guarded_twin = 0;
	atomic_store(&torn, 0);
	atomic_store(&tasks_left, REACTORS * TASKS);
	assert_int_equal(reactor_set_create(REACTORS, &o, &set), 0);
	assert_int_equal(reactor_set_count(set), REACTORS);
	for (int i = 0; i < REACTORS * TASKS; i++)
		assert_int_equal(reactor_spawn(reactor_set_pick(set), "locker",
					       lock_and_unlock, NULL),
				 0);
	reactor_set_run(set);
	assert_int_equal(atomic_load(&torn), 0);
	assert_int_equal(guarded, REACTORS * TASKS * TURNS / 3);
	assert_int_equal(guarded_twin, guarded);
	reactor_set_destroy(set);
	task_rwlock_fini(&lock);
}

/* A server that spreads its connections over the reactors of a set. */

enum { CLIENTS = 12 };
static struct listener *listener;
static atomic_int served;

static void echo(void *arg)
{
	char buf[100];
	ssize_t n;

	while ((n = stream_read(arg, buf, sizeof(buf))) > 0)
		assert_int_equal(stream_write(arg, buf, n), 0);
	stream_close(arg);
	if (atomic_fetch_add(&served, 1) == CLIENTS - 1)
		reactor_set_stop(set);
}

static void client(void *arg)
{
	struct stream *s;
	char in[6];

	assert_int_equal(stream_connect(listener_addr(listener), NULL, &s), 0);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(stream_write(s, "hello", 6), 0);
		assert_int_equal(stream_read_full(s, in, 6), 0);
		assert_string_equal(in, "hello");
	}
	stream_close(s);
}

static void spread(void *arg)
{
	struct stream *s;
	struct addr a;

	assert_int_equal(addr_parse(&a, "127.101.0.3", 0), 0);
	assert_int_equal(stream_listen(&a, &listener), 0);
	for (int i = 0; i < CLIENTS; i++)
		reactor_spawn(reactor_set_pick(set), "client", client, NULL);
	for (int i = 0; i < CLIENTS; i++) {
		assert_int_equal(stream_accept(listener, &s), 0);
		reactor_spawn(reactor_set_pick(set), "echo", echo, s);
	}
	listener_close(listener);
}

static void accepted_streams_move_to_other_reactors(void **state)
{
	struct reactor_options o = { .backend = world_backend() };

	atomic_store(&served, 0);
	assert_int_equal(reactor_set_create(REACTORS, &o, &set), 0);
	reactor_spawn(reactor_set_get(set, 0), "spread", spread, NULL);
	reactor_set_run(set);
	reactor_set_destroy(set);
}

static void *stop_soon(void *r)
{
	usleep(5000);
	reactor_stop(r);
	return NULL;
}

static struct reactor *to_stop;

static void on_signal(int number)
{
	reactor_stop(to_stop);
}

static void a_reactor_is_stopped_by_a_thread_or_a_signal(void **state)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct reactor *r = world_create();
	pthread_t thread;

	pthread_create(&thread, NULL, stop_soon, r);
	reactor_run(r);
	pthread_join(thread, NULL);

	to_stop = r;
	sigaction(SIGALRM, &action, NULL);
	ualarm(5000, 0);
	reactor_run(r);

	reactor_stop(r); /* before it runs */
	reactor_run(r);
	reactor_destroy(r);
}

static atomic_int calls_ended;

static int take_long(void *arg)
{
	usleep(30000);
	*(volatile char *)arg = 1; /* on the task's stack */
	atomic_fetch_add(&calls_ended, 1);
	return 0;
}

static void call_long(void *arg)
{
	char on_my_stack;

	offload(take_long, &on_my_stack);
}

static void stop_now(void *arg)
{
	reactor_stop(reactor_self());
}

static void tasks_are_dropped_only_when_nobody_works_for_them(void **state)
{
	struct reactor *r = world_create();

	atomic_store(&calls_ended, 0);
	for (int i = 0; i < 3; i++)
		reactor_spawn(r, "caller", call_long, NULL);
	reactor_spawn(r, "stop", stop_now, NULL);
	reactor_run(r);
	assert_int_equal(atomic_load(&calls_ended), 3);
	reactor_destroy(r);
}

/* Waits for the other call; 0, or that it did not come. */
static int wait_for_other(void *other)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 2;
	return sem_timedwait(other, &until) == 0 ? 0 : -errno;
}

static int be_the_other(void *other)
{
	return sem_post(other);
}

static void call_other(void *other)
{
	offload(be_the_other, other);
}

/* The thread that is idle takes the first; the second must not wait for it. */
WORLD_TEST(a_call_does_not_wait_for_another_while_more_threads_may_start)
{
	sem_t other, first;

	sem_init(&other, 0, 0);
	sem_init(&first, 0, 0);
	offload(be_the_other, &first); /* starts a thread */
	task_sleep(MSEC(5));	       /* which is then idle */
	task_spawn("other", call_other, &other);
	assert_int_equal(offload(wait_for_other, &other), 0);
	task_sleep(MSEC(5));
	sem_destroy(&first);
	sem_destroy(&other);
}

static int still_waiting, gave_up;

static void call_slow(void *other)
{
	gave_up += offload(wait_for_other, other) != 0;
	still_waiting--;
}

/* Removals of huge files, flushes of a slow disk: commits go on. */
WORLD_TEST(many_slow_calls_do_not_hold_up_a_quick_one)
{
	sem_t other;

	sem_init(&other, 0, 0);
	gave_up = 0;
	for (still_waiting = 0; still_waiting < 8; still_waiting++)
		task_spawn("slow", call_slow, &other);
	task_sleep(MSEC(5));
	for (int i = 0; i < 8; i++)
		offload(be_the_other, &other);
	while (still_waiting > 0)
		task_sleep(MSEC(1));
	assert_int_equal(gave_up, 0);
	sem_destroy(&other);
}

static nsec cpu_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return nsec_from_timespec(ts);
}

WORLD_TEST(an_idle_reactor_uses_no_processor_time)
{
	nsec before = cpu_time();

	task_sleep(MSEC(300));
	assert_true(cpu_time() - before < MSEC(15));
}

static void sleep_for_ever(void *arg)
{
	task_park(NSEC_NEVER);
}

static void spawn_three(void *arg)
{
	/* This one counts, too. */
	assert_int_equal(task_spawn("s", sleep_for_ever, NULL), 0);
	assert_int_equal(task_spawn("s", sleep_for_ever, NULL), 0);
	assert_int_equal(task_spawn("s", sleep_for_ever, NULL), -EAGAIN);
	task_yield();
	reactor_stop(arg);
}

static void the_number_of_tasks_is_bounded(void **state)
{
	struct reactor_options o = { .backend = world_backend(),
				     .max_tasks = 3 };
	struct reactor *r;

	assert_int_equal(reactor_create(&o, &r), 0);
	assert_int_equal(reactor_spawn(r, "three", spawn_three, r), 0);
	reactor_run(r);
	reactor_destroy(r); /* with the two that sleep */
}

WORLD_TEST(unused_stacks_are_given_back)
{
	struct reactor_stats stats;

	for (int i = 0; i < 50; i++)
		task_spawn("s", count_me, NULL);
	task_yield();
	reactor_get_stats(reactor_self(), &stats);
	assert_int_equal(stats.stacks_pooled, 50);
	while (stats.stacks_pooled > 0) {
		task_sleep(MSEC(10));
		reactor_get_stats(reactor_self(), &stats);
	}
}

static void write_soon(void *arg)
{
	task_sleep(MSEC(2));
	assert_int_equal(write(*(int *)arg, "x", 1), 1);
}

WORLD_TEST(a_descriptor_is_waited_for)
{
	int fds[2];
	char c;

	assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(fd_wait(fds[0], POLLIN,
					 reactor_now() + MSEC(2)),
				 -ETIMEDOUT);
		assert_int_equal(fd_wait(fds[1], POLLOUT, NSEC_NEVER), POLLOUT);
		task_spawn("writer", write_soon, &fds[1]);
		assert_int_equal(fd_wait(fds[0], POLLIN, NSEC_NEVER), POLLIN);
		assert_int_equal(read(fds[0], &c, 1), 1);
	}
	close(fds[0]);
	close(fds[1]);
}

static void signal_soon(void *arg)
{
	task_sleep(MSEC(2));
	kill(getpid(), SIGUSR1);
}

WORLD_TEST(a_signal_is_waited_for)
{
	sigset_t usr1;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	task_spawn("kill", signal_soon, NULL);
	assert_int_equal(signal_wait(&usr1), SIGUSR1);
}

/* Runs body in a child; its exit status, or -signal. */
static int in_child(int (*body)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(body());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Each level looks at the one above, so that none can be optimised away. */
static int deep(int n, const volatile char *above)
{
	volatile char page[4096];

	page[0] = above[0] + n;
	return n == 0 ? 0 : deep(n - 1, page) + page[0];
}

static void fall_down(void *arg)
{
	deep(1000, (const char *)arg);
}

static int overflow_a_stack(void)
{
	freopen("/dev/null", "w",
		stderr); /* a sanitizer may have much to say */
	in_world(fall_down, (char[]){ 1 });
	return 0;
}

static void a_stack_that_overflows_dies_at_its_guard_page(void **state)
{
	assert_int_not_equal(in_child(overflow_a_stack), 0);
}

static void refuse_io_uring(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_SIZE(filter), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		_exit(10);
}

static int create_without_io_uring(void)
{
	struct reactor_options o = { .backend = REACTOR_URING };
	struct reactor *r;

	refuse_io_uring();
	if (reactor_create(&o, &r) != -EPERM)
		return 1;
	o.backend = REACTOR_AUTO;
	unsetenv("HAWSER_REACTOR");
	if (reactor_create(&o, &r) != 0)
		return 2;
	if (strcmp(reactor_backend_name(r), "epoll") != 0)
		return 3;
	reactor_destroy(r);
	return 0;
}

static void where_io_uring_is_refused_epoll_takes_over(void **state)
{
	assert_int_equal(in_child(create_without_io_uring), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(completions_come_from_other_threads),
	cmocka_unit_test(wake_ups_from_other_threads_are_not_lost),
	cmocka_unit_test(tasks_are_spawned_from_other_threads),
	cmocka_unit_test(a_lock_is_shared_by_the_reactors_of_a_set),
	cmocka_unit_test(accepted_streams_move_to_other_reactors),
	cmocka_unit_test(a_reactor_is_stopped_by_a_thread_or_a_signal),
	cmocka_unit_test(tasks_are_dropped_only_when_nobody_works_for_them),
	cmocka_unit_test(
		a_call_does_not_wait_for_another_while_more_threads_may_start),
	cmocka_unit_test(many_slow_calls_do_not_hold_up_a_quick_one),
	cmocka_unit_test(an_idle_reactor_uses_no_processor_time),
	cmocka_unit_test(the_number_of_tasks_is_bounded),
	cmocka_unit_test(unused_stacks_are_given_back),
	cmocka_unit_test(a_descriptor_is_waited_for),
	cmocka_unit_test(a_signal_is_waited_for),
	cmocka_unit_test(a_stack_that_overflows_dies_at_its_guard_page),
	cmocka_unit_test(where_io_uring_is_refused_epoll_takes_over),
};

int main(void)
{
	sigset_t usr1;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &usr1, NULL);
	return run_in_real_worlds("threads", tests, ARRAY_SIZE(tests));
}
