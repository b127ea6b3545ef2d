/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves that kill -9 at any moment loses nothing that was acknowledged, leaks
 * no space, and that the file system opens again within a second.
 *
 * A child works on the file system with several tasks and is killed.  What it
 * was told stands in shared memory, which outlives it: for each task two worlds
 * and one word that says which of them is acknowledged, and whether a call is
 * in flight that leads to the other.  What is found after the kill has to be
 * the one world or, with a call in flight, the other.
 *
 * All the while directories become trees, and are none any more (tree.c): all
 *of them have to be counted right.
 *
 * In a world, a block of a file that was written but not committed may have any
 * version from the last committed to the last written one.
 *
 *	SEED=n KILLS=n crash_engine
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "../unit/engine/fs.h"
#include "../unit/engine/fsck.h"
#include "base/log.h"
#include "base/rng.h"

enum {
	TASKS = 16,
	SLOTS = 6, /* names in the directory of a task */
	BLOCKS = 40,
	BLOCK = 512, /* 8 of them are inline, more are not */
	FILLING = 3000,
	IN_FLIGHT = 2, /* bit of task_memory.state; bit 0: which world */
};

struct file_state {
	bool exists;
	uint32_t mode;
	uint64_t ino; /* 0: not told yet */
	uint32_t committed_blocks, written_blocks;
	uint32_t committed[BLOCKS], written[BLOCKS]; /* versions; 0: zeroes */
};

struct world {
	struct file_state slots[SLOTS];
	struct file_state orphan; /* held, without a name */
};

struct task_memory {
	struct world worlds[2];
	unsigned state; /* atomic */
	uint64_t dir;
};

struct memory {
	struct task_memory tasks[TASKS];
	uint64_t acknowledged;	   /* calls; atomic */
	uint64_t change;	   /* greatest that was shown; atomic */
	uint32_t version;	   /* of blocks; atomic */
	uint64_t trees[TASKS + 1]; /* directories */
};

static struct memory *memory;

/* ------------------------------------------------------------ the child --- */

struct worker {
	struct engine *e;
	struct task_memory *m;
	struct rng rng;
	struct engine_node *held[SLOTS], *orphan;
};

static size_t below(struct worker *k, size_t n)
{
	return rng_below(&k->rng, n);
}

static struct world *current(const struct task_memory *m)
{
	return (struct world *)&m->worlds[m->state & 1];
}

/* A copy of the acknowledged world, for the call to change. */
static struct world *next(struct task_memory *m)
{
	struct world *w = &m->worlds[!(m->state & 1)];

	*w = *current(m);
	return w;
}

static void begin(struct task_memory *m)
{
	__atomic_store_n(&m->state, m->state | IN_FLIGHT, __ATOMIC_SEQ_CST);
}

static void acknowledged(struct task_memory *m)
{
	__atomic_store_n(&m->state, !(m->state & 1), __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&memory->acknowledged, 1, __ATOMIC_RELAXED);
}

static const char *slot_name(size_t i)
{
	static const char *const names[SLOTS] = { "s0", "s1", "s2",
						  "s3", "s4", "s5" };

	return names[i];
}

