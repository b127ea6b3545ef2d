/* SPDX-License-Identifier: Apache-2.0 */
#include "path/select.h"

#include <string.h>

#include "base/util.h"

static const uint8_t *bytes_of(const struct addr *a, size_t *bits)
{
	switch (a->sa.sa_family) {
	case AF_INET:
		*bits = 32;
		return (const uint8_t *)&a->in.sin_addr;
	case AF_INET6:
		*bits = 128;
		return a->in6.sin6_addr.s6_addr;
	default:
		*bits = 0;
		return NULL;
	}
}

bool path_interface_reaches(const struct path_interface *i,
			    const struct addr *a)
{
	size_t bits, other, whole = i->prefix / 8, rest = i->prefix % 8;
	const uint8_t *x = bytes_of(&i->address, &bits);
	const uint8_t *y = bytes_of(a, &other);

	if (bits == 0 || bits != other || i->prefix > bits)
		return false;
	if (memcmp(x, y, whole) != 0)
		return false;
	return rest == 0 || ((x[whole] ^ y[whole]) >> (8 - rest)) == 0;
}

/* ------------------------------------------------------------------ zones */

/* A zone's index is that of the first candidate in it. */
static size_t zone_of(const struct path_candidate *list, size_t i)
{
	size_t z = 0;

	while (strcmp(list[z].zone, list[i].zone) != 0)
		z++;
	return z;
}

static bool in_zone(const struct path_candidate *list, size_t n, size_t zone,
		    const struct path_interface *interface)
{
	for (size_t i = 0; i < n; i++)
		if (zone_of(list, i) == zone &&
		    path_interface_reaches(interface, &list[i].address))
			return true;
	return false;
}

/* Interfaces, not their addresses. */
static unsigned count_interfaces(const struct path_host *host,
				 const struct path_candidate *list, size_t n,
				 size_t zone)
{
	unsigned count = 0;

	for (size_t i = 0; i < host->n_interfaces; i++) {
		const struct path_interface *at = host->interfaces;
		size_t before = 0;

		if (!in_zone(list, n, zone, &at[i]))
			continue;
		while (before < i && (at[before].index != at[i].index ||
				      !in_zone(list, n, zone, &at[before])))
			before++;
		count += before == i;
	}
	return count;
}

struct turn {
	unsigned turns; /* in a round */
	unsigned used;	/* candidates of the zone that have a place */
	int rank;	/* lower comes first */
};

static void set_turns(const struct path_host *host,
		      const struct path_candidate *list, size_t n,
		      struct turn *turns)
{
	for (size_t i = 0; i < n; i++) {
		unsigned near = count_interfaces(host, list, n, i);

		turns[i].turns = near ? near : 1;
		turns[i].rank = near ? 1 : 2;
		if (host->zone[0] && strcmp(list[i].zone, host->zone) == 0)
			turns[i].rank = 0;
	}
}

/* ------------------------------------------------------------- the choice */

/* Where candidate i comes: the round of its zone's turn, then the zone's rank,
 * then as listed. */
struct place {
	unsigned round;
	int rank;
	size_t index;
};

static bool comes_before(const struct place *a, const struct place *b)
{
	if (a->round != b->round)
		return a->round < b->round;
	if (a->rank != b->rank)
		return a->rank < b->rank;
	return a->index < b->index;
}

static size_t drop_doubles(struct path_candidate *list, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		size_t before = 0;

		while (before < kept &&
		       !addr_equal(&list[before].address, &list[i].address))
			before++;
		if (before == kept)
			list[kept++] = list[i];
	}
	return kept;
}

/* By insertion: stable, and the lists are short. */
static void sort(struct path_candidate *list, struct place *places, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct path_candidate candidate = list[i];
		struct place place = places[i];
		size_t at = i;

		for (; at > 0 && comes_before(&place, &places[at - 1]); at--) {
			list[at] = list[at - 1];
			places[at] = places[at - 1];
		}
		list[at] = candidate;
		places[at] = place;
	}
}

size_t path_select(const struct path_host *host, size_t limit,
		   struct path_candidate *list, size_t n)
{
	struct turn turns[PATH_SELECT_MAX] = {};
	struct place places[PATH_SELECT_MAX];

	n = drop_doubles(list, MIN(n, (size_t)PATH_SELECT_MAX));
	set_turns(host, list, n, turns);
	for (size_t i = 0; i < n; i++) {
		struct turn *t = &turns[zone_of(list, i)];

		places[i] = (struct place){ t->used++ / t->turns, t->rank, i };
	}
	sort(list, places, n);
	return limit == 0 ? n : MIN(limit, n);
}
