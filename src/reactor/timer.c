/* SPDX-License-Identifier: Apache-2.0 */
#include "reactor/timer.h"

#include <stddef.h>

static bool before(const struct timer *a, const struct timer *b)
{
	return a->deadline != b->deadline ? a->deadline < b->deadline
					  : a->order < b->order;
}

/* Of two heaps, the later root becomes a child of the earlier one. */
static struct timer *meld(struct timer *a, struct timer *b)
{
	struct timer *swap;

	if (a == NULL)
		return b;
	if (b == NULL)
		return a;
	if (before(b, a)) {
		swap = a;
		a = b;
		b = swap;
	}
	b->prev = a;
	b->next = a->child;
	if (b->next != NULL)
		b->next->prev = b;
	a->child = b;
	return a;
}

/* Makes one heap of a list of siblings: pairs from the left, then all from the
 * right, which is what keeps removal at O(log n) amortised. */
static struct timer *meld_siblings(struct timer *list)
{
	struct timer *pairs = NULL, *root = NULL, *a, *b;

	while (list != NULL) {
		a = list;
		b = a->next;
		list = b != NULL ? b->next : NULL;
		a->next = NULL;
		if (b != NULL)
			b->next = NULL;
		a = meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs != NULL) {
		a = pairs;
		pairs = a->next;
		a->next = NULL;
		root = meld(root, a);
	}
	return root;
}

void timer_set(struct timers *h, struct timer *t, nsec deadline)
{
	timer_cancel(h, t);
	t->deadline = deadline;
	t->order = h->order++;
	t->set = true;
	t->child = t->next = t->prev = NULL;
	h->first = meld(h->first, t);
}

static void unlink_from_siblings(struct timer *t)
{
	if (t->prev->child == t)
		t->prev->child = t->next;
	else
		t->prev->next = t->next;
	if (t->next != NULL)
		t->next->prev = t->prev;
}

void timer_cancel(struct timers *h, struct timer *t)
{
	struct timer *rest;

	if (!t->set)
		return;
	t->set = false;
	rest = meld_siblings(t->child);
	if (t == h->first) {
		h->first = rest;
	} else {
		unlink_from_siblings(t);
		h->first = meld(h->first, rest);
	}
}

void timers_run(struct timers *h, nsec now)
{
	struct timer *t;

	while ((t = h->first) != NULL && t->deadline <= now) {
		timer_cancel(h, t);
		t->fire(t);
	}
}
