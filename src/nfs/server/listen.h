/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NFS_SERVER_LISTEN_H
#define NFS_SERVER_LISTEN_H

struct nfs_server;

/* Ends all addresses and connections; returns when none is left.  Parks. */
void nfsd_unlisten_all(struct nfs_server *srv);

#endif
