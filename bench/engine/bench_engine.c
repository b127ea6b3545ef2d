/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the local engine does in a second, without a network above it.
 *
 *	bench_engine [--json] [--dir DIR] [--seconds S] [--reactors N] \
 *		     [--entries E] [--quota] [NAME…]
 *
 * Each row runs for S seconds with its number of tasks, spread over N reactors.
 * With --quota it is all below a directory that is counted.
 * The directory that is listed and looked up in has E names (100,000).
 * "durable" rows count calls that are on disk, "disk" counts what the disk
 * itself can do; the others are served from memory.  DIR should be on the disk
 * that matters; it is emptied afterwards.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/hist.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/tree.h"
#include "engine/engine.h"
#include "reactor/reactor.h"

enum {
	FILE_BLOCKS = 16384,
	RAW_BLOCKS = 4096,
	BLOCK = 4096,
	REACTORS_MAX = 16,
};

struct bench;

struct worker {
	struct bench *b;
	int number;
	struct rng rng;
	uint64_t dir, done;
	struct engine_node *node;
	int fd; /* 0: none */
	struct hist latency;
	char *buf;
};

struct row {
	const char *name, *unit;
	int tasks;
	void (*prepare)(struct worker *w); /* may be NULL */
	/* One call; false: there is nothing more to do. */
	bool (*call)(struct worker *w);
};

struct bench {
	struct engine *e;
	struct reactor_set *set;
	struct task *main;
	const struct row *row;
	const char *dir;
	double seconds;
	bool json, quota;
	int entries; /* names in the big directory */
	char **only; /* NULL-terminated; empty: all */
	int left;    /* workers; atomic */
	nsec end;
	uint64_t big_dir, big_file;
};

static void die(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerror(-error));
	exit(1);
}

static void must(int r, const char *what)
{
	if (r < 0)
		die(what, r);
}

static uint64_t make(struct engine *e, uint64_t dir, const char *name,
		     uint32_t mode)
{
	struct create_spec spec = { .mode = mode };
	struct fattr attr;

	must(engine_create(e, NULL, dir, name, strlen(name), &spec, &attr, NULL,
			   NULL),
	     name);
	return attr.ino;
}

static void own_dir(struct worker *w)
{
	char name[64];

	snprintf(name, sizeof(name), "%s-%d", w->b->row->name, w->number);
	w->dir = make(w->b->e, ENGINE_ROOT, name, S_IFDIR | 0755);
}

static bool call_create(struct worker *w)
{
	char name[32];

	snprintf(name, sizeof(name), "file%lu", w->done);
	make(w->b->e, w->dir, name, S_IFREG | 0644);
	return true;
}

/* What `cp` of a small file is: create, write, commit. */
static bool write_file(struct worker *w, size_t size)
{
	struct iovec iov = { w->buf, size };
	struct engine_node *n;
	char name[32];
	uint64_t ino;

	snprintf(name, sizeof(name), "file%lu", w->done);
	ino = make(w->b->e, w->dir, name, S_IFREG | 0644);
	must(engine_hold(w->b->e, ino, &n), "hold");
	must(engine_write(n, NULL, &iov, 1, 0, ENGINE_UNSTABLE), "write");
	must(engine_commit(n, 0, 0), "commit");
	engine_release(n);
	return true;
}

static bool call_small(struct worker *w)
{
	return write_file(w, 1024);
}

static bool call_4k(struct worker *w)
{
	return write_file(w, 4096);
}

static bool call_8k(struct worker *w)
{
	return write_file(w, 8000);
}

static bool call_16k(struct worker *w)
{
	return write_file(w, 16384);
}

/* Removes what the row before it made. */
static void same_dir(struct worker *w)
{
	char name[64];
	struct fattr attr;

	snprintf(name, sizeof(name), "create %d-%d", w->b->row->tasks,
		 w->number);
	must(engine_lookup(w->b->e, NULL, ENGINE_ROOT, name, strlen(name),
			   &attr),
	     name);
	w->dir = attr.ino;
}

static bool call_remove(struct worker *w)
{
	char name[32];

	snprintf(name, sizeof(name), "file%lu", w->done);
	return engine_remove(w->b->e, NULL, w->dir, name, strlen(name),
			     ENGINE_REMOVE_ANY, NULL) == 0;
}

