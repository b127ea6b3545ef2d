/* SPDX-License-Identifier: Apache-2.0 */
#include "lmdb/group_commit.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "lmdb/env.h"
#include "lmdb/write.h"
#include "reactor/reactor.h"

/* Changes in one transaction: bounds how long the first one waits. */
enum { BATCH_MAX = 512, UNDO_LIMIT = -5000 };

/* How long a commit is put off for more to share it. */
#define LINGER USEC(50)

/* Lives on the stack of the task that waits for it. */
struct change {
	struct list link;
	group_commit_fn *fn;
	group_commit_done_fn *done;
	void *arg;
	int result;
	struct completion answered;
};

struct group_commit {
	struct lmdb *db;
	pthread_mutex_t lock;	 /* of the members below */
	struct list queue;	 /* struct change, oldest first */
	size_t queued, last;	 /* in the queue; in the last batch */
	bool waited;		 /* take what there is */
	struct task *waiting;	 /* the committer, for more to come, or NULL */
	bool busy;		 /* a committer works, or is about to */
	struct completion *idle; /* whoever waits for it to end, or NULL */
	bool checkpoint;	 /* one is under way */
	struct completion *checkpointed; /* as idle */
};

int group_commit_create(struct lmdb *db, struct group_commit **out)
{
	struct group_commit *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return -ENOMEM;
	g->db = db;
	pthread_mutex_init(&g->lock, NULL);
	list_init(&g->queue);
	*out = g;
	return 0;
}

/* Until none is under way. */
static void wait_for_checkpoint(struct group_commit *g)
{
	struct completion ended;
	bool wait;

	completion_init(&ended);
	pthread_mutex_lock(&g->lock);
	wait = g->checkpoint;
	g->checkpointed = wait ? &ended : NULL;
	pthread_mutex_unlock(&g->lock);
	if (wait)
		completion_wait(&ended);
}

void group_commit_destroy(struct group_commit *g)
{
	struct completion idle;
	bool wait;

	completion_init(&idle);
	pthread_mutex_lock(&g->lock);
	assert(list_empty(&g->queue));
	wait = g->busy;
	g->idle = &idle;
	pthread_mutex_unlock(&g->lock);
	if (wait)
		completion_wait(&idle);
	wait_for_checkpoint(g);
	pthread_mutex_destroy(&g->lock);
	free(g);
}

/* Those behind `last` were not done: the next batch begins with them. */
static void put_back(struct group_commit *g, struct list *batch,
		     struct change *last)
{
	pthread_mutex_lock(&g->lock);
	while (batch->prev != &last->link) {
		struct list *link = batch->prev;

		list_del(link);
		list_prepend(&g->queue, link);
		g->queued++;
	}
	pthread_mutex_unlock(&g->lock);
}

/* Runs the changes of a batch, or its beginning, and puts back the rest.  Their
 * results are set if this is 0; else the transaction never was. */
static int try_commit(struct group_commit *g, struct list *batch)
{
	struct lmdb_write w;
	struct change *c;
	int r = lmdb_write_begin(g->db, &w);

	if (r < 0)
		return r;
	list_for_each (c, batch, link) {
		c->result = c->fn(&w, c->arg);
		if (c->result < UNDO_LIMIT) {
			lmdb_write_abort(&w);
			return c->result;
		}
		if (w.length >= LMDB_WRITE_ENOUGH) {
			put_back(g, batch, c);
			break;
		}
	}
	return lmdb_write_commit(&w);
}

static void answer(struct list *batch)
{
	struct change *c, *tmp;

	list_for_each (c, batch, link)
		if (c->done != NULL)
			c->done(c->arg, c->result);
	list_for_each_safe (c, tmp, batch, link)
		completion_done(&c->answered, c->result); /* c is gone */
}

static void fail(struct list *batch, int error)
{
	struct change *c;

	list_for_each (c, batch, link)
		c->result = error;
}

static void commit_alone(struct group_commit *g, struct change *c)
{
	struct list batch = LIST_INIT(batch);
	int r;

	list_append(&batch, &c->link);
	r = try_commit(g, &batch);
	if (r < 0)
		c->result = r < UNDO_LIMIT ? r - group_commit_undo(0) : r;
	answer(&batch);
}

static void commit_batch(struct group_commit *g, struct list *batch)
{
	struct change *c;
	int r = try_commit(g, batch);

	if (r < UNDO_LIMIT) { /* find the one to blame */
		while ((c = list_first(batch, struct change, link)) != NULL) {
			list_del(&c->link);
			commit_alone(g, c);
		}
		return;
	}
	if (r < 0) {
		log_error("metadata: commit failed: %s", strerror(-r));
		fail(batch, r);
	}
	answer(batch);
}

/* Moves what is queued to `batch`, or leaves it for the committer to wait for
 * more.  False: nothing was moved. */
