/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holes and how much is used: seek, allocate, deallocate, statfs.
 */
#include "engine/local/local.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>

#include "reactor/file.h"

/* An inline file is one extent; so is what the backing file does not have. */
static int64_t seek_held(struct node *n, uint64_t offset, int whence)
{
	struct shard *s = shard_lock(node_local(n), n->ino);
	uint64_t size = n->size;
	int64_t found;

	shard_unlock(s);
	if (offset >= size)
		return -ENXIO;
	if (!n->backed)
		return whence == SEEK_DATA ? offset : size;
	found = file_seek(n->file, offset, whence);
	if (found == -ENXIO && whence == SEEK_HOLE)
		return offset; /* the file ends before the size */
	if (found < 0)
		return found;
	if ((uint64_t)found < size)
		return found;
	return whence == SEEK_DATA ? -ENXIO : (int64_t)size;
}

int64_t local_seek(struct engine_node *node, uint64_t offset, int whence)
{
	struct node *n = node_of(node);
	int64_t r = data_check_regular(n);

	if (r == 0 && whence != SEEK_DATA && whence != SEEK_HOLE)
		r = -EINVAL;
	if (r == 0)
		r = data_lock_for_read(n);
	if (r < 0)
		return r;
	r = seek_held(n, offset, whence);
	task_read_unlock(&n->io);
	return r;
}

static int check_range(struct node *n, uint64_t offset, uint64_t len)
{
	int r = data_check_regular(n);

	if (r < 0)
		return r;
	if (len == 0)
		return -EINVAL;
	if (len > INT64_MAX || offset > INT64_MAX - len)
		return -EFBIG;
	return clock_reserve(node_local(n));
}

static int load_inline(struct node *n)
{
	struct shard *s = shard_lock(node_local(n), n->ino);
	int r = inline_load(n);

	shard_unlock(s);
	return r;
}

static int allocate_held(struct node *n, uint64_t offset, uint64_t len)
{
	int r = data_prepare_write(n, offset + len);

	if (r == 0 && n->backed)
		r = file_allocate(n->file, 0, offset, len);
	else if (r == 0)
		r = load_inline(n);
	if (r == 0)
		data_written(n, offset + len, len);
	else if (n->backed && n->file != NULL && data_cut_rest(n) < 0)
		node_fail(n, -EIO);
	return r;
}

int local_allocate(struct engine_node *node, uint64_t offset, uint64_t len)
{
	struct node *n = node_of(node);
	int r = check_range(n, offset, len);
	bool held;

	if (r == 0)
		r = quota_claim(n, offset + len, len, &held);
	if (r < 0)
		return r;
	task_write_lock(&n->io);
	r = allocate_held(n, offset, len);
	task_write_unlock(&n->io);
	if (held)
		quota_unclaim(n);
	return r < 0 ? r : local_commit(node, 0, 0);
}

static int clear_inline(struct node *n, uint64_t offset, uint64_t len)
{
	struct shard *s = shard_lock(node_local(n), n->ino);
	int r = inline_load(n);

	if (r == 0)
		memset(n->data + offset, 0, len);
	shard_unlock(s);
	return r;
}

/* Never changes the size. */
static int deallocate_held(struct node *n, uint64_t offset, uint64_t len)
{
	const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	int r = data_prepare_write(n, 0);

	if (r < 0)
		return r;
	len = offset < n->size ? MIN(len, n->size - offset) : 0;
	if (len > 0 && n->backed)
		r = file_allocate(n->file, mode, offset, len);
	else if (len > 0)
		r = clear_inline(n, offset, len);
	if (r == 0 && len > 0)
		data_written(n, 0, 0);
	return r;
}

int local_deallocate(struct engine_node *node, uint64_t offset, uint64_t len)
{
	struct node *n = node_of(node);
	int r = check_range(n, offset, len);

	if (r < 0)
		return r;
	task_write_lock(&n->io);
	r = deallocate_held(n, offset, len);
	task_write_unlock(&n->io);
	return r < 0 ? r : local_commit(node, 0, 0);
}

struct host {
	const char *dir;
	struct statvfs st;
};

static int ask_host(void *arg)
{
	struct host *h = arg;

	return statvfs(h->dir, &h->st) < 0 ? -errno : 0;
}

/* Metadata have no limit of their own but the space they take. */
int local_statfs(struct engine *e, uint64_t tree, struct engine_statfs *out)
{
	enum { INODE_SPACE = 1024 };
	struct local *l = local_of(e);
	struct host h = { .dir = l->dir };
	struct state_rec state;
	int r = offload(ask_host, &h);

	if (r == 0)
		r = state_read(l, &state);
	if (r < 0)
		return r;
	*out = (struct engine_statfs){
		.total_bytes = h.st.f_blocks * h.st.f_frsize,
		.free_bytes = h.st.f_bfree * h.st.f_frsize,
		.avail_bytes = h.st.f_bavail * h.st.f_frsize,
		.used_bytes = state.used_bytes,
		.used_files = state.used_files,
	};
	out->free_files = out->avail_files = out->avail_bytes / INODE_SPACE;
	out->total_files = out->used_files + out->free_files;
	quota_limit_statfs(l, out);
	return tree != 0 ? tree_limit_statfs(l, tree, out) : 0;
}
