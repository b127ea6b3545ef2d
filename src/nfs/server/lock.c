/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Byte-range locks of a file, with POSIX's rules (RFC 8881 9.1 to 9.6): a new
 * lock of the same owner replaces what it covers, which splits and merges its
 * ranges; unlocking clears any part.
 *
 * A file's ranges are one list in the order of their starts.  Invariants, see
 * nfsd_ranges_check(): ranges of one state neither overlap nor touch ranges of
 * the same state and kind; ranges of different owners overlap only if both are
 * read locks.
 *
 * Blocking locks: the protocol has no waiting, clients ask again, and wait
 * longer each time.  So that who came last does not always win, a denied
 * blocking lock is remembered until it can be expected to have been asked for
 * again, and later blocking locks queue up behind it (RFC 8881 9.6).
 */
#include <errno.h>

#include "nfs/server/internal.h"

static bool overlaps(const struct nfsd_range *r, uint64_t start, uint64_t end)
{
	return r->start <= end && start <= r->end;
}

static bool same_owner(const struct nfsd_state *s,
		       const struct nfsd_owner_ref *who)
{
	return s->owner->client->id == who->client &&
	       s->owner->len == who->name.len &&
	       (who->name.len == 0 ||
		memcmp(s->owner->name, who->name.data, who->name.len) == 0);
}

struct nfsd_range *nfsd_range_conflict(const struct nfsd_file *f,
				       const struct nfsd_owner_ref *who,
				       uint64_t start, uint64_t end, bool write)
{
	struct nfsd_range *r;

	list_for_each (r, &f->ranges, by_file) {
		if (r->start > end)
			return NULL;
		if (overlaps(r, start, end) && (write || r->write) &&
		    !same_owner(r->state, who))
			return r;
	}
	return NULL;
}

static void count(struct nfsd_state *s, int n)
{
	s->owner->client->nranges += n;
	atomic_fetch_add(&s->owner->client->srv->held,
			 n * sizeof(struct nfsd_range));
}

static void insert(struct nfsd_file *f, struct nfsd_range *new)
{
	struct nfsd_range *r;

	list_for_each (r, &f->ranges, by_file)
		if (r->start > new->start)
			break;
	list_append(&r->by_file, &new->by_file); /* in front of r, or the end */
	list_append(&new->state->ranges, &new->by_state);
	count(new->state, 1);
}

static void drop(struct nfsd_range *r)
{
	count(r->state, -1);
	list_del(&r->by_file);
	list_del(&r->by_state);
	free(r);
}

static struct nfsd_range *range_new(struct nfsd_state *s, uint64_t start,
				    uint64_t end, bool write)
{
	struct nfsd_range *r = malloc(sizeof(*r));

	if (r == NULL)
		return NULL;
	r->state = s;
	r->start = start;
	r->end = end;
	r->write = write;
	list_init(&r->by_file);
	list_init(&r->by_state);
	return r;
}

/* Cuts [start, end] out of the state's ranges.  `spare` becomes the right part
 * if one range is split in two; true if it was used. */
static bool cut_out(struct nfsd_state *s, uint64_t start, uint64_t end,
		    struct nfsd_range *spare)
{
	struct nfsd_range *r, *tmp;
	bool split = false;

	list_for_each_safe (r, tmp, &s->ranges, by_state) {
		if (!overlaps(r, start, end))
			continue;
		if (r->start < start && r->end > end) {
			spare->start = end + 1;
			spare->end = r->end;
			spare->write = r->write;
			r->end = start - 1;
			split = true;
			break;
		}
		if (r->start >= start && r->end <= end) {
			drop(r);
		} else if (r->start < start) {
			r->end = start - 1;
		} else { /* its start moves: it may have to move behind others
			  */
			struct nfsd_file *f = s->file;

			r->start = end + 1;
			list_del(&r->by_file);
			list_del(&r->by_state);
			count(s, -1);
			insert(f, r);
		}
	}
	if (split)
		insert(s->file, spare);
	return split;
}

/* Swallows neighbours of the same kind that touch the new range. */
static void merge(struct nfsd_state *s, struct nfsd_range *new)
{
	struct nfsd_range *r, *tmp;

	list_for_each_safe (r, tmp, &s->ranges, by_state) {
		if (r == new || r->write != new->write)
			continue;
		if (r->end != UINT64_MAX && r->end + 1 == new->start)
			new->start = r->start;
		else if (new->end != UINT64_MAX &&new->end + 1 == r->start)
			new->end = r->end;
		else
			continue;
		drop(r);
	}
}

static bool too_many(const struct nfsd_client *c)
{
	return c->nranges + 2 > NFSD_MAX_RANGES ||
	       atomic_load(&c->srv->held) >= NFSD_HELD_BYTES;
}

static bool splits(const struct nfsd_state *s, uint64_t start, uint64_t end)
{
	const struct nfsd_range *r;

	list_for_each (r, &s->ranges, by_state)
		if (r->start < start && r->end > end)
			return true;
	return false;
}

int nfsd_range_set(struct nfsd_state *s, uint64_t start, uint64_t end,
		   bool write, bool unlock)
{
	struct nfsd_range *new = NULL, *spare;

	if (too_many(s->owner->client) && (!unlock || splits(s, start, end)))
		return -ENOMEM;
	spare = range_new(s, 0, 0, false);
	if (!unlock)
		new = range_new(s, start, end, write);
	if (spare == NULL || (new == NULL && !unlock)) {
		free(spare);
		free(new);
		return -ENOMEM;
	}
	if (!cut_out(s, start, end, spare))
		free(spare);
	if (new != NULL) {
		merge(s, new);
		insert(s->file, new);
	}
	return 0;
}

