/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all connections of a reactor hold together, of all servers: the bound
 * that a single connection's bounds don't make when there are thousands.
 */
#ifndef NFS_SERVER_LOAD_H
#define NFS_SERVER_LOAD_H

#include "base/list.h"

enum { NFSD_LOAD_CALLS = 16384 };
#define NFSD_LOAD_BYTES (256u << 20)

struct nfsd_load {
	struct nfsd_load *next; /* so that it is found again */
	size_t bytes;
	unsigned calls;
	size_t throttled_bytes; /* of those that wait in line (meter.c) */
	unsigned throttled;
	struct list crowd; /* nfsd_conn.in_crowd: who waits for others */
};

/* The calling thread's; aborts if there is no memory for it. */
struct nfsd_load *nfsd_load_self(void);

static inline bool nfsd_load_full(const struct nfsd_load *l)
{
	return l->calls >= NFSD_LOAD_CALLS || l->bytes >= NFSD_LOAD_BYTES;
}

#endif
