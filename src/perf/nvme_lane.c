/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lane: `depth` requests in flight, each followed by the next as soon as it
 * is done, until the time is over.
 *
 *	op: begin() ─▶ nvmei_submit() ─▶ done() ─▶ count() ─▶ begin() …
 *	verify:  write ─▶ read the same ─▶ check ─▶ counted as one
 *	         and in the end all that was written is read once more;
 *	         with --reread it is also read before it is written again
 *
 * The lane's own task sleeps meanwhile; the requests drive themselves from the
 * reader of the connection.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/rng.h"
#include "perf/nvme.h"
#include "reactor/reactor.h"

enum { VERIFY_UNITS_MAX = 1 << 24 }; /* 64 MiB to remember generations */
#define UNIT_BUSY (1U << 31)	     /* in a generation */

struct nvme_op {
	union {
		struct nvmei_request nvme;
		struct volume_request mirror; /* lane->mirror */
	};
	struct nvme_lane *lane;
	enum block_op kind;
	uint64_t offset, length;
	struct iovec iov;
	uint64_t unit;
	uint32_t generation; /* verify: that it wrote, or looks for */
	nsec begun, sent;    /* the op, and the request */
	bool looks;	     /* verify, --reread: the read before the write */
	bool checks;	     /* verify: it is the read that follows */
	bool submitting;
	bool last_look; /* … in the end */
};

static const struct nvme_workload workloads[] = {
	{ "read", BLOCK_READ },
	{ "write", BLOCK_WRITE },
	{ "randread", BLOCK_READ, .random = true },
	{ "randwrite", BLOCK_WRITE, .random = true },
	{ "rw", BLOCK_READ, .mixed = true },
	{ "randrw", BLOCK_READ, .random = true, .mixed = true },
	{ "verify", BLOCK_WRITE, .verify = true },
	{ "flush", BLOCK_FLUSH },
	{ "unmap", BLOCK_DEALLOCATE },
	{ "write_zeroes", BLOCK_WRITE_ZEROES },
	{},
};

const struct nvme_workload *nvme_workload_at(unsigned i)
{
	return workloads[i].name != NULL ? &workloads[i] : NULL;
}

const struct nvme_workload *nvme_workload_find(const char *name)
{
	for (const struct nvme_workload *w = workloads; w->name != NULL; w++)
		if (strcmp(w->name, name) == 0)
			return w;
	return NULL;
}

void nvme_lane_fail(struct nvme_lane *lane, const char *format, ...)
{
	va_list args;

	if (lane->text[0] == '\0') {
		va_start(args, format);
		vsnprintf(lane->text, sizeof(lane->text), format, args);
		va_end(args);
	}
	atomic_fetch_add_explicit(&lane->failed, 1, memory_order_relaxed);
	if (!lane->s->go_on)
		lane->stopping = true;
}

/* ---------------------------------------------------------------- counting */

/* While the paths are still known: when one is first used, as it may be
 * detached later; and in the end, as failover may have given it another
 * address. */
static void name_paths(struct nvme_lane *lane)
{
	struct nvmei_path_info info[PATH_MAX_PATHS];
	unsigned n = 0;

	if (lane->mirror == NULL)
		n = nvmei_get_paths(lane->volume, info, PATH_MAX_PATHS);
	for (unsigned i = 0; i < MIN(n, (unsigned)PATH_MAX_PATHS); i++) {
		struct lane_path *p = &lane->paths[info[i].way % LANE_PATHS];

		if (p->used && p->way == info[i].way)
			p->addr = info[i].addr;
	}
}

static struct lane_path *path_of(struct nvme_lane *lane, unsigned way)
{
	struct lane_path *p = &lane->paths[way % LANE_PATHS];

	if (p->used && p->way == way)
		return p;
	*p = (struct lane_path){ .used = true, .way = way };
	hist_init(&p->latency);
	name_paths(lane);
	return p;
}

