/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations of NFSv4.1, 4.2 and RFC 8276: arguments (OP4args), results
 * when the status is NFS4_OK (OP4resok), and the compound around them.
 *
 * nfs_argop4 and nfs_resop4 hold any operation; a table (nfs4_op_find()) knows
 * the descriptions by number, for servers that decode and run one operation
 * after another, and for tools.  A client that knows what it sends may as well
 * call xdr_READ4args() and the like directly.
 *
 * Not here, because a server that lacks them says NFS4ERR_NOTSUPP without
 * looking at their arguments: operations that exist in 4.0 only, pNFS, SSV,
 * WRITE_SAME, COPY_NOTIFY.  Their rows have no `args`.
 */
#ifndef NFS_XDR_NFS4_OPS_H
#define NFS_XDR_NFS4_OPS_H

#include "nfs/xdr/nfs4.h"
#include "nfs/xdr/rpc.h"

/* Where a result (argument) has only one member of a basic type, it is that
 * type under the RFC's name. */

typedef struct {
	uint32_t access;
} ACCESS4args;
typedef struct {
	uint32_t supported, access;
} ACCESS4resok;

typedef struct {
	seqid4 seqid; /* ignored in 4.1 */
	stateid4 open_stateid;
} CLOSE4args;
typedef struct {
	stateid4 open_stateid;
} CLOSE4resok;

typedef struct {
	offset4 offset;
	count4 count;
} COMMIT4args;
typedef struct {
	verifier4 writeverf;
} COMMIT4resok;

typedef struct {
	nfs_ftype4 type;    /* any number arrives here: NFS4ERR_BADTYPE */
	linktext4 linkdata; /* NF4LNK */
	specdata4 devdata;  /* NF4BLK, NF4CHR */
} createtype4;
typedef struct {
	createtype4 objtype;
	component4 objname;
	fattr4 createattrs;
} CREATE4args;
typedef struct {
	change_info4 cinfo;
	bitmap4 attrset;
} CREATE4resok;

typedef struct {
	stateid4 deleg_stateid;
} DELEGRETURN4args;

typedef struct {
	bitmap4 attr_request;
} GETATTR4args;
/* A server encodes its attributes straight into the reply instead
 * (nfs4_attrs_encode()). */
typedef struct {
	fattr4 obj_attributes;
} GETATTR4resok;

typedef struct {
	nfs_fh4 object;
} GETFH4resok;

typedef struct {
	component4 newname;
} LINK4args;
typedef struct {
	change_info4 cinfo;
} LINK4resok;

typedef struct {
	bool new_lock_owner;
	stateid4 open_stateid;	/* new_lock_owner */
	lock_owner4 lock_owner; /* new_lock_owner */
	stateid4 lock_stateid;	/* !new_lock_owner */
} locker4;
typedef struct {
	nfs_lock_type4 locktype;
	bool reclaim;
	offset4 offset;
	length4 length;
	locker4 locker;
} LOCK4args;
typedef struct {
	stateid4 lock_stateid;
} LOCK4resok;
typedef struct { /* with NFS4ERR_DENIED, of LOCK and LOCKT */
	offset4 offset;
	length4 length;
	nfs_lock_type4 locktype;
	lock_owner4 owner;
} LOCK4denied;

typedef struct {
	nfs_lock_type4 locktype;
	offset4 offset;
	length4 length;
	lock_owner4 owner;
} LOCKT4args;

typedef struct {
	nfs_lock_type4 locktype;
	seqid4 seqid;
	stateid4 lock_stateid;
	offset4 offset;
	length4 length;
} LOCKU4args;
typedef struct {
	stateid4 lock_stateid;
} LOCKU4resok;

typedef struct {
	component4 objname;
} LOOKUP4args;

typedef struct { /* also of VERIFY */
	fattr4 obj_attributes;
} NVERIFY4args;
typedef NVERIFY4args VERIFY4args;

