/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subnet: a range of addresses in a zone, from the configuration.  Its id is
 * made from the range, so it is the same after every restart and on every host
 * with the same network.
 */
#ifndef CONTROL_SUBNET_H
#define CONTROL_SUBNET_H

#include "base/addr.h"

enum { SUBNET_ID_SIZE = 25, SUBNET_ZONE_SIZE = 32, SUBNET_CIDR_SIZE = 64 };

struct subnet {
	struct addr network; /* port 0, host bits 0 */
	unsigned prefix;     /* bits */
	char id[SUBNET_ID_SIZE];
	char zone[SUBNET_ZONE_SIZE];
	char cidr[SUBNET_CIDR_SIZE];
};

/* "127.77.1.0/24" or IPv6.  0; -EINVAL: not a range, or its host bits are not
 * zero, or the zone is empty or too long. */
int subnet_init(struct subnet *s, const char *cidr, const char *zone);

/* The range that "10.1.2.3/16" or "10.1.2.3" is in.  0 or -EINVAL. */
int subnet_around(struct subnet *s, const char *address);

bool subnet_contains(const struct subnet *s, const struct addr *a);
bool subnet_overlaps(const struct subnet *a, const struct subnet *b);

/* The addresses in it that this host can listen on, as a malloc'ed array for
 * the caller to free: those of its interfaces, and all of 127.0.0.0/8 (the
 * first SUBNET_LOOPBACK_MAX of a range).  The count, or -errno.  Blocks. */
enum { SUBNET_LOOPBACK_MAX = 4096 };
int subnet_local_addresses(const struct subnet *s, struct addr **out);

#endif
