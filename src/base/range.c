/* SPDX-License-Identifier: Apache-2.0 */
#include "base/range.h"

void range_lock_init(struct range_lock *l)
{
	list_init(&l->held);
	list_init(&l->waiting);
}

static bool conflict(const struct range_hold *a, const struct range_hold *b)
{
	return a->start < b->end && b->start < a->end &&
	       !(a->shared && b->shared);
}

/* Nobody holds what it needs, nor waits for it longer. */
static bool is_free(const struct range_lock *l, const struct range_hold *h)
{
	const struct range_hold *other;

	list_for_each (other, &l->held, link)
		if (conflict(other, h))
			return false;
	list_for_each (other, &l->waiting, link) {
		if (other == h)
			return true;
		if (conflict(other, h))
			return false;
	}
	return true;
}

bool range_take(struct range_lock *l, struct range_hold *h)
{
	bool free = is_free(l, h);

	list_append(free ? &l->held : &l->waiting, &h->link);
	return free;
}

static struct range_hold *next_granted(struct range_lock *l)
{
	struct range_hold *h;

	list_for_each (h, &l->waiting, link)
		if (is_free(l, h))
			return h;
	return NULL;
}

void range_release(struct range_lock *l, struct range_hold *h)
{
	list_del(&h->link);
	while ((h = next_granted(l)) != NULL) {
		list_del(&h->link);
		list_append(&l->held, &h->link);
		h->granted(h);
	}
}
