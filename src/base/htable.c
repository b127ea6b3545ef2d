/* SPDX-License-Identifier: Apache-2.0 */
#include "base/htable.h"

enum { MIN_SIZE = 16 };

static struct hnode **bucket(const struct htable *t, uint64_t hash)
{
	return &t->buckets[hash & (t->size - 1)];
}

/* Keeps the old array when there is no memory for the new one. */
static void resize(struct htable *t, size_t size)
{
	struct hnode **old = t->buckets;
	size_t old_size = t->size;
	struct hnode **fresh = calloc(size, sizeof(*fresh));

	if (fresh == NULL)
		return;
	t->buckets = fresh;
	t->size = size;
	for (size_t i = 0; i < old_size; i++) {
		struct hnode *n, *next;

		for (n = old[i]; n != NULL; n = next) {
			struct hnode **b = bucket(t, n->hash);

			next = n->next;
			n->next = *b;
			*b = n;
		}
	}
	free(old);
}

void htable_insert(struct htable *t, struct hnode *n, uint64_t hash)
{
	struct hnode **b;

	if (t->count >= t->size)
		resize(t, MAX((size_t)MIN_SIZE, t->size * 2));
	if (t->size == 0)
		abort();
	n->hash = hash;
	b = bucket(t, hash);
	n->next = *b;
	*b = n;
	t->count++;
}

void htable_remove(struct htable *t, struct hnode *n)
{
	struct hnode **p = bucket(t, n->hash);

	while (*p != n)
		p = &(*p)->next;
	*p = n->next;
	n->next = NULL;
	t->count--;
	if (t->size > MIN_SIZE && t->count < t->size / 8)
		resize(t, t->size / 4);
}

void htable_fini(struct htable *t)
{
	free(t->buckets);
	*t = (struct htable){};
}

struct hnode *htable_first(const struct htable *t, uint64_t hash)
{
	struct hnode *n;

	if (t->size == 0)
		return NULL;
	for (n = *bucket(t, hash); n != NULL && n->hash != hash; n = n->next)
		;
	return n;
}

struct hnode *htable_next(const struct hnode *n)
{
	struct hnode *m;

	for (m = n->next; m != NULL && m->hash != n->hash; m = m->next)
		;
	return m;
}

struct hnode *htable_iterate(const struct htable *t, const struct hnode *after)
{
	size_t i = 0;

	if (after != NULL) {
		if (after->next != NULL)
			return after->next;
		i = (after->hash & (t->size - 1)) + 1;
	}
	for (; i < t->size; i++) {
		if (t->buckets[i] != NULL)
			return t->buckets[i];
	}
	return NULL;
}

struct hnode *htable_pop(struct htable *t)
{
	struct hnode *n = htable_iterate(t, NULL);

	if (n != NULL)
		htable_remove(t, n);
	return n;
}
