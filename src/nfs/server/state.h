/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/*
 * What a server remembers: clients, sessions, slots, and on files opens and
 * byte-range locks.  The nouns are those of RFC 8881; each has a file.
 *
 *	server ──< client ──< session ──< slot       client.c session.c slot.c
 *	             │  └──< owner ──< state >── file   stateid.c open.c lock.c
 *	             └── record in the store            recovery.c grace.c
 *
 * Nothing here belongs to a connection or a reactor: any task of any reactor
 * may come by.  Locks are pthread mutexes, held for some hundred nanoseconds
 * and never across a call that parks.
 *
 * Lock order, outermost first:
 *
 *	server.clients_lock	tables of clients and sessions; who is
 *				confirmed; CREATE_SESSION's slot.  Not on the
 *				hot path.
 *	client.lock		the client's owners and states
 *	file.lock		opens and locks of one file
 *	session.lock		slots; bindings
 *	server.files[i].lock	one shard of the table of files
 *	server.locations_lock	the published addresses
 *	server.exports_lock	the table of exports
 *	server.meter.lock	who waits for throughput; only if there is a
 *				limit
 *
 * What the hot path takes (SEQUENCE, PUTFH, READ, WRITE, GETATTR): the lock of
 * its session, and with a stateid the lock of its client.
 *
 * References (atomic counters):
 *	client	one while it is in server.by_id; one for each session
 *	session	one while it is in server.sessions; one for each connection that
 *		has it in its list of bound sessions; one for each compound;
 *		one for the task that sends its callbacks
 *	file	one for each state on it; one for each operation that uses it
 * Owners and states have no counters: they live and die under client.lock, and
 * nobody keeps a pointer to one after giving that lock back.
 */
/* clang-format on */
#ifndef NFS_SERVER_STATE_H
#define NFS_SERVER_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/hash.h"
#include "base/htable.h"
#include "base/list.h"
#include "engine/engine.h"
#include "nfs/server/server.h"
#include "nfs/xdr/nfs4_ops.h"
#include "reactor/reactor.h"

/* Bounds on what a peer can make grow. */
enum {
	NFSD_MAX_READ = 1 << 20,
	NFSD_MAX_WRITE = 1 << 20,
	NFSD_MAX_MESSAGE = NFSD_MAX_WRITE + (64 << 10),
	NFSD_MAX_CACHED = 4096,	   /* ca_maxresponsesize_cached */
	NFSD_MAX_OPS = 64,	   /* ca_maxoperations */
	NFSD_MAX_SLOTS = 256,	   /* ca_maxrequests */
	NFSD_MAX_SESSIONS = 64,	   /* of a client */
	NFSD_MAX_STATES = 1 << 20, /* of a client: opens and lock stateids */
	NFSD_MAX_RANGES = 1 << 16, /* of a client: byte-range locks */
	NFSD_MAX_WAITERS = 64,	   /* of a file: blocking locks remembered */
	NFSD_MAX_BACKS = 4,	   /* of a session: connections for callbacks */
	NFSD_FILE_SHARDS = 64,
};
#define NFSD_REPLY_CACHE_BYTES ((size_t)512 << 20) /* of all sessions */
/* Of all clients: states, their owners' names, ranges, waiters. */
#define NFSD_HELD_BYTES ((size_t)1 << 30)

/* How long a client whose lease is over, and that is in nobody's way, is kept
 * by courtesy (RFC 8881 8.4.2.4). */
#define NFSD_COURTESY SEC(24 * 3600)

struct nfsd_client;
struct nfsd_conn;
struct nfsd_grace;
struct nfsd_session;
struct nfsd_state;

/* --------------------------------------------------------------- files */

/* A file that is open, or being worked on.  Keeps its inode alive. */
struct nfsd_file {
	struct hnode node; /* in its shard; guarded by the shard's lock */
	uint64_t ino;
	atomic_int refs;
	struct nfs_server *srv;
	struct engine_node *held; /* set once */

	pthread_mutex_t lock; /* guards what follows */
	struct list opens;    /* nfsd_state.by_file */
	unsigned ndenials;    /* opens that deny something */
	struct list ranges;   /* nfsd_range.by_file, by start */
	struct list waiters;  /* nfsd_waiter.by_file, FIFO */
	unsigned nwaiters;
};