static void hold_big(struct worker *w)
{
	must(engine_hold(w->b->e, w->b->big_file, &w->node), "hold");
}

static bool call_read(struct worker *w)
{
	uint64_t block = rng_below(&w->rng, FILE_BLOCKS);
	bool eof;

	if (engine_read(w->node, w->buf, BLOCK, block * BLOCK, &eof) != BLOCK)
		die("read", -EIO);
	return true;
}

static bool call_write(struct worker *w)
{
	uint64_t block = rng_below(&w->rng, FILE_BLOCKS);
	struct iovec iov = { w->buf, BLOCK };

	must(engine_write(w->node, NULL, &iov, 1, block * BLOCK,
			  ENGINE_UNSTABLE),
	     "write");
	return true;
}

static bool call_write_sync(struct worker *w)
{
	uint64_t block = rng_below(&w->rng, FILE_BLOCKS);
	struct iovec iov = { w->buf, BLOCK };

	must(engine_write(w->node, NULL, &iov, 1, block * BLOCK,
			  ENGINE_FILE_SYNC),
	     "write");
	return true;
}

/* A client that streams: 1 MiB writes, a COMMIT for each 64 of them. */
static void hold_own(struct worker *w)
{
	own_dir(w);
	must(engine_hold(w->b->e, make(w->b->e, w->dir, "f", S_IFREG | 0644),
			 &w->node),
	     "hold");
	free(w->buf);
	w->buf = calloc(1, MIB(1));
}

static bool call_stream(struct worker *w)
{
	struct iovec iov = { w->buf, MIB(1) };
	uint64_t at = w->done % 512;

	must(engine_write(w->node, NULL, &iov, 1, at * MIB(1), ENGINE_UNSTABLE),
	     "write");
	if (at % 64 == 63)
		must(engine_commit(w->node, 0, 0), "commit");
	return true;
}

static bool call_lookup(struct worker *w)
{
	struct fattr attr;
	char name[32];

	snprintf(name, sizeof(name), "entry-%lu",
		 rng_below(&w->rng, w->b->entries));
	must(engine_lookup(w->b->e, NULL, w->b->big_dir, name, strlen(name),
			   &attr),
	     name);
	must(engine_getattr(w->b->e, attr.ino, &attr), "getattr");
	return true;
}

struct page {
	size_t n;
	uint64_t last;
};

static bool take(void *arg, const struct engine_dirent *d)
{
	struct page *p = arg;

	if (p->n == 0)
		return false;
	p->n--;
	p->last = d->cookie;
	return true;
}

static bool call_readdir(struct worker *w)
{
	struct page p = {};
	bool eof = false;

	while (!eof) { /* as NFS does: page by page */
		p.n = 512;
		must(engine_readdir(w->b->e, w->b->big_dir, p.last, true, take,
				    &p, &eof),
		     "readdir");
		task_yield();
	}
	return true;
}

/* What the disk can do: the least that any durable change costs. */
static void open_raw(struct worker *w)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/raw", w->b->dir);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	for (int i = 0; i < RAW_BLOCKS; i++)
		if (pwrite(fd, w->buf, BLOCK, (off_t)i * BLOCK) != BLOCK)
			die(path, -errno);
	if (fsync(fd) < 0)
		die(path, -errno);
	w->fd = fd;
}

static bool call_raw(struct worker *w)
{
	struct iovec iov = { w->buf, BLOCK };
	off_t at = (off_t)(w->done % RAW_BLOCKS) * BLOCK;

	if (pwritev2(w->fd, &iov, 1, at, RWF_DSYNC) != BLOCK)
		die("raw", -errno);
	return true;
}

