/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where transports belong that are away: the one thing that the kernel does not
 * know.  A file each in a directory of /run, so that the records live as long
 * as the kernel that they are about.  It is written before the move: whoever
 * starts after a crash finds a transport at one of the two ends of the last
 * move.  Files in memory: none of this waits.
 */
#ifndef PATHD_RECORD_H
#define PATHD_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

struct record {
	uint64_t inode;
	struct addr home, from, goal; /* it is at `from` or at `goal` */
};

/* Makes the directory; 0 or -errno. */
int record_open(const char *dir);

/* 0 or -errno. `transport`: "switch-0/xprt-1-tcp". */
int record_save(const char *dir, const char *transport, const struct record *r);
/* False: there is none, or it can't be read. */
bool record_load(const char *dir, const char *transport, struct record *out);
void record_remove(const char *dir, const char *transport);

/* Removes those about transports that are no more. */
typedef bool record_wanted_fn(void *arg, const char *transport, uint64_t inode);
void record_sweep(const char *dir, record_wanted_fn *wanted, void *arg);

#endif
