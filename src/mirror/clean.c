/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A region that was not written for a while stops to be active: a flush brings
 * to the media what the legs have of it, and if nobody wrote there meanwhile,
 * they are the same from then on, also after a crash of any of them.
 */
#include "mirror/internal.h"

static bool note_resting(struct mirror *m)
{
	bool any = false;

	for (uint64_t i = 0; i < m->regions; i++) {
		struct region *r = &m->region[i];

		if ((r->now & MIRROR_ACTIVE) && r->writers == 0 && !r->recent)
			any = r->cleaning = true;
		r->recent = false;
	}
	return any;
}

static void clean(struct mirror *m)
{
	m->cleaning = false;
	for (uint64_t i = 0; i < m->regions; i++) {
		struct region *r = &m->region[i];

		if (r->cleaning && !m->clean_failed && r->writers == 0)
			map_clear(m, i, MIRROR_ACTIVE);
		r->cleaning = false;
	}
	map_save(m);
}

static void clean_flushed(struct mirror_io *io, int error)
{
	struct mirror *m = io->mirror;

	m->clean_failed |= error < 0;
	if (--m->clean_pending == 0)
		clean(m);
}

void clean_start(struct mirror *m)
{
	unsigned up = m->up;

	if (m->cleaning || !note_resting(m))
		return;
	m->cleaning = true;
	m->clean_failed = false;
	m->clean_pending = 1; /* ours */
	for (unsigned i = 0; i < m->legs; i++) {
		if (!(up & 1U << i))
			continue;
		m->clean_pending++;
		m->clean_io[i] = (struct mirror_io){ .leg = i,
						     .op = MIRROR_FLUSH,
						     .done = clean_flushed };
		io_start(m, &m->clean_io[i]);
	}
	if (--m->clean_pending == 0)
		clean(m);
}
