/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of the ways to a thing a host should use at all, before there are any
 * paths: of the mount targets of a file system those that are near, and spread
 * over the zones.  Pure: no I/O, no clock.
 *
 *	rounds	a zone gets as many turns in a round as the host has interfaces
 *		in it; without any one
 *	order	in each round the host's own zone first, then zones with an
 *		interface of the host, then the others; those that are equal as
 *		they are listed
 *
 * So with a limit of two, and a target in each of three zones, the host uses
 * its own zone's, and one of another zone: what it has an interface in, if any.
 */
#ifndef PATH_SELECT_H
#define PATH_SELECT_H

#include "base/addr.h"

enum { PATH_SELECT_MAX = 64, PATH_ZONE_SIZE = 64 };

struct path_candidate {
	struct addr address;
	char zone[PATH_ZONE_SIZE]; /* "": not known */
};

/* An address of an interface of this host. */
struct path_interface {
	unsigned index; /* of the interface, which may have several */
	struct addr address;
	unsigned prefix; /* bits of it that name the network */
};

struct path_host {
	const char *zone; /* "": not known */
	const struct path_interface *interfaces;
	size_t n_interfaces;
};

/* Whether the address is in the network of that interface. */
bool path_interface_reaches(const struct path_interface *i,
			    const struct addr *a);

/* Orders the candidates by preference, those to be used first; the same address
 * twice is dropped.  limit 0: as many as there are.  At most PATH_SELECT_MAX
 * are looked at.  Returns how many to use. */
size_t path_select(const struct path_host *host, size_t limit,
		   struct path_candidate *list, size_t n);

#endif
