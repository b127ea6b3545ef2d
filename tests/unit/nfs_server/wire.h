/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least of a client: compounds by hand over one connection, so that tests
 * can also say what no client would.  Everything is for tasks; what goes wrong
 * where a test does not expect it ends the program.
 */
#ifndef TESTS_NFS_SERVER_WIRE_H
#define TESTS_NFS_SERVER_WIRE_H

#include "../in_task.h"
#include "base/arena.h"
#include "engine/engine.h"
#include "nfs/server/server.h"
#include "nfs/xdr/attr.h"
#include "nfs/xdr/nfs4_ops.h"
#include "nfs/xdr/record.h"
#include "nfs/xdr/rpc.h"
#include "reactor/stream.h"
#include "store/store.h"

/* ----------------------------------------------------------- a server */

struct world {
	char *directory;
	struct store *store;
	struct engine *engine;
	struct nfs_server *server;
	struct addr addr[2];
};

/* With two addresses on loopback, on the state in `directory`. */
void world_start(struct world *w, const char *directory,
		 const struct nfs_server_options *options);
void world_stop(struct world *w);

/* -------------------------------------------------------- a connection */

struct compound;

struct wire {
	struct stream *stream;
	uint32_t xid;
	uint32_t uid, gid; /* of AUTH_SYS */
	const char *tag;   /* of compounds; NULL: none */
	uint8_t *buffer;   /* of the last reply */
	struct arena arena;
	struct compound *scratch;
};

void wire_open(struct wire *w, const struct addr *at);
void wire_close(struct wire *w);

/* A record as it is. */
void wire_send(struct wire *w, const void *data, size_t len);
/* The next record, into the wire's buffer; -errno at the end. */
ssize_t wire_receive(struct wire *w);

/* ---------------------------------------------------------- compounds */

enum { WIRE_OPS = 16, WIRE_BUFFER = 2 << 20 };

/* Some 10 KiB: not for a task's stack. */
struct compound {
	uint32_t minorversion;
	unsigned n;
	nfs_argop4 op[WIRE_OPS];

	/* the answer, borrowed from the wire until the next one */
	enum rpc_status rpc;
	nfsstat4 status;
	unsigned nres;
	nfs_resop4 res[WIRE_OPS];
};

/* Encodes it as a record behind *len bytes. */
void compound_encode(const struct wire *w, const struct compound *c,
		     uint32_t xid, uint8_t *out, size_t size, size_t *len);
void wire_post(struct wire *w, const struct compound *c);
/* Receives an answer, whichever comes; its xid, or 0 when the connection has
 * ended. */
uint32_t wire_answer(struct wire *w, struct compound *c);
/* Both.  Returns the status of the compound. */
nfsstat4 wire_call(struct wire *w, struct compound *c);

/* ----------------------------------------------------------- a session */

struct session {
	clientid4 clientid;
	sessionid4 id;
	uint32_t seq[64];
};

nfsstat4 wire_exchange(struct wire *w, const char *owner, uint64_t verifier,
		       uint32_t flags, EXCHANGE_ID4resok *res);
nfsstat4 wire_create_session(struct wire *w, clientid4 id, sequenceid4 seq,
			     CREATE_SESSION4resok *res);
/* A client with a session, ready to open files. */
void wire_mount(struct wire *w, const char *owner, struct session *s);
/* Starts a compound in slot 0 with SEQUENCE and PUTROOTFH. */
void session_begin(struct session *s, struct compound *c, unsigned slot);

/* Appends an operation, to be filled in. */
nfs_argop4 *add(struct compound *c, nfs_opnum4 op);
void add_lookup(struct compound *c, const char *name);
void add_open(struct compound *c, const char *owner, const char *name,
	      uint32_t access, uint32_t deny, bool create);

#endif
