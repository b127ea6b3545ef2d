/* SPDX-License-Identifier: Apache-2.0 */
#include "lmdb/group_commit.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "lmdb/env.h"
#include "reactor/reactor.h"

/* Changes in one transaction: bounds how long the first one waits. */
enum { BATCH_MAX = 512, UNDO_LIMIT = -5000 };

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
	MDB_env *env;
	pthread_mutex_t lock;	 /* of the members below */
	struct list queue;	 /* struct change, oldest first */
	bool busy;		 /* a committer works, or is about to */
	struct completion *idle; /* whoever waits for it to end, or NULL */
};

int group_commit_create(MDB_env *env, struct group_commit **out)
{
	struct group_commit *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return -ENOMEM;
	g->env = env;
	pthread_mutex_init(&g->lock, NULL);
	list_init(&g->queue);
	*out = g;
	return 0;
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
	pthread_mutex_destroy(&g->lock);
	free(g);
}

/* Runs the changes of a batch.  Their results are set if this is 0; else the
 * transaction never was. */
static int try_commit(struct group_commit *g, struct list *batch)
{
	struct change *c;
	MDB_txn *txn;
	int rc = mdb_txn_begin(g->env, NULL, 0, &txn);

	if (rc != 0)
		return lmdb_errno(rc);
	list_for_each (c, batch, link) {
		c->result = c->fn(txn, c->arg);
		if (c->result < UNDO_LIMIT) {
			mdb_txn_abort(txn);
			return c->result;
		}
	}
	/* Without changes this writes nothing and flushes nothing. */
	return lmdb_errno(mdb_txn_commit(txn));
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

/* Moves what is queued to `batch`; if nothing is, the committer has ended, and
 * `g` may be gone. */
static bool take_batch(struct group_commit *g, struct list *batch)
{
	struct completion *idle = NULL;
	bool more;

	pthread_mutex_lock(&g->lock);
	more = !list_empty(&g->queue);
	for (int n = 0; n < BATCH_MAX && !list_empty(&g->queue); n++) {
		struct list *first = g->queue.next;

		list_del(first);
		list_append(batch, first);
	}
	if (!more) {
		g->busy = false;
		idle = g->idle;
	}
	pthread_mutex_unlock(&g->lock);
	if (idle != NULL)
		completion_done(idle, 0);
	return more;
}

static int commit_all(void *arg)
{
	struct group_commit *g = arg;
	struct list batch = LIST_INIT(batch);

	while (take_batch(g, &batch)) {
		commit_batch(g, &batch);
		list_init(&batch);
	}
	return 0;
}

static void committer(void *arg)
{
	offload(commit_all, arg);
}

int group_commit_run(struct group_commit *g, group_commit_fn *fn,
		     group_commit_done_fn *done, void *arg)
{
	struct change c = { .fn = fn, .done = done, .arg = arg };
	bool start;

	completion_init(&c.answered);
	pthread_mutex_lock(&g->lock);
	list_append(&g->queue, &c.link);
	start = !g->busy;
	g->busy = true;
	pthread_mutex_unlock(&g->lock);
	/* With no task to be had, this one does the work, its own included. */
	if (start && task_spawn("group commit", committer, g) < 0)
		committer(g);
	return completion_wait(&c.answered);
}
