/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group commit: many small changes of one LMDB environment, asked for by tasks
 * of any reactor at the same time, share transactions and so flushes.  A commit
 * costs one flush of the disk however much is in it.
 *
 * There is no committer thread.  The first task that asks while nobody commits
 * starts a short-lived task on its reactor, which takes everything that is
 * queued to a worker thread (offload()), to be run in one write transaction,
 * committed and answered.  Those who were answered together tend to come back
 * together, so it then waits a moment, until as many are there as last time.
 *
 *	      group_commit_run()            answered
 *	 IDLE ──────────────────▶ COMMITS ─────────────▶ LINGERS ──▶ IDLE
 *	                             ▲                      │  nobody came
 *	                             └──────────────────────┘
 *	                            enough came, or some did in time
 *
 * Checkpoints of the journal are begun by the committer between two batches and
 * ended by a task of their own; only a full journal makes the committer wait.
 */
#ifndef LMDB_GROUP_COMMIT_H
#define LMDB_GROUP_COMMIT_H

#include "lmdb/write.h"

struct group_commit;

/*
 * A change.  Runs on a worker thread inside the write transaction, after all
 * that was queued before it and seeing what they did.  Must not use tasks, and
 * is quick: everybody waits for it.  Writes LMDB_CHANGE_MAX bytes at most.
 * Returns
 *
 *	0			the change is made;
 *	-errno			refused: it changed nothing.  Check first,
 *				then change;
 *	group_commit_undo(-errno)
 *				it failed half-way.  The transaction is thrown
 *				away, and each of its changes runs again in one
 *				of its own.
 *
 * Because of the last case it may run twice: it changes nothing but the
 * transaction and its own `arg`, and sets what it sets in there from scratch.
 */
typedef int group_commit_fn(struct lmdb_write *w, void *arg);

/*
 * The outcome, for changes that have a shadow in memory.  Runs once, on the
 * worker thread, when the change is on disk (result 0) or failed for good; in
 * the order of the changes, before the next transaction begins and before
 * group_commit_run() returns.  May take mutexes, must not park or block.
 */
typedef void group_commit_done_fn(void *arg, int result);

static inline int group_commit_undo(int error)
{
	return error - 10000;
}

/* `db` is borrowed; all that is written to it, and its checkpoints, go through
 * here. */
int group_commit_create(struct lmdb *db, struct group_commit **out);
/* From a task; parks until the last committer and checkpoint have gone. */
void group_commit_destroy(struct group_commit *g);

/* Runs fn(w, arg) in some transaction and parks until that is on disk.  What
 * fn returned, or why the commit failed (-ENOSPC, -EIO, …); then nothing of
 * that transaction has happened.  `done` may be NULL. */
int group_commit_run(struct group_commit *g, group_commit_fn *fn,
		     group_commit_done_fn *done, void *arg);

#endif