struct nfsd_file_shard {
	pthread_mutex_t lock;
	struct htable files;
};

/* Finds the file or makes it known (may park); holds a reference. */
nfsstat4 nfsd_file_get(struct nfs_server *srv, uint64_t ino,
		       struct nfsd_file **out);
struct nfsd_file *nfsd_file_ref(struct nfsd_file *f);
void nfsd_file_put(struct nfsd_file *f); /* may park; NULL is fine */

/* ------------------------------------------------------ owners and states */

/* An open-owner or a lock-owner: exists as long as it has states. */
struct nfsd_owner {
	struct hnode node; /* client.owners */
	struct nfsd_client *client;
	bool locks;	    /* a lock-owner */
	struct list states; /* nfsd_state.by_owner */
	uint32_t len;
	uint8_t name[];
};

/*
 * What a stateid names: an open (one for each open-owner and file), or the
 * locks of a lock-owner on a file.  Guarded by client.lock, and where it says
 * so by file.lock.
 */
struct nfsd_state {
	struct hnode node; /* client.states, by id */
	struct hnode pair; /* client.pairs, by owner and file */
	uint64_t id;	   /* part of the stateid */
	uint32_t seqid;
	bool is_lock;
	struct nfsd_owner *owner;
	struct list by_owner;
	struct nfsd_file *file; /* one reference */

	/* An open. */
	struct list by_file;  /* file.opens, under file.lock */
	uint8_t access, deny; /* changed under both locks */
	/* Bit 1 << m: an OPEN with access (deny) m is part of it; what
	 * OPEN_DOWNGRADE may go back to. */
	uint8_t access_seen, deny_seen;
	struct list locks; /* lock states made from this open, by_open */

	/* Locks. */
	struct nfsd_state *open;
	struct list by_open;
	struct list ranges; /* nfsd_range.by_state, under file.lock */
};

/* One locked range, both ends included.  Ranges of one state don't touch. */
struct nfsd_range {
	struct list by_file, by_state;
	struct nfsd_state *state;
	uint64_t start, end;
	bool write;
};

/* A blocking lock that was denied and will be asked for again: until
 * `deadline`, later ones that would conflict with it wait behind it. */
struct nfsd_waiter {
	struct list by_file;
	clientid4 client;
	uint64_t export; /* by which he knows the file; 0: none */
	uint64_t start, end;
	bool write;
	bool told; /* that it is worth asking again */
	nsec asked, deadline;
	uint32_t len;
	uint8_t owner[]; /* the lock-owner's name */
};

/* stateid.c */

/* Counts what states take: of `size` and a name.  false: there is too much
 * already. */
bool nfsd_hold(struct nfs_server *srv, size_t size);
void nfsd_unhold(struct nfs_server *srv, size_t size);

/* How far a stateid reaches. */
enum nfsd_want {
	NFSD_WANT_ANY,
	NFSD_WANT_OPEN,
	NFSD_WANT_LOCK,
};

/* Finds a state and checks the seqid (RFC 8881 8.2.2, 8.2.4).  Wants
 * client.lock; no special stateids. */
nfsstat4 nfsd_state_find(struct nfsd_client *c, const stateid4 *id,
			 enum nfsd_want want, struct nfsd_state **out);
stateid4 nfsd_state_id(const struct nfs_server *srv,
		       const struct nfsd_state *s);
void nfsd_state_bump(struct nfsd_state *s); /* seqid + 1, without 0 */

/* Makes a state of the owner of that name, with seqid 1; NULL: too many, or no
 * memory.  Takes a reference to the file.  Wants client.lock. */
struct nfsd_state *nfsd_state_new(struct nfsd_client *c, struct xdr_bytes owner,
				  bool is_lock, struct nfsd_file *f);
struct nfsd_state *nfsd_state_of_owner(struct nfsd_client *c,
				       struct xdr_bytes owner, bool is_lock,
				       const struct nfsd_file *f);
