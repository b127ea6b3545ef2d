/* SPDX-License-Identifier: Apache-2.0 */
#include "devices.h"

#include <errno.h>

struct block_registry *registry_create(void)
{
	struct block_registry *reg;

	require(block_registry_create(&reg) == 0);
	return reg;
}

void registry_destroy(struct block_registry *reg)
{
	struct block_device *d, *last;

	while ((d = block_next(reg, NULL)) != NULL) {
		for (last = d; d != NULL; d = block_next(reg, d))
			last = d;
		require(block_destroy(last) == 0);
	}
	block_registry_destroy(reg);
}

struct block_spec malloc_spec(const char *name, uint32_t block_size,
			      uint64_t blocks)
{
	struct block_spec s = { .kind = BLOCK_MALLOC,
				.block_size = block_size,
				.blocks = blocks };

	snprintf(s.name, sizeof(s.name), "%s", name);
	return s;
}

struct block_spec filter_spec(enum block_kind kind, const char *name,
			      const char *base)
{
	struct block_spec s = { .kind = kind };

	snprintf(s.name, sizeof(s.name), "%s", name);
	snprintf(s.base, sizeof(s.base), "%s", base);
	return s;
}

struct block_device *make(struct block_registry *reg,
			  const struct block_spec *spec)
{
	struct block_device *d;
	char text[256];
	int err = block_create(reg, spec, &d, text);

	if (err != 0)
		fprintf(stderr, "%s: %s: %s\n", spec->name, strerror(-err),
			text);
	require(err == 0);
	return d;
}

int transfer(struct block_device *d, enum block_op op, uint64_t offset,
	     void *buf, uint64_t length)
{
	struct iovec iov = { buf, length };
	struct block_request r = {
		.op = op,
		.offset = offset,
		.length = length,
		.iov = &iov,
		.niov = 1,
	};

	return block_do(d, &r);
}

static void io_done(struct block_request *r, int error)
{
	struct io *io = container_of(r, struct io, request);

	require(!io->done);
	io->done = true;
	io->error = error;
	task_wake(io->waiter);
}

void io_start(struct block_device *d, struct io *io, enum block_op op,
	      uint64_t offset, void *buf, uint64_t length)
{
	*io = (struct io){
		.request = { .op = op,
			     .offset = offset,
			     .length = length,
			     .iov = io->iov,
			     .niov = 1,
			     .done = io_done },
		.iov = { { buf, length } },
		.waiter = task_self(),
	};
	block_submit(d, &io->request);
}

int io_wait(struct io *io)
{
	while (!io->done)
		task_park(NSEC_NEVER);
	return io->error;
}

/* The property */

enum { BLOCKS_EACH = 48, LENGTH_MAX = 24 };

struct worker {
	const struct property *p;
	struct completion done;
	struct rng rng;
	uint64_t first, size; /* bytes of the device */
	char *model, *buf;
	size_t block;
};

static const char *op_names[] = { "READ",	  "WRITE",	"FLUSH",
				  "WRITE_ZEROES", "DEALLOCATE", "COMPARE" };

static void broken(const struct worker *w, const struct io *io,
		   const char *what)
{
	fprintf(stderr, "SEED=%llu: %s of %llu bytes at %llu: %s (%d)\n",
		(unsigned long long)w->p->seed, op_names[io->request.op],
		(unsigned long long)io->request.length,
		(unsigned long long)io->request.offset, what, io->error);
	abort();
}

/* In up to three pieces, which need not be aligned to anything. */
static int split(struct worker *w, struct iovec iov[4], char *buf, size_t len)
{
	size_t unit = w->p->misaligned ? 1 : 512;
	int n = 0;

	for (; n < 2 && len > unit && rng_chance(&w->rng, 0.5); n++) {
		size_t piece = rng_below(&w->rng, len / unit) * unit;

		iov[n] = (struct iovec){ buf, piece };
		buf += piece;
		len -= piece;
	}
	iov[n++] = (struct iovec){ buf, len };
	return n;
}

