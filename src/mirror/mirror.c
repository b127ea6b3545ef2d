/* SPDX-License-Identifier: Apache-2.0 */
#include "mirror/internal.h"

uint64_t mirror_region_size(uint64_t size)
{
	uint64_t region = MIRROR_REGION_MIN;

	while ((size + region - 1) / region > MIRROR_REGIONS_MAX)
		region *= 2;
	return region;
}

uint32_t mirror_regions(uint64_t size)
{
	uint64_t region = mirror_region_size(size);

	return (uint32_t)((size + region - 1) / region);
}

/* ---------------------------------------------------------------- life cycle
 */

/* A crash in the middle of writes: one leg's data are chosen, for good.  The
 * region stays active until they are on its medium. */
static void choose_data(struct mirror *m, uint64_t region)
{
	unsigned good = good_legs(m, region);

	if (!(m->region[region].now & MIRROR_ACTIVE))
		return;
	map_set(m, region, all_legs(m) & ~(good & -good));
}

static int take_map(struct mirror *m, const uint8_t *map, unsigned *missing)
{
	for (uint32_t i = 0; i < m->regions; i++) {
		struct region *r = &m->region[i];

		r->disk = map[i] & (MIRROR_ACTIVE | all_legs(m));
		map_set(m, i, r->disk);
		if (good_legs(m, i) == 0) {
			*missing = all_legs(m) & ~r->now;
			return *missing != 0 ? -ENODATA : -EINVAL;
		}
		choose_data(m, i);
	}
	return 0;
}

static int allocate(struct mirror *m)
{
	uint32_t pages = (m->regions + MIRROR_PAGE - 1) / MIRROR_PAGE;

	m->region = calloc(m->regions, sizeof(*m->region));
	m->save = malloc(MIRROR_PAGE);
	m->dirty = calloc(pages / 64 + 1, sizeof(*m->dirty));
	m->copy.buffer = malloc(MIRROR_COPY);
	return m->region != NULL && m->save != NULL && m->dirty != NULL &&
			       m->copy.buffer != NULL
		       ? 0
		       : -ENOMEM;
}

void mirror_destroy(struct mirror *m)
{
	free(m->region);
	free(m->save);
	free(m->dirty);
	free(m->copy.buffer);
	free(m);
}

int mirror_create(unsigned legs, uint64_t size, const uint8_t *map, unsigned up,
		  const struct mirror_operations *ops, void *arg,
		  struct mirror **out, unsigned *missing)
{
	struct mirror *m = calloc(1, sizeof(*m));
	int rc;

	if (m == NULL)
		return -ENOMEM;
	m->ops = ops;
	m->arg = arg;
	m->legs = legs;
	m->up = up;
	m->size = size;
	m->shift = (unsigned)__builtin_ctzll(mirror_region_size(size));
	m->regions = mirror_regions(size);
	range_lock_init(&m->ranges);
	list_init(&m->unsaved);
	rc = allocate(m);
	if (rc == 0)
		rc = take_map(m, map, missing);
	if (rc < 0) {
		mirror_destroy(m);
		return rc;
	}
	*out = m;
	map_save(m);
	return 0;
}

void mirror_quiesce(struct mirror *m)
{
	m->quiet = true;
}

bool mirror_is_idle(const struct mirror *m)
{
	return m->requests == 0 && !m->saving && !m->cleaning &&
	       !m->copy.running;
}

/* --------------------------------------------------------------------- legs */

bool mirror_can_lose(const struct mirror *m, unsigned leg)
{
	for (uint64_t i = 0; i < m->regions; i++)
		if ((good_legs(m, i) & ~(1U << leg)) == 0)
			return false;
	return true;
}

void mirror_leg_down(struct mirror *m, unsigned leg)
{
	unsigned bit = 1U << leg;

	assert(m->up & bit && mirror_can_lose(m, leg));
	for (uint64_t i = 0; i < m->regions; i++)
		if (m->region[i].now & MIRROR_ACTIVE)
			map_set_stale(m, i, bit);
	if (m->copy.running)
		copy_missed(m, m->copy.region, bit);
	m->up &= ~bit;
	map_save(m);
}

void mirror_leg_up(struct mirror *m, unsigned leg)
{
	m->up |= 1U << leg;
	m->nothing_to_copy = false;
	copy_start(m);
}

void mirror_tick(struct mirror *m)
{
	if (m->quiet)
		return;
	for (uint64_t i = 0; i < m->regions; i++)
		m->region[i].postponed = false;
	m->nothing_to_copy = false;
	map_save(m);
	clean_start(m);
	copy_start(m);
}

/* ------------------------------------------------------------------- reports
 */

void mirror_get_info(const struct mirror *m, struct mirror_info *out)
{
	*out = (struct mirror_info){ .up = m->up,
				     .regions = m->regions,
				     .copied = m->copied };
	for (uint64_t i = 0; i < m->regions; i++)
		out->active += (m->region[i].now & MIRROR_ACTIVE) != 0;
	memcpy(out->stale, m->stale, sizeof(out->stale));
}

void mirror_check(const struct mirror *m)
{
	uint32_t stale[MIRROR_LEGS_MAX] = {};

	for (uint64_t i = 0; i < m->regions; i++) {
		const struct region *r = &m->region[i];

		assert(good_legs(m, i) != 0);
		assert(r->writers == 0 || r->now & MIRROR_ACTIVE);
		for (unsigned leg = 0; leg < m->legs; leg++)
			stale[leg] += r->now >> leg & 1;
	}
	assert(memcmp(stale, m->stale, sizeof(stale)) == 0);
}