/* Takes it out of everything and frees it, with the ranges, and for an open
 * with its lock states.  Wants client.lock.  The file references come back in
 * `files`, to be put by nfsd_files_put() without locks: list of
 * nfsd_dropped. */
struct nfsd_dropped {
	struct nfsd_dropped *next;
	struct nfsd_file *file;
};
void nfsd_state_drop(struct nfsd_state *s, struct nfsd_dropped **files);
void nfsd_files_put(struct nfsd_dropped *files); /* may park */

/* open.c: opens and share reservations. */

struct nfsd_share {
	unsigned access, deny;
	unsigned once; /* access for the OPEN itself: truncation writes */
};
/* An OPEN of a file: a new state, or the upgrade of the one that the owner has.
 * NFS4ERR_SHARE_DENIED.  Takes the locks, and parks. */
nfsstat4 nfsd_open_add(struct nfsd_client *c, struct xdr_bytes owner,
		       struct nfsd_file *f, const struct nfsd_share *share,
		       stateid4 *id, bool *is_new);
/* OPEN_DOWNGRADE: NFS4ERR_INVAL if that is no part of what was opened.  Wants
 * client.lock. */
nfsstat4 nfsd_open_downgrade(struct nfsd_state *s, unsigned access,
			     unsigned deny);
/* The following want file.lock. */
/* An open that stands in the way of access/deny (RFC 8881 9.7); NULL. */
struct nfsd_state *nfsd_share_conflict(const struct nfsd_file *f,
				       unsigned access, unsigned deny);
void nfsd_share_set(struct nfsd_state *s, unsigned access, unsigned deny);
void nfsd_share_drop(struct nfsd_state *s);

/* lock.c: byte ranges.  Want file.lock. */

/* A lock-owner by name: it may not have any state yet. */
struct nfsd_owner_ref {
	clientid4 client;
	struct xdr_bytes name;
	uint64_t export; /* by which he came; 0: none */
};
struct nfsd_range *nfsd_range_conflict(const struct nfsd_file *f,
				       const struct nfsd_owner_ref *who,
				       uint64_t start, uint64_t end,
				       bool write);
/* Sets or, with `unlock`, clears a range of the state's: replaces, splits and
 * merges (RFC 8881 9.3 ff).  -ENOMEM: nothing has changed. */
int nfsd_range_set(struct nfsd_state *s, uint64_t start, uint64_t end,
		   bool write, bool unlock);
void nfsd_range_drop_all(struct nfsd_state *s);
void nfsd_ranges_check(const struct nfsd_file *f); /* asserts the invariants */

/* Remembers a blocking lock that was denied, or reminds of it. */
void nfsd_waiter_note(struct nfsd_file *f, const struct nfsd_owner_ref *who,
		      uint64_t start, uint64_t end, bool write, nsec now);
/* Somebody else has waited for longer, for what conflicts with this range. */
bool nfsd_waiter_before(struct nfsd_file *f, const struct nfsd_owner_ref *who,
			uint64_t start, uint64_t end, bool write, nsec now);
void nfsd_waiter_forget(struct nfsd_file *f, const struct nfsd_owner_ref *who,
			uint64_t start, uint64_t end);
void nfsd_waiters_drop(struct nfsd_file *f);
/* A copy of a waiter that nothing is in the way of, and that has not been told;
 * it has now.  NULL: there is none, or no memory. */
struct nfsd_waiter *nfsd_waiter_next_free(struct nfsd_file *f, nsec now);

/* ------------------------------------------------------------ sessions */

/* A finished reply, as it is kept for a repeat: what follows the RPC header. */
struct nfsd_reply {
	atomic_int refs;
	size_t len;
	uint8_t data[];
};
struct nfsd_reply *nfsd_reply_new(const struct xdr *x); /* NULL: no memory */
struct nfsd_reply *nfsd_reply_ref(struct nfsd_reply *r);
void nfsd_reply_put(struct nfsd_reply *r); /* NULL is fine */

/*
 *	state      while                                leaves on
 *	free       no request, or its reply was sent    next seqid → busy
 *	busy       a compound runs                      its end → free
 * A repeat of a free slot's seqid is answered from `reply`, or with
 * RETRY_UNCACHED_REP; one of a busy slot's waits for its end.
 */
