/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The back channel: what the server calls on a client's connections.
 */
#ifndef NFS_SERVER_CALLBACK_H
#define NFS_SERVER_CALLBACK_H

#include "nfs/server/state.h"
#include "nfs/xdr/record.h"

struct nfsd_conn;

/* The connection carries callbacks of the session from now on. */
void nfsd_back_bind(struct nfsd_session *s, struct nfsd_conn *c);
/* CREATE_SESSION's and BACKCHANNEL_CTL's view of how to call. */
void nfsd_back_set(struct nfsd_session *s, uint32_t program,
		   const callback_sec_parms4 *sec, uint32_t n);
bool nfsd_back_exists(struct nfsd_session *s);
/* What SEQUENCE says of it: that no connection carries callbacks any more,
 * though the client had bound some.  Wants session.lock. */
uint32_t nfsd_back_status(const struct nfsd_session *s);
/* The session ends; wants session.lock. */
void nfsd_back_drop(struct nfsd_session *s);

/* Locks of this file have gone: tells those who wait for them that it is worth
 * asking again.  Takes file.lock; does not park. */
void nfsd_notify_waiters(struct nfsd_file *f);

/* A record that is a reply. */
void nfsd_callback_reply(struct nfsd_conn *c, const struct record *record);
/* The connection ends: nothing will be answered any more. */
void nfsd_callback_fail_all(struct nfsd_conn *c);

#endif