static bool take_batch(struct group_commit *g, struct list *batch)
{
	bool enough;

	pthread_mutex_lock(&g->lock);
	enough = g->queued >= MAX(g->last, (size_t)1) || g->waited;
	if (enough) {
		for (g->last = 0; g->last < BATCH_MAX && g->queued > 0;
		     g->last++, g->queued--) {
			struct list *first = g->queue.next;

			list_del(first);
			list_append(batch, first);
		}
		g->waited = false;
	}
	pthread_mutex_unlock(&g->lock);
	return enough;
}

static bool is_checkpoint_due(struct group_commit *g)
{
	bool running;

	if (!lmdb_checkpoint_is_due(g->db))
		return false;
	pthread_mutex_lock(&g->lock);
	running = g->checkpoint;
	pthread_mutex_unlock(&g->lock);
	return !running;
}

static bool has_room(const struct group_commit *g)
{
	return journal_has_room(&g->db->journal);
}

/* On a worker thread. */
static int commit_queued(void *arg)
{
	struct group_commit *g = arg;
	struct list batch = LIST_INIT(batch);

	while (take_batch(g, &batch)) {
		commit_batch(g, &batch);
		list_init(&batch);
		if (is_checkpoint_due(g) || !has_room(g))
			break; /* see keep_room() */
	}
	return 0;
}

/* On a worker thread. */
static int end_checkpoint(void *arg)
{
	struct group_commit *g = arg;
	int r = lmdb_checkpoint_end(g->db);

	if (r < 0)
		log_error("metadata: checkpoint failed: %s", strerror(-r));
	return r;
}

static void checkpointer(void *arg)
{
	struct group_commit *g = arg;
	struct completion *waiting;

	offload(end_checkpoint, g);
	pthread_mutex_lock(&g->lock);
	g->checkpoint = false;
	waiting = g->checkpointed;
	g->checkpointed = NULL;
	pthread_mutex_unlock(&g->lock);
	if (waiting != NULL)
		completion_done(waiting, 0); /* g may be gone */
}

static void start_checkpoint(struct group_commit *g)
{
	int r = lmdb_checkpoint_begin(g->db);

	if (r < 0) {
		log_error("metadata: no checkpoint: %s", strerror(-r));
		return;
	}
	pthread_mutex_lock(&g->lock);
	g->checkpoint = true;
	pthread_mutex_unlock(&g->lock);
	if (task_spawn("checkpoint", checkpointer, g) < 0)
		checkpointer(g);
}

/* Between batches.  What cannot be helped here, the next commit reports. */
static void keep_room(struct group_commit *g)
{
	if (is_checkpoint_due(g))
		start_checkpoint(g);
	if (!has_room(g))
		wait_for_checkpoint(g);
	if (!has_room(g)) { /* the last one failed, or began too early */
		start_checkpoint(g);
		wait_for_checkpoint(g);
	}
}

/*
 * Those who were answered just now often come back with their next change.
 * Waits until as many are there as last time, or for a fraction of what a
 * commit takes.  False: nobody came, the committer has ended, and `g` may be
 * gone.
 */
static bool wait_for_more(struct group_commit *g)
{
	nsec deadline = reactor_now_precise() + LINGER;
	struct completion *idle = NULL;
	bool more;

	pthread_mutex_lock(&g->lock);
	g->waiting = task_self();
	while (g->queued < MAX(g->last, (size_t)1)) {
		pthread_mutex_unlock(&g->lock);
		more = task_park(deadline);
		pthread_mutex_lock(&g->lock);
		if (!more)
			break;
	}
	g->waiting = NULL;
	g->waited = true;
	more = g->queued > 0;
	if (!more) {
		g->busy = false;
		idle = g->idle;
	}
	pthread_mutex_unlock(&g->lock);
	if (idle != NULL)
		completion_done(idle, 0);
	return more;
}

static void committer(void *arg)
{
	do {
		keep_room(arg);
		offload(commit_queued, arg);
	} while (wait_for_more(arg));
}

int group_commit_run(struct group_commit *g, group_commit_fn *fn,
		     group_commit_done_fn *done, void *arg)
{
	struct change c = { .fn = fn, .done = done, .arg = arg };
	bool start;

	completion_init(&c.answered);
	pthread_mutex_lock(&g->lock);
	list_append(&g->queue, &c.link);
	g->queued++;
	start = !g->busy;
	g->busy = true;
	if (start) /* after a pause: at once */
		g->waited = true;
	if (g->waiting != NULL && g->queued >= g->last)
		task_wake(g->waiting);
	pthread_mutex_unlock(&g->lock);
	/* With no task to be had, this one does the work, its own included. */
	if (start && task_spawn("group commit", committer, g) < 0)
		committer(g);
	return completion_wait(&c.answered);
}
