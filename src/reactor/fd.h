/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the few descriptors that are neither stream nor file: /dev/fuse,
 * signalfd, inotify.  They are the caller's: non-blocking, opened and closed
 * by it, registered here by nothing but the call.  The simulation has none of
 * them: -ENOTSUP.
 */
#ifndef REACTOR_FD_H
#define REACTOR_FD_H

#include <signal.h>

#include "base/clock.h"

/* Parks until one of `events` (POLLIN, POLLOUT) or an error is there.  The
 * events, or -ETIMEDOUT, or -errno.  One task at a time for each fd. */
int fd_wait(int fd, short events, nsec deadline);

/* Parks until one of the signals arrives, which the caller has blocked in all
 * threads (pthread_sigmask before any thread starts).  Its number. */
int signal_wait(const sigset_t *set);

#endif
