/* SPDX-License-Identifier: Apache-2.0 */
/* The command of hawserd --run. */
#ifndef CMD_CHILD_H
#define CMD_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* Of the command's environment; name NULL ends a list. */
struct child_variable {
	const char *name, *value;
};

/* Starts it with the shell.  In its environment: the variables, and the folder
 * of this program in front of PATH.  The pid, or -errno. */
pid_t child_start(const char *command, const struct child_variable *variables);

/* True once it has ended; then *status is as a shell would have it.  To be
 * asked after SIGCHLD. */
bool child_ended(pid_t pid, int *status);

#endif
