/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this host is connected to, in /run/hawser/connect: a file NAME.json for
 * each volume, written before anything is done for it and removed when all is
 * undone.  So a volume can be named by its device, and who takes away a
 * controller knows who else wants it.
 *
 *	{ "info": …, "side": "kernel", "path": "/dev/nvme0n1", "size": N,
 *	  "single_path": false, "timers": [delay, loss, fail] }
 *
 * Locks are files there, too, one for each subsystem: what is done to its
 * controllers is done by one process at a time.
 */
#ifndef CONNECT_RECORD_H
#define CONNECT_RECORD_H

#include "connect/connect.h"

struct connect_record {
	struct connect_info info;
	enum connect_side side;
	char path[PATH_MAX]; /* "": the connecting has not ended */
	uint64_t size;
	struct connect_options options; /* those of its controllers */
};

/* 0; -ENOENT; or -EINVAL with text: it can't be understood. */
int connect_record_read(const struct connect_host *h, const char *name,
			struct connect_record *out, char text[CONNECT_TEXT]);
int connect_record_write(const struct connect_host *h,
			 const struct connect_record *r,
			 char text[CONNECT_TEXT]);
void connect_record_remove(const struct connect_host *h, const char *name);
/* By the name or the path. */
int connect_record_find(const struct connect_host *h, const char *what,
			struct connect_record *out, char text[CONNECT_TEXT]);
/* The i-th, in some order; false: there are fewer. */
bool connect_record_nth(const struct connect_host *h, unsigned i,
			struct connect_record *out);
/* Does a volume of another name have that subsystem? */
bool connect_record_others(const struct connect_host *h, const char *name,
			   const char *nqn);

struct connect_record_locks {
	int fds[CONNECT_TARGETS_MAX];
	unsigned n;
};
/* Waits for the subsystems of the targets, in an order that is the same for
 * all. */
int connect_record_lock(const struct connect_host *h,
			const struct connect_info *info,
			struct connect_record_locks *out,
			char text[CONNECT_TEXT]);
void connect_record_unlock(struct connect_record_locks *l);

#endif