/* A request has come back; and the time since the one before. */
static void count_request(struct nvme_op *op, nsec now)
{
	struct nvme_lane *lane = op->lane;
	struct lane_path *p;

	if (op->last_look)
		return; /* that is not measured */
	if (lane->mirror == NULL) {
		p = path_of(lane, op->nvme.way);
		hist_add(&p->latency, now - op->sent);
		p->bytes += op->length;
	}
	lane->longest_gap = MAX(lane->longest_gap, now - lane->last);
	lane->last = now;
}

static void count_op(struct nvme_op *op, nsec now)
{
	struct nvme_lane *lane = op->lane;

	hist_add(&lane->latency, now - op->begun);
	lane->bytes += op->length;
	atomic_store_explicit(&lane->done, lane->latency.count,
			      memory_order_relaxed);
}

/* --------------------------------------------------------------------- ops */

static uint64_t draw(struct nvme_lane *lane)
{
	return hash_u64(lane->random++);
}

static enum block_op kind_of(struct nvme_lane *lane)
{
	const struct nvme_settings *s = lane->s;

	if (!s->workload->mixed)
		return s->workload->op;
	return draw(lane) % 100 < s->read_percent ? BLOCK_READ : BLOCK_WRITE;
}

static void nvme_done(struct nvmei_request *r, int error);
static void mirror_done(struct volume_request *r, int error);

static void submit_nvme(struct nvme_op *op)
{
	struct nvmei_request *r = &op->nvme;

	r->op = op->kind;
	r->offset = op->offset;
	r->length = op->length;
	r->iov = &op->iov;
	r->niov = 1;
	r->done = nvme_done;
	nvmei_submit(op->lane->volume, r);
}

static void submit_mirror(struct nvme_op *op)
{
	struct volume_request *r = &op->mirror;

	r->op = op->kind;
	r->offset = op->offset;
	r->length = op->length;
	r->iov = op->iov;
	r->done = mirror_done;
	volume_submit(op->lane->mirror, r);
}

/* `now` was read a moment ago: reading a clock costs as much as a request. */
static void submit(struct nvme_op *op, enum block_op kind, nsec now)
{
	struct nvme_lane *lane = op->lane;

	op->kind = kind;
	op->offset = lane->start + op->unit * lane->s->io_size;
	op->length = kind == BLOCK_FLUSH ? 0 : lane->s->io_size;
	op->sent = now;
	op->submitting = true;
	if (lane->mirror == NULL)
		submit_nvme(op);
	else
		submit_mirror(op);
	op->submitting = false;
}

/* The next one that no other op works on: while a write waits for a fence, its
 * unit is not written again, so that it is known what must be there. */
static uint64_t take_unit(struct nvme_lane *lane)
{
	uint64_t unit;

	do
		unit = lane->next++ % lane->units;
	while (lane->generations[unit] & UNIT_BUSY);
	return unit;
}

static void write_verified(struct nvme_op *op, nsec now)
{
	struct nvme_lane *lane = op->lane;
	uint32_t *generation = &lane->generations[op->unit];

	op->generation = (*generation + 1) % UNIT_BUSY;
	*generation = op->generation | UNIT_BUSY;
	op->looks = op->checks = false;
	nvme_verify_fill(lane, op->iov.iov_base, op->unit, op->generation);
	submit(op, BLOCK_WRITE, now);
}

static void begin_verify(struct nvme_op *op, nsec now)
{
	struct nvme_lane *lane = op->lane;

	op->unit = take_unit(lane);
	op->generation = lane->generations[op->unit];
	op->looks = lane->s->reread && op->generation > 0;
	if (!op->looks) {
		write_verified(op, now);
		return;
	}
	lane->generations[op->unit] |= UNIT_BUSY;
	submit(op, BLOCK_READ, now);
}

static void begin(struct nvme_op *op, nsec now)
{
	struct nvme_lane *lane = op->lane;

	op->begun = now;
	if (lane->s->workload->verify) {
		begin_verify(op, now);
		return;
	}
	op->unit = lane->s->workload->random ? draw(lane) % lane->units
					     : lane->next++ % lane->units;
	submit(op, kind_of(lane), now);
}

