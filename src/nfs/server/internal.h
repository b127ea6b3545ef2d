/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside nfs/server: connections, calls, compounds.  What is remembered from
 * one request to the next is in state.h; the way of a request through the
 * files of this room is told in docs/internals/life-of-a-request.md.
 */
#ifndef NFS_SERVER_INTERNAL_H
#define NFS_SERVER_INTERNAL_H

#include "base/arena.h"
#include "base/pool.h"
#include "nfs/server/state.h"
#include "nfs/xdr/attr.h"
#include "nfs/xdr/record.h"
#include "nfs/xdr/rpc.h"
#include "reactor/stream.h"

/* Bounds on what one connection may cost. */
enum {
	NFSD_CONN_CALLS = 128, /* requests in progress or unsent replies */
	NFSD_CONN_BOUND = 64,  /* sessions it remembers */
	NFSD_CONN_RIGHTS = 8,  /* ways in whose rights it remembers */
	NFSD_CALL_ARENA = 256 << 10, /* decoded arrays of one request */
};
#define NFSD_CONN_BYTES	    (16u << 20) /* requests, bulk data, replies */
#define NFSD_RECORD_TIMEOUT SEC(60)	/* a record has to arrive within */
#define NFSD_WRITE_TIMEOUT  SEC(120)	/* without progress */

#define NFSD_ROOM_LOOK	    MSEC(50) /* how often who waits for room looks */

/* Looking out for paths that come back; see conn.c. */
#define NFSD_KEEPALIVE	 SEC(1)	    /* an idle peer is asked that often */
#define NFSD_PATIENCE	 SEC(120)   /* a silent one loses the connection */
#define NFSD_SILENT	 MSEC(1700) /* that is silence, not jitter */
#define NFSD_LOOK	 SEC(1)	    /* how often we look */
#define NFSD_LOOK_SILENT MSEC(200)  /* at one that is silent */

struct nfsd_call;
struct nfsd_compound;
struct nfsd_export;
struct nfsd_load;

/* ------------------------------------------------------------ connections */

/* An address that is listened on. */
struct nfsd_endpoint {
	struct list link; /* server.endpoints, under endpoints_lock */
	struct nfs_server *srv;
	struct addr addr;
	struct listener *listener;
	struct reactor *reactor; /* of the accepting task */
	struct list conns;	 /* nfsd_conn.link, under endpoints_lock */
	struct completion ended;
};

/*
 * A connection.  All of it belongs to the tasks of its reactor, except `link`,
 * `refs`, `ended` and the counters.
 *
 * References: one for the task that reads; one for whoever wants to abort it;
 * one for each session that calls back on it, and for the task that does.
 */
struct nfsd_conn {
	struct list link; /* endpoint.conns, under endpoints_lock */
	atomic_int refs;
	atomic_bool ended; /* carries nothing any more */
	struct nfs_server *srv;
	struct reactor *reactor;
	struct stream *stream; /* NULL when closed */
	struct addr local, peer;
	nsec since;
	struct nfs_identity who; /* before the first call is read */
	uint64_t who_hash;	 /* 0: nobody in particular */
	const char *refusal;	 /* identify() said no, and this */

	struct record_reader reader;
	unsigned calls;		/* in progress, or with an unsent reply */
	size_t bytes;		/* they hold */
	struct nfsd_load *load; /* of the reactor */
	struct list in_crowd;	/* load.crowd */
	struct waitq room;
	struct list ready;  /* nfsd_call.link: replies to be written */
	bool writing;	    /* a task does that */
	bool broken;	    /* nothing more can be written */
	unsigned throttled; /* calls that wait in line, meter.c */
	size_t throttled_bytes;
	nsec silence; /* the peer's, as last seen; 0: it answers */

	struct list callbacks; /* nfsd_callback.link: sent, not answered */
	uint32_t callback_xid;

	struct nfsd_export *last_export; /* a reference, or NULL */
	/* What options.rights() said last, of exports by their number, as of
	 * this version. */
	struct {
		uint64_t of;
		unsigned are;
	} rights[NFSD_CONN_RIGHTS];
	unsigned nrights, rights_version;

	unsigned nbound;
	struct nfsd_session
		*bound[NFSD_CONN_BOUND]; /* latest first; a ref each */

