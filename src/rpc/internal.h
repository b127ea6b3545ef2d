/* SPDX-License-Identifier: Apache-2.0 */
/* Inside rpc/: from bytes (server.c) to requests (dispatch.c) to methods. */
#ifndef RPC_INTERNAL_H
#define RPC_INTERNAL_H

#include "control/control.h"
#include "rpc/rpc.h"

struct rpc_call {
	const struct rpc_environment *env;
	json_t *params; /* borrowed; an object that fits the table, or NULL */
	json_t *result; /* set by the method; the dispatcher's afterwards */
	int code;	/* of the error, 0: none */
	struct control_error error;
};

/* The parameter's value, or the default where it is absent. */
const char *rpc_string(const struct rpc_call *call, const char *name);
int rpc_integer(const struct rpc_call *call, const char *name, int absent);
bool rpc_boolean(const struct rpc_call *call, const char *name, bool absent);

__attribute__((format(printf, 3, 4))) int rpc_refuse(struct rpc_call *call,
						     int code,
						     const char *format, ...);

/* methods_log.c: rows of the table in methods.c. */
int rpc_log_set_level(struct rpc_call *call);
int rpc_log_get_level(struct rpc_call *call);
int rpc_spdk_get_version(struct rpc_call *call);

/* Answers one message: `text` is one JSON value.  The reply, with its newline,
 * in malloc'ed memory; NULL: none is due.  -EPROTO: no JSON. */
int rpc_dispatch(const struct rpc_environment *env, const char *text,
		 size_t len, char **reply, size_t *reply_len);

#endif
