/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls into the kernel that may hang.  Linux 6.1 waits for a transport's lock,
 * which a connection attempt holds for seconds, and may miss that it is free;
 * and a discovery waits for each address that is silent.  So they are made by a
 * child process, which is killed when it takes too long; that ends the wait,
 * and the call has done nothing.
 *
 * They park.  0, -errno of the call, or -ETIMEDOUT.  Should the child survive
 * SIGKILL, they park as long as that is so, and say so once in the log.
 */
#ifndef PATHD_KERNEL_H
#define PATHD_KERNEL_H

#include "base/clock.h"

/* What may end the wait: called, as by offload(), when the call has waited for
 * KERNEL_PATIENCE. */
struct kernel_relief {
	int (*give)(void *arg);
	void *arg;
};
#define KERNEL_PATIENCE MSEC(100)

/* Writes `text` to the file.  relief may be NULL. */
int kernel_write(const char *file, const char *text, nsec timeout,
		 const struct kernel_relief *relief);

/* Has the NFS client ask the server of that mount for its addresses again, and
 * connect to those that are new: mount -o remount,trunkdiscovery. */
int kernel_discover(const char *mountpoint, nsec timeout);

#endif