typedef struct {
	createmode4 mode;
	fattr4 createattrs;   /* UNCHECKED4, GUARDED4, EXCLUSIVE4_1 */
	verifier4 createverf; /* EXCLUSIVE4, EXCLUSIVE4_1 */
} createhow4;
typedef struct {
	opentype4 opentype;
	createhow4 how; /* OPEN4_CREATE */
} openflag4;
typedef struct {
	open_claim_type4 claim;
	component4 file; /* CLAIM_NULL, DELEGATE_CUR, DELEGATE_PREV */
	open_delegation_type4 delegate_type; /* CLAIM_PREVIOUS */
	stateid4 delegate_stateid; /* CLAIM_DELEGATE_CUR, DELEG_CUR_FH */
} open_claim4;
typedef struct {
	seqid4 seqid; /* ignored in 4.1 */
	uint32_t share_access, share_deny;
	open_owner4 owner;
	openflag4 openhow;
	open_claim4 claim;
} OPEN4args;
typedef struct {
	open_delegation_type4 delegation_type;
	/* OPEN_DELEGATE_READ, _WRITE */
	stateid4 stateid;
	bool recall;
	limit_by4 limitby;		      /* _WRITE */
	uint64_t filesize;		      /* NFS_LIMIT_SIZE */
	uint32_t num_blocks, bytes_per_block; /* NFS_LIMIT_BLOCKS */
	nfsace4 permissions;
	/* OPEN_DELEGATE_NONE_EXT */
	why_no_delegation4 ond_why;
	bool ond_server_will; /* push: WND4_CONTENTION; signal: WND4_RESOURCE */
} open_delegation4;
typedef struct {
	stateid4 stateid;
	change_info4 cinfo;
	uint32_t rflags;
	bitmap4 attrset;
	open_delegation4 delegation;
} OPEN4resok;

typedef struct {
	bool createdir;
} OPENATTR4args;

typedef struct {
	stateid4 open_stateid;
	seqid4 seqid;
	uint32_t share_access, share_deny;
} OPEN_DOWNGRADE4args;
typedef struct {
	stateid4 open_stateid;
} OPEN_DOWNGRADE4resok;

typedef struct {
	nfs_fh4 object;
} PUTFH4args;

typedef struct {
	stateid4 stateid;
	offset4 offset;
	count4 count;
} READ4args;
typedef struct {
	bool eof;
	struct xdr_bytes data; /* bulk */
} READ4resok;

typedef struct {
	nfs_cookie4 cookie;
	verifier4 cookieverf;
	count4 dircount, maxcount;
	bitmap4 attr_request;
} READDIR4args;
typedef struct {
	nfs_cookie4 cookie;
	component4 name;
	fattr4 attrs;
} entry4;
/* The list of entries is an array here.  A server that fills a reply as it
 * goes does the same by hand: verifier4; for each entry xdr_bool(true) and an
 * entry4; then xdr_bool(false), xdr_bool(eof). */
typedef struct {
	verifier4 cookieverf;
	uint32_t nentries;
	entry4 *entries;
	bool eof;
} READDIR4resok;

typedef struct {
	linktext4 link;
} READLINK4resok;

typedef struct {
	component4 target;
} REMOVE4args;
typedef struct {
	change_info4 cinfo;
} REMOVE4resok;

typedef struct {
	component4 oldname, newname;
} RENAME4args;
typedef struct {
	change_info4 source_cinfo, target_cinfo;
} RENAME4resok;

typedef struct {
	component4 name;
} SECINFO4args;
typedef struct {
	uint32_t n;
	uint32_t *flavor; /* AUTH_NONE, AUTH_SYS; not RPCSEC_GSS */
} SECINFO4resok;	  /* also of SECINFO_NO_NAME */

typedef struct {
	stateid4 stateid;
	fattr4 obj_attributes;
} SETATTR4args;
typedef struct { /* with every status */
	bitmap4 attrsset;
} SETATTR4res;

typedef struct {
	stateid4 stateid;
	offset4 offset;
	stable_how4 stable;
	struct xdr_bytes data; /* bulk */
} WRITE4args;
typedef struct {
	count4 count;
	stable_how4 committed;
	verifier4 writeverf;
} WRITE4resok;

/* -------------------------------------------------- 4.1: clients, sessions */

typedef struct {
	uint32_t service;
	struct xdr_bytes handle_from_server, handle_from_client;
} gss_cb_handles4;
typedef struct {
	uint32_t cb_secflavor; /* AUTH_NONE, AUTH_SYS, RPCSEC_GSS */
	authsys_parms cbsp_sys_cred;
	gss_cb_handles4 cbsp_gss_handles;
} callback_sec_parms4;
XDR_TYPE(callback_sec_parms4);
enum { NFS4_CB_SEC_MAX = 8 }; /* bound of ours on csa_sec_parms<> */

