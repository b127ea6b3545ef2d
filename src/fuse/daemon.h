/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command that mounts and stays: it waits for the daemon that it starts.  A
 * byte on a pipe says that the mount is usable; no byte, that it is not, and
 * the daemon has said why on the stderr that both have until then.
 */
#ifndef FUSE_DAEMON_H
#define FUSE_DAEMON_H

#include <stdbool.h>
#include <sys/types.h>

/* Makes sure that nobody else mounts there, and removes what a dead daemon left
 * behind.  `type`: S_IFDIR or S_IFREG, what it must be.  0; or -1 after a line
 * on stderr, which begins with `command` ("hawser mount"). */
int daemon_claim(const char *command, const char *mountpoint, mode_t type);

/*
 * Runs run(arg, ready), here or in the daemon, with SIGTERM and SIGINT blocked.
 * It calls ready() once when the mount is usable; false: it is not wanted any
 * more.  The exit status: run()'s, or 0 as soon as the daemon is ready.
 */
typedef int daemon_fn(const void *arg, bool (*ready)(void));
int daemon_run(const char *command, bool foreground, daemon_fn *run,
	       const void *arg);

#endif