	/* Written by this reactor only, read by any thread. */
	struct {
		_Atomic uint64_t compounds, operations, replays;
		_Atomic uint64_t bytes_read, bytes_written, bad_requests;
		_Atomic uint64_t reads, writes, metadata_reads, metadata_writes;
		_Atomic uint64_t bytes_metered, throttled;
	} stats;
};

#define nfsd_count(conn, member, n)                                            \
	atomic_store_explicit(&(conn)->stats.member,                           \
			      atomic_load_explicit(&(conn)->stats.member,      \
						   memory_order_relaxed) +     \
				      (n),                                     \
			      memory_order_relaxed)

/* The session of that id, if it belongs to a client of the same identity; one
 * reference, or NULL. */
struct nfsd_session *nfsd_conn_find_session(struct nfsd_conn *c,
					    const sessionid4 *id);
/* The session of that id, which the connection is bound to from now on; one
 * reference; NULL: there is none. */
struct nfsd_session *nfsd_conn_session(struct nfsd_conn *c,
				       const sessionid4 *id);
/* The call's reply is ready: it leaves with all that become ready in this turn
 * of the loop.  Takes the call. */
void nfsd_conn_send(struct nfsd_call *call);
/* Counts a call, with the bytes of its request. */
void nfsd_conn_take(struct nfsd_conn *c, size_t bytes);
void nfsd_conn_give_back(struct nfsd_conn *c, size_t bytes);
/* Charges bulk data to the connection; parks while it holds too much, unless
 * the call itself holds some already.  false: give up, the client has turned to
 * another connection, or its session has ended. */
bool nfsd_conn_charge(struct nfsd_call *call, size_t bytes);
/* The same without waiting, for what is there already. */
void nfsd_conn_hold(struct nfsd_call *call, size_t bytes);

/* identity.c: reads what comes first on a connection, and makes it TLS if the
 * client wants that.  1: there are requests to come; 0: the peer has ended; or
 * -errno. */
int nfsd_greet(struct nfsd_conn *c);
/* The owner of a client, and our own, as they count for that identity and
 * tunnel (0: the first, or none); in the call's arena.  false: no memory. */
bool nfsd_identity_owner(struct nfsd_compound *c, unsigned tunnel,
			 struct xdr_bytes *owner);
const char *nfsd_identity_server(struct nfsd_compound *c, unsigned tunnel);

/* ------------------------------------------------------------------ calls */

/*
 * One RPC from its arrival until its reply has been written.  It sits at the
 * front of a pooled buffer, the rest of which takes the reply.
 */
struct nfsd_call {
	struct list link; /* conn.ready */
	struct nfsd_conn *conn;
	struct record record;
	size_t charged; /* part of conn.bytes */
	struct arena arena;

	struct xdr in; /* behind the RPC header */
	struct rpc_call rpc;
	struct cred cred; /* after squashing */
	struct nfsd_principal principal;
	struct nfsd_session *session; /* the compound's; NULL: none */
	slotid4 slotid;

	/* The reply: head, then `replay` if it is set, else `out`. */
	uint8_t head[64];
	size_t head_len;
	struct xdr out;
	struct nfsd_reply *replay;
	unsigned nbulk;
	struct nfsd_bulk {
		void *data;
		size_t size;
	} bulk[XDR_BULK_MAX]; /* pooled memory that `out` refers to */

	char scratch[1024]; /* of the arena */
	uint8_t buffer[];
};

/* Takes the record.  false: the connection is to be dropped. */
bool nfsd_call_start(struct nfsd_conn *c, struct record *record);
void nfsd_call_free(struct nfsd_call *call);
void nfsd_call_begin_reply(struct nfsd_call *call); /* `out` is empty */
/* A message of our own, to be encoded into `out`; counts as a call.  Then
 * nfsd_call_finish_outgoing() and nfsd_conn_send(). */
struct nfsd_call *nfsd_call_outgoing(struct nfsd_conn *c);
void nfsd_call_finish_outgoing(struct nfsd_call *call);
/* Pooled memory for bulk data, freed with the call; NULL: none to be had. */
void *nfsd_call_bulk(struct nfsd_call *call, size_t size);
/* partition.c: a call of that program, answered at once. */
enum { NFSD_PARTITION_PROGRAM = 400123 };
void nfsd_partition_call(struct nfsd_call *call, struct rpc_reply *reply);
/* explain.c: a call of EXPLAIN_PROGRAM (nfs/xdr/explain.h), likewise. */
void nfsd_explain_call(struct nfsd_call *call, struct rpc_reply *reply);
/* Writes the RPC header, for a result in `out` or `replay`. */
void nfsd_call_finish(struct nfsd_call *call, enum rpc_status status);

