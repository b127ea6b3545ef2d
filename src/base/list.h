/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Doubly linked list, intrusive and circular.  A head and an unlinked node
 * both point to themselves, so list_del() of an unlinked node is harmless and
 * list_empty() also answers "is this node unlinked".
 *
 *	struct job { struct list link; };
 *	struct list jobs = LIST_INIT(jobs);
 *	list_append(&jobs, &job->link);
 *	list_for_each (job, &jobs, link) ...
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include "base/util.h"

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(name)                                                        \
	{                                                                      \
		&(name), &(name)                                               \
	}

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_insert_between_(struct list *n, struct list *prev,
					struct list *next)
{
	n->prev = prev;
	n->next = next;
	prev->next = n;
	next->prev = n;
}

/* Puts n at the tail of the list. */
static inline void list_append(struct list *head, struct list *n)
{
	list_insert_between_(n, head->prev, head);
}

/* Puts n at the front of the list. */
static inline void list_prepend(struct list *head, struct list *n)
{
	list_insert_between_(n, head, head->next);
}

/* Takes n out of whatever list it is in, and leaves it unlinked. */
static inline void list_del(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}

/* Moves all of `from` to the tail of `to`; `from` is empty afterwards. */
static inline void list_splice(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#define list_entry(node, type, member) container_of(node, type, member)

#define list_first(head, type, member)                                         \
	(list_empty(head) ? NULL : list_entry((head)->next, type, member))

#define list_last(head, type, member)                                          \
	(list_empty(head) ? NULL : list_entry((head)->prev, type, member))

/* The body must not unlink `pos`; see list_for_each_safe. */
#define list_for_each(pos, head, member)                                       \
	for (pos = list_entry((head)->next, __typeof__(*pos), member);         \
	     &pos->member != (head);                                           \
	     pos = list_entry(pos->member.next, __typeof__(*pos), member))

/* The body may unlink and free `pos`, and only that. */
#define list_for_each_safe(pos, tmp, head, member)                             \
	for (pos = list_entry((head)->next, __typeof__(*pos), member),         \
	    tmp = list_entry(pos->member.next, __typeof__(*pos), member);      \
	     &pos->member != (head); pos = tmp,                                \
	    tmp = list_entry(tmp->member.next, __typeof__(*tmp), member))

#endif
