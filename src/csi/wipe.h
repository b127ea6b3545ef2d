/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CSI_WIPE_H
#define CSI_WIPE_H

/* Deletes everything in a directory, not the directory itself, and never goes
 * to another file system or through a symbolic link.  0 or -errno: the first
 * thing that could not be deleted ends it. */
int wipe_directory(const char *path);

#endif