static void shown(struct engine *e, uint64_t ino)
{
	uint64_t now = fs_attr(e, ino).change, seen = memory->change;

	while (now > seen &&
	       !__atomic_compare_exchange_n(&memory->change, &seen, now, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

static void create(struct worker *k, size_t i)
{
	struct world *w = next(k->m);
	uint64_t ino;

	w->slots[i] = (struct file_state){ .exists = true,
					   .mode = 0600 + below(k, 64) };
	begin(k->m);
	require(fs_make(k->e, NULL, k->m->dir, slot_name(i),
			S_IFREG | w->slots[i].mode, &ino) == 0);
	w->slots[i].ino = ino;
	acknowledged(k->m);
}

static void let_go(struct worker *k, size_t i)
{
	if (k->held[i] != NULL)
		engine_release(k->held[i]);
	k->held[i] = NULL;
}

static struct engine_node *hold(struct worker *k, size_t i)
{
	if (k->held[i] == NULL)
		k->held[i] = fs_hold(k->e, current(k->m)->slots[i].ino);
	return k->held[i];
}

/* What loses its name stays held now and then. */
static void to_orphan(struct worker *k, size_t i, struct world *w)
{
	if (k->orphan == NULL && k->held[i] != NULL) {
		w->orphan = w->slots[i];
		w->orphan.exists = true;
		k->orphan = k->held[i];
		k->held[i] = NULL;
	}
	let_go(k, i);
}

static void release_orphan(struct worker *k)
{
	if (k->orphan == NULL)
		return;
	next(k->m)->orphan.exists = false;
	begin(k->m);
	engine_release(k->orphan);
	k->orphan = NULL;
	acknowledged(k->m);
}

static void remove_name(struct worker *k, size_t i)
{
	struct world *w = next(k->m);

	to_orphan(k, i, w);
	w->slots[i].exists = false;
	begin(k->m);
	require(fs_remove(k->e, NULL, k->m->dir, slot_name(i)) == 0);
	acknowledged(k->m);
}

static void rename_to(struct worker *k, size_t from, size_t to)
{
	struct world *w = next(k->m);

	if (from == to)
		return;
	if (w->slots[to].exists)
		to_orphan(k, to, w);
	w->slots[to] = w->slots[from];
	w->slots[from].exists = false;
	begin(k->m);
	require(fs_rename(k->e, NULL, k->m->dir, slot_name(from), k->m->dir,
			  slot_name(to)) == 0);
	k->held[to] = k->held[from];
	k->held[from] = NULL;
	acknowledged(k->m);
}

static void fill_block(char *block, uint32_t version)
{
	for (size_t i = 0; i < BLOCK / sizeof(version); i++)
		memcpy(block + i * sizeof(version), &version, sizeof(version));
}

static void write_blocks(struct worker *k, size_t i)
{
	struct engine_node *n = hold(k, i);
	struct world *w = next(k->m);
	struct file_state *f = &w->slots[i];
	uint32_t first = below(k, below(k, 2) ? 6 : BLOCKS);
	uint32_t count = 1 + below(k, MIN(12U, BLOCKS - first));
	uint32_t version =
		__atomic_add_fetch(&memory->version, 1, __ATOMIC_RELAXED);
	bool sync = below(k, 3) == 0;
	char data[12 * BLOCK];
	struct iovec iov = { data, count * BLOCK };

	for (uint32_t b = 0; b < count; b++) {
		fill_block(data + b * BLOCK, version);
		f->written[first + b] = version;
	}
	f->written_blocks = MAX(f->written_blocks, first + count);
	if (sync) { /* all of the file is, then */
		memcpy(f->committed, f->written, sizeof(f->written));
		f->committed_blocks = f->written_blocks;
		/* In flight, the other world has to allow for both. */
		struct file_state *old = &current(k->m)->slots[i];

		memcpy(old->written, f->written, sizeof(f->written));
		old->written_blocks = f->written_blocks;
	}
	begin(k->m);
	require(engine_write(n, NULL, &iov, 1, first * BLOCK,
			     sync ? ENGINE_FILE_SYNC : ENGINE_UNSTABLE) == 0);
	shown(k->e, f->ino);
	acknowledged(k->m);
}

static void commit(struct worker *k, size_t i)
{
	struct engine_node *n = hold(k, i);
	struct file_state *f = &next(k->m)->slots[i];

	memcpy(f->committed, f->written, sizeof(f->written));
	f->committed_blocks = f->written_blocks;
	begin(k->m);
	require(engine_commit(n, 0, 0) == 0);
	acknowledged(k->m);
}

static void truncate_to(struct worker *k, size_t i)
{
	struct file_state *f = &next(k->m)->slots[i];
	uint32_t blocks = below(k, BLOCKS);

	for (uint32_t b = blocks; b < BLOCKS; b++)
		f->written[b] = f->committed[b] = 0;
	f->written_blocks = f->committed_blocks = blocks;
	begin(k->m);
	require(fs_truncate(k->e, NULL, f->ino, blocks * BLOCK) == 0);
	acknowledged(k->m);
}

static void set_mode(struct worker *k, size_t i)
{
	struct file_state *f = &next(k->m)->slots[i];

	f->mode = 0600 + below(k, 64);
	begin(k->m);
	require(fs_chmod(k->e, NULL, f->ino, f->mode) == 0);
	shown(k->e, f->ino);
	acknowledged(k->m);
}

static void one_call(struct worker *k)
{
	size_t i = below(k, SLOTS), kind = below(k, 20);

	if (!current(k->m)->slots[i].exists)
		create(k, i);
	else if (kind < 8)
		write_blocks(k, i);
	else if (kind < 11)
		commit(k, i);
	else if (kind < 13)
		truncate_to(k, i);
	else if (kind < 14)
		set_mode(k, i);
	else if (kind < 15)
		let_go(k, i);
	else if (kind < 17)
		rename_to(k, i, below(k, SLOTS));
	else if (kind < 18)
		release_orphan(k);
	else
		remove_name(k, i);
}

static void work(void *arg)
{
	struct worker *k = arg;

	for (;;) {
		one_call(k);
		task_yield();
	}
}

/* Directories of the tasks, and one that is large. */
static void toggle(void *arg)
{
	struct worker *k = arg;
	struct engine_tree t;
	int r;

	for (;; task_sleep(below(k, MSEC(10)))) {
		uint64_t dir = memory->trees[below(k, TASKS + 1)];

		r = engine_tree_get(k->e, dir, &t);
		if (r == -ENOENT)
			require(engine_tree_set(k->e, dir, 0, 0) == 0);
		else
			require(engine_tree_clear(k->e, dir) == 0);
	}
}

struct child {
	const char *directory;
	uint64_t seed;
};

static void child(void *arg)
{
	struct child *c = arg;
	struct engine *e = fs_open(c->directory);
	struct worker *workers = calloc(TASKS + 1, sizeof(*workers));

	engine_end_grace(e);
	for (int i = 0; i < TASKS; i++) {
		workers[i] = (struct worker){ .e = e, .m = &memory->tasks[i] };
		rng_init(&workers[i].rng, c->seed + i);
		require(task_spawn("worker", work, &workers[i]) == 0);
	}
	workers[TASKS].e = e;
	rng_init(&workers[TASKS].rng, c->seed + TASKS);
	require(task_spawn("toggle", toggle, &workers[TASKS]) == 0);
	task_sleep(NSEC_NEVER / 2);
}

/* ---------------------------------------------------------- the checker --- */

/* The version of a block, or -1 if it is no whole one. */
static int64_t read_version(struct engine_node *n, uint32_t b)
{
	char block[BLOCK], same[BLOCK];
	uint32_t version;
	bool eof;

	require(engine_read(n, block, BLOCK, b * BLOCK, &eof) == BLOCK);
	memcpy(&version, block, sizeof(version));
	fill_block(same, version);
	return memcmp(block, same, BLOCK) == 0 ? (int64_t)version : -1;
}

static bool has_blocks(struct engine *e, const struct file_state *f,
		       uint64_t ino)
{
	struct engine_node *n = fs_hold(e, ino);
	uint64_t size = fs_attr(e, ino).size;
	bool ok = size % BLOCK == 0 && size / BLOCK >= f->committed_blocks &&
		  size / BLOCK <= f->written_blocks;

	for (uint32_t b = 0; ok && b < size / BLOCK; b++) {
		int64_t version = read_version(n, b);

		ok = version >= f->committed[b] && version <= f->written[b];
	}
	engine_release(n);
	return ok;
}

static bool slot_is(struct engine *e, uint64_t dir, size_t i,
		    const struct file_state *f)
{
	uint64_t ino = fs_look(e, dir, slot_name(i));

	if (ino == 0 || !f->exists)
		return (ino != 0) == f->exists;
	return (f->ino == 0 || f->ino == ino) &&
	       (fs_attr(e, ino).mode & 07777) == f->mode &&
	       has_blocks(e, f, ino);
}

static bool orphan_is(struct engine *e, const struct file_state *f)
{
	struct fattr attr;

	if (!f->exists)
		return true;
	return engine_getattr(e, f->ino, &attr) == 0 && attr.nlink == 0 &&
	       has_blocks(e, f, f->ino);
}

static bool world_is(struct engine *e, const struct task_memory *m,
		     const struct world *w)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (!slot_is(e, m->dir, i, &w->slots[i]))
			return false;
	return orphan_is(e, &w->orphan);
}

/* What was found is what is acknowledged from now on. */
static void adopt(struct engine *e, struct task_memory *m, struct world *w)
{
	for (size_t i = 0; i < SLOTS; i++) {
		struct file_state *f = &w->slots[i];
		struct engine_node *n;

		if (!f->exists)
			continue;
		f->ino = fs_look(e, m->dir, slot_name(i));
		n = fs_hold(e, f->ino);
		f->written_blocks = fs_attr(e, f->ino).size / BLOCK;
		for (uint32_t b = 0; b < BLOCKS; b++)
			f->written[b] =
				b < f->written_blocks ? read_version(n, b) : 0;
		f->committed_blocks = f->written_blocks;
		memcpy(f->committed, f->written, sizeof(f->written));
		engine_release(n);
	}
	w->orphan.exists = false;
	m->state = w == &m->worlds[1];
}

static void check_task(struct engine *e, int t)
{
	struct task_memory *m = &memory->tasks[t];
	struct world *now = &m->worlds[m->state & 1];
	struct world *then = &m->worlds[!(m->state & 1)];

	if (world_is(e, m, now))
		adopt(e, m, now);
	else if ((m->state & IN_FLIGHT) && world_is(e, m, then))
		adopt(e, m, then);
	else {
		fprintf(stderr,
			"task %d: neither what was acknowledged nor "
			"what was asked for (state %u)\n",
			t, m->state);
		abort();
	}
}

struct checker {
	const char *directory;
	nsec slowest;
	bool first;
};

static void fill(struct engine *e)
{
	uint64_t dir = fs_dir(e, ENGINE_ROOT, "filling");
	char name[16];

	memory->trees[TASKS] = dir;

	for (int i = 0; i < TASKS; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		memory->tasks[i].dir = fs_dir(e, ENGINE_ROOT, name);
		memory->trees[i] = memory->tasks[i].dir;
	}
	for (int i = 0; i < FILLING; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		fs_file(e, dir, name);
	}
}

static void check(void *arg)
{
	struct checker *c = arg;
	nsec start = reactor_now_precise();
	struct engine *e = fs_open(c->directory);
	nsec took = reactor_now_precise() - start;

	c->slowest = MAX(c->slowest, took);
	require(took < SEC(1));
	if (c->first)
		fill(e);
	for (int i = 0; i < TASKS; i++)
		check_task(e, i);
	engine_end_grace(e);
	/* What comes next is above all that was ever shown. */
	require(fs_chmod(e, NULL, ENGINE_ROOT, 0755) == 0);
	require(fs_attr(e, ENGINE_ROOT).change > memory->change);
	fs_wait_for_walks(e);
	engine_close(e);
}

static void check_all(struct checker *c)
{
	in_task(check, c);
	c->first = false;
	if (!fsck(c->directory, true))
		abort();
}

static void kill_child(struct child *c, long after_us)
{
	pid_t pid = fork();
	int status;

	require(pid >= 0);
	if (pid == 0) {
		in_task(child, c);
		_exit(1);
	}
	usleep(after_us);
	kill(pid, SIGKILL);
	require(waitpid(pid, &status, 0) == pid);
	require(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
	const char *s = getenv(name);

	return s != NULL ? strtoull(s, NULL, 0) : otherwise;
}

int main(void)
{
	uint64_t seed = from_environment("SEED", time(NULL));
	uint64_t kills = from_environment("KILLS", 200);
	char directory[] = "/tmp/hawser-crash-XXXXXX";
	struct checker checker = { .directory = directory, .first = true };
	struct rng rng;

	printf("SEED=%lu\n", seed);
	fflush(stdout);
	log_level = LOG_WARN;
	rng_init(&rng, seed);
	memory = mmap(NULL, sizeof(*memory), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	require(memory != MAP_FAILED && mkdtemp(directory) != NULL);
	check_all(&checker);
	for (uint64_t i = 0; i < kills; i++) {
		struct child c = { directory, rng_next(&rng) };
		/* Some in the middle of opening, most at work. */
		long after = rng_below(&rng, i % 5 ? 150000 : 10000);

		kill_child(&c, after);
		check_all(&checker);
	}
	printf("%lu kills, %lu calls acknowledged, slowest open %.1f ms\n",
	       kills, memory->acknowledged, checker.slowest / 1e6);
	require(memory->acknowledged > 10 * kills);
	require(tree_remove(directory, NULL) == 0);
	return 0;
}
