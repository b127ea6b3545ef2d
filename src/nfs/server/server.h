/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nfs/server: one file system, served over NFSv4.1 and 4.2.
 *
 * A server is one file system (an engine) with its own server owner, scope,
 * clients, sessions and locks.  It has any number of addresses: each serves
 * this file system and no other, `mount ADDRESS:/` is its root, and all are
 * the same server to a client, which therefore may spread one session over
 * them (session trunking, RFC 8881 2.10.5).  Nothing of a session depends on a
 * connection: it outlives the loss of all of them until the lease ends.
 *
 * Threads: the calls are made from tasks of any reactor and may park, unless
 * a comment says otherwise.  Connections are spread over the reactors of the
 * set that the options name; everything else is shared between reactors and
 * guarded as state.h says.
 *
 *	nfs_server_create(engine, store, &options, &srv);
 *	nfs_server_publish(srv, addrs, 2);
 *	nfs_server_listen(srv, &addrs[0]);
 *	nfs_server_listen(srv, &addrs[1]);
 *	…
 *	nfs_server_destroy(srv);
 */
#ifndef NFS_SERVER_SERVER_H
#define NFS_SERVER_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/clock.h"
#include "meter/throughput.h"

struct engine;
struct nfs_server;
struct reactor_set;
struct store;
struct tls_certificate;

/*
 * Who a client has proved to be by the certificate of its TLS connection; all
 * zero: nobody in particular, as every client without TLS.
 *
 * A client that comes by an export has that for its root, and nothing else.
 * Clients with different identities are different clients, of different
 * servers, whatever their owners say: else the Linux client would take two
 * mounts by two exports for one, and send requests of the one on a connection
 * of the other.
 */
enum { NFS_PRINCIPAL_MAX = 127, NFS_KEY_MAX = 31 };
struct nfs_identity {
	bool secure; /* it came by TLS */
	char principal[NFS_PRINCIPAL_MAX + 1]; /* for rights(); "": anonymous */
	char key[NFS_KEY_MAX + 1]; /* by which he is; for rights(), too */
	uint64_t export;		       /* its number; 0: none */
	bool tunnel; /* whoever is at its other end does not know of TLS */
};
/* What is the certificate (DER; len 0: none) of a client worth?  Fills in all
 * but `secure`, and returns NULL; or why it is refused, so that it may not
 * mount anything: a text that stays, and that the client gets.  Any thread;
 * must not park. */
typedef const char *nfs_identify_fn(void *arg, const struct addr *peer,
			     const uint8_t *certificate, size_t len,
			     struct nfs_identity *out);

/* What a peer may do, by an export (its label) or, NULL, by the root; why it
 * may not mount, if `why` is not NULL, for the peer to read. */
enum {
	NFS_WHY_SIZE = 256,
	NFS_RIGHT_MOUNT = 1, /* anything at all */
	NFS_RIGHT_WRITE = 2,
	NFS_RIGHT_ROOT = 4, /* be user 0; else that counts as anonymous */
	NFS_RIGHTS_ALL = 7,
};
typedef unsigned nfs_rights_fn(void *arg, const char *label,
			       const struct addr *peer,
			       const struct nfs_identity *who,
			       char why[NFS_WHY_SIZE]);

struct nfs_server_options {
	/* Names the file system for ever: server owner and scope, fsid, part
	 * of every file handle, key of the client records in the store. */
	uint8_t uuid[16];
	/* Where connections run; NULL: on the reactor that listens. */
	struct reactor_set *reactors;

	nsec lease; /* 0: 30 s.  Whole seconds, 1 s to 1 h */
	nsec grace; /* for reclaims after a restart; 0: the lease */

	bool root_squash;	     /* uid or gid 0 counts as anonymous */
	uint32_t anon_uid, anon_gid; /* of root_squash and AUTH_NONE; both 0:
					65534 */
	bool read_only;
	/* May a peer connect to an address of the server's?  NULL: all may.
	 * Asked on the reactor that listens there; must not park. */
	bool (*admits)(void *arg, const struct addr *local,
		       const struct addr *peer);
	void *admits_arg;
	/* NULL: everybody has all rights.  Any thread; must not park.  The
	 * answer is kept until nfs_server_rights_changed(). */
	nfs_rights_fn *rights;
	void *rights_arg;
	/* TLS on the same addresses: the first byte tells.  NULL: none.  The
	 * caller's, and has to outlive the server. */
	const struct tls_certificate *tls;
	nfs_identify_fn *identify; /* NULL: certificates are worth nothing */
	void *identify_arg;
	/* Signs the handles of exports; as lasting, and secret. */
	uint8_t handle_key[16];

	unsigned max_connections; /* 0: 4096; further ones are closed */
	/* 0: 60 s.  A silent connection over which no session is used ends. */
	nsec unused_timeout;
	unsigned max_clients;	  /* 0: 16384 */
};

/* Reads the client records of before a restart, and starts the grace period if
 * there are any.  `engine` and `store` stay the caller's and have to outlive
 * the server; store NULL: nobody can reclaim anything after a restart.
 * 0, -EINVAL (lease out of range), or what the store says. */
int nfs_server_create(struct engine *engine, struct store *store,
		      const struct nfs_server_options *options,
		      struct nfs_server **out);

/* Ends all connections, waits for the requests that are being worked on, and
 * forgets clients, opens and locks; their records stay in the store, so that a
 * server made later with the same uuid grants them a grace period. */
