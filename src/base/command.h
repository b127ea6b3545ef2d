/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_COMMAND_H
#define BASE_COMMAND_H

#include <stddef.h>

/* Runs a program and waits: its exit status; -ETIMEDOUT: it was killed; or
 * -errno: it could not be run.  `text` is what it said on stdout and stderr, as
 * much as fits, without the last line feed.  Children that go on, as daemons
 * do, are not waited for.  Any thread. */
int command_run(const char *const *argv, int timeout_s, char *text,
		size_t size);

#endif
