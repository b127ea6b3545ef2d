/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount: the helper that mount(8) runs for `mount -t hawser` (mount.hawser, and
 * mount.efs when so called), and the one of umount(8).
 *
 * It finds the mount targets of a file system and has the kernel's NFS client
 * or `hawser mount` (FUSE) mount them; nothing of it stays behind.
 */
#ifndef MOUNT_MOUNT_H
#define MOUNT_MOUNT_H

/* What mount(8) wants to know. */
enum {
	HELPER_OK = 0,
	HELPER_USAGE = 1, /* not understood, or not permitted */
	HELPER_SYSTEM = 2,
	HELPER_FAIL = 32,
};

/* NAME SPEC DIR [-fnrsvw] [-o OPTION,...]: the exit status. */
int helper_main(int argc, char **argv);

/* umount.fuse.hawser DIR [-flnrv]: returns when all is written and the daemon
 * gone, as umount(2) alone does not. */
int helper_umount_main(int argc, char **argv);

#endif
