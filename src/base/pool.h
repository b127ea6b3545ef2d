/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Large pieces of memory that come and go with each request: messages, calls,
 * bulk data.  Each thread keeps some of each size, 16 MiB in all at most, so
 * that a hot path neither allocates nor locks, nor has the kernel map and clear
 * pages over and over again.  What is freed by another thread than it was taken
 * by stays there.
 *
 * Sizes are four for each doubling, from POOL_MIN to POOL_MAX; larger ones are
 * not kept.  Pages of a piece that were never touched cost nothing: a reply
 * buffer of 128 KiB from which 300 bytes were sent is one page.  Pieces begin
 * at a page, as O_DIRECT wants it.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

enum { POOL_MIN = 4 << 10, POOL_MAX = 2 << 20 };

/* At least `size` bytes, not cleared; *actual: how many.  NULL: no memory. */
void *pool_get(size_t size, size_t *actual);
/* `actual`: as it was, or the size that was asked for. */
void pool_put(void *memory, size_t actual);

#endif
