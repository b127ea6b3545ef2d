/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections, for the files that make and end them (listen.c).
 */
#ifndef NFS_SERVER_CONN_H
#define NFS_SERVER_CONN_H

struct nfs_server;
struct nfsd_conn;
struct reactor;
struct stream;

/* Takes the stream, if it does not fail; to be run by a task of `reactor`. */
struct nfsd_conn *nfsd_conn_new(struct nfs_server *srv, struct stream *s,
				struct reactor *reactor);
/* Until the connection has ended, and every call of it with it. */
void nfsd_conn_run(struct nfsd_conn *c);
struct nfsd_conn *nfsd_conn_ref(struct nfsd_conn *c);
void nfsd_conn_put(struct nfsd_conn *c);
/* Resets it.  By a task of its reactor. */
void nfsd_conn_abort(struct nfsd_conn *c);

#endif
