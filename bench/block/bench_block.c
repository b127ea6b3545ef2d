/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What block devices do in a second, on one reactor.
 *
 *	bench_block [--dir DIR] [--seconds S] [--op ROW] [--depth N]
 *
 * Each row keeps N requests in flight, at random places.  `file` rows use a
 * file of 1 GiB in DIR, which stays there for others to measure on (compare):
 * DIR should be on the disk that matters.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/rng.h"
#include "base/util.h"
#include "block/block.h"
#include "reactor/reactor.h"

enum { DEPTH_MAX = 1024, SIZE_MAX_ = 128 << 10 };
static const uint64_t device_size = 1 << 30;

struct row {
	const char *name, *device;
	enum block_op op;
	size_t length;
	unsigned depth;
};

static const struct row rows[] = {
	{ "malloc-read-4k", "malloc", BLOCK_READ, 4096, 1 },
	{ "malloc-write-4k", "malloc", BLOCK_WRITE, 4096, 1 },
	{ "malloc-read-128k", "malloc", BLOCK_READ, 128 << 10, 1 },
	{ "crypt-read-4k", "crypt", BLOCK_READ, 4096, 1 },
	{ "crypt-write-4k", "crypt", BLOCK_WRITE, 4096, 1 },
	{ "crypt-read-128k", "crypt", BLOCK_READ, 128 << 10, 1 },
	{ "crypt512-read-4k", "crypt512", BLOCK_READ, 4096, 1 },
	{ "file-read-4k", "file", BLOCK_READ, 4096, 1 },
	{ "file-read-4k", "file", BLOCK_READ, 4096, 32 },
	{ "file-read-4k", "file", BLOCK_READ, 4096, 128 },
	{ "file-write-4k", "file", BLOCK_WRITE, 4096, 1 },
	{ "file-write-4k", "file", BLOCK_WRITE, 4096, 32 },
	{ "file-read-128k", "file", BLOCK_READ, 128 << 10, 16 },
};

struct slot {
	struct block_request request;
	struct iovec iov;
	bool submitting, again;
};

static struct bench {
	struct reactor *reactor;
	struct block_registry *registry;
	const char *dir, *only;
	unsigned depth; /* 0: the rows' */
	double seconds;

	const struct row *row;
	struct block_device *device;
	struct slot *slots;
	char *buffers;
	struct rng rng;
	struct task *main;
	nsec end;
	uint64_t done;
	unsigned running;
} b = { .dir = "/tmp", .seconds = 1 };

static void must(int err, const char *what)
{
	if (err == 0)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(-err));
	exit(1);
}

static void submit(struct slot *s)
{
	s->submitting = true;
	do {
		s->again = false;
		s->request.offset =
			rng_below(&b.rng, device_size / b.row->length) *
			b.row->length;
		block_submit(b.device, &s->request);
	} while (s->again);
	s->submitting = false;
}

static void request_done(struct block_request *r, int error)
{
	struct slot *s = container_of(r, struct slot, request);
	nsec now = b.done++ % 64 == 0 ? reactor_now_precise() : reactor_now();

	must(error, b.row->name);
	if (now >= b.end) {
		b.running--;
		task_wake(b.main);
	} else if (s->submitting) {
		s->again = true;
	} else {
		submit(s);
	}
}

static void fill(struct block_device *d)
{
	struct iovec iov = { b.buffers, BLOCK_TRANSFER_MAX };
	struct block_request r = { .op = BLOCK_WRITE,
				   .length = BLOCK_TRANSFER_MAX,
				   .iov = &iov,
				   .niov = 1 };

	for (; r.offset < device_size; r.offset += r.length) {
		memset(b.buffers, (int)(r.offset >> 20), BLOCK_TRANSFER_MAX);
		must(block_do(d, &r), "fill");
	}
	r.op = BLOCK_FLUSH;
	must(block_do(d, &r), "flush");
}