/* -------------------------------------------------------------- compounds */

/*
 * A compound while it runs, on the stack of its task.  Operations find their
 * arguments in `arg` and leave their result in `res`.
 */
struct nfsd_compound {
	struct nfs_server *srv;
	struct nfsd_call *call;
	struct xdr *in, *out;
	const struct cred *cred;
	uint32_t minorversion;
	unsigned nops, index;

	/* Set by SEQUENCE; NULL in compounds without. */
	struct nfsd_session *session; /* one reference */
	struct nfsd_client *client;   /* the session's */
	bool holds_slot;	      /* call->slotid, until nfsd_slot_end() */
	bool cache_this;
	bool metered;  /* one of its operations has been */
	bool uncached; /* a repeat whose reply is not there any more */
	size_t max_reply;
	nfsstat4 too_big; /* what to say beyond it */

	/* Inode numbers; 0: none.  And what goes with them: stateids, and the
	 * exports by which they were reached (a reference, or NULL). */
	uint64_t cfh, sfh;
	bool by_root; /* the last one to set cfh was PUTROOTFH */
	stateid4 cfh_state, sfh_state;
	struct nfsd_export *export, *saved_export;
	unsigned rights;      /* by the current one */
	struct cred squashed; /* who `cred` is, if he may not be root */

	nfs_argop4 arg;
	nfs_resop4 res;
};

void nfsd_compound_main(void *call);

enum {
	OP_NEEDS_FH = 1 << 0,
	OP_NEEDS_SAVED_FH = 1 << 1,
	OP_SOLE = 1 << 2,    /* may come without SEQUENCE, but only alone */
	OP_MUTATES = 1 << 3, /* its result must fit before it is run */
	OP_ENCODES = 1 << 4, /* writes its result into `out` itself */
	OP_READ_ONLY_OK = 1 << 5,
	OP_METERED = 1 << 6, /* unless another one of the compound was */
};

/* What COMPOUND must know of an operation before and after it runs. */
struct nfsd_op {
	nfsstat4 (*run)(struct nfsd_compound *c);
	unsigned flags;
	unsigned reply; /* OP_MUTATES: most that its result takes */
};
const struct nfsd_op *nfsd_op_find(nfs_opnum4 op); /* NULL: not supported */

/* op_*.c */
#define NFSD_OP(name) nfsstat4 nfsd_op_##name(struct nfsd_compound *c)
NFSD_OP(access);
NFSD_OP(allocate);
NFSD_OP(backchannel_ctl);
NFSD_OP(bind_conn_to_session);
NFSD_OP(close);
NFSD_OP(commit);
NFSD_OP(create);
NFSD_OP(create_session);
NFSD_OP(deallocate);
NFSD_OP(destroy_clientid);
NFSD_OP(destroy_session);
NFSD_OP(exchange_id);
NFSD_OP(free_stateid);
NFSD_OP(getattr);
NFSD_OP(get_dir_delegation);
NFSD_OP(getfh);
NFSD_OP(getxattr);
NFSD_OP(io_advise);
NFSD_OP(link);
NFSD_OP(listxattrs);
NFSD_OP(lock);
NFSD_OP(lockt);
NFSD_OP(locku);
NFSD_OP(lookup);
NFSD_OP(lookupp);
NFSD_OP(nverify);
NFSD_OP(open);
NFSD_OP(open_downgrade);
NFSD_OP(putfh);
NFSD_OP(putrootfh);
NFSD_OP(read);
NFSD_OP(readdir);
NFSD_OP(readlink);
NFSD_OP(reclaim_complete);
NFSD_OP(remove);
NFSD_OP(removexattr);
NFSD_OP(rename);
NFSD_OP(restorefh);
NFSD_OP(savefh);
NFSD_OP(secinfo);
NFSD_OP(secinfo_no_name);
NFSD_OP(seek);
NFSD_OP(sequence);
NFSD_OP(setattr);
NFSD_OP(setxattr);
NFSD_OP(test_stateid);
NFSD_OP(verify);
NFSD_OP(write);

/* compound.c: memory for bulk data of a result, as of nfsd_call_bulk(). */
nfsstat4 nfsd_compound_bulk(struct nfsd_compound *c, size_t size, void **data);
/* Room for a result of variable length, in the reply's buffer and
 * in what the session allows; and the latter alone, for bulk data. */