typedef struct {
	uint32_t bca_cb_program;
	uint32_t nsec_parms;
	callback_sec_parms4 *bca_sec_parms;
} BACKCHANNEL_CTL4args;

typedef struct {
	sessionid4 bctsa_sessid;
	channel_dir_from_client4 bctsa_dir;
	bool bctsa_use_conn_in_rdma_mode;
} BIND_CONN_TO_SESSION4args;
typedef struct {
	sessionid4 bctsr_sessid;
	channel_dir_from_server4 bctsr_dir;
	bool bctsr_use_conn_in_rdma_mode;
} BIND_CONN_TO_SESSION4resok;

typedef struct {
	bitmap4 spo_must_enforce, spo_must_allow;
} state_protect_ops4;
typedef struct {
	state_protect_how4 spa_how;
	state_protect_ops4 ops; /* SP4_MACH_CRED, SP4_SSV */
	/* SP4_SSV: skipped, for servers that refuse it */
} state_protect4_a;
typedef struct {
	state_protect_how4 spr_how; /* SP4_NONE, SP4_MACH_CRED */
	state_protect_ops4 ops;
} state_protect4_r;
typedef struct {
	client_owner4 eia_clientowner;
	uint32_t eia_flags;
	state_protect4_a eia_state_protect;
	bool has_impl_id;
	nfs_impl_id4 eia_client_impl_id;
} EXCHANGE_ID4args;
typedef struct {
	clientid4 eir_clientid;
	sequenceid4 eir_sequenceid;
	uint32_t eir_flags;
	state_protect4_r eir_state_protect;
	server_owner4 eir_server_owner;
	struct xdr_bytes eir_server_scope;
	bool has_impl_id;
	nfs_impl_id4 eir_server_impl_id;
} EXCHANGE_ID4resok;

typedef struct {
	count4 ca_headerpadsize;
	count4 ca_maxrequestsize, ca_maxresponsesize, ca_maxresponsesize_cached;
	count4 ca_maxoperations, ca_maxrequests;
	bool has_rdma_ird;
	uint32_t ca_rdma_ird;
} channel_attrs4;
XDR_TYPE(channel_attrs4);
typedef struct {
	clientid4 csa_clientid;
	sequenceid4 csa_sequence;
	uint32_t csa_flags;
	channel_attrs4 csa_fore_chan_attrs, csa_back_chan_attrs;
	uint32_t csa_cb_program;
	uint32_t nsec_parms;
	callback_sec_parms4 *csa_sec_parms;
} CREATE_SESSION4args;
typedef struct {
	sessionid4 csr_sessionid;
	sequenceid4 csr_sequence;
	uint32_t csr_flags;
	channel_attrs4 csr_fore_chan_attrs, csr_back_chan_attrs;
} CREATE_SESSION4resok;

typedef struct {
	sessionid4 dsa_sessionid;
} DESTROY_SESSION4args;

typedef struct {
	stateid4 fsa_stateid;
} FREE_STATEID4args;

typedef struct {
	bool gdda_signal_deleg_avail;
	bitmap4 gdda_notification_types;
	nfstime4 gdda_child_attr_delay, gdda_dir_attr_delay;
	bitmap4 gdda_child_attributes, gdda_dir_attributes;
} GET_DIR_DELEGATION4args;
typedef struct { /* GDD4_UNAVAIL is the one answer that we give */
	gddrnf4_status gddrnf_status;
	bool gddrnf_will_signal_deleg_avail;
} GET_DIR_DELEGATION4resok;

typedef struct {
	secinfo_style4 style;
} SECINFO_NO_NAME4args;

typedef struct {
	sessionid4 sa_sessionid;
	sequenceid4 sa_sequenceid;
	slotid4 sa_slotid, sa_highest_slotid;
	bool sa_cachethis;
} SEQUENCE4args;
typedef struct {
	sessionid4 sr_sessionid;
	sequenceid4 sr_sequenceid;
	slotid4 sr_slotid, sr_highest_slotid, sr_target_highest_slotid;
	uint32_t sr_status_flags;
} SEQUENCE4resok;

