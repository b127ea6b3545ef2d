/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of up to INLINE_MAX bytes: their data are a record beside the inode,
 * and go to disk in the same transaction as size and times.  Between a write
 * and its commit they are in the node.
 *
 * All of that runs under the shard's lock: a few KiB are copied, nothing parks.
 * The target of a symbolic link is kept the same way, and never changes.
 */
#include "engine/local/local.h"

#include <errno.h>
#include <string.h>

/* Zeroes stand for what the record lacks: an empty file has none. */
static int read_record(struct node *n, char *buf, size_t len, uint64_t offset)
{
	struct ino_key k;
	struct view v;
	MDB_val value;
	size_t have = 0;
	int r = view_begin(node_local(n), &v);

	if (r < 0)
		return r;
	r = view_get(&v, T_INLINE, ino_key(&k, n->ino), &value);
	if (r == 0 && offset < value.mv_size)
		have = MIN(len, value.mv_size - offset);
	if (have > 0)
		memcpy(buf, (char *)value.mv_data + offset, have);
	memset(buf + have, 0, len - have);
	view_end(&v);
	return r == -ENOENT ? 0 : r;
}

int inline_load(struct node *n)
{
	char *data;
	int r;

	if (n->data != NULL)
		return 0;
	data = malloc(INLINE_MAX);
	if (data == NULL)
		return -ENOMEM;
	r = read_record(n, data, INLINE_MAX, 0);
	if (r < 0) {
		free(data);
		return r;
	}
	n->data = data;
	__atomic_add_fetch(&node_local(n)->inline_dirty, INLINE_MAX,
			   __ATOMIC_RELAXED);
	return 0;
}

void inline_free(struct node *n)
{
	if (n->data == NULL)
		return;
	free(n->data);
	n->data = NULL;
	__atomic_sub_fetch(&node_local(n)->inline_dirty, INLINE_MAX,
			   __ATOMIC_RELAXED);
}

/* [offset, offset + len) is within the size. */
ssize_t inline_read(struct node *n, void *buf, size_t len, uint64_t offset)
{
	int r = 0;

	if (n->data != NULL)
		memcpy(buf, n->data + offset, len);
	else
		r = read_record(n, buf, len, offset);
	return r < 0 ? r : (ssize_t)len;
}

int inline_write(struct node *n, const struct iovec *iov, int iovcnt,
		 uint64_t offset)
{
	int r = inline_load(n);

	for (int i = 0; r == 0 && i < iovcnt; i++) {
		memcpy(n->data + offset, iov[i].iov_base, iov[i].iov_len);
		offset += iov[i].iov_len;
	}
	return r;
}

int inline_store(struct view *v, struct node *n, uint64_t size)
{
	struct ino_key k;

	if (size == 0)
		return view_del(v, T_INLINE, ino_key(&k, n->ino));
	return view_put(v, T_INLINE, ino_key(&k, n->ino),
			(MDB_val){ size, n->data });
}

static ssize_t read_target(struct view *v, uint64_t ino, char *buf, size_t size)
{
	struct inode_rec rec;
	struct ino_key k;
	MDB_val value;
	int r = inode_get(v, ino, &rec);

	if (r == 0 && !S_ISLNK(rec.mode))
		r = -EINVAL;
	if (r == 0)
		r = view_get(v, T_INLINE, ino_key(&k, ino), &value);
	if (r < 0)
		return r;
	size = MIN(size, value.mv_size);
	memcpy(buf, value.mv_data, size);
	return size;
}

ssize_t local_readlink(struct engine *e, uint64_t ino, char *buf, size_t size)
{
	struct view v;
	ssize_t r = view_begin(local_of(e), &v);

	if (r < 0)
		return r;
	r = read_target(&v, ino, buf, size);
	view_end(&v);
	return r;
}
