/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The callback program of NFSv4.1 (RFC 8881 section 20), as far as it is used:
 * the server calls CB_SEQUENCE with CB_NOTIFY_LOCK or CB_RECALL, the client
 * answers those and refuses the others.
 */
#ifndef NFS_XDR_NFS4_CB_H
#define NFS_XDR_NFS4_CB_H

#include "nfs/xdr/nfs4.h"

typedef struct {
	sequenceid4 rc_sequenceid;
	slotid4 rc_slotid;
} referring_call4;
typedef struct {
	sessionid4 rcl_sessionid;
	uint32_t n;
	referring_call4 *rcl_referring_calls;
} referring_call_list4;
enum { NFS4_REFERRING_MAX = 64 }; /* bound of ours, of both arrays */

typedef struct {
	sessionid4 csa_sessionid;
	sequenceid4 csa_sequenceid;
	slotid4 csa_slotid, csa_highest_slotid;
	bool csa_cachethis;
	uint32_t nreferring;
	referring_call_list4 *csa_referring_call_lists;
} CB_SEQUENCE4args;
XDR_TYPE(CB_SEQUENCE4args);
typedef struct {
	sessionid4 csr_sessionid;
	sequenceid4 csr_sequenceid;
	slotid4 csr_slotid, csr_highest_slotid, csr_target_highest_slotid;
} CB_SEQUENCE4resok;
XDR_TYPE(CB_SEQUENCE4resok);

typedef struct {
	nfs_fh4 cnla_fh;
	lock_owner4 cnla_lock_owner;
} CB_NOTIFY_LOCK4args;
XDR_TYPE(CB_NOTIFY_LOCK4args);

typedef struct {
	stateid4 stateid;
	bool truncate;
	nfs_fh4 fh;
} CB_RECALL4args;
XDR_TYPE(CB_RECALL4args);

typedef struct {
	nfs_cb_opnum4 argop;
	union {
		CB_SEQUENCE4args opcbsequence;
		CB_NOTIFY_LOCK4args opcbnotify_lock;
		CB_RECALL4args opcbrecall;
	};
} nfs_cb_argop4;
/* Number, then arguments.  As xdr_nfs_argop4(): false with XDR_INVALID for
 * other operations, argop then being their number or OP_CB_ILLEGAL. */
XDR_TYPE(nfs_cb_argop4);

typedef struct {
	nfs_cb_opnum4 resop;
	nfsstat4 status;
	CB_SEQUENCE4resok opcbsequence;
} nfs_cb_resop4;
XDR_TYPE(nfs_cb_resop4);

typedef struct {
	utf8string tag;
	uint32_t minorversion, callback_ident, n;
} CB_COMPOUND4args_head;
XDR_TYPE(CB_COMPOUND4args_head);
/* The reply's head is COMPOUND4res_head. */

#endif
