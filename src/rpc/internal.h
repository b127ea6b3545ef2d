/* SPDX-License-Identifier: Apache-2.0 */
/* Inside rpc/: from bytes (server.c) to requests (dispatch.c) to methods. */
#ifndef RPC_INTERNAL_H
#define RPC_INTERNAL_H

#include "control/control.h"
#include "control/ledger.h"
#include "rpc/rpc.h"

struct rpc_call {
	const struct rpc_environment *env;
	const struct rpc_method *method;
	bool replay;	  /* from the ledger: it is written down already */
	bool forgotten;	  /* the replayed call has left the ledger */
	json_t *params;	  /* borrowed; an object that fits the table, or NULL */
	json_t *result;	  /* set by the method; the dispatcher's afterwards */
	int code;	  /* of the error, 0: none */
	int error_number; /* -errno behind it, if there is one */
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

/* As rpc_refuse(); `error` is what is behind it.  With `text`, or if that is
 * empty with strerror(-error). */
int rpc_fail(struct rpc_call *call, int code, int error, const char *text);

/* dispatch.c: checks the parameters, takes the lock, runs the method. */
void rpc_run(struct rpc_call *call);

/*
 * record.c: the ledger, for methods that change the configuration.  Creation
 * happens, then is written down, and is undone if that fails; deletion is
 * written down first.
 */
/* Into the buffer; 0, or refuses names that can't be. */
#define rpc_path(call, path, ...)                                              \
	(ledger_path(path, __VA_ARGS__, NULL) ? 0 : rpc_bad_path(call))
int rpc_bad_path(struct rpc_call *call);
/* What is at the path; NULL: nothing. */
struct ledger_entry *rpc_entry(const struct rpc_call *call, const char *path);
/* Refuses (with `code`) if there is something at the path, unless this is its
 * own replay. */
int rpc_check_new(struct rpc_call *call, const char *path, int code);
/* Writes this call down, with `params` (taken) in place of those that came. */
int rpc_record(struct rpc_call *call, const char *section, const char *path,
	       json_t *params);
/* A copy of the call's parameters, without those that have no effect, to be
 * filled in; a new reference. */
json_t *rpc_params_copy(const struct rpc_call *call);
/* Writes down a member of another call's parameters.  `value` is taken. */
int rpc_record_member(struct rpc_call *call, const char *path,
		      const char *member, json_t *value);
/* Writes down that what is at the path is gone, with all below it. */
int rpc_forget(struct rpc_call *call, const char *path);
/* Commits what was staged in the ledger by hand. */
int rpc_commit(struct rpc_call *call);

/* Answers one message: `text` is one JSON value.  The reply, with its newline,
 * in malloc'ed memory; NULL: none is due.  -EPROTO: no JSON. */
int rpc_dispatch(const struct rpc_environment *env, const char *text,
		 size_t len, char **reply, size_t *reply_len);

#endif