typedef struct {
	uint32_t n;
	stateid4 *ts_stateids;
} TEST_STATEID4args;
typedef struct {
	uint32_t n;
	nfsstat4 *tsr_status_codes;
} TEST_STATEID4resok;

typedef struct {
	clientid4 dca_clientid;
} DESTROY_CLIENTID4args;

typedef struct {
	bool rca_one_fs;
} RECLAIM_COMPLETE4args;

/* --------------------------------------------------------------------- 4.2 */

typedef struct { /* also of DEALLOCATE */
	stateid4 stateid;
	offset4 offset;
	length4 length;
} ALLOCATE4args;
typedef ALLOCATE4args DEALLOCATE4args;

typedef struct {
	netloc_type4 nl_type;
	utf8string nl_name; /* NL4_NAME, NL4_URL */
	netaddr4 nl_addr;   /* NL4_NETADDR */
} netloc4;
XDR_TYPE(netloc4);
enum { NFS4_NETLOC_MAX = 16 }; /* bound of ours on ca_source_server<> */
typedef struct {
	stateid4 ca_src_stateid, ca_dst_stateid;
	offset4 ca_src_offset, ca_dst_offset;
	length4 ca_count;
	bool ca_consecutive, ca_synchronous;
	uint32_t nsource_server;
	netloc4 *ca_source_server;
} COPY4args;
typedef struct {
	bool has_callback_id;
	stateid4 wr_callback_id;
	length4 wr_count;
	stable_how4 wr_committed;
	verifier4 wr_writeverf;
} write_response4;
XDR_TYPE(write_response4);
typedef struct { /* also alone, with NFS4ERR_OFFLOAD_NO_REQS */
	bool cr_consecutive, cr_synchronous;
} copy_requirements4;
XDR_TYPE(copy_requirements4);
typedef struct {
	write_response4 cr_response;
	copy_requirements4 cr_requirements;
} COPY4resok;

typedef struct {
	stateid4 cl_src_stateid, cl_dst_stateid;
	offset4 cl_src_offset, cl_dst_offset;
	length4 cl_count;
} CLONE4args;

typedef struct {
	stateid4 iaa_stateid;
	offset4 iaa_offset;
	length4 iaa_count;
	bitmap4 iaa_hints;
} IO_ADVISE4args;
typedef struct {
	bitmap4 ior_hints;
} IO_ADVISE4resok;

typedef struct { /* also of OFFLOAD_STATUS */
	stateid4 oca_stateid;
} OFFLOAD_CANCEL4args;
typedef OFFLOAD_CANCEL4args OFFLOAD_STATUS4args;
typedef struct {
	length4 osr_count;
	bool has_complete;
	nfsstat4 osr_complete;
} OFFLOAD_STATUS4resok;

typedef READ4args READ_PLUS4args;
typedef struct {
	data_content4 rpc_content;
	offset4 offset;
	struct xdr_bytes data; /* NFS4_CONTENT_DATA, bulk */
	length4 length;	       /* NFS4_CONTENT_HOLE */
} read_plus_content;
XDR_TYPE(read_plus_content);
enum { NFS4_READ_PLUS_MAX = XDR_BULK_MAX / 2 }; /* bound of ours */
typedef struct {
	bool rpr_eof;
	uint32_t n;
	read_plus_content *rpr_contents;
} READ_PLUS4resok;

typedef struct {
	stateid4 sa_stateid;
	offset4 sa_offset;
	data_content4 sa_what;
} SEEK4args;
typedef struct {
	bool sr_eof;
	offset4 sr_offset;
} SEEK4resok;

/* ---------------------------------------------------------------- RFC 8276 */

typedef struct {
	component4 gxa_name; /* without the "user." prefix */
} GETXATTR4args;
typedef struct {
	struct xdr_bytes gxr_value;
} GETXATTR4resok;
typedef struct {
	setxattr_option4 sxa_option;
	component4 sxa_key;
	struct xdr_bytes sxa_value;
} SETXATTR4args;
typedef struct {
	change_info4 sxr_info;
} SETXATTR4resok;
typedef struct {
	nfs_cookie4 lxa_cookie;
	count4 lxa_maxcount;
} LISTXATTRS4args;
typedef struct {
	nfs_cookie4 lxr_cookie;
	uint32_t n;
	component4 *lxr_names;
	bool lxr_eof;
} LISTXATTRS4resok;
typedef struct {
	component4 rxa_name;
} REMOVEXATTR4args;
typedef struct {
	change_info4 rxr_info;
} REMOVEXATTR4resok;

