/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The map, in memory and on disk.  It is saved in pages, one at a time; all who
 * need a page wait for the same save (group commit).  What a save has in it
 * when it begins counts as on disk when it is done; what it takes away, from
 * its beginning, since nobody knows when that comes true.
 */
#include "mirror/internal.h"

static void mark(struct mirror *m, uint64_t region)
{
	uint64_t page = region / MIRROR_PAGE;

	m->dirty[page / 64] |= 1ULL << page % 64;
}

void map_set(struct mirror *m, uint64_t region, unsigned bits)
{
	struct region *r = &m->region[region];

	if ((r->now & bits) == bits)
		return;
	for (unsigned i = 0; i < m->legs; i++)
		m->stale[i] += (bits & ~r->now) >> i & 1;
	m->stale_unsaved |= (bits & ~r->now & all_legs(m)) != 0;
	r->now |= bits;
	mark(m, region);
}

void map_clear(struct mirror *m, uint64_t region, unsigned bits)
{
	struct region *r = &m->region[region];

	if ((r->now & bits) == 0)
		return;
	for (unsigned i = 0; i < m->legs; i++)
		m->stale[i] -= (bits & r->now) >> i & 1;
	r->now &= ~bits;
	mark(m, region);
}

static bool is_saved(const struct region *r, unsigned bits)
{
	return (r->now & ~r->disk & bits) == 0;
}

/* What a flush promises must not depend on a leg that is stale. */
static bool stale_is_saved(struct mirror *m)
{
	for (uint64_t i = 0; i < m->regions && m->stale_unsaved; i++)
		if (!is_saved(&m->region[i], all_legs(m)))
			return false;
	m->stale_unsaved = false;
	return true;
}

bool map_suffices(const struct mirror_request *r)
{
	struct mirror *m = r->mirror;

	switch (r->op) {
	case MIRROR_READ:
		/* What is read is not chosen otherwise after a crash. */
		return is_saved(&m->region[r->region], all_legs(m));
	case MIRROR_WRITE:
		return is_saved(&m->region[r->region], ~0U);
	case MIRROR_FLUSH:
		return stale_is_saved(m);
	}
	return false;
}

bool map_set_stale(struct mirror *m, uint64_t region, unsigned legs)
{
	if ((good_legs(m, region) & ~legs) == 0)
		return false;
	map_set(m, region, legs);
	copy_missed(m, region, legs);
	return true;
}

/* The next page that has changed; -1: none. */
static int64_t find_dirty(const struct mirror *m)
{
	uint64_t pages = (m->regions + MIRROR_PAGE - 1) / MIRROR_PAGE;

	for (uint64_t i = 0; i < (pages + 63) / 64; i++)
		if (m->dirty[i] != 0)
			return (int64_t)(i * 64 + __builtin_ctzll(m->dirty[i]));
	return -1;
}

void map_save(struct mirror *m)
{
	int64_t page = find_dirty(m);

	if (m->saving || page < 0)
		return;
	m->dirty[page / 64] &= ~(1ULL << page % 64);
	m->save_offset = (uint32_t)page * MIRROR_PAGE;
	m->save_len = MIN((uint32_t)MIRROR_PAGE, m->regions - m->save_offset);
	for (uint32_t i = 0; i < m->save_len; i++) {
		struct region *r = &m->region[m->save_offset + i];

		m->save[i] = r->now;
		r->disk &= r->now; /* until it is done, or if it fails */
	}
	m->saving = true;
	m->ops->save(m->arg, m->save, m->save_offset, m->save_len);
}

/* Those go on for which it is enough; or, when it failed, all that waited for
 * that page: it is tried again with the next change or tick. */
static void wake(struct mirror *m, int error)
{
	struct mirror_request *r, *next;
	struct list go;

	list_init(&go);
	list_for_each_safe (r, next, &m->unsaved, link) {
		bool hit = r->op == MIRROR_FLUSH ||
			   r->region - m->save_offset < m->save_len;

		if (map_suffices(r) || (error < 0 && hit)) {
			list_del(&r->link);
			list_append(&go, &r->link);
		}
	}
	while ((r = list_first(&go, struct mirror_request, link))) {
		list_del(&r->link);
		request_continue(r, map_suffices(r) ? 0 : error);
	}
}

void mirror_saved(struct mirror *m, int error)
{
	assert(m->saving);
	m->saving = false;
	for (uint32_t i = 0; i < m->save_len && error == 0; i++)
		m->region[m->save_offset + i].disk = m->save[i];
	if (error < 0)
		mark(m, m->save_offset);
	wake(m, error);
	if (error == 0)
		map_save(m);
}
