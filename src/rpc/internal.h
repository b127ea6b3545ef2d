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

/* params.c: do the parameters fit the method's table?  0, or refuses. */
int rpc_check_params(struct rpc_call *call, const struct rpc_method *m);
/* The tables as JSON: what rpc_get_methods tells. */
json_t *rpc_describe_method(const struct rpc_method *m);

/* The parameter's value, or the default where it is absent. */
const char *rpc_string(const struct rpc_call *call, const char *name);
int rpc_integer(const struct rpc_call *call, const char *name, int absent);
bool rpc_boolean(const struct rpc_call *call, const char *name, bool absent);
uint64_t rpc_uint64(const struct rpc_call *call, const char *name,
		    uint64_t absent);
/* Borrowed; NULL if absent. */
json_t *rpc_object(const struct rpc_call *call, const char *name);

/* A time of day: seconds since 1970, with a fraction. */
json_t *rpc_describe_time(nsec t);

__attribute__((format(printf, 3, 4))) int rpc_refuse(struct rpc_call *call,
						     int code,
						     const char *format, ...);

/* Answers one message: `text` is one JSON value.  The reply, with its newline,
 * in malloc'ed memory; NULL: none is due.  -EPROTO: no JSON. */
int rpc_dispatch(const struct rpc_environment *env, const char *text,
		 size_t len, char **reply, size_t *reply_len);

#endif
