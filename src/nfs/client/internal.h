/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of nfs/client/ share.  The way of a call:
 *
 *	ops_*.c    nfs_read(), …: writes its operations into a call, reads the
 *	           results out of it; as often as call_start() says so
 *	call.c     slot and sequence id, submit, park; verdict on the reply
 *	paths.c    does what the path group decides: send here, connect there
 *	wire.c     one connection: a task that reads, one that writes
 *	session.c  the session: its slots, how it is made and made again
 *	reclaim.c  opens and locks after a server restart
 *	discover.c which addresses there are, now and later
 *
 * All of a client runs on one reactor, so nothing here is locked; what must
 * hold whenever a task parks is said at the members.
 */
#ifndef NFS_CLIENT_INTERNAL_H
#define NFS_CLIENT_INTERNAL_H

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/htable.h"
#include "base/log.h"
#include "nfs/client/client.h"
#include "nfs/client/ranges.h"
#include "nfs/xdr/attr.h"
#include "nfs/xdr/record.h"
#include "reactor/reactor.h"
#include "reactor/stream.h"

enum {
	CLIENT_MAGIC = 0x4e634c69,
	OPEN_MAGIC = 0x4e634f70,
	SLOTS_MAX = 256,
	CALL_BUFFER = 2048,	   /* everything of a request but bulk data */
	REPLY_OVERHEAD = 32 << 10, /* of a reply around its data */
	CALLBACK_PROGRAM = 0x40000000, /* RFC 5531: transient */
	CALLBACK_SLOTS = 4,
};

/* ---------------------------------------------------------------- messages */

/* One record on its way out.  A call's lives as long as the call; others are
 * allocated together with their buffer, and freed once written. */
struct outgoing {
	struct list link; /* in wire->queue */
	struct xdr xdr;
	bool owned; /* free() it when written */
};

/* With room for `size` bytes behind the record header; NULL: no memory. */
struct outgoing *outgoing_create(size_t size);

/* ------------------------------------------------------------- connections */

/*
 * A path: an address, and at times a wire to it.  Owned by client->conns; goes
 * with nfs_remove_path() and nfs_unmount().
 */
struct conn {
	struct list link;
	struct nfs_client *client;
	struct addr address;
	char label[ADDR_TEXT_MAX + 16];
	struct path *path;
	struct wire *wire; /* the present attempt or connection, or NULL */
	bool reported;	   /* that it does not work, in the log */
	bool found;	   /* by discover.c, which may take it away */
	bool listed;	   /* the last time it looked */
	uint64_t connects, probes, sent, received;
};

/*
 * One TCP connection.  References: one of conn->wire, one of each of its tasks
 * (connector, reader, writer).  Once `dead` nothing of it counts any more, and
 * `conn` is NULL; its tasks end as soon as they notice.
 */
struct wire {
	struct conn *conn;
	struct nfs_client *client;
	struct stream *stream;
	unsigned refs;
	bool dead;
	struct list queue;   /* messages to be written */
	struct task *writer; /* parked, if `idle` */
	bool idle;
	struct list direct; /* calls that wait for a reply on this very wire */
	uint32_t probe_xid; /* of the NULL call in flight; 0: none */
	bool up;	    /* handshake done */
	char why[200];	    /* options.secure's words for its error */
	struct record_reader in;
};

int wire_start(struct conn *conn); /* an attempt begins; 0 or -errno */
/* Ends it at once.  Its calls in flight are the path group's business. */
void wire_kill(struct wire *w);
/* The same because of an error, which the path group is told. */
void wire_fail(struct wire *w, int error);
void wire_send(struct wire *w, struct outgoing *m);
int wire_probe(struct wire *w);
/* BIND_CONN_TO_SESSION for the session there is; parks. */
int wire_bind(struct wire *w);

/* ------------------------------------------------------------------- paths */

