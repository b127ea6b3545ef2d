/* SPDX-License-Identifier: Apache-2.0 */
/* Notifications: what has come and gone, for those who ask now and then. */
#ifndef RPC_EVENTS_H
#define RPC_EVENTS_H

struct rpc_events;

struct rpc_events *rpc_events_create(void);
void rpc_events_destroy(struct rpc_events *n);
/* `type` is a literal; `log` may be NULL.  The oldest are forgotten. */
void rpc_event(struct rpc_events *log, const char *type, const char *context);

#endif