static void end(struct nvme_op *op)
{
	struct nvme_lane *lane = op->lane;

	if (--lane->in_flight == 0)
		task_wake(lane->task);
}

/* The next unit that was ever written; false: there are no more. */
static bool look_again(struct nvme_op *op, nsec now)
{
	struct nvme_lane *lane = op->lane;

	while (lane->next < lane->units && lane->generations[lane->next] == 0)
		lane->next++;
	if (lane->next == lane->units || lane->stopping)
		return false;
	op->unit = lane->next++;
	op->generation = lane->generations[op->unit];
	submit(op, BLOCK_READ, now);
	return true;
}

static void next(struct nvme_op *op, nsec now)
{
	struct nvme_lane *lane = op->lane;

	if (op->last_look) {
		if (!look_again(op, now))
			end(op);
	} else if (lane->stopping || now >= lane->deadline) {
		end(op);
	} else {
		begin(op, now);
	}
}

static void verify_step(struct nvme_op *op, nsec now)
{
	struct nvme_lane *lane = op->lane;

	if (op->looks && nvme_verify_check(lane, op->iov.iov_base, op->unit,
					   op->generation)) {
		write_verified(op, now);
		return;
	}
	if (!op->looks && !op->checks && !op->last_look) {
		op->checks = true;
		submit(op, BLOCK_READ, now);
		return;
	}
	lane->generations[op->unit] = op->generation; /* not busy any more */
	if (!op->looks &&
	    nvme_verify_check(lane, op->iov.iov_base, op->unit,
			      op->generation) &&
	    !op->last_look)
		count_op(op, now);
	next(op, now);
}

static const char *name_of(enum block_op op)
{
	static const char *const names[BLOCK_OPS] = {
		[BLOCK_READ] = "read",
		[BLOCK_WRITE] = "write",
		[BLOCK_FLUSH] = "flush",
		[BLOCK_WRITE_ZEROES] = "write zeroes",
		[BLOCK_DEALLOCATE] = "unmap",
		[BLOCK_COMPARE] = "compare",
	};

	return names[op];
}

static void op_done(struct nvme_op *op, int error)
{
	struct nvme_lane *lane = op->lane;
	nsec now = reactor_now_precise();

	if (error < 0) {
		nvme_lane_fail(lane, "%s at %llu: %s", name_of(op->kind),
			       (unsigned long long)op->offset,
			       strerror(-error));
		if (lane->s->workload->verify) /* who knows what is there */
			lane->generations[op->unit] = 0;
		/* What is refused at once would be refused without end. */
		lane->stopping |= op->submitting;
		next(op, now);
		return;
	}
	count_request(op, now);
	if (lane->s->workload->verify) {
		verify_step(op, now);
		return;
	}
	count_op(op, now);
	next(op, now);
}

static void nvme_done(struct nvmei_request *r, int error)
{
	op_done(container_of(r, struct nvme_op, nvme), error);
}

static void mirror_done(struct volume_request *r, int error)
{
	op_done(container_of(r, struct nvme_op, mirror), error);
}

/* ------------------------------------------------------------------- a run */

static void wait_idle(struct nvme_lane *lane)
{
	while (lane->in_flight > 0)
		task_park(NSEC_NEVER);
}

static void start_ops(struct nvme_lane *lane, unsigned n)
{
	lane->in_flight = n;
	lane->begun = lane->last = reactor_now_precise();
	lane->deadline = lane->begun + lane->s->duration;
	for (unsigned i = 0; i < n; i++)
		begin(&lane->ops[i], lane->begun);
	wait_idle(lane);
	lane->finished = reactor_now_precise();
}

/* All that was written is there, and stays there: also long after its own
 * check, when what was left behind on another path has had time to land. */