struct nfsd_slot {
	uint32_t seqid; /* of the last request */
	bool used;	/* there was one */
	bool busy;
	uint64_t fingerprint;	  /* of that request: tells false retries */
	struct nfsd_reply *reply; /* if it was to be cached */
	struct list waiters;	  /* slot.c */
};

struct nfsd_session {
	unsigned magic;
	atomic_int refs;
	struct nfs_server *srv;
	struct nfsd_client *client; /* one reference */
	struct hnode node;	    /* server.sessions */
	struct list by_client;	    /* client.sessions, under clients_lock */
	sessionid4 id;
	channel_attrs4 fore, back; /* as negotiated */
	uint32_t minorversion;	   /* of callbacks, too */

	pthread_mutex_t lock; /* guards what follows */
	bool dead;	      /* SEQUENCE says BADSESSION */
	/* The back channel, callback.c. */
	bool wants_back; /* the client has bound connections to it */
	uint32_t cb_program, cb_flavor, cb_uid, cb_gid;
	unsigned nbacks;
	struct nfsd_conn *backs[NFSD_MAX_BACKS]; /* latest last; a ref each */
	struct list notices;			 /* nfsd_notice.link */
	unsigned nnotices;
	bool notifying; /* a task sends them, and has cb_seqid */
	sequenceid4 cb_seqid;

	unsigned nslots, nbusy; /* of them, working on a request */
	struct nfsd_slot slots[];
};

/* Channel attributes as we grant them; NFS4ERR_TOOSMALL if what is asked for
 * can't carry any request. */
nfsstat4 nfsd_session_negotiate(channel_attrs4 *fore, channel_attrs4 *back);
/* Wants clients_lock; holds a reference for the table only.  May grant fewer
 * slots than `fore` says, which is updated. */
nfsstat4 nfsd_session_new(struct nfsd_client *c, channel_attrs4 *fore,
			  const channel_attrs4 *back, uint32_t minorversion,
			  struct nfsd_session **out);
struct nfsd_session *nfsd_session_get(struct nfs_server *srv,
				      const sessionid4 *id);
void nfsd_session_put(struct nfsd_session *s);
struct nfsd_session *nfsd_session_ref(struct nfsd_session *s);
/* Takes it out of the tables; requests that run keep what they hold.  Wants
 * clients_lock. */
void nfsd_session_unlink(struct nfsd_session *s);
bool nfsd_session_dead(struct nfsd_session *s);
/* A request of the session is being worked on, other than one that runs in
 * `own` itself. */
bool nfsd_session_busy(struct nfsd_session *s, const struct nfsd_session *own);

/* slot.c */
struct nfsd_sequence {
	uint32_t slotid, seqid;
	uint64_t fingerprint;
	uint32_t status_flags; /* SEQ4_STATUS_*, out */
};
/*
 * NFS4_OK and *reply NULL: the slot is ours until nfsd_slot_end().
 * NFS4_OK and *reply set: a repeat; this is the answer (one reference).
 * NFS4ERR_RETRY_UNCACHED_REP: a repeat whose reply was not kept.
 * Otherwise the status of SEQUENCE.  May park, for a repeat whose original is
 * still being worked on.
 */
nfsstat4 nfsd_slot_begin(struct nfsd_session *s, struct nfsd_sequence *q,
			 struct nfsd_reply **reply);
/* Around a wait in which the request does nothing: nobody has to wait for it.
 * false: it must not go on, as the session has ended, or as a repeat waits for
 * it, and so may the client. */
void nfsd_slot_pause(struct nfsd_session *s);
bool nfsd_slot_resume(struct nfsd_session *s, uint32_t slotid);
/* reply: the message; it is kept if `cache`, or if somebody waits for it. */
void nfsd_slot_end(struct nfsd_session *s, uint32_t slotid,
		   const struct xdr *reply, bool cache);

/* ------------------------------------------------------------- clients */

/* The principal of EXCHANGE_ID; AUTH_SYS identifies nobody better, but a
 * certificate may (identity.c). */
struct nfsd_principal {
	uint32_t flavor, uid;
	uint64_t identity; /* conn.who_hash */
};

