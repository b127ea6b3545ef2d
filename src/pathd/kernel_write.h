/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes to sysfs may hang: Linux 6.1 waits for the transport's lock, which a
 * connection attempt holds for seconds, and may miss that it is free.  So they
 * are made by a child process, which is killed when it takes too long; that
 * ends the wait, and the write is not made.
 */
#ifndef PATHD_KERNEL_WRITE_H
#define PATHD_KERNEL_WRITE_H

#include "base/clock.h"

/* Writes `text` to the file; parks.  0, -errno of the write, or -ETIMEDOUT.
 * Should the child survive SIGKILL, it parks as long as that is so, and says
 * so once in the log. */
int kernel_write(const char *file, const char *text, nsec timeout);

#endif