int paths_init(struct nfs_client *c);
int paths_add(struct nfs_client *c, const struct addr *address);
void paths_fini(struct nfs_client *c);
/* None of the connections leads to the right server. */
void paths_fail(struct nfs_client *c, int error);
/* Whether there is a connection, handshake done; `except` that one, or NULL. */
bool paths_any_up(const struct nfs_client *c, const struct wire *except);
/* Ends all connections; for the end, when nothing is sent any more. */
void paths_kill(struct nfs_client *c);
/* Does what the path group wants done; after each event. */
void paths_drain(struct nfs_client *c);

/* ----------------------------------------------------------------- session */

struct slot {
	sequenceid4 sequence; /* of the next request */
};

struct session {
	bool usable;	     /* calls may use it */
	bool exists;	     /* on the server, as far as we know */
	uint64_t generation; /* counts sessions: a slot belongs to one */
	sessionid4 id;
	unsigned nslots, target, retired; /* target: the server's wish */
	uint64_t busy[SLOTS_MAX / 64];
	struct slot slots[SLOTS_MAX];
	nsec renewed; /* when the last SEQUENCE was answered */
	/* back channel */
	sequenceid4 cb_sequence[CALLBACK_SLOTS];
};

/* What EXCHANGE_ID said; every path must say the same. */
struct identity {
	bool known;
	clientid4 clientid;
	uint64_t minor_id; /* compared: 2.10.5, session trunking */
	uint32_t major_len, scope_len;
	uint8_t major[NFS4_OPAQUE_LIMIT], scope[NFS4_OPAQUE_LIMIT];
};

struct call;

int session_start(struct nfs_client *c); /* starts its task */
void session_stop(struct nfs_client *c); /* ends it; parks */
/* Parks until the session is usable (0) or the deadline (-ETIMEDOUT). */
int session_wait(struct nfs_client *c, nsec deadline);
/* The server does not know the session `generation` (any more). */
void session_broken(struct nfs_client *c, uint64_t generation, nfsstat4 why);
/* The server wants opens and locks reclaimed. */
void session_needs_reclaim(struct nfs_client *c);

/* A slot for the call: parks while there is none.  -ETIMEDOUT: there was no
 * session for fast_io_fail_timeout; -EAGAIN: a CALL_RECOVERY lost it. */
int slot_get(struct call *k);
/* Its request was answered: `ran` if SEQUENCE said NFS4_OK. */
void slot_put(struct call *k, bool ran);
void slot_retire(struct call *k);
uint32_t slot_highest(const struct session *s);

/* EXCHANGE_ID as our client; checks or learns the identity.  0; -EXDEV:
 * another server; -ESTALE: the same, restarted. */
int exchange_id(struct nfs_client *c, struct wire *w, EXCHANGE_ID4resok *out);

/* ------------------------------------------------------------------- calls */

enum call_flags {
	CALL_CACHED = 1, /* not idempotent: the server shall keep the reply */
	CALL_RECOVERY =
		2, /* part of making the session: does not wait for it */
	CALL_SESSIONLESS = 4, /* no SEQUENCE: CREATE_SESSION and the like */
};

/*
 * One compound.  On the stack of the task that makes it, which is parked from
 * submit to reply.  In this order:
 *
 *	call_init(&k, c, cred, flags);
 *	while (call_start(&k)) {	once, and again where it has to be
 *		call_putfh(&k, fh);
 *		call_getattr(&k);
 *		call_run(&k);
 *	}
 *	call_result(&k, OP_PUTFH);
 *	call_result_attr(&k, attr);
 *	return call_end(&k);
 *
 * The first failure sticks in `error` (and `status`); all after it do nothing.
 */
struct call {
	struct path_request request;
	struct outgoing message;
	struct hnode by_xid;
	struct list direct_link;
	struct nfs_client *client;
	const struct nfs_cred *cred; /* borrowed */
	unsigned flags;
	struct wire *wire;     /* sent there and nowhere else, or NULL */
	struct nfs_open *open; /* whose stateid it carries, or NULL */

	/* the request */
	uint32_t xid;
	uint64_t generation; /* of the session that slot belongs to */
	int slot;	     /* or -1 */
	sequenceid4 sequence;
	uint8_t *count; /* of operations, to be filled in */
	uint32_t nops;
	uint32_t effect; /* number of the first operation with an effect */

