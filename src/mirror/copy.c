/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What legs have missed is copied, region by region:
 *
 *	begin ─▶ hold a piece ─▶ read it from a good leg ─▶ write it to the
 *	          ▲                                         stale legs that are
 *up └───────────── the next piece ───────────────────┘│ the last flush them
 *◀─────────────┘ they are stale no more
 *
 * Writes go to stale legs, too, so that a piece once copied stays right.  A leg
 * that misses anything of the region meanwhile is dropped from the copy.  What
 * fails waits for the next tick.
 */
#include "mirror/internal.h"

static void go_on(struct mirror *m);

static void copy_end(struct mirror *m, bool failed)
{
	struct copy *c = &m->copy;

	m->region[c->region].postponed |= failed;
	c->running = false;
	go_on(m);
}

static void start_targets(struct mirror *m, enum mirror_op op,
			  void (*done)(struct mirror_io *io, int error))
{
	struct copy *c = &m->copy;
	unsigned targets = c->targets;

	c->pending = 1; /* ours */
	for (unsigned i = 0; i < m->legs; i++) {
		if (!(targets & 1U << i))
			continue;
		c->pending++;
		c->io[i] = (struct mirror_io){
			.leg = i,
			.op = op,
			.offset = c->hold.start,
			.length = c->hold.end - c->hold.start,
			.copy = c->buffer,
			.done = done,
		};
		io_start(m, &c->io[i]);
	}
}

static void settle(struct mirror *m)
{
	struct copy *c = &m->copy;

	map_clear(m, c->region, c->targets);
	map_save(m);
	copy_end(m, c->targets == 0);
}

static bool target_done(struct mirror_io *io, int error)
{
	struct copy *c = &io->mirror->copy;

	if (error < 0)
		c->targets &= ~(1U << io->leg);
	return --c->pending == 0;
}

static void flushed(struct mirror_io *io, int error)
{
	if (target_done(io, error))
		settle(io->mirror);
}

static void flush_targets(struct mirror *m)
{
	start_targets(m, MIRROR_FLUSH, flushed);
	if (--m->copy.pending == 0)
		settle(m);
}

static void piece_done(struct mirror *m)
{
	struct copy *c = &m->copy;

	if (c->targets != 0)
		m->copied += c->hold.end - c->hold.start;
	c->offset = c->hold.end;
	range_release(&m->ranges, &c->hold);
	go_on(m);
}

static void piece_written(struct mirror_io *io, int error)
{
	if (target_done(io, error))
		piece_done(io->mirror);
}

static void piece_read(struct mirror_io *io, int error)
{
	struct mirror *m = io->mirror;

	if (error < 0)
		m->copy.targets = 0;
	start_targets(m, MIRROR_WRITE, piece_written);
	if (--m->copy.pending == 0)
		piece_done(m);
}

static void piece_granted(struct range_hold *h)
{
	struct mirror *m = container_of(h, struct mirror, copy.hold);
	struct copy *c = &m->copy;

	c->io[c->source] = (struct mirror_io){
		.leg = c->source,
		.op = MIRROR_READ,
		.offset = h->start,
		.length = h->end - h->start,
		.copy = c->buffer,
		.done = piece_read,
	};
	io_start(m, &c->io[c->source]);
}

static void next_piece(struct mirror *m)
{
	struct copy *c = &m->copy;

	if (c->targets == 0 || m->quiet) {
		copy_end(m, true);
		return;
	}
	if (c->offset == c->end) {
		flush_targets(m);
		return;
	}
	c->hold = (struct range_hold){
		.start = c->offset,
		.end = MIN(c->offset + MIRROR_COPY, c->end),
		.granted = piece_granted,
	};
	if (range_take(&m->ranges, &c->hold))
		piece_granted(&c->hold);
}

static bool is_due(const struct mirror *m, uint64_t region)
{
	const struct region *r = &m->region[region];

	return (r->now & m->up) != 0 && !r->postponed;
}

static bool any_stale(const struct mirror *m)
{
	for (unsigned i = 0; i < m->legs; i++)
		if (m->up & 1U << i && m->stale[i] > 0)
			return true;
	return false;
}

/* From where the last one was, around. */
static int64_t find_due(const struct mirror *m)
{
	for (uint64_t i = 1; i <= m->regions; i++) {
		uint64_t region = (m->copy.region + i) % m->regions;

		if (is_due(m, region))
			return (int64_t)region;
	}
	return -1;
}

static void next_region(struct mirror *m)
{
	struct copy *c = &m->copy;
	int64_t region;

	if (m->quiet || m->nothing_to_copy)
		return;
	region = any_stale(m) ? find_due(m) : -1;
	m->nothing_to_copy = region < 0;
	if (region < 0)
		return;
	c->running = true;
	c->region = (uint64_t)region;
	c->targets = m->region[region].now & m->up;
	c->source = (unsigned)__builtin_ctz(good_legs(m, c->region));
	c->offset = c->region << m->shift;
	c->end = MIN(c->offset + (1ULL << m->shift), m->size);
	next_piece(m);
}

/* A step that ends while it is begun, as its answers came at once, ends in the
 * loop: there may be any number of them in a row. */
static void go_on(struct mirror *m)
{
	struct copy *c = &m->copy;

	c->again = true;
	if (c->going)
		return;
	c->going = true;
	while (c->again) {
		c->again = false;
		if (c->running)
			next_piece(m);
		else
			next_region(m);
	}
	c->going = false;
}

void copy_start(struct mirror *m)
{
	if (!m->copy.running)
		go_on(m);
}

void copy_missed(struct mirror *m, uint64_t region, unsigned legs)
{
	struct copy *c = &m->copy;

	m->nothing_to_copy = false;
	if (!c->running || c->region != region)
		return;
	c->targets &= ~legs;
	if (legs & 1U << c->source)
		c->targets = 0; /* what was read may be the wrong data */
}
