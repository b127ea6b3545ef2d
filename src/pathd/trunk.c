/* SPDX-License-Identifier: Apache-2.0 */
#include "pathd/trunk.h"

#include <stdio.h>
#include <string.h>

void trunks_init(struct trunks *ts, struct targets *targets)
{
	*ts = (struct trunks){ .targets = targets };
	list_init(&ts->all);
}

static void set_state(struct transport *t, enum transport_state state, nsec now)
{
	t->state = state;
	t->since = now;
}

/* *place has one user, as before. */
static void replace(struct target **place, struct target *by)
{
	if (by != NULL)
		by->users++;
	if (*place != NULL)
		target_put(*place);
	*place = by;
}

/* ------------------------------------------------------------------- scans */

static struct trunk *find_trunk(struct trunks *ts, const char *name)
{
	struct trunk *k;

	list_for_each (k, &ts->all, link)
		if (strcmp(k->name, name) == 0)
			return k;
	k = calloc(1, sizeof(*k));
	if (k == NULL)
		return NULL;
	snprintf(k->name, sizeof(k->name), "%s", name);
	list_init(&k->transports);
	list_append(&ts->all, &k->link);
	return k;
}

static struct transport *find_transport(const struct trunk *k,
					const struct trunk_seen *seen)
{
	struct transport *t;

	list_for_each (t, &k->transports, link)
		if (t->inode == seen->inode && strcmp(t->name, seen->name) == 0)
			return t;
	return NULL;
}

static void transport_destroy(struct trunks *ts, struct transport *t)
{
	list_del(&t->link);
	replace(&t->home, NULL);
	replace(&t->at, NULL);
	replace(&t->goal, NULL);
	ts->count--;
	free(t);
}

static struct transport *add_transport(struct trunks *ts, struct trunk *k,
				       const struct trunk_seen *seen, nsec now)
{
	const struct addr *home = seen->home.len ? &seen->home : &seen->addr;
	struct transport *t;

	if (ts->count == TRANSPORTS_MAX)
		return NULL;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	t->trunk = k;
	t->inode = seen->inode;
	t->pause = MOVE_PAUSE_MIN;
	snprintf(t->name, sizeof(t->name), "%s", seen->name);
	list_append(&k->transports, &t->link);
	ts->count++;
	t->home = target_get(ts->targets, TARGET_NFS, home);
	t->at = target_get(ts->targets, TARGET_NFS, &seen->addr);
	if (t->home == NULL || t->at == NULL) {
		transport_destroy(ts, t);
		return NULL;
	}
	t->falls = t->at->falls;
	set_state(t, t->at == t->home ? TRANSPORT_HOME : TRANSPORT_AWAY, now);
	return t;
}

bool trunk_seen_at(const struct trunk_seen *s, const struct addr *a)
{
	return s->guessed ? addr_same_host(&s->addr, a)
			  : addr_equal(&s->addr, a);
}

/* It is where nobody has moved it to from here: somebody else did, and meant
 * it. */
static bool settle(struct trunks *ts, struct transport *t,
		   const struct addr *addr, nsec now)
{
	struct target *at = target_get(ts->targets, TARGET_NFS, addr);

	if (at == NULL)
		return false;
	replace(&t->at, at);
	replace(&t->home, at);
	target_put(at);
	t->falls = at->falls;
	set_state(t, TRANSPORT_HOME, now);
	return true;
}

bool trunks_see(struct trunks *ts, const struct trunk_seen *seen, nsec now)
{
	struct trunk *k = find_trunk(ts, seen->trunk);
	struct transport *t = k ? find_transport(k, seen) : NULL;

	if (k != NULL && t == NULL)
		t = add_transport(ts, k, seen, now);
	if (t == NULL)
		return false;
	t->seen = true;
	t->pending = seen->pending;
	t->connected = seen->connected;
	if (t->state != TRANSPORT_MOVING && !trunk_seen_at(seen, &t->at->addr))
		return settle(ts, t, &seen->addr, now);
	return true;
}

void trunks_scan_begin(struct trunks *ts)
{
	struct transport *t;
	struct trunk *k;

	list_for_each (k, &ts->all, link)
		list_for_each (t, &k->transports, link)
			t->seen = false;
}

/* Those that move are somebody's: transport_moved() frees them. */
static void forget_unseen(struct trunks *ts, struct trunk *k)
{
	struct transport *t, *next;

	list_for_each_safe (t, next, &k->transports, link) {
		t->gone = !t->seen;
		if (t->gone && t->state != TRANSPORT_MOVING)
			transport_destroy(ts, t);
	}
}

static void drop_if_empty(struct trunk *k)
{
	if (!list_empty(&k->transports))
		return;
	list_del(&k->link);
	free(k);
}

void trunks_scan_end(struct trunks *ts)
{
	struct trunk *k, *next;

	list_for_each_safe (k, next, &ts->all, link) {
		forget_unseen(ts, k);
		drop_if_empty(k);
	}
}

