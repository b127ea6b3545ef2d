/* SPDX-License-Identifier: Apache-2.0 */
/* A client of hawserd's JSON-RPC: one blocking call on one connection.  Any
 * thread. */
#ifndef RPC_CLIENT_H
#define RPC_CLIENT_H

#include <jansson.h>
#include <limits.h>

enum { RPC_CLIENT_TEXT = 512 };

/* Where hawserd is: `option`, or what the environment says: $HAWSER_RPC, or
 * rpc.sock in $HAWSER_STATE or /var/lib/hawser. */
const char *rpc_client_socket(const char *option, char path[PATH_MAX]);

/*
 * Takes params, which may be NULL.  timeout_s 0: waits for ever.  0 and a new
 * reference in *result; -EREMOTEIO: it was refused, *code is the error's, and
 * *result NULL; or another -errno: there was no answer.  `text` says why.
 */
int rpc_client_call(const char *path, const char *method, json_t *params,
		    int timeout_s, json_t **result, int *code,
		    char text[RPC_CLIENT_TEXT]);

#endif