	/* the reply */
	struct task *task;
	bool finished;
	bool in_progress; /* NFS4ERR_DELAY of SEQUENCE: the slot is kept */
	int outcome;	  /* 0: `reply` is there; or -errno */
	struct record reply;
	struct xdr results; /* behind SEQUENCE's result */
	nfsstat4 sequence_status, compound_status;
	uint32_t nresults;

	/* of the loop */
	bool again;
	bool may_have_run; /* before, in a session whose replies are lost */
	unsigned delays, recoveries;
	nsec begun;
	int error;
	nfsstat4 status; /* that made the error, or NFS4_OK */

	size_t size;
	uint8_t *buffer;
	uint8_t own_buffer[CALL_BUFFER];
};

void call_init(struct call *k, struct nfs_client *c,
	       const struct nfs_cred *cred, unsigned flags);
bool call_start(struct call *k);
void call_run(struct call *k);
int call_end(struct call *k);
/* An operation with an effect succeeded, whatever came after it. */
bool call_had_effect(const struct call *k);
/*
 * It failed with `error`, which is what its own first run, whose reply was lost
 * together with the session, would make the second one fail with: the name that
 * it removed is not there.  Nobody can tell that from another client's doing;
 * to believe it does no harm where the end is the same.
 */
bool call_met_itself(const struct call *k, int error);
/* From wire.c and paths.c: the reply is there (takes the record), or there
 * will be none. */
void call_reply(struct call *k, struct record *record);
void call_fail(struct call *k, int error);

/* The next operation; its arguments follow, written to &k->message.xdr.
 * Returns that, for use in place. */
struct xdr *call_op(struct call *k, nfs_opnum4 op);
/* The same for one whose effect must not be had twice. */
struct xdr *call_op_effect(struct call *k, nfs_opnum4 op);
/* After the arguments: could they be written? */
void call_op_done(struct call *k, bool ok);
void call_fail_status(struct call *k, nfsstat4 status);

/* Reads the head of the next result, which must be of `op`: true if its status
 * is NFS4_OK and no call before failed. */
bool call_result(struct call *k, nfs_opnum4 op);
/* After the result: could it be read? */
void call_result_done(struct call *k, bool ok);

/* Those that many calls have. */
void call_putfh(struct call *k, const struct nfs_fh *fh);
void call_getfh(struct call *k);
void call_getattr(struct call *k);
void call_name(struct call *k, nfs_opnum4 op, const char *name, size_t len);
void call_result_fh(struct call *k, struct nfs_fh *fh);
void call_result_attr(struct call *k, struct nfs_attr *attr);
/* The attributes that are to be set, packed; in `arena`. */
bool attr_pack(const struct nfs_setattr *set, struct arena *arena, fattr4 *out);
/* Of the NFS_SET_* in mask, those whose attributes are in `allowed`. */
unsigned attr_allowed(unsigned mask, const bitmap4 *allowed);
bool attr_from_fattr4(const fattr4 *f, struct nfs_attr *out);
extern const bitmap4 attr_wanted;

/* ------------------------------------------------------------------- opens */

/* A lock owner's locks in an open file: a stateid, and what it covers. */
struct lock_state {
	struct list link;
	uint64_t owner;
	bool known; /* to the server, by `stateid` */
	stateid4 stateid;
	struct ranges ranges;
};

struct nfs_open {
	unsigned magic;
	struct list link; /* in client->opens: reclaim looks there */
	struct nfs_client *client;
	struct nfs_fh fh;
	uint32_t access; /* OPEN4_SHARE_ACCESS_* */
	uint64_t owner;	 /* names the open-owner */
	stateid4 stateid;
	uint64_t client_epoch; /* of the client id it was opened under */
	bool lost;	       /* can't be had back: -EIO */
	uint32_t uid, gid, ngids, gids[RPC_MAX_GROUPS]; /* the opener */
	struct list locks;				/* struct lock_state */
	bool locking, mending;				/* one task at a time */
	bool recovering;   /* in the hands of reclaim.c: it stays */
	struct waitq turn; /* for one of these flags */
	/* keep.c */
	struct nfs_file *file; /* NULL: never written to */
	unsigned nkept;	       /* copies in there that are this open's */
};

