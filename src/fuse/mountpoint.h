/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mount points by name, and the daemons behind them: who mounts, unmounts or
 * asks must not touch the mount itself, which would hang with its server, or
 * fail when its daemon has died.
 */
#ifndef FUSE_MOUNTPOINT_H
#define FUSE_MOUNTPOINT_H

#include <limits.h>
#include <stdbool.h>

/* Absolute, without symbolic links; doesn't look into what is mounted there.
 * 0 or -errno. */
int mountpoint_resolve(const char *directory, char out[PATH_MAX]);

/* Whether what is mounted there (last) is ours: 1, 0, or -errno. */
int mountpoint_is_ours(const char *mountpoint);

/* A lock by which one process at a time mounts there: a descriptor, for
 * mountpoint_unlock(); a process that dies lets go.  -EWOULDBLOCK: another has
 * it; or -errno: it can't be had here. */
int mountpoint_lock(const char *mountpoint);
void mountpoint_unlock(int lock);

/* Takes the mount away.  lazy: from the tree now, for good when nobody uses it
 * any more; else -EBUSY.  Without root it is fusermount3's to do. */
int mountpoint_unmount(const char *mountpoint, bool lazy);

/* The control socket of a mount point (status.h): the same name in another
 * mount namespace is another mount. */
void mountpoint_socket(const char *mountpoint, char out[PATH_MAX]);

#endif