/* ----------------------------------------------------------- any operation */

/*
 * NFS4_OPS(A, R): A(OP, member) for each operation that has arguments, R(OP,
 * member) for each that has a result beyond its status.
 */
#define NFS4_ARGS(A)                                                           \
	A(ACCESS, opaccess)                                                    \
	A(CLOSE, opclose)                                                      \
	A(COMMIT, opcommit)                                                    \
	A(CREATE, opcreate)                                                    \
	A(DELEGRETURN, opdelegreturn)                                          \
	A(GETATTR, opgetattr)                                                  \
	A(LINK, oplink)                                                        \
	A(LOCK, oplock)                                                        \
	A(LOCKT, oplockt)                                                      \
	A(LOCKU, oplocku)                                                      \
	A(LOOKUP, oplookup)                                                    \
	A(NVERIFY, opnverify)                                                  \
	A(OPEN, opopen)                                                        \
	A(OPENATTR, opopenattr)                                                \
	A(OPEN_DOWNGRADE, opopen_downgrade)                                    \
	A(PUTFH, opputfh)                                                      \
	A(READ, opread)                                                        \
	A(READDIR, opreaddir)                                                  \
	A(REMOVE, opremove)                                                    \
	A(RENAME, oprename)                                                    \
	A(SECINFO, opsecinfo)                                                  \
	A(SETATTR, opsetattr)                                                  \
	A(VERIFY, opverify)                                                    \
	A(WRITE, opwrite)                                                      \
	A(BACKCHANNEL_CTL, opbackchannel_ctl)                                  \
	A(BIND_CONN_TO_SESSION, opbind_conn_to_session)                        \
	A(EXCHANGE_ID, opexchange_id)                                          \
	A(CREATE_SESSION, opcreate_session)                                    \
	A(DESTROY_SESSION, opdestroy_session)                                  \
	A(FREE_STATEID, opfree_stateid)                                        \
	A(GET_DIR_DELEGATION, opget_dir_delegation)                            \
	A(SECINFO_NO_NAME, opsecinfo_no_name)                                  \
	A(SEQUENCE, opsequence)                                                \
	A(TEST_STATEID, optest_stateid)                                        \
	A(DESTROY_CLIENTID, opdestroy_clientid)                                \
	A(RECLAIM_COMPLETE, opreclaim_complete)                                \
	A(ALLOCATE, opallocate)                                                \
	A(COPY, opcopy)                                                        \
	A(DEALLOCATE, opdeallocate)                                            \
	A(IO_ADVISE, opio_advise)                                              \
	A(OFFLOAD_CANCEL, opoffload_cancel)                                    \
	A(OFFLOAD_STATUS, opoffload_status)                                    \
	A(READ_PLUS, opread_plus)                                              \
	A(SEEK, opseek)                                                        \
	A(CLONE, opclone)                                                      \
	A(GETXATTR, opgetxattr)                                                \
	A(SETXATTR, opsetxattr)                                                \
	A(LISTXATTRS, oplistxattrs)                                            \
	A(REMOVEXATTR, opremovexattr)