/* ops_lock.c: before a close. */
void unlock_everything(struct nfs_open *o);
/* keep.c: what was written to the file, by whatever open, is on stable storage
 * when it returns. */
int keep_sync(struct nfs_client *c, const struct nfs_fh *fh);
/* The open goes: with it what it wrote and could not sync. */
void keep_forget(struct nfs_open *o);
/* The server was restarted, opens are reclaimed: gives back to it what it may
 * have lost, before anybody can read it.  0; -EAGAIN: the session broke. */
int keep_restore_all(struct nfs_client *c);

/* nfs_write() with CALL_* flags. */
ssize_t write_request(struct nfs_open *o, const void *buf, size_t len,
		      uint64_t offset, stable_how4 stable, unsigned flags,
		      stable_how4 *committed, verifier4 *verf);

struct nfs_cred open_cred(const struct nfs_open *o);
/* The stateid for READ and WRITE; sequence 0: the present one. */
stateid4 open_stateid(const struct nfs_open *o);
struct xdr_bytes owner_bytes(const struct nfs_client *c, const char *kind,
			     uint64_t id, char buf[64]);
void open_args(const struct nfs_open *o, OPEN4args *args, char owner[64]);
/* The server refused o's stateid with `status`: 0 when it is mended and the
 * call may go again, -EIO when it can't be. */
int open_mend(struct nfs_open *o, nfsstat4 status);
/* Everything under a new client id; `grace`: by reclaim.  0; -EAGAIN: the
 * session broke meanwhile. */
int reclaim_all(struct nfs_client *c);

/* ------------------------------------------------------------------ client */

struct nfs_client {
	unsigned magic;
	struct nfs_options options;
	unsigned minorversion;
	char hostname[64];
	char owner_id[128]; /* co_ownerid */
	verifier4 boot;	    /* co_verifier: one for each life of this client */
	uint64_t next_owner;

	struct path_group *group;
	struct list conns;
	struct task *ticker;
	nsec tick_at;	     /* when the ticker wakes by itself */
	struct htable calls; /* in flight, by xid */
	uint32_t next_xid;

	struct identity identity;
	struct session session;
	uint64_t client_epoch; /* counts client ids */
	bool reclaim;	       /* opens and locks are to be reclaimed */
	struct task *manager;  /* makes the session, renews the lease */
	struct task *explorer; /* discover.c's; NULL: there is none */
	nsec explore_at;
	struct waitq usable;   /* the session became so */
	struct waitq slots;    /* a slot became free */
	int establish_error;   /* why there is no session, for nfs_mount() */
	char establish_why[256]; /* the same in words; "": that is all */

	struct list opens;
	struct htable files;	/* keep.c: struct nfs_file */
	struct waitq lock_news; /* a lock may have become free */

	unsigned tasks; /* of ours that run */
	struct waitq task_ended;
	bool stopping; /* no new session, no renewal */
	bool dead;     /* nothing is sent any more */

	struct nfs_fh root;
	bitmap4 exclcreat; /* attributes that EXCLUSIVE4_1 may set */
	struct nfs_info info;
	struct nfs_counters counters;
};

/* Starts a task that nfs_unmount() waits for; it ends with client_task_ended().
 */
int client_spawn(struct nfs_client *c, const char *name, task_fn *fn,
		 void *arg);
void client_task_ended(struct nfs_client *c);

/* Of the root.  `arena` for what the locations need, or NULL: none are wanted.
 * Parks. */
int client_get_attrs(struct nfs_client *c, const struct nfs_cred *cred,
		     unsigned flags, const bitmap4 *want, struct arena *arena,
		     struct nfs4_attrs *a);

/* discover.c: adds the addresses that the server tells of, and begins to watch
 * them; parks.  0 or -errno. */
int discover_start(struct nfs_client *c);
/* A path was lost: what there is may have changed. */
void discover_soon(struct nfs_client *c);

/* callback.c: answers a call of the server. */
void callback_serve(struct wire *w, const struct record *record);

#endif