size_t nfsd_compound_room(const struct nfsd_compound *c);
size_t nfsd_compound_reply_left(const struct nfsd_compound *c);
/* The stateid of an argument, with the current one put in its place; and the
 * one that is current from now on. */
stateid4 nfsd_resolve_stateid(const struct nfsd_compound *c,
			      const stateid4 *id);
/* op_dir.c */
change_info4 nfsd_change_info(const struct change_info *ci);

/* fh.c */
void nfsd_set_cfh(struct nfsd_compound *c, uint64_t ino);
/* May nothing be changed here? */
bool nfsd_read_only(const struct nfsd_compound *c);
/* From here on by that export, and as its user; takes the reference. */
void nfsd_set_export(struct nfsd_compound *c, struct nfsd_export *e);
/* `export`: the number, or 0. */
struct nfs_fh nfsd_fh_make(const struct nfs_server *srv, uint64_t export,
			   uint64_t ino);
/* The same of the compound's export. */
struct nfs_fh nfsd_fh_of(const struct nfsd_compound *c, uint64_t ino);
nfsstat4 nfsd_fh_parse(const struct nfs_server *srv, nfs_fh4 fh,
		       uint64_t *export, uint64_t *ino);

/* status.c: the one place where errno becomes nfsstat4. */
nfsstat4 nfsd_status(int rc); /* 0 or a count, or -errno */
/* Of a name in a directory operation. */
nfsstat4 nfsd_check_name(component4 name);
/* -ENOTDIR: symbolic links are told apart. */
nfsstat4 nfsd_status_dir(struct nfsd_compound *c, uint64_t dir, int rc);

/*
 * meter.c.  Before an operation that costs throughput: parks until it may go.
 * NFS4_OK, or NFS4ERR_DELAY: too many wait already.  Afterwards, if it was
 * done, what it came to.
 */
nfsstat4 nfsd_meter_op(struct nfsd_compound *c, const struct nfsd_op *op);
nfsstat4 nfsd_meter_read(struct nfsd_compound *c, size_t bytes);
void nfsd_meter_read_done(struct nfsd_compound *c, size_t asked, size_t got);
nfsstat4 nfsd_meter_write(struct nfsd_compound *c, size_t bytes);
void nfsd_meter_write_done(struct nfsd_compound *c, size_t bytes);

/* attrs.c */
bitmap4 nfsd_attrs_supported(uint32_t minorversion);
/* Everything that `want` names, for an object. */
nfsstat4 nfsd_attrs_fill(struct nfsd_compound *c, const bitmap4 *want,
			 const struct fattr *attr, struct nfs4_attrs *out);
/* The part of it that is the same for all objects; nfsd_attrs_object() adds
 * the rest and does not park. */
struct nfsd_attrs_texts {
	char owner[NFS4_ID_TEXT_MAX], group[NFS4_ID_TEXT_MAX];
	struct nfs_fh fh;
};
nfsstat4 nfsd_attrs_common(struct nfsd_compound *c, const bitmap4 *want,
			   struct nfs4_attrs *out);
void nfsd_attrs_object(const struct nfsd_compound *c, const struct fattr *attr,
		       struct nfsd_attrs_texts *texts, struct nfs4_attrs *out);
/* What a client wants to set, for the engine; `set` gets what was asked. */
nfsstat4 nfsd_attrs_to_set(struct nfsd_compound *c, const fattr4 *f,
			   struct sattr *out, bitmap4 *set);

/* op_io.c.  Of an access that is shared or asked for (OPEN4_SHARE_ACCESS_*). */
nfsstat4 nfsd_check_access(const struct fattr *attr, const struct cred *cred,
			   unsigned access);
nfsstat4 nfsd_check_regular(uint32_t mode); /* ISDIR, SYMLINK, WRONG_TYPE */
/* Names no state: anonymous, or READ bypass. */
bool nfsd_stateid_is_special(const struct nfsd_compound *c, const stateid4 *id);

/* The open that allows I/O on the current file (RFC 8881 8.2.5, 9.1.2): *file
 * gets a reference, NULL on error. */
nfsstat4 nfsd_io_begin(struct nfsd_compound *c, const stateid4 *id,
		       unsigned access, struct nfsd_file **file);

#endif
