/* SPDX-License-Identifier: Apache-2.0 */
/* Inside rpc/: from bytes (server.c) to requests (dispatch.c) to methods. */
#ifndef RPC_INTERNAL_H
#define RPC_INTERNAL_H

#include "control/ledger.h"
#include "rpc/method.h"

/* params.c: do the parameters fit the method's table?  0, or refuses. */
int rpc_check_params(struct rpc_call *call, const struct rpc_method *m);
/* The tables as JSON: what rpc_get_methods tells. */
json_t *rpc_describe_method(const struct rpc_method *m);

/* dispatch.c: checks the parameters, takes the lock, runs the method. */
void rpc_run(struct rpc_call *call);

/* access_point.c: up to `max` of them, described. */
json_t *rpc_points(struct rpc_call *call, int max);

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

#endif