void trunks_fini(struct trunks *ts)
{
	struct transport *t, *next_transport;
	struct trunk *k, *next;

	list_for_each_safe (k, next, &ts->all, link) {
		list_for_each_safe (t, next_transport, &k->transports, link)
			transport_destroy(ts, t);
		drop_if_empty(k);
	}
}

bool trunks_known(const struct trunks *ts, const char *name, uint64_t inode)
{
	struct transport *t;
	struct trunk *k;

	list_for_each (k, &ts->all, link)
		list_for_each (t, &k->transports, link)
			if (t->inode == inode && strcmp(t->name, name) == 0)
				return true;
	return false;
}

/* --------------------------------------------------------------- decisions */

bool trunk_is_wide(const struct trunk *k)
{
	const struct target *first = NULL;
	struct transport *t;

	list_for_each (t, &k->transports, link) {
		if (first == NULL)
			first = t->home;
		if (t->home != first || t->at != first)
			return true;
	}
	return false;
}

static bool is_given_up(const struct target *t, nsec patience, nsec now)
{
	return t->failures >= TARGET_FAILURES &&
	       now - t->failing_since >= patience;
}

bool trunk_is_settled(const struct trunk *k, nsec patience, nsec now)
{
	struct transport *t;

	list_for_each (t, &k->transports, link) {
		if (t->state == TRANSPORT_MOVING ||
		    t->at->state != TARGET_ANSWERING)
			return false;
		if (t->state == TRANSPORT_AWAY &&
		    !is_given_up(t->home, patience, now))
			return false;
	}
	return true;
}

/* Linux keeps the port, and takes IPv4 alone. */
static bool can_move(const struct transport *t, const struct target *to)
{
	return t->at->addr.sa.sa_family == AF_INET &&
	       to->addr.sa.sa_family == AF_INET &&
	       addr_port(&t->at->addr) == addr_port(&to->addr);
}

static unsigned crowd(const struct trunk *k, const struct target *at)
{
	struct transport *t;
	unsigned n = 0;

	list_for_each (t, &k->transports, link)
		n += t->goal ? t->goal == at : t->at == at;
	return n;
}

/* Of the homes that are alive while this one is dead, that with the fewest
 * transports. */
static struct target *find_refuge(const struct transport *t)
{
	struct target *best = NULL;
	struct transport *other;

	list_for_each (other, &t->trunk->transports, link) {
		struct target *to = other->home;

		if (to == t->at || !can_move(t, to) || !target_dead(t->at, to))
			continue;
		if (best == NULL || crowd(t->trunk, to) < crowd(t->trunk, best))
			best = to;
	}
	return best;
}

static struct target *find_goal(const struct transport *t, nsec now)
{
	if (t->state == TRANSPORT_MOVING || t->gone || now < t->retry_at)
		return NULL;
	if (t->state == TRANSPORT_AWAY && target_trusted(t->home, now) &&
	    can_move(t, t->home))
		return t->home;
	if (t->at->state == TARGET_ANSWERING && t->falls != t->at->falls)
		return can_move(t, t->at) ? t->at : NULL;
	return find_refuge(t);
}

struct transport *trunks_next_move(struct trunks *ts, nsec now)
{
	struct transport *t;
	struct target *goal;
	struct trunk *k;

	list_for_each (k, &ts->all, link) {
		list_for_each (t, &k->transports, link) {
			goal = find_goal(t, now);
			if (goal == NULL)
				continue;
			replace(&t->goal, goal);
			set_state(t, TRANSPORT_MOVING, now);
			return t;
		}
	}
	return NULL;
}

/* Where is it: at its goal, where it was, or where somebody else wants it? */
static void arrive(struct trunks *ts, struct transport *t,
		   const struct addr *addr, nsec now)
{
	if (addr != NULL && addr_equal(addr, &t->goal->addr)) {
		t->moves += t->at != t->goal;
		replace(&t->at, t->goal);
		t->falls = t->at->falls;
		t->retry_at = 0;
		t->failures = 0;
		t->pause = MOVE_PAUSE_MIN;
	} else {
		t->failures++;
		t->retry_at = now + t->pause;
		t->pause = MIN(2 * t->pause, MOVE_PAUSE_MAX);
	}
	replace(&t->goal, NULL);
	set_state(t, t->at == t->home ? TRANSPORT_HOME : TRANSPORT_AWAY, now);
	if (addr != NULL && !addr_equal(addr, &t->at->addr))
		settle(ts, t, addr, now);
}

void transport_moved(struct trunks *ts, struct transport *t,
		     const struct addr *now_at, nsec now)
{
	struct trunk *k = t->trunk;

	arrive(ts, t, now_at, now);
	if (!t->gone)
		return;
	transport_destroy(ts, t);
	drop_if_empty(k);
}

const char *transport_state_name(enum transport_state state)
{
	static const char *const names[] = {
		[TRANSPORT_HOME] = "home",
		[TRANSPORT_MOVING] = "moving",
		[TRANSPORT_AWAY] = "away",
	};

	return names[state];
}
