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
struct nvmet;
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
	struct access_keys *keys;
	struct ledger *ledger;
	struct block_registry *blocks;
	struct nvmet *nvmet;
	struct rpc_events *events;
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
 * Makes the calls of the ledger again: what they say is there when it returns,
 * or logged as missing.  That is tried again in the background until
 * rpc_restore_stop().  -ENOMEM or 0.
 */
struct rpc_restore;
int rpc_restore_start(const struct rpc_environment *env,
		      struct rpc_restore **out);
void rpc_restore_stop(struct rpc_restore *r);

/*
 * The methods: tables, from which the parameter checks, rpc_get_methods, the
 * command line (hawser rpc) and docs/rpc.md come.
 */
enum rpc_type {
	RPC_STRING,
	RPC_INTEGER, /* of 32 bits */
	RPC_BOOLEAN,
	RPC_UINT64,  /* 0 to 2^63 - 1 */
	RPC_NUMBER,  /* with or without a fraction */
	RPC_OBJECT,  /* `fields` says of what */
	RPC_STRINGS, /* an array of strings */
	RPC_OBJECTS, /* an array of objects, of `fields` each */
};

enum rpc_rule {
	RPC_OPTIONAL,
	RPC_REQUIRED,
	RPC_IGNORED, /* taken from those who send it, and has no effect */
	RPC_REFUSED, /* is not there: only false, 0 or -1 may be sent */
};

struct rpc_param {
	const char *name; /* NULL ends a list */
	enum rpc_type type;
	enum rpc_rule rule;
	const char *help;

	/*
	 * How it is written on a command line, in words: "=" by position;
	 * "-n" or "--name" an option, "-n=false" a switch that sends false
	 * (without =, true).  Without a long one there is --NAME, too.  "%"
	 * is given in MiB and sent in blocks of the parameter block_size.
	 * NULL: only as NAME=VALUE.
	 */
	const char *cli;
	const char *values; /* NULL, or what a string may be: "a|b|c" */
	const struct rpc_param *fields; /* of OBJECT, OBJECTS */
};

/* What of the service a method needs to itself while it runs. */
enum rpc_lock {
	RPC_FREE,
	RPC_READS,   /* nobody changes the configuration meanwhile */
	RPC_CHANGES, /* nobody else reads or changes it */
};

struct rpc_method {
	const char *name; /* NULL ends the table */
	/* Puts a new reference into call->result and returns 0, or refuses
	 * with rpc_refuse().  Runs in a task; may park. */
	int (*run)(struct rpc_call *call);
	const char *help;
	const struct rpc_param *params; /* NULL: none */
	enum rpc_lock lock;
};

/* In the order of the tables, from 0; NULL: there are no more. */
const struct rpc_method *rpc_method_at(size_t i);
const struct rpc_method *rpc_method_find(const char *name);

#endif
