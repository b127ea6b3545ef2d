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

/* A descriptor, of the directory as it is now, by which one process at a time
 * mounts there; closing it, or dying, lets go.  -EWOULDBLOCK: another is at
 * it; or -errno, -ENOTDIR among them. */
int mountpoint_lock(const char *mountpoint);

/* Takes the mount away.  lazy: from the tree now, for good when nobody uses it
 * any more; else -EBUSY.  Without root it is fusermount3's to do. */
int mountpoint_unmount(const char *mountpoint, bool lazy);

/* The directory of the control sockets, and the socket of a mount point: the
 * same name in another mount namespace is another mount. */
void mountpoint_socket_directory(char out[PATH_MAX]);
void mountpoint_socket(const char *mountpoint, char out[PATH_MAX]);

/* Connects to the daemon behind a socket: the descriptor, or -errno. */
int mountpoint_connect(const char *socket);

#endif