void nfs_server_destroy(struct nfs_server *srv);

/* Removes from the store what is kept there for servers with this uuid, when
 * there will be none any more.  0, or what the store says. */
int nfs_server_forget(struct store *store, const uint8_t uuid[16]);

/* Serves on an address; `at` with port 0 chooses one, and is updated.
 * -EEXIST if it does already, -EADDRINUSE, -EADDRNOTAVAIL, … */
int nfs_server_listen(struct nfs_server *srv, struct addr *at);

/* Stops that: when it returns nobody listens there, and every connection that
 * came in by it has been reset.  Requests that had arrived are finished, and
 * their replies wait in the reply cache for whoever asks again on another
 * connection.  -ENOENT if it does not listen there. */
int nfs_server_unlisten(struct nfs_server *srv, const struct addr *at);

/* What fs_locations says from now on (RFC 8881 11.16): the addresses by which
 * clients reach this file system, whether or not they work at the moment.
 * None at the start.  -ENOMEM. */
int nfs_server_publish(struct nfs_server *srv, const struct addr *addrs,
		       size_t n);

/*
 * An export: a directory that clients of `mount ADDRESS:/NAME` take for the
 * root, and the user as whom all their requests run.  They can't leave it by a
 * name, a handle or "..".  A mount of ADDRESS:/ knows nothing of it, but can
 * look the name up in the root.
 */
enum {
	NFS_EXPORT_NAME_MAX = 63,
	NFS_EXPORT_PATH_MAX = 255,
	NFS_EXPORT_GROUPS_MAX = 16,
	NFS_EXPORT_LABEL_MAX = 127,
};
struct nfs_export {
	const char *name;  /* one component, "fsap-…" */
	uint64_t number;   /* not 0; names it in handles, for ever */
	const char *path;  /* of its root: "/", "/a/b" */
	const char *label; /* for options.rights; NULL: "" */
	/* What is missing of the path is made like this, by who mounts it. */
	bool create;
	uint32_t owner_uid, owner_gid, mode;
	/* Every request is this user's. */
	bool forces_user;
	uint32_t uid, gid, ngroups;
	const uint32_t *groups;
};
/* Everything is copied.  -EINVAL: too long; -EEXIST: the name or the number is
 * there already; -ENOMEM.  Does not park. */
int nfs_server_export(struct nfs_server *srv, const struct nfs_export *e);
/* Its handles are stale from now on.  -ENOENT.  Does not park. */
int nfs_server_unexport(struct nfs_server *srv, uint64_t number);
/* Any thread; does not park. */
bool nfs_server_has_export(struct nfs_server *srv, uint64_t number);

/*
 * Counts what is below the root of an export, itself included, and lets it have
 * so many bytes and files and no more (0: no limit); NULL: does so no longer.
 * A root that is not there yet is counted by who mounts it first.  engine.h has
 * the rules (engine_tree_set()).  No two exports with one root may have a
 * quota.  From tasks; parks.  0, -ENOENT (no such export), or what the engine
 * says.
 */
struct nfs_quota {
	uint64_t bytes, files;
};
struct engine_tree;
int nfs_server_set_quota(struct nfs_server *srv, uint64_t number,
			 const struct nfs_quota *quota);
/* -ENOENT: nothing is counted. */
int nfs_server_get_usage(struct nfs_server *srv, uint64_t number,
			 struct engine_tree *out);
/* All quotas have been set: what was counted for others, before the start, is
 * not any more.  From a task; parks. */
int nfs_server_drop_quotas(struct nfs_server *srv);

/* Any thread. */
void nfs_server_rights_changed(struct nfs_server *srv);

/*
 * What the file system may carry (meter/throughput.h).  At first there is no
 * limit.  A change is in force at once, for requests that wait, too: they wait
 * in line, and hold up nobody else's.  From tasks; these do not park.
 */
void nfs_server_set_throughput(struct nfs_server *srv,
			       const struct throughput_rule *rule);
/* How much is stored, from which a bursting file system's rates come. */
void nfs_server_set_stored(struct nfs_server *srv, uint64_t bytes);
/* The balance as it was, that long ago. */
void nfs_server_set_credits(struct nfs_server *srv, double credits, nsec ago);

/* Numbers for metrics and `hawser`.  Does not park. */
struct nfs_server_stats {
	unsigned connections, clients, sessions;
	bool in_grace;
	uint64_t compounds, operations, replays;
	uint64_t bytes_read, bytes_written;
	uint64_t bad_requests; /* dropped or refused before COMPOUND */

	/* Metered: see meter.c. */
	uint64_t reads, writes, metadata_reads, metadata_writes;
	uint64_t bytes_metered;
	uint64_t throttled; /* operations that had to wait */
	unsigned waiting;   /* now */
	double permitted;   /* bytes a second; 0: no limit */
	double credits;	    /* bytes */
};
void nfs_server_get_stats(struct nfs_server *srv, struct nfs_server_stats *out);

/* Calls fn for each connection: the address it came in by, the peer's, and
 * since when (reactor_now()).  fn must not park nor call the server. */
typedef void nfs_server_conn_fn(void *arg, const struct addr *local,
				const struct addr *peer, nsec since);
void nfs_server_for_each_connection(struct nfs_server *srv,
				    nfs_server_conn_fn *fn, void *arg);

#endif
