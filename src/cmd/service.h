/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hawserd as a whole: event loops, store, resources, JSON-RPC socket, API, made
 * in this order and ended in the opposite one.
 */
#ifndef CMD_SERVICE_H
#define CMD_SERVICE_H

struct config;

/* Runs until SIGTERM or SIGINT, or, if `command` is not NULL, until this shell
 * command has ended, which finds the service in its environment.  The exit
 * status for the process.  Once in a process: it takes over the signals. */
int service_run(const struct config *config, const char *directory,
		const char *command);

#endif
