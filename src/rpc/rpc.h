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

struct control;
struct reactor_set;
struct rpc_call;
struct rpc_server;

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

/* What the methods work on. */
struct rpc_environment {
	struct control *control;
	struct reactor_set *reactors;
	const char *directory; /* of the state */
	nsec started;	       /* reactor_realtime() */
};

/* Listens at `path`, mode 0600, and serves until it is destroyed.  Both from
 * tasks of the control's reactor; they may park.  The environment is borrowed.
 * 0, or what stream_listen() says. */
int rpc_server_create(const char *path, const struct rpc_environment *env,
		      struct rpc_server **out);
void rpc_server_destroy(struct rpc_server *s);

/*
 * The methods: one table, from which the parameter checks, rpc_get_methods, the
 * command line (hawser rpc) and docs/rpc.md come.
 */
enum rpc_type { RPC_STRING, RPC_INTEGER, RPC_BOOLEAN };

struct rpc_param {
	const char *name; /* NULL ends a list */
	enum rpc_type type;
	bool required;
	const char *help;
};

struct rpc_method {
	const char *name; /* NULL ends the table */
	/* Puts a new reference into call->result and returns 0, or refuses
	 * with rpc_refuse().  Runs in a task; may park. */
	int (*run)(struct rpc_call *call);
	const char *help;
	const struct rpc_param *params; /* NULL: none */
};

extern const struct rpc_method rpc_methods[];

const struct rpc_method *rpc_method_find(const char *name);
const char *rpc_type_name(enum rpc_type type);

#endif
