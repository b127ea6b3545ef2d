/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attach: a volume as a regular file, by FUSE, for hosts without the kernel's
 * NVMe/TCP or NBD.  What works on a disk image works on it.
 */
#ifndef ATTACH_ATTACH_H
#define ATTACH_ATTACH_H

/* attach --subnqn NQN ADDRESS… FILE: returns when the file can be used, while a
 * daemon goes on; `hawser umount FILE` ends it. */
int attach_main(int argc, char **argv);

#endif