static void look_at_all(struct nvme_lane *lane, unsigned n)
{
	lane->next = 0;
	lane->in_flight = n;
	for (unsigned i = 0; i < n; i++) {
		struct nvme_op *op = &lane->ops[i];

		op->last_look = true;
		op->looks = false;
		if (!look_again(op, reactor_now_precise()))
			end(op);
	}
	wait_idle(lane);
}

struct shape {
	uint32_t block_size, max_transfer;
	uint64_t region; /* of a mirror; 0: no matter */
};

static struct shape shape_of(const struct nvme_lane *lane)
{
	struct nvmei_volume_info info;

	if (lane->mirror != NULL)
		return (struct shape){ volume_block_size(lane->mirror),
				       volume_max_transfer(lane->mirror),
				       volume_region(lane->mirror) };
	nvmei_get_info(lane->volume, &info);
	return (struct shape){ info.block_size, info.max_transfer, 0 };
}

static int fit(struct nvme_lane *lane)
{
	const struct nvme_settings *s = lane->s;
	struct shape shape = shape_of(lane);

	lane->block_size = shape.block_size;
	lane->units = lane->length / s->io_size;
	if (s->workload->verify)
		lane->units = MIN(lane->units, (uint64_t)VERIFY_UNITS_MAX);
	lane->length = lane->units * s->io_size;
	if (s->io_size % shape.block_size != 0 ||
	    s->io_size > shape.max_transfer || lane->units == 0) {
		snprintf(lane->text, sizeof(lane->text),
			 "%s: the size of an I/O is a multiple of %u, and at "
			 "most %u, not %u",
			 lane->name, shape.block_size, shape.max_transfer,
			 s->io_size);
		return -EINVAL;
	}
	if (shape.region % s->io_size != 0) {
		snprintf(lane->text, sizeof(lane->text),
			 "%s: on a mirror, %llu is a multiple of the size of "
			 "an I/O",
			 lane->name, (unsigned long long)shape.region);
		return -EINVAL;
	}
	return 0;
}

static int allocate(struct nvme_lane *lane, unsigned n)
{
	size_t size = lane->s->io_size;

	lane->ops = calloc(n, sizeof(*lane->ops));
	lane->memory = malloc(n * size);
	if (lane->s->workload->verify)
		lane->generations = calloc(lane->units, sizeof(uint32_t));
	if (lane->ops == NULL || lane->memory == NULL ||
	    (lane->s->workload->verify && lane->generations == NULL))
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		lane->ops[i].lane = lane;
		lane->ops[i].iov.iov_base = (char *)lane->memory + i * size;
		lane->ops[i].iov.iov_len = size;
	}
	for (size_t i = 0; i < n * size; i++) /* not zeroes: no thin blocks */
		((uint8_t *)lane->memory)[i] = (uint8_t)(i * 167);
	return 0;
}

/* What was opened as a volume belongs to its opener. */
static int find_volume(struct nvme_lane *lane)
{
	if (lane->mirror != NULL)
		return 0;
	if (lane->volume == NULL)
		lane->volume = nvmei_find(lane->host, lane->name);
	if (lane->volume == NULL)
		return -ENODEV;
	nvmei_volume_get(lane->volume);
	return 0;
}

int nvme_lane_run(struct nvme_lane *lane)
{
	unsigned n = lane->s->depth;
	int rc = find_volume(lane);

	if (rc < 0)
		return rc;
	lane->task = task_self();
	random_bytes(&lane->run, sizeof(lane->run));
	random_bytes(&lane->random, sizeof(lane->random));
	hist_init(&lane->latency);
	rc = fit(lane);
	if (rc == 0) {
		n = (unsigned)MIN((uint64_t)n, lane->units);
		rc = allocate(lane, n);
	}
	if (rc == 0)
		start_ops(lane, n);
	if (rc == 0 && lane->s->workload->verify && !lane->stopping)
		look_at_all(lane, n);
	name_paths(lane);
	free(lane->ops);
	free(lane->memory);
	free(lane->generations);
	if (lane->volume != NULL)
		nvmei_volume_put(lane->volume);
	return rc;
}
