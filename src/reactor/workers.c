/* SPDX-License-Identifier: Apache-2.0 */
#include "reactor/workers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/log.h"
#include "reactor/internal.h"

enum { WORKERS_MAX = 64 };

/* Held while the pool begins or ends; taken before pool.lock. */
static pthread_mutex_t life = PTHREAD_MUTEX_INITIALIZER;
static int users;

static struct {
	pthread_mutex_t lock; /* of everything here */
	pthread_cond_t work;
	struct list queue;
	pthread_t threads[WORKERS_MAX];
	int queued, count, idle, max;
	bool ending;
} pool = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.work = PTHREAD_COND_INITIALIZER,
	.queue = LIST_INIT(pool.queue),
};

static void *worker(void *arg)
{
	struct job *job;

	pthread_mutex_lock(&pool.lock);
	for (;;) {
		job = list_first(&pool.queue, struct job, link);
		if (job != NULL) {
			list_del(&job->link);
			pool.queued--;
			pthread_mutex_unlock(&pool.lock);
			job->run(job);
			pthread_mutex_lock(&pool.lock);
		} else if (pool.ending) {
			break;
		} else {
			pool.idle++;
			pthread_cond_wait(&pool.work, &pool.lock);
			pool.idle--;
		}
	}
	pthread_mutex_unlock(&pool.lock);
	return NULL;
}

/* Signals are for the program's own threads. */
static int start_thread(pthread_t *thread)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(thread, NULL, worker, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

static void add_worker(void)
{
	int err = start_thread(&pool.threads[pool.count]);

	if (err == 0)
		pool.count++;
	else if (pool.count > 0)
		log_warn("workers: no more than %d: %s", pool.count,
			 strerror(err));
	else {
		log_error("workers: no thread: %s", strerror(err));
		abort();
	}
}

void workers_get(int wanted)
{
	pthread_mutex_lock(&life);
	users++;
	pthread_mutex_lock(&pool.lock);
	pool.max = MAX(pool.max, MIN(wanted, WORKERS_MAX));
	pthread_mutex_unlock(&pool.lock);
	pthread_mutex_unlock(&life);
}

static void end_workers(void)
{
	pthread_mutex_lock(&pool.lock);
	pool.ending = true;
	pthread_cond_broadcast(&pool.work);
	pthread_mutex_unlock(&pool.lock);
	for (int i = 0; i < pool.count; i++)
		pthread_join(pool.threads[i], NULL);
	pool.count = pool.max = 0;
	pool.ending = false;
}

void workers_put(void)
{
	pthread_mutex_lock(&life);
	if (--users == 0)
		end_workers();
	pthread_mutex_unlock(&life);
}

void workers_submit(struct job *job)
{
	pthread_mutex_lock(&pool.lock);
	list_append(&pool.queue, &job->link);
	pool.queued++;
	/* Who is idle may be on the way to an earlier job already. */
	if (pool.queued > pool.idle && pool.count < pool.max)
		add_worker();
	else
		pthread_cond_signal(&pool.work);
	pthread_mutex_unlock(&pool.lock);
}

struct offloaded {
	struct job job;
	struct completion done;
	int (*fn)(void *arg);
	void *arg;
};

static void run_offloaded(struct job *job)
{
	struct offloaded *o = container_of(job, struct offloaded, job);

	completion_done(&o->done, o->fn(o->arg));
}

int workers_call(int (*fn)(void *arg), void *arg)
{
	struct offloaded o = { .job.run = run_offloaded, .fn = fn, .arg = arg };

	errand_init(&o.done);
	workers_submit(&o.job);
	return completion_wait(&o.done);
}
