/* SPDX-License-Identifier: Apache-2.0 */
/* Files with a key: regular ones, ours, that nobody else may read. */
#ifndef RPC_KEYFILE_H
#define RPC_KEYFILE_H

enum { KEYFILE_SIZE = 512 };

/* Its first line into `key`, of KEYFILE_SIZE bytes; NULL: only looks whether
 * that can be.  Parks.  0, or -errno, and text says what is wrong. */
int keyfile_read(const char *path, char *key, char text[256]);

#endif