static void prepare(struct worker *w, struct io *io, char *buf)
{
	struct block_request *r = &io->request;

	io->waiter = task_self();
	r->op = rng_below(&w->rng, BLOCK_OPS);
	r->flags = rng_below(&w->rng, 4);
	r->length = w->block * (1 + rng_below(&w->rng, LENGTH_MAX));
	r->offset = rng_below(&w->rng, (w->size - r->length) / w->block + 1) *
		    w->block;
	for (size_t i = 0; r->op == BLOCK_WRITE && i < r->length; i++)
		buf[i] = rng_next(&w->rng);
	if (r->op == BLOCK_COMPARE)
		memcpy(buf, w->model + r->offset, r->length);
	if (r->op == BLOCK_COMPARE && rng_chance(&w->rng, 0.5))
		buf[rng_below(&w->rng, r->length)] ^= 1;
	r->iov = io->iov;
	r->niov = split(w, io->iov, buf, r->length);
	r->done = io_done;
}

static void verify(struct worker *w, const struct io *io, const char *wrote,
		   const char *buf)
{
	const struct block_request *r = &io->request;
	char *model = w->model + r->offset - w->first;
	bool same;

	if (io->error == -ECANCELED && r->cancelled)
		return;
	if (io->error == -EOPNOTSUPP && !block_supports(w->p->device, r->op))
		return;
	same = memcmp(model, buf, r->length) == 0;
	if (r->op == BLOCK_COMPARE && io->error != (same ? 0 : -EILSEQ))
		broken(w, io, "wrong");
	if (r->op == BLOCK_COMPARE)
		return;
	if (io->error != 0)
		broken(w, io, "failed");
	if (r->op == BLOCK_READ && !same)
		broken(w, io, "other data");
	if (r->op == BLOCK_WRITE)
		memcpy(model, wrote, r->length);
	if (r->op == BLOCK_WRITE_ZEROES || r->op == BLOCK_DEALLOCATE)
		memset(model, 0, r->length);
}

static void one_request(struct worker *w, char *wrote)
{
	char *buf = w->buf + (w->p->misaligned ? rng_below(&w->rng, 8) : 0);
	struct io io = { 0 };

	prepare(w, &io, buf);
	memcpy(wrote, buf, io.request.length);
	io.request.offset += w->first;
	block_submit(w->p->device, &io.request);
	if (rng_chance(&w->rng, w->p->cancel)) {
		for (int n = rng_below(&w->rng, 4); n > 0 && !io.done; n--)
			task_yield();
		if (!io.done)
			block_cancel(&io.request);
	}
	io_wait(&io);
	verify(w, &io, wrote, buf);
}

static void work(void *arg)
{
	struct worker *w = arg;
	char *wrote = malloc(LENGTH_MAX * w->block);

	w->model = malloc(w->size);
	w->buf = aligned_alloc(4096,
			       round_up(LENGTH_MAX * w->block, 4096) + 4096);
	memset(w->buf, 0, LENGTH_MAX * w->block);
	require(wrote != NULL && w->model != NULL);
	for (uint64_t at = 0; at < w->size; at += w->block)
		require(transfer(w->p->device, BLOCK_READ, w->first + at,
				 w->model + at, w->block) == 0);
	for (unsigned i = 0; i < w->p->requests; i++)
		one_request(w, wrote);
	free(wrote);
	free(w->buf);
	free(w->model);
	completion_done(&w->done, 0);
}

void property_run(const struct property *p)
{
	struct worker *w = calloc(p->tasks, sizeof(*w));
	size_t block = block_size(p->device);
	uint64_t each =
		MIN(block_count(p->device) / p->tasks, (uint64_t)BLOCKS_EACH);

	require(each >= LENGTH_MAX);
	for (unsigned i = 0; i < p->tasks; i++) {
		w[i].p = p;
		w[i].block = block;
		w[i].size = each * block;
		w[i].first = i * w[i].size;
		rng_init(&w[i].rng, p->seed + i);
		completion_init(&w[i].done);
		require(task_spawn("worker", work, &w[i]) == 0);
	}
	for (unsigned i = 0; i < p->tasks; i++)
		completion_wait(&w[i].done);
	free(w);
}

uint64_t test_seed(void)
{
	const char *seed = getenv("SEED");
	uint64_t n;

	if (seed != NULL)
		return strtoull(seed, NULL, 0);
	random_bytes(&n, sizeof(n));
	return n;
}
