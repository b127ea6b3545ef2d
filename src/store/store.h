/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Store: a few thousand small records that outlive the process: resources
 * (control/) and the client records of NFS servers (grace after a restart).
 * One store for each hawserd, an LMDB environment in its state directory.
 *
 * A record is (kind, key) -> value.  Calls are made from tasks of any reactor
 * and may park; a change is on disk when the call returns.  Changes that come
 * together share a flush.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct store;

enum { STORE_KIND_MAX = 32, STORE_KEY_MAX = 400, STORE_VALUE_MAX = 1 << 20 };

/* Creates the directory and an empty store if there is none. -EBUSY: another
 * process has it open. */
int store_open(const char *directory, struct store **out);
void store_close(struct store *s);

/* Any bytes as key; replaces.  0, -ENOSPC, -EINVAL (too long), -EIO. */
int store_put(struct store *s, const char *kind, const void *key,
	      size_t key_len, const void *value, size_t value_len);
/* 0 also if there is no such record. */
int store_delete(struct store *s, const char *kind, const void *key,
		 size_t key_len);
/* Several at once: all of them or, after an error, none.  -EINVAL: too long;
 * more than a megabyte of them. */
struct store_change {
	const void *key;
	size_t key_len;
	const void *value; /* NULL: delete */
	size_t value_len;
};
int store_apply(struct store *s, const char *kind,
		const struct store_change *changes, size_t n);
/* The value in malloc'ed memory with a NUL behind it, for the caller to free;
 * its length, or -ENOENT. */
ssize_t store_get(struct store *s, const char *kind, const void *key,
		  size_t key_len, void **value);
/* Calls fn for each record of the kind, in key order, until it returns false.
 * key and value are borrowed; fn must not park nor call the store. */
typedef bool store_fn(void *arg, const void *key, size_t key_len,
		      const void *value, size_t value_len);
int store_for_each(struct store *s, const char *kind, store_fn *fn, void *arg);

#endif
