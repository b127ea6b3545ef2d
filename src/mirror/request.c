/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests.
 *
 *	WRITE  wait for its range ─▶ active, legs that are down stale
 *	       ─▶ wait for the map ─▶ to all legs that are up
 *	       ─▶ legs that failed stale ─▶ wait for the map ─▶ done
 *	READ   to a good leg ─▶ done, or failed: to another
 *	FLUSH  to all legs ─▶ legs that failed stale where it counts ─▶ done
 *
 * A region is always read from the same leg, as long as nothing changes: so
 * that who reads twice while a write is in progress never sees it undone.
 */
#include "mirror/internal.h"

static void request_io_done(struct mirror_io *io, int error);

static void start_io(struct mirror_request *r, unsigned leg)
{
	struct mirror_io *io = &r->io[leg];

	*io = (struct mirror_io){
		.leg = leg,
		.op = r->op,
		.offset = r->offset,
		.length = r->length,
		.request = r,
		.done = request_io_done,
	};
	r->pending++;
	io_start(r->mirror, io);
}

static void finish(struct mirror_request *r)
{
	struct mirror *m = r->mirror;

	m->requests--;
	if (r->op == MIRROR_WRITE) {
		m->region[r->region].writers--;
		range_release(&m->ranges, &r->hold);
	}
	r->done(r, r->error);
}

/* --------------------------------------------------------------------- reads
 */

/* The nth good leg, n by the region: they share the work. */
static int choose(const struct mirror *m, const struct mirror_request *r)
{
	unsigned good = good_legs(m, r->region) & ~r->tried;
	unsigned n = good != 0 ? r->region % __builtin_popcount(good) : 0;

	while (n-- > 0)
		good &= good - 1;
	return good != 0 ? __builtin_ctz(good) : -1;
}

static void read_next(struct mirror_request *r)
{
	int leg = choose(r->mirror, r);

	if (leg < 0) {
		finish(r);
		return;
	}
	r->tried |= 1U << leg;
	start_io(r, (unsigned)leg);
}

/* What a leg can't read, it gets again from another. */
static void read_done(struct mirror_request *r, unsigned leg, int error)
{
	struct mirror *m = r->mirror;

	if (error < 0) {
		r->failed |= 1U << leg;
		r->error = error;
		read_next(r);
		return;
	}
	r->error = 0;
	if (r->failed != 0 && map_set_stale(m, r->region, r->failed & m->up)) {
		m->region[r->region].postponed = true;
		map_save(m);
	}
	finish(r);
}

/* -------------------------------------------------------------------- writes
 */

static void wait_for_map(struct mirror_request *r)
{
	struct mirror *m = r->mirror;

	if (map_suffices(r)) {
		request_continue(r, 0);
		return;
	}
	list_append(&m->unsaved, &r->link);
	map_save(m);
}

static void write_begin(struct mirror_request *r)
{
	struct mirror *m = r->mirror;
	struct region *region = &m->region[r->region];

	region->writers++;
	region->recent = true;
	region->cleaning = false;
	map_set(m, r->region, MIRROR_ACTIVE | (all_legs(m) & ~m->up));
	wait_for_map(r);
}

static void write_granted(struct range_hold *h)
{
	write_begin(container_of(h, struct mirror_request, hold));
}

static void write_answered(struct mirror_request *r);

static void write_issue(struct mirror_request *r)
{
	struct mirror *m = r->mirror;
	unsigned up = m->up;

	r->issued = true;
	r->pending = 1; /* ours */
	for (unsigned i = 0; i < m->legs; i++)
		if (up & 1U << i)
			start_io(r, i);
	if (--r->pending == 0)
		write_answered(r);
}

/* Nobody who has all of the region has the write: it failed, and those who may
 * differ now have to become the same again. */
static void elect(struct mirror *m, uint64_t region)
{
	unsigned good = good_legs(m, region);

	/* Also who was stale before: he may have it where he was copied. */
	map_set_stale(m, region, all_legs(m) & ~(good & -good));
	m->region[region].postponed = true;
}

static void write_answered(struct mirror_request *r)
{
	struct mirror *m = r->mirror;

	if (good_legs(m, r->region) & r->written) {
		r->error = 0;
		if (r->failed != 0 && map_set_stale(m, r->region, r->failed))
			m->region[r->region].postponed = true;
	} else {
		elect(m, r->region);
	}
	wait_for_map(r);
}

void request_continue(struct mirror_request *r, int error)
{
	if (error < 0)
		r->error = error;
	else if (r->op == MIRROR_READ) {
		read_next(r);
		return;
	} else if (!r->issued) {
		write_issue(r);
		return;
	}
	finish(r);
}

/* ------------------------------------------------------------------- flushes
 */

/* The error, where a region has none but legs that failed; else 0. */
static int flush_result(struct mirror_request *r)
{
	struct mirror *m = r->mirror;
	int rc = 0;

	for (uint64_t i = 0; i < m->regions && r->failed != 0; i++)
		if ((m->region[i].now & MIRROR_ACTIVE) &&
		    (r->failed & ~m->region[i].now) != 0 &&
		    !map_set_stale(m, i, r->failed))
			rc = r->error;
	return rc;
}

static void flush_answered(struct mirror_request *r)
{
	r->error = flush_result(r);
	wait_for_map(r);
}

static void flush_issue(struct mirror_request *r)
{
	struct mirror *m = r->mirror;
	unsigned up = m->up;

	r->issued = true;
	r->pending = 1;
	for (unsigned i = 0; i < m->legs; i++)
		if (up & 1U << i)
			start_io(r, i);
	if (--r->pending == 0)
		flush_answered(r);
}

/* ----------------------------------------------------------------- all kinds
 */

static void request_io_done(struct mirror_io *io, int error)
{
	struct mirror_request *r = io->request;

	r->pending--;
	if (r->op == MIRROR_READ) {
		read_done(r, io->leg, error);
		return;
	}
	if (error < 0) {
		r->failed |= 1U << io->leg;
		r->error = error;
	} else {
		r->written |= 1U << io->leg;
	}
	if (r->pending > 0)
		return;
	if (r->op == MIRROR_WRITE)
		write_answered(r);
	else
		flush_answered(r);
}

void mirror_submit(struct mirror *m, struct mirror_request *r)
{
	r->mirror = m;
	r->region = r->op == MIRROR_FLUSH ? 0 : r->offset >> m->shift;
	assert(r->op == MIRROR_FLUSH ||
	       (r->length > 0 && r->offset + r->length <= m->size &&
		(r->offset + r->length - 1) >> m->shift == r->region));
	r->tried = r->written = r->failed = r->pending = 0;
	r->issued = false;
	r->error = 0;
	m->requests++;
	switch (r->op) {
	case MIRROR_READ:
		if (map_suffices(r))
			read_next(r);
		else
			list_append(&m->unsaved, &r->link);
		break;
	case MIRROR_WRITE:
		r->hold = (struct range_hold){ .start = r->offset,
					       .end = r->offset + r->length,
					       .granted = write_granted };
		if (range_take(&m->ranges, &r->hold))
			write_begin(r);
		break;
	case MIRROR_FLUSH:
		flush_issue(r);
		break;
	}
}

void mirror_io_done(struct mirror_io *io, int error)
{
	assert(io->busy);
	io->busy = false;
	io->done(io, error);
}
