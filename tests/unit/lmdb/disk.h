/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that loses power: what the program writes to two files, `data.mdb` and
 * `journal`, in one directory, is followed by standing in for the C library's
 * calls.  What was flushed is kept; of what was not, any page may be on disk in
 * any version since the last flush, and a write through O_DSYNC that was under
 * way in any of its sectors.
 */
#ifndef TESTS_LMDB_DISK_H
#define TESTS_LMDB_DISK_H

#include <stdbool.h>

#include "base/rng.h"

/* Takes what the files hold as being on disk, and cuts the power in the middle
 * of the nth write from now. */
void disk_watch(const char *directory, struct rng *rng, unsigned nth);
bool disk_is_cut(void);
/* The files become what the disk had when the power was cut. */
void disk_restore(void);

#endif