#define NFS4_RESOKS(R)                                                         \
	R(ACCESS, opaccess)                                                    \
	R(CLOSE, opclose)                                                      \
	R(COMMIT, opcommit)                                                    \
	R(CREATE, opcreate)                                                    \
	R(GETATTR, opgetattr)                                                  \
	R(GETFH, opgetfh)                                                      \
	R(LINK, oplink)                                                        \
	R(LOCK, oplock)                                                        \
	R(LOCKU, oplocku)                                                      \
	R(OPEN, opopen)                                                        \
	R(OPEN_DOWNGRADE, opopen_downgrade)                                    \
	R(READ, opread)                                                        \
	R(READDIR, opreaddir)                                                  \
	R(READLINK, opreadlink)                                                \
	R(REMOVE, opremove)                                                    \
	R(RENAME, oprename)                                                    \
	R(SECINFO, opsecinfo)                                                  \
	R(WRITE, opwrite)                                                      \
	R(BIND_CONN_TO_SESSION, opbind_conn_to_session)                        \
	R(EXCHANGE_ID, opexchange_id)                                          \
	R(CREATE_SESSION, opcreate_session)                                    \
	R(GET_DIR_DELEGATION, opget_dir_delegation)                            \
	R(SEQUENCE, opsequence)                                                \
	R(TEST_STATEID, optest_stateid)                                        \
	R(COPY, opcopy)                                                        \
	R(IO_ADVISE, opio_advise)                                              \
	R(OFFLOAD_STATUS, opoffload_status)                                    \
	R(READ_PLUS, opread_plus)                                              \
	R(SEEK, opseek)                                                        \
	R(GETXATTR, opgetxattr)                                                \
	R(SETXATTR, opsetxattr)                                                \
	R(LISTXATTRS, oplistxattrs)                                            \
	R(REMOVEXATTR, opremovexattr)

/* xdr_ACCESS4args(), xdr_ACCESS4resok(), … */
#define A(OP, member) XDR_TYPE(OP##4args);
#define R(OP, member) XDR_TYPE(OP##4resok);
NFS4_ARGS(A)
NFS4_RESOKS(R)
#undef A
#undef R
XDR_TYPE(LOCK4denied);
XDR_TYPE(SETATTR4res);
XDR_TYPE(entry4);

typedef struct {
	nfs_opnum4 argop;
	union {
#define A(OP, member) OP##4args member;
		NFS4_ARGS(A)
#undef A
	};
} nfs_argop4;

typedef struct {
	nfs_opnum4 resop;
	nfsstat4 status;
	union {
#define R(OP, member) OP##4resok member;
		NFS4_RESOKS(R)
#undef R
		LOCK4denied denied;    /* LOCK, LOCKT: NFS4ERR_DENIED */
		SETATTR4res opsetattr; /* SETATTR, every status */
		copy_requirements4 requirements; /* COPY: OFFLOAD_NO_REQS */
		/* opsecinfo serves SECINFO_NO_NAME, too */
	};
} nfs_resop4;

/* What is known of an operation by number. */
struct nfs4_op_info {
	const char *name;	  /* "READ"; NULL: no such operation */
	unsigned minorversion;	  /* the first one that has it */
	bool has_args, has_resok; /* false: nothing follows number and status */
	bool known; /* false: the operation exists, its arguments are not
		       described here: answer NFS4ERR_NOTSUPP */
	xdr_fn *args, *resok;
};
/* Never NULL: for a number that is none, the row has no name. */
const struct nfs4_op_info *nfs4_op_find(uint32_t op);

/*
 * Number, then arguments.  Decoding: false with XDR_INVALID also for numbers
 * that are none and operations that are not `known`; v->argop is set then (to
 * OP_ILLEGAL or the operation), so that a server can tell these
 * (NFS4ERR_OP_ILLEGAL, NFS4ERR_NOTSUPP) from NFS4ERR_BADXDR by looking at
 * nfs4_op_find(v->argop)->known.
 */
XDR_TYPE(nfs_argop4);
/* Number, status, result. */
XDR_TYPE(nfs_resop4);

/* The head of a compound; `n` operations follow. */
typedef struct {
	utf8string tag;
	uint32_t minorversion;
	uint32_t n;
} COMPOUND4args_head;
XDR_TYPE(COMPOUND4args_head);
typedef struct {
	nfsstat4 status;
	utf8string tag;
	uint32_t n;
} COMPOUND4res_head;
XDR_TYPE(COMPOUND4res_head);

/*
 * Where the words are that are known only at the end, for back-patching:
 *
 *	nfs4_compound_begin(&x, tag, &patch);	// of a reply
 *	…each result…
 *	nfs4_compound_end(&patch, status, n);
 */
struct nfs4_compound_patch {
	uint8_t *status, *count;
};
bool nfs4_compound_begin(struct xdr *x, utf8string tag,
			 struct nfs4_compound_patch *patch);
void nfs4_compound_end(const struct nfs4_compound_patch *patch, nfsstat4 status,
		       uint32_t n);

#endif
