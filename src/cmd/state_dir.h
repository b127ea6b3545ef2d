/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory that holds all of a hawserd's state, and belongs to one process
 * at a time.
 */
#ifndef CMD_STATE_DIR_H
#define CMD_STATE_DIR_H

#include <limits.h>
#include <stdbool.h>

struct state_dir {
	char path[PATH_MAX]; /* absolute */
	int lock;	     /* on path/lock; goes with the process */
	bool is_private;
	int loopback_lock; /* of a private one, else -1 */
};

/* Makes the directory (mode 0700) if there is none, and takes its lock.  0, or
 * -errno after having said why on stderr. */
int state_dir_open(struct state_dir *d, const char *path);

/* A new one below $TMPDIR or /tmp; and reserves 127.OCTET.0.0/16 for this
 * process, among all that ask for it this way. */
int state_dir_open_private(struct state_dir *d, unsigned *octet);

/* Removes a private one. */
void state_dir_close(struct state_dir *d);

#endif