static void add(const char *name, enum block_kind kind, uint32_t block_size,
		const char *base)
{
	struct block_spec s = { .kind = kind,
				.block_size = block_size,
				.blocks = device_size / block_size };
	struct block_device *d;
	char text[256];

	snprintf(s.name, sizeof(s.name), "%s", name);
	snprintf(s.base, sizeof(s.base), "%s", base);
	if (kind == BLOCK_CRYPT) {
		s.crypt.key_len = 64;
		s.crypt.key[0] = 1;
	}
	if (kind == BLOCK_FILE) {
		snprintf(s.file.path, sizeof(s.file.path), "%s/bench_block.img",
			 b.dir);
		s.file.create = access(s.file.path, F_OK) != 0;
	}
	if (block_create(b.registry, &s, &d, text) != 0) {
		fprintf(stderr, "%s: %s\n", name, text);
		exit(1);
	}
	if (kind == BLOCK_MALLOC || (kind == BLOCK_FILE && s.file.create))
		fill(d);
}

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_utime.tv_sec + u.ru_stime.tv_sec +
	       (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void run_row(const struct row *row)
{
	unsigned depth = b.depth != 0 ? b.depth : row->depth;
	nsec start = reactor_now_precise();
	double cpu = cpu_seconds(), seconds;

	b.row = row;
	b.device = block_find(b.registry, row->device);
	b.done = 0;
	b.running = depth;
	b.end = start + (nsec)(b.seconds * 1e9);
	for (unsigned i = 0; i < depth; i++) {
		struct slot *s = &b.slots[i];

		*s = (struct slot){
			.request = { .op = row->op,
				     .length = row->length,
				     .iov = &s->iov,
				     .niov = 1,
				     .done = request_done },
			.iov = { b.buffers + (size_t)i * SIZE_MAX_,
				 row->length },
		};
		submit(s);
	}
	while (b.running > 0)
		task_park(NSEC_NEVER);
	seconds = (reactor_now_precise() - start) / 1e9;
	cpu = cpu_seconds() - cpu;
	printf("%-18s depth %3u  %10.0f/s  %7.0f MB/s  %6.2f us CPU each\n",
	       row->name, depth, b.done / seconds,
	       b.done * row->length / seconds / 1e6, cpu * 1e6 / b.done);
	fflush(stdout);
}

static bool wanted(const char *name)
{
	return b.only == NULL || strstr(name, b.only) != NULL;
}

/* For any of the rows that are to run. */
static bool needed(const char *device)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].device, device) == 0 && wanted(rows[i].name))
			return true;
	return false;
}

static void bench_task(void *arg)
{
	struct block_device *d, *last;

	b.main = task_self();
	must(block_registry_create(&b.registry), "registry");
	if (needed("malloc"))
		add("malloc", BLOCK_MALLOC, 4096, "");
	if (needed("crypt")) {
		add("m", BLOCK_MALLOC, 4096, "");
		add("crypt", BLOCK_CRYPT, 4096, "m");
	}
	if (needed("crypt512")) {
		add("m512", BLOCK_MALLOC, 512, "");
		add("crypt512", BLOCK_CRYPT, 512, "m512");
	}
	if (needed("file"))
		add("file", BLOCK_FILE, 4096, "");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (wanted(rows[i].name))
			run_row(&rows[i]);
	while ((d = block_next(b.registry, NULL)) != NULL) {
		for (last = d; d != NULL; d = block_next(b.registry, d))
			last = d;
		must(block_destroy(last), "destroy");
	}
	block_registry_destroy(b.registry);
	reactor_stop(b.reactor);
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "dir", required_argument, NULL, 'd' },
		{ "seconds", required_argument, NULL, 's' },
		{ "op", required_argument, NULL, 'o' },
		{ "depth", required_argument, NULL, 'q' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'd')
			b.dir = optarg;
		else if (c == 's')
			b.seconds = atof(optarg);
		else if (c == 'o')
			b.only = optarg;
		else if (c == 'q' && atoi(optarg) > 0 &&
			 atoi(optarg) <= DEPTH_MAX)
			b.depth = atoi(optarg);
		else
			exit(2);
	}
}

int main(int argc, char **argv)
{
	parse(argc, argv);
	log_level = LOG_WARN;
	b.slots = calloc(DEPTH_MAX, sizeof(*b.slots));
	b.buffers = aligned_alloc(4096, (size_t)DEPTH_MAX * SIZE_MAX_);
	must(b.slots != NULL && b.buffers != NULL ? 0 : -ENOMEM, "memory");
	rng_init(&b.rng, 1);
	must(reactor_create(&(struct reactor_options){}, &b.reactor),
	     "reactor");
	must(reactor_spawn(b.reactor, "bench", bench_task, NULL), "task");
	reactor_run(b.reactor);
	reactor_destroy(b.reactor);
	free(b.slots);
	free(b.buffers);
	return 0;
}
