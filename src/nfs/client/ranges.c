/* SPDX-License-Identifier: Apache-2.0 */
#include "nfs/client/ranges.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"

bool range_from_length(uint64_t offset, uint64_t len, bool exclusive,
		       struct range *out)
{
	if (len == 0 || (len != UINT64_MAX && len - 1 > UINT64_MAX - offset))
		return false;
	out->first = offset;
	out->last = len == UINT64_MAX ? UINT64_MAX : offset + len - 1;
	out->exclusive = exclusive;
	return true;
}

uint64_t range_length(const struct range *r)
{
	return r->last == UINT64_MAX ? UINT64_MAX : r->last - r->first + 1;
}

/* An operation adds two at most: the new one, and the far side of a split. */
static int make_room(struct ranges *r)
{
	size_t room = MAX(2 * r->room, (size_t)4);
	struct range *v;

	if (r->n + 2 <= r->room)
		return 0;
	v = reallocarray(r->v, room, sizeof(*v));
	if (v == NULL)
		return -ENOMEM;
	r->v = v;
	r->room = room;
	return 0;
}

static void remove_at(struct ranges *r, size_t i)
{
	r->n--;
	memmove(&r->v[i], &r->v[i + 1], (r->n - i) * sizeof(*r->v));
}

static void insert_at(struct ranges *r, size_t i, struct range range)
{
	memmove(&r->v[i + 1], &r->v[i], (r->n - i) * sizeof(*r->v));
	r->v[i] = range;
	r->n++;
}

/* Takes [first, last] out; the index where it would stand. */
static size_t carve(struct ranges *r, uint64_t first, uint64_t last)
{
	size_t i = 0;

	while (i < r->n && r->v[i].last < first)
		i++;
	if (i < r->n && r->v[i].first < first) {
		struct range far = r->v[i];

		r->v[i++].last = first - 1;
		if (far.last > last) {
			far.first = last + 1;
			insert_at(r, i, far);
			return i;
		}
	}
	while (i < r->n && r->v[i].last <= last)
		remove_at(r, i);
	if (i < r->n && r->v[i].first <= last)
		r->v[i].first = last + 1;
	return i;
}

static bool mergeable(const struct range *a, const struct range *b)
{
	return a->exclusive == b->exclusive && a->last != UINT64_MAX &&
	       a->last + 1 == b->first;
}

int ranges_set(struct ranges *r, struct range range)
{
	size_t i;

	if (make_room(r) < 0)
		return -ENOMEM;
	i = carve(r, range.first, range.last);
	insert_at(r, i, range);
	if (i + 1 < r->n && mergeable(&r->v[i], &r->v[i + 1])) {
		r->v[i].last = r->v[i + 1].last;
		remove_at(r, i + 1);
	}
	if (i > 0 && mergeable(&r->v[i - 1], &r->v[i])) {
		r->v[i - 1].last = r->v[i].last;
		remove_at(r, i);
	}
	return 0;
}

int ranges_clear(struct ranges *r, struct range range)
{
	if (make_room(r) < 0)
		return -ENOMEM;
	carve(r, range.first, range.last);
	return 0;
}

void ranges_fini(struct ranges *r)
{
	free(r->v);
	*r = (struct ranges){};
}