struct nfsd_client {
	unsigned magic;
	atomic_int refs;
	struct nfs_server *srv;
	clientid4 id;
	verifier4 verifier;
	struct nfsd_principal principal;
	bool confirmed; /* under clients_lock, as up to `sessions` */
	struct hnode by_id, by_owner;
	struct list all;      /* server.clients: oldest first */
	sequenceid4 cs_seqid; /* of the last CREATE_SESSION */
	bool cs_cached;	      /* cs_status and cs_res are its outcome */
	nfsstat4 cs_status;
	CREATE_SESSION4resok cs_res;
	struct list sessions;
	unsigned nsessions;
	struct nfsd_conn *tunnel; /* it was made by; a reference, or NULL */

	_Atomic(nsec) renewed; /* the lease counts from here */
	atomic_bool dead;      /* set under client.lock: no new states */
	atomic_bool gone;      /* its states are gone, too */
	atomic_bool reclaimed; /* RECLAIM_COMPLETE has come */
	atomic_bool recorded;  /* has a record in the store */

	pthread_mutex_t lock; /* guards what follows */
	struct htable states, pairs, owners;
	unsigned nstates, nranges;

	uint32_t owner_len;
	uint8_t owner[];
};

static inline struct xdr_bytes nfsd_client_owner(const struct nfsd_client *c)
{
	return (struct xdr_bytes){ c->owner, c->owner_len };
}

/* EXCHANGE_ID, and what comes out of it.  `session`: the one it came in, or
 * NULL. */
struct nfsd_exchange {
	const EXCHANGE_ID4args *args;
	struct nfsd_principal principal;
	const struct nfsd_session *session;
	struct nfsd_conn *tunnel; /* it came by; NULL: by none */
	bool inherits;		  /* from a tunnel whose lease is over */

	bool taken;		    /* by another tunnel: there is no client */
	struct nfsd_client *client; /* one reference */
	bool confirmed;
	sequenceid4 seqid;
};
/* By the RFC's rules (RFC 8881 18.35.4).  Parks. */
nfsstat4 nfsd_client_exchange(struct nfs_server *srv, struct nfsd_exchange *x);
struct nfsd_client *nfsd_client_ref(struct nfsd_client *c);
void nfsd_client_put(struct nfsd_client *c);
/* The confirmed record that goes when this one is confirmed; NULL: none.
 * Wants clients_lock; no reference. */
struct nfsd_client *nfsd_client_older_self(const struct nfsd_client *c);
/* Wants clients_lock.  Returns a client for nfsd_client_bury(), or NULL. */
struct nfsd_client *nfsd_client_confirm(struct nfsd_client *c);
void nfsd_client_bury(struct nfsd_client *c, const char *why); /* parks */
/* Wants clients_lock; no reference. */
struct nfsd_client *nfsd_client_find(struct nfs_server *srv, clientid4 id);

bool nfsd_client_expired(const struct nfsd_client *c);
void nfsd_client_renew(struct nfsd_client *c);

/* A request of one of its sessions is being worked on (see
 * nfsd_session_busy()).  Wants clients_lock. */
bool nfsd_client_busy(struct nfsd_client *c, const struct nfsd_session *own);

/* Whether a client may go; asked under clients_lock and client.lock, so that
 * what it says still holds when the client goes. */
typedef bool nfsd_client_test(struct nfsd_client *c);
nfsd_client_test nfsd_client_idle; /* neither sessions nor states */
/* Forgets a client if `test` (NULL: in any case): its sessions, opens and
 * locks, and its record; they are gone when it returns true.  Parks.  Wants a
 * reference of the caller's. */
bool nfsd_client_expel(struct nfsd_client *c, nfsd_client_test *test,
		       const char *why);
/* The same if its lease is over (somebody wants what it holds).  true: it is
 * gone, try again. */
bool nfsd_client_expel_expired(struct nfsd_client *c);

/* expire.c: the task that ends leases and the grace period. */
int nfsd_expire_start(struct nfs_server *srv);
void nfsd_expire_stop(struct nfs_server *srv); /* waits for its end */

/* ---------------------------------------------------- grace and records */

