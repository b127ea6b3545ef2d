/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is a closed local file system consistent?  Reads LMDB and the directories by
 * itself and holds every record against every other: names against inodes, link
 * counts, parents, usage counters, backing files, marks.
 */
#ifndef TESTS_ENGINE_FSCK_H
#define TESTS_ENGINE_FSCK_H

#include <stdbool.h>

/* Prints what is wrong; true: nothing.  `settled`: nobody was writing when it
 * was closed, so there is neither a mark nor an orphan. */
bool fsck(const char *directory, bool settled);

#endif
