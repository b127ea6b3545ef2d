/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves that a commit may end at any moment of a write beside it: nothing of
 * the write is lost.  The moments are those where the write lets go of the
 * inode's lock; at one of them after the other, a commit that had waited for
 * the disk gets to its end.  The linker puts __wrap_F in the place of F.
 */
#include <stdatomic.h>

#include "engine/local/local.h"
#include "fs.h"
#include "fsck.h"
#include "lmdb/journal.h"

static atomic_bool gate_closed; /* no commit gets to the disk */
static atomic_bool at_gate;	/* one waits there */

int __real_journal_append(struct journal *j, struct journal_record *record,
			  size_t length);
int __wrap_journal_append(struct journal *j, struct journal_record *record,
			  size_t length);

/* On a worker thread. */
int __wrap_journal_append(struct journal *j, struct journal_record *record,
			  size_t length)
{
	while (atomic_load(&gate_closed)) {
		atomic_store(&at_gate, true);
		usleep(100);
	}
	return __real_journal_append(j, record, length);
}

/* Of the reactor's thread: at which of its next unlocks the commit ends. */
static _Thread_local struct {
	int left; /* 0: at none */
	struct node *node;
	uint64_t covers;
} ending;

void __real_shard_unlock(struct shard *s);
void __wrap_shard_unlock(struct shard *s);

static bool has_ended(struct node *n, uint64_t covers)
{
	struct shard *s = shard_lock(node_local(n), n->ino);
	bool has = n->committed >= covers;

	__real_shard_unlock(s);
	return has;
}

void __wrap_shard_unlock(struct shard *s)
{
	__real_shard_unlock(s);
	if (ending.left == 0 || --ending.left > 0)
		return;
	atomic_store(&gate_closed, false);
	while (!has_ended(ending.node, ending.covers))
		usleep(100);
}

struct committer {
	struct engine_node *node;
	struct completion done;
};

static void commit(void *arg)
{
	struct committer *c = arg;

	completion_done(&c->done, engine_commit(c->node, 0, 0));
}

/* Up to where its answer lacks nothing but the disk's. */
static void start_commit(struct committer *c, struct engine_node *n)
{
	*c = (struct committer){ .node = n };
	completion_init(&c->done);
	atomic_store(&at_gate, false);
	atomic_store(&gate_closed, true);
	require(task_spawn("commit", commit, c) == 0);
	while (!atomic_load(&at_gate))
		task_sleep(MSEC(1));
}

/* False: the write has no such moment. */
static bool write_beside_commit(struct engine_node *n, int moment)
{
	struct node *node = node_of(n);
	struct committer c;
	bool ended;

	fs_write(n, "before", 6, 0);
	start_commit(&c, n);
	ending.node = node;
	ending.covers = node->written;
	ending.left = moment;
	fs_write(n, "afterwards", 10, 3);
	ended = ending.left == 0;
	ending.left = 0;
	atomic_store(&gate_closed, false);
	require(completion_wait(&c.done) == 0);
	return ended;
}

static void overlap(void *directory)
{
	struct engine *e = fs_open(directory);
	bool ended = true;
	int moment = 0;

	while (ended) {
		char name[16];
		struct engine_node *n;
		uint64_t f;

		snprintf(name, sizeof(name), "f%d", ++moment);
		f = fs_file(e, ENGINE_ROOT, name);
		n = fs_hold(e, f);
		ended = write_beside_commit(n, moment);
		require(engine_commit(n, 0, 0) == 0);
		engine_release(n);
		n = fs_hold(e, f); /* as it is on disk */
		require(fs_attr(e, f).size == 13);
		require(fs_reads(n, "befafterwards", 13, 0));
		engine_release(n);
	}
	require(moment > 1);
	engine_close(e);
	require(fsck(directory, true));
}

static void a_commit_that_ends_beside_a_write_takes_nothing_of_it(void **state)
{
	in_task(overlap, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(
			a_commit_that_ends_beside_a_write_takes_nothing_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