void nfsd_range_drop_all(struct nfsd_state *s)
{
	struct nfsd_range *r, *tmp;

	list_for_each_safe (r, tmp, &s->ranges, by_state)
		drop(r);
}

void nfsd_ranges_check(const struct nfsd_file *f)
{
	const struct nfsd_range *a, *b;

	list_for_each (a, &f->ranges, by_file) {
		assert(a->start <= a->end);
		assert(a->state->file == f);
		list_for_each (b, &f->ranges, by_file) {
			if (a == b)
				continue;
			if (a->state == b->state) {
				assert(!overlaps(a, b->start, b->end));
				assert(a->write != b->write ||
				       a->end == UINT64_MAX ||
				       a->end + 1 != b->start);
			} else if (overlaps(a, b->start, b->end)) {
				assert(!a->write && !b->write);
			}
		}
		if (a->by_file.next != &f->ranges)
			assert(a->start <= list_entry(a->by_file.next,
						      struct nfsd_range,
						      by_file)
						   ->start);
	}
}

/* -------------------------------------------------------- blocking locks */

/* A waiter that has not asked for so long has given up. */
#define FORGET SEC(90)

static struct nfsd_owner_ref waiter_owner(const struct nfsd_waiter *w)
{
	return (struct nfsd_owner_ref){ .client = w->client,
					 .name = { w->owner, w->len } };
}

static bool is_owner(const struct nfsd_waiter *w,
		     const struct nfsd_owner_ref *who)
{
	return w->client == who->client &&
	       xdr_bytes_equal(waiter_owner(w).name, who->name);
}

static void waiter_drop(struct nfsd_file *f, struct nfsd_waiter *w)
{
	list_del(&w->by_file);
	f->nwaiters--;
	nfsd_unhold(f->srv, sizeof(*w) + w->len);
	free(w);
}

static struct nfsd_waiter *waiter_find(struct nfsd_file *f,
				       const struct nfsd_owner_ref *who,
				       uint64_t start, uint64_t end)
{
	struct nfsd_waiter *w;

	list_for_each (w, &f->waiters, by_file)
		if (is_owner(w, who) && w->start == start && w->end == end)
			return w;
	return NULL;
}

static struct nfsd_waiter *waiter_new(struct nfsd_file *f,
				      const struct nfsd_owner_ref *who,
				      uint64_t start, uint64_t end, nsec now)
{
	struct nfsd_waiter *w;

	if (f->nwaiters >= NFSD_MAX_WAITERS ||
	    !nfsd_hold(f->srv, sizeof(*w) + who->name.len))
		return NULL;
	w = calloc(1, sizeof(*w) + who->name.len);
	if (w == NULL) {
		nfsd_unhold(f->srv, sizeof(*w) + who->name.len);
		return NULL;
	}
	w->client = who->client;
	w->export = who->export;
	w->start = start;
	w->end = end;
	w->asked = now;
	w->len = who->name.len;
	if (w->len > 0)
		memcpy(w->owner, who->name.data, w->len);
	list_append(&f->waiters, &w->by_file);
	f->nwaiters++;
	return w;
}

/* When too many wait, or memory is short, one is not remembered: it only loses
 * its place in the queue. */
void nfsd_waiter_note(struct nfsd_file *f, const struct nfsd_owner_ref *who,
		      uint64_t start, uint64_t end, bool write, nsec now)
{
	struct nfsd_waiter *w = waiter_find(f, who, start, end);

	if (w == NULL)
		w = waiter_new(f, who, start, end, now);
	if (w == NULL)
		return;
	w->write = write;
	w->told = false;
	w->deadline = now + 2 * (now - w->asked) + SEC(2);
	w->asked = now;
}

bool nfsd_waiter_before(struct nfsd_file *f, const struct nfsd_owner_ref *who,
			uint64_t start, uint64_t end, bool write, nsec now)
{
	struct nfsd_waiter *w, *tmp;

	list_for_each_safe (w, tmp, &f->waiters, by_file) {
		if (now - w->asked > FORGET) {
			waiter_drop(f, w);
			continue;
		}
		if (is_owner(w, who))
			return false;
		if (w->deadline >= now && w->start <= end && start <= w->end &&
		    (write || w->write))
			return true;
	}
	return false;
}

void nfsd_waiter_forget(struct nfsd_file *f, const struct nfsd_owner_ref *who,
			uint64_t start, uint64_t end)
{
	struct nfsd_waiter *w = waiter_find(f, who, start, end);

	if (w != NULL)
		waiter_drop(f, w);
}

void nfsd_waiters_drop(struct nfsd_file *f)
{
	struct nfsd_waiter *w, *tmp;

	list_for_each_safe (w, tmp, &f->waiters, by_file)
		waiter_drop(f, w);
}

struct nfsd_waiter *nfsd_waiter_next_free(struct nfsd_file *f, nsec now)
{
	struct nfsd_waiter *w, *copy;

	list_for_each (w, &f->waiters, by_file) {
		struct nfsd_owner_ref who = waiter_owner(w);

		if (w->told ||
		    nfsd_range_conflict(f, &who, w->start, w->end, w->write))
			continue;
		copy = malloc(sizeof(*copy) + w->len);
		if (copy == NULL)
			return NULL;
		w->told = true;
		w->deadline = now + SEC(2); /* to ask again in */
		memcpy(copy, w, sizeof(*w) + w->len);
		return copy;
	}
	return NULL;
}
