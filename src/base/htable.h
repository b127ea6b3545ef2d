/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hash table, intrusive and chained; grows and shrinks with its contents.
 * The caller hashes and compares; the table owns only its array of buckets.
 *
 *	struct htable t = {};
 *	htable_insert(&t, &obj->node, hash_u64(obj->id));
 *	htable_for_each_match (obj, &t, hash_u64(id), node)
 *		if (obj->id == id)
 *			return obj;
 *
 * Not synchronised: whoever owns the table says which lock guards it.
 */
#ifndef BASE_HTABLE_H
#define BASE_HTABLE_H

#include "base/util.h"

struct hnode {
	struct hnode *next;
	uint64_t hash;
};

struct htable {
	struct hnode **buckets; /* NULL as long as the table is empty */
	size_t size;		/* buckets; a power of two or 0 */
	size_t count;		/* nodes */
};

/* Inserts; does not look for equal nodes.  Aborts when memory runs out for the
 * very first bucket array; later growth that fails only costs speed. */
void htable_insert(struct htable *t, struct hnode *n, uint64_t hash);

/* Removes a node that is in the table. */
void htable_remove(struct htable *t, struct hnode *n);

/* Frees the buckets.  The nodes are the caller's. */
void htable_fini(struct htable *t);

/* First node with this hash, and the next one after n with n's hash. */
struct hnode *htable_first(const struct htable *t, uint64_t hash);
struct hnode *htable_next(const struct hnode *n);

/* Any order; to remove the current node while walking, take it out with
 * htable_remove() only through htable_pop(). */
struct hnode *htable_iterate(const struct htable *t, const struct hnode *after);

/* Removes and returns some node, NULL when empty: to tear down. */
struct hnode *htable_pop(struct htable *t);

#define hnode_entry_(n, type, member)                                          \
	({                                                                     \
		struct hnode *entry_n_ = (n);                                  \
		entry_n_ ? container_of(entry_n_, type, member) : NULL;        \
	})

#define htable_for_each_match(pos, table, hash, member)                        \
	for (pos = hnode_entry_(htable_first(table, hash), __typeof__(*pos),   \
				member);                                       \
	     pos != NULL; pos = hnode_entry_(htable_next(&pos->member),        \
					     __typeof__(*pos), member))

#define htable_for_each(pos, table, member)                                    \
	for (pos = hnode_entry_(htable_iterate(table, NULL), __typeof__(*pos), \
				member);                                       \
	     pos != NULL;                                                      \
	     pos = hnode_entry_(htable_iterate(table, &pos->member),           \
				__typeof__(*pos), member))

#define htable_pop_entry(table, type, member)                                  \
	hnode_entry_(htable_pop(table), type, member)

#endif