static const struct row rows[] = {
	{ "disk 1", "4 KiB overwritten through O_DSYNC", 1, open_raw,
	  call_raw },
	{ "create 1", "durable creates", 1, own_dir, call_create },
	{ "create 16", "durable creates", 16, own_dir, call_create },
	{ "create 128", "durable creates", 128, own_dir, call_create },
	{ "remove 1", "durable removes", 1, same_dir, call_remove },
	{ "remove 16", "durable removes", 16, same_dir, call_remove },
	{ "remove 128", "durable removes", 128, same_dir, call_remove },
	{ "small 1", "durable files of 1 KiB", 1, own_dir, call_small },
	{ "small 16", "durable files of 1 KiB", 16, own_dir, call_small },
	{ "4k 1", "durable files of 4 KiB", 1, own_dir, call_4k },
	{ "4k 16", "durable files of 4 KiB", 16, own_dir, call_4k },
	{ "8k 1", "durable files of 8,000 bytes", 1, own_dir, call_8k },
	{ "8k 16", "durable files of 8,000 bytes", 16, own_dir, call_8k },
	{ "16k 1", "durable files of 16 KiB", 1, own_dir, call_16k },
	{ "16k 16", "durable files of 16 KiB", 16, own_dir, call_16k },
	{ "read 1", "random reads of 4 KiB", 1, hold_big, call_read },
	{ "read 32", "random reads of 4 KiB", 32, hold_big, call_read },
	{ "write 1", "random writes of 4 KiB", 1, hold_big, call_write },
	{ "write 32", "random writes of 4 KiB", 32, hold_big, call_write },
	{ "sync 1", "durable writes of 4 KiB", 1, hold_big, call_write_sync },
	{ "sync 32", "durable writes of 4 KiB", 32, hold_big, call_write_sync },
	{ "stream 1", "MiB written, 64 to a COMMIT", 1, hold_own, call_stream },
	{ "stream 4", "MiB written, 64 to a COMMIT", 4, hold_own, call_stream },
	{ "lookup 1", "lookup + getattr", 1, NULL, call_lookup },
	{ "lookup 32", "lookup + getattr", 32, NULL, call_lookup },
	{ "readdir 1", "listings of the big directory", 1, NULL, call_readdir },
};

static void work(void *arg)
{
	struct worker *w = arg;
	struct bench *b = w->b;
	nsec start, now;
	bool more = true;

	if (b->row->prepare != NULL)
		b->row->prepare(w);
	start = reactor_now_precise();
	for (now = start; more && now < b->end; w->done += more) {
		more = b->row->call(w);
		now = reactor_now_precise();
		hist_add(&w->latency, now - start);
		start = now;
		if (w->done % 64 == 63) /* what is in memory never parks */
			task_yield();
	}
	if (w->node != NULL)
		engine_release(w->node);
	if (w->fd > 0)
		close(w->fd);
	if (__atomic_sub_fetch(&b->left, 1, __ATOMIC_ACQ_REL) == 0)
		task_wake(b->main);
}

static void report(struct bench *b, const struct hist *h, double seconds,
		   uint64_t done)
{
	if (b->json)
		printf("{\"name\": \"%s\", \"what\": \"%s\", \"tasks\": %d, "
		       "\"per_second\": %.1f, \"p50_us\": %.1f, "
		       "\"p99_us\": %.1f}\n",
		       b->row->name, b->row->unit, b->row->tasks,
		       done / seconds, hist_percentile(h, 50) / 1e3,
		       hist_percentile(h, 99) / 1e3);
	else
		printf("%-12s %-38s %12.0f %10.1f %10.1f\n", b->row->name,
		       b->row->unit, done / seconds,
		       hist_percentile(h, 50) / 1e3,
		       hist_percentile(h, 99) / 1e3);
	fflush(stdout);
}

static void run_row(struct bench *b, const struct row *row)
{
	struct worker *w = calloc(row->tasks, sizeof(*w));
	nsec start = reactor_now_precise();
	uint64_t done = 0;

	b->row = row;
	b->left = row->tasks;
	b->end = start + (nsec)(b->seconds * 1e9);
	for (int i = 0; i < row->tasks; i++) {
		w[i] = (struct worker){ .b = b, .number = i };
		w[i].buf = calloc(1, 65536);
		rng_init(&w[i].rng, i + 1);
		hist_init(&w[i].latency);
		must(reactor_spawn(reactor_set_pick(b->set), "worker", work,
				   &w[i]),
		     "spawn");
	}
	while (__atomic_load_n(&b->left, __ATOMIC_ACQUIRE) > 0)
		task_park(NSEC_NEVER);
	for (int i = 0; i < row->tasks; i++) {
		done += w[i].done;
		if (i > 0)
			hist_merge(&w[0].latency, &w[i].latency);
		free(w[i].buf);
	}
	report(b, &w[0].latency, (reactor_now_precise() - start) / 1e9, done);
	free(w);
}

