/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rpc: administration by JSON-RPC 2.0 over a UNIX socket, with the conventions
 * of SPDK, so that its rpc.py can talk to it too.
 *
 * There is no framing: a request is taken as soon as its JSON value is
 * complete; a reply ends with a newline.  Replies come in the order of the
 * requests.  An array of up to RPC_BATCH_MAX requests is answered by an array;
 * a request without id, or with id null, by nothing.  "jsonrpc" may be absent.
 * Parameters are an object.  What is no JSON ends the connection.
 *
 * An error has the code of JSON-RPC when the request is at fault (-32600
 * invalid request, -32601 no such method, -32602 parameters), else a negative
 * errno; its message says what was refused and why, and "data" has the code of
 * the EFS API, if there is one.
 *
 * Only root and the user that hawserd runs as are served.  A message has up to
 * RPC_MESSAGE_MAX bytes, and RPC_CONNECTIONS_MAX connections are served at a
 * time: the next one waits.
 */
#ifndef RPC_RPC_H
#define RPC_RPC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

struct access_keys;
struct block_registry;
struct control;
struct ledger;
struct rpc_events;
struct nvmei_set;
struct nvmet;
struct reactor_set;
struct rpc_call;
struct rpc_method;
struct rpc_server;
struct task_rwlock;

enum {
	RPC_MESSAGE_MAX = 1 << 20,
	RPC_BATCH_MAX = 128,
	RPC_CONNECTIONS_MAX = 64,
};

enum rpc_code {
	RPC_PARSE_ERROR = -32700,
	RPC_INVALID_REQUEST = -32600,
	RPC_METHOD_NOT_FOUND = -32601,
	RPC_INVALID_PARAMS = -32602,
	RPC_INTERNAL_ERROR = -32603,
};

/* Which methods there are, and what they work on. */
struct rpc_environment {
	const struct rpc_method *const *methods; /* tables, NULL at the end */
	struct task_rwlock *lock; /* of rpc_method.lock, or NULL */
	struct nvmei_set *hosts;  /* of bdev_nvme_*; or NULL */
	json_t *host_keys;	  /* the same: an object, of nvmei_keys.c */
	void *user;		  /* of methods from elsewhere */

	/* Those of hawserd. */
	struct control *control;
	struct access_keys *keys;
	struct ledger *ledger;
	struct block_registry *blocks;
	struct nvmet *nvmet;
	struct rpc_events *events;
	struct reactor_set *reactors;
	const char *directory; /* of the state */
	const char *api_url;   /* "" or NULL: there is none */
	nsec started;	       /* reactor_realtime() */
};

/* Listens at `path`, mode 0600, and serves until it is destroyed.  Both from
 * tasks of the control's reactor; they may park.  The environment is borrowed.
 * 0, or what stream_listen() says. */
int rpc_server_create(const char *path, const struct rpc_environment *env,
		      struct rpc_server **out);
void rpc_server_destroy(struct rpc_server *s);

/* Answers one message: `text` is one JSON value.  The reply, with its newline,
 * in malloc'ed memory; NULL: none is due.  -EPROTO: no JSON. */
int rpc_dispatch(const struct rpc_environment *env, const char *text,
		 size_t len, char **reply, size_t *reply_len);

/*
 * Makes the calls of the ledger again: what they say is there when it returns,
 * or logged as missing.  That is tried again in the background until
 * rpc_restore_stop().  -ENOMEM or 0.
 */
struct rpc_restore;
int rpc_restore_start(const struct rpc_environment *env,
		      struct rpc_restore **out);
void rpc_restore_stop(struct rpc_restore *r);

/* The methods of hawserd. */
extern const struct rpc_method *const rpc_hawserd_methods[];

#endif
