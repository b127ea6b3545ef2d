/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees of real files, as a whole.  Blocks: in a task, only by offload().
 */
#ifndef BASE_TREE_H
#define BASE_TREE_H

#include <stdbool.h>

/* Removes a directory and all that is in it, without following symbolic links
 * or leaving its device.  Stops with -ECANCELED once *stop is true (atomic; may
 * be NULL).  0 also if there is no such directory; else -errno, with part of it
 * removed. */
int tree_remove(const char *path, const bool *stop);

#endif