/* recovery.c: "nfs_client" records: key uuid + client id, value: the owner. */
/* Reads them, and draws the epoch of this start. */
int nfsd_records_load(struct nfs_server *srv);
/* If it has none yet.  On disk when it returns.  Parks. */
int nfsd_record_put(struct nfsd_client *c);
void nfsd_record_delete(struct nfsd_client *c);
void nfsd_record_delete_id(struct nfs_server *srv, clientid4 id);

/* grace.c */
bool nfsd_in_grace(const struct nfs_server *srv);
/* A record of before the restart: this client may reclaim. */
int nfsd_grace_add(struct nfs_server *srv, clientid4 id,
		   struct xdr_bytes owner);
void nfsd_grace_begin(struct nfs_server *srv);
/* May this client reclaim now?  NFS4_OK, NFS4ERR_NO_GRACE,
 * NFS4ERR_RECLAIM_BAD.  Parks: it gets a record of this start first. */
nfsstat4 nfsd_grace_check_reclaim(struct nfsd_client *c);
/* The client is done with it, and has a new record: the old one goes.  The
 * grace period ends with the last.  Parks. */
void nfsd_grace_reclaimed(struct nfsd_client *c);
void nfsd_grace_tick(struct nfs_server *srv); /* parks */
void nfsd_grace_fini(struct nfs_server *srv);

/* --------------------------------------------------------------- server */

/* The line of those that wait for throughput. */
struct nfsd_meter {
	atomic_bool limited;  /* else nothing here matters */
	pthread_mutex_t lock; /* innermost; guards what follows */
	struct throughput throughput;
	struct list line; /* meter.c: FIFO */
	unsigned calls;	  /* in it */
	size_t bytes;	  /* they hold */
	bool ending;	  /* nobody waits any more */
};

void nfsd_meter_init(struct nfsd_meter *m);
void nfsd_meter_fini(struct nfsd_meter *m);
/* Lets go all that wait, and whoever comes. */
void nfsd_meter_end(struct nfsd_meter *m);
void nfsd_meter_get_stats(struct nfsd_meter *m, struct nfs_server_stats *out);

struct nfs_server {
	unsigned magic;
	struct engine *engine;
	struct store *store;		   /* or NULL */
	struct nfs_server_options options; /* defaults filled in */
	uint64_t fsid;			   /* from the uuid */
	char owner_text[64];		   /* server owner and scope */
	uint64_t write_verifier;	   /* see op_io.c */
	uint32_t epoch; /* of this start: part of client ids and stateids */
	atomic_uint_fast64_t next_state;

	pthread_mutex_t clients_lock;
	struct htable by_id, confirmed, unconfirmed, sessions;
	struct list clients; /* all of them */
	unsigned nclients, nsessions;
	size_t reply_cache_reserved;
	atomic_size_t held; /* bytes, see NFSD_HELD_BYTES */
	uint32_t next_client;
	uint64_t next_session;

	struct nfsd_file_shard files[NFSD_FILE_SHARDS];

	struct nfsd_meter meter;

	struct nfsd_grace *grace;
	atomic_bool in_grace;

	pthread_mutex_t exports_lock; /* innermost */
	struct htable exports, export_names;
	struct task_rwlock quota_lock; /* who sets trees; see quota.c */
	atomic_uint nexports, rights_version;

	pthread_mutex_t locations_lock;
	struct nfsd_locations *locations; /* op_attr.c */

	/* conn.c */
	pthread_mutex_t endpoints_lock;
	struct list endpoints;
	atomic_uint nconns, nnotifiers; /* tasks that use the server */

	/* expire.c */
	struct task *expire_task;
	struct reactor *expire_reactor;
	atomic_bool stopping;
	struct completion expire_woken, expire_ended;

	/* Of connections that are gone, under endpoints_lock; those of live
	 * ones are theirs, so that requests share no cache line. */
	struct nfs_server_stats past;
};

enum {
	NFSD_SERVER_MAGIC = 0x5e47e401,
	NFSD_CLIENT_MAGIC = 0x5e47e402,
	NFSD_SESSION_MAGIC = 0x5e47e403,
};

#endif
