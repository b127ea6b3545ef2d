/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The published addresses, as fs_locations gives them.
 */
#ifndef NFS_SERVER_LOCATIONS_H
#define NFS_SERVER_LOCATIONS_H

#include <stdbool.h>

#include "nfs/xdr/nfs4.h"

struct nfs_server;

/* Copies them into the arena; false: it is full. */
bool nfsd_locations_get(struct nfs_server *srv, struct arena *arena,
			fs_locations4 *out);
void nfsd_locations_fini(struct nfs_server *srv);

#endif
