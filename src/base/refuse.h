/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why something is refused, in words for people, beside the error number: for
 * calls that take a `text` from who asks.
 */
#ifndef BASE_REFUSE_H
#define BASE_REFUSE_H

enum { REFUSE_TEXT = 256 };

/* Writes to text, which has REFUSE_TEXT bytes, or is NULL: nobody wants to
 * know.  Returns error. */
__attribute__((format(printf, 3, 4))) int refuse_with(char *text, int error,
						      const char *format, ...);

#endif
