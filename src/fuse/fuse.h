/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuse: mounts a file system of the NFS client into the kernel's tree.
 *
 * Three commands of `hawser`; each gets its arguments from its own name on, and
 * returns the exit status: 0, 1 after a line on stderr that says why, 2 when
 * the arguments were not understood.
 */
#ifndef FUSE_FUSE_H
#define FUSE_FUSE_H

/* mount ADDRESS:/PATH DIR [-o OPTION,...] [-f]: returns when the mount is
 * usable, while a daemon goes on; with -f, when it is unmounted. */
int mount_main(int argc, char **argv);

/* umount [-l] DIR: returns when the daemon has flushed everything and gone. */
int umount_main(int argc, char **argv);

/* paths [DIR | VOLUME] [--watch] [--json]: how the paths of mounts and volumes
 * are. */
int paths_main(int argc, char **argv);

#endif