/* ----------------------------------------------------- the 100,000 names ---
 */

static void fill_part(void *arg)
{
	struct worker *w = arg;
	char name[32];

	for (int i = w->number; i < w->b->entries; i += 128) {
		snprintf(name, sizeof(name), "entry-%d", i);
		make(w->b->e, w->b->big_dir, name, S_IFREG | 0644);
	}
	if (__atomic_sub_fetch(&w->b->left, 1, __ATOMIC_ACQ_REL) == 0)
		task_wake(w->b->main);
}

static void fill_dir(struct bench *b)
{
	struct worker *w = calloc(128, sizeof(*w));

	b->big_dir = make(b->e, ENGINE_ROOT, "big", S_IFDIR | 0755);
	b->left = 128;
	for (int i = 0; i < 128; i++) {
		w[i] = (struct worker){ .b = b, .number = i };
		must(task_spawn("fill", fill_part, &w[i]), "spawn");
	}
	while (__atomic_load_n(&b->left, __ATOMIC_ACQUIRE) > 0)
		task_park(NSEC_NEVER);
	free(w);
}

static void fill_file(struct bench *b)
{
	size_t size = MIB(1);
	char *data = calloc(1, size);
	struct engine_node *n;

	b->big_file = make(b->e, ENGINE_ROOT, "data", S_IFREG | 0644);
	must(engine_hold(b->e, b->big_file, &n), "hold");
	for (size_t at = 0; at < (size_t)FILE_BLOCKS * BLOCK; at += size) {
		struct iovec iov = { data, size };

		must(engine_write(n, NULL, &iov, 1, at, ENGINE_UNSTABLE),
		     "write");
	}
	must(engine_commit(n, 0, 0), "commit");
	engine_release(n);
	free(data);
}

static bool wanted(const struct bench *b, const char *name)
{
	for (char **only = b->only; *only != NULL; only++)
		if (strncmp(*only, name, strlen(*only)) == 0)
			return true;
	return *b->only == NULL;
}

static void bench_main(void *arg)
{
	struct bench *b = arg;

	b->main = task_self();
	must(engine_open("local", b->dir, &b->e), b->dir);
	if (b->quota)
		must(engine_tree_set(b->e, ENGINE_ROOT, INT64_MAX, INT64_MAX),
		     "quota");
	fill_dir(b);
	fill_file(b);
	if (!b->json)
		printf("%-12s %-38s %12s %10s %10s\n", "row", "what",
		       "per second", "p50 us", "p99 us");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (wanted(b, rows[i].name))
			run_row(b, &rows[i]);
	engine_close(b->e);
	reactor_set_stop(b->set);
}

static void usage(void)
{
	fprintf(stderr, "usage: bench_engine [--json] [--dir DIR] "
			"[--seconds S] [--reactors N] [--entries E] "
			"[--quota] [NAME…]\n");
	exit(2);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "dir", required_argument, NULL, 'd' },
		{ "seconds", required_argument, NULL, 's' },
		{ "reactors", required_argument, NULL, 'r' },
		{ "entries", required_argument, NULL, 'e' },
		{ "quota", no_argument, NULL, 'q' },
		{},
	};
	char template[] = "/var/tmp/hawser-bench-XXXXXX";
	struct bench b = { .seconds = 1, .entries = 100000 };
	int c, reactors = 2;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'j')
			b.json = true;
		else if (c == 'q')
			b.quota = true;
		else if (c == 'd')
			b.dir = optarg;
		else if (c == 's')
			b.seconds = atof(optarg);
		else if (c == 'r')
			reactors = atoi(optarg);
		else if (c == 'e')
			b.entries = atoi(optarg);
		else
			usage();
	}
	if (b.seconds <= 0 || b.entries < 1 || reactors < 1 ||
	    reactors > REACTORS_MAX)
		usage();
	b.only = argv + optind;
	if (b.dir == NULL)
		b.dir = mkdtemp(template);
	must(reactor_set_create(reactors, &(struct reactor_options){}, &b.set),
	     "reactor");
	must(reactor_spawn(reactor_set_get(b.set, 0), "bench", bench_main, &b),
	     "spawn");
	reactor_set_run(b.set);
	reactor_set_destroy(b.set);
	must(tree_remove(b.dir, NULL), b.dir);
	return 0;
}
