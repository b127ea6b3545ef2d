/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and writing, and the backing files: data/XX/INO, XX being the low
 * byte of the inode number.
 *
 * A backing file may be longer than the size in LMDB while it is written, and
 * hold newer bytes.  So a node is marked before its backing file is written to
 * for the first time: mark.c.
 */
#include "engine/local/local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "reactor/file.h"

/* Written back as soon as it is complete. */
enum { STREAM_PART = 8 << 20 };

void data_path(const struct local *l, uint64_t ino, char path[PATH_ROOM])
{
	snprintf(path, PATH_ROOM, "%s/data/%02lx/%lx", l->dir, ino & 0xff, ino);
}

/* Cuts what a writer left behind whose commit failed. */
int data_cut_rest(struct node *n)
{
	uint64_t size;
	int r = file_size(n->file, &size, NULL);

	if (r < 0 || size <= n->size)
		return r;
	n->synced = 0; /* nobody syncs now: n->io is held exclusively */
	return file_truncate(n->file, n->size);
}

static int open_file(struct node *n)
{
	char path[PATH_ROOM];
	int r;

	if (n->file != NULL)
		return 0;
	data_path(node_local(n), n->ino, path);
	r = file_open(path, O_RDWR, 0, &n->file);
	if (r < 0) {
		log_error("%s: %s", path, strerror(-r));
		return r == -ENOENT ? -EIO : r;
	}
	r = data_cut_rest(n);
	if (r < 0) {
		file_close(n->file);
		n->file = NULL;
	}
	return r;
}

/* Moves an inline file's data to a backing file.  LMDB learns of it with the
 * next commit. */
static int spill(struct node *n)
{
	struct local *l = node_local(n);
	struct file *f;
	struct shard *s;
	char path[PATH_ROOM];
	int r = mark_node(n);

	if (r < 0)
		return r;
	s = shard_lock(l, n->ino);
	r = inline_load(n); /* stays in place: no writer is about */
	shard_unlock(s);
	data_path(l, n->ino, path);
	if (r == 0)
		r = file_open(path, O_RDWR | O_CREAT | O_TRUNC, 0600, &f);
	if (r < 0)
		return r;
	r = file_pwrite(f, n->data, n->size, 0);
	if (r < 0) {
		file_close(f);
		file_unlink(path);
		return r;
	}
	s = shard_lock(l, n->ino);
	n->file = f;
	n->backed = true;
	n->committed_size = 0;
	n->written++;
	inline_free(n);
	shard_unlock(s);
	return 0;
}

int data_prepare_write(struct node *n, uint64_t end)
{
	int r;

	if (!n->backed)
		return end > INLINE_MAX ? spill(n) : 0;
	r = open_file(n);
	return r < 0 ? r : mark_node(n);
}

/* n->io is held, shared. */
static bool is_ready_for_write(const struct node *n, uint64_t end)
{
	if (!n->backed)
		return end <= INLINE_MAX;
	return n->file != NULL && n->marked;
}

/* Releases by others may undo what was prepared: then again. */
int data_lock_for_write(struct node *n, uint64_t end)
{
	int r;

	for (;;) {
		task_read_lock(&n->io);
		if (is_ready_for_write(n, end))
			return 0;
		task_read_unlock(&n->io);
		task_write_lock(&n->io);
		r = data_prepare_write(n, end);
		task_write_unlock(&n->io);
		if (r < 0)
			return r;
	}
}

int data_lock_for_read(struct node *n)
{
	int r;

	for (;;) {
		task_read_lock(&n->io);
		if (!n->backed || n->file != NULL)
			return 0;
		task_read_unlock(&n->io);
		task_write_lock(&n->io);
		r = open_file(n);
		task_write_unlock(&n->io);
		if (r < 0)
			return r;
	}
}

/* The shard's lock is held. */
static void note_write(struct node *n, uint64_t end, uint64_t len)
{
	struct local *l = node_local(n);
	uint64_t space = n->space;

	n->size = MAX(n->size, end);
	/* Until the commit asks the host: not less than what it takes. */
	n->space = quota_space_after(n, end, len);
	quota_written(n, (int64_t)(n->space - space));
	n->time = reactor_realtime();
	n->change = clock_tick(l);
	n->written++;
}

void data_written(struct node *n, uint64_t end, uint64_t len)
{
	struct shard *s = shard_lock(node_local(n), n->ino);

	note_write(n, end, len);
	shard_unlock(s);
}

/* As relatime mounts have it, and only in memory: reading flushes nothing. */
static void accessed(struct node *n)
{
	nsec now = reactor_realtime();

	if (n->atime <= n->time || now - n->atime > SEC(24 * 3600))
		n->atime = now;
}

int data_check_regular(const struct node *n)
{
	if (S_ISREG(n->type))
		return 0;
	return S_ISDIR(n->type) ? -EISDIR : -EINVAL;
}

/* A backing file may be shorter than the size: the rest is a hole. */
static ssize_t read_backed(struct node *n, void *buf, size_t len,
			   uint64_t offset)
{
	ssize_t got = file_pread(n->file, buf, len, offset);

	if (got >= 0 && (size_t)got < len)
		memset((char *)buf + got, 0, len - got);
	return got < 0 ? got : (ssize_t)len;
}

static ssize_t read_held(struct node *n, void *buf, size_t len, uint64_t offset,
			 bool *eof)
{
	struct shard *s = shard_lock(node_local(n), n->ino);
	uint64_t size = n->size;
	ssize_t r = 0;

	len = offset < size ? MIN(len, size - offset) : 0;
	*eof = offset >= size || offset + len == size;
	accessed(n);
	if (!n->backed && len > 0)
		r = inline_read(n, buf, len, offset);
	shard_unlock(s);
	if (n->backed && len > 0)
		r = read_backed(n, buf, len, offset);
	return r;
}

ssize_t local_read(struct engine_node *node, void *buf, size_t len,
		   uint64_t offset, bool *eof)
{
	struct node *n = node_of(node);
	ssize_t r = data_check_regular(n);

	if (r == 0)
		r = data_lock_for_read(n);
	if (r < 0)
		return r;
	r = read_held(n, buf, MIN(len, (size_t)INT64_MAX), offset, eof);
	task_read_unlock(&n->io);
	return r;
}

static bool grows(struct node *n, uint64_t end)
{
	struct shard *s = shard_lock(node_local(n), n->ino);
	bool does = end > n->size;

	shard_unlock(s);
	return does;
}

/* A file that grows gets to the disk as it comes, not all at its COMMIT.  What
 * is overwritten may be so again before that, and has its blocks already. */
static void start_writeback(struct node *n, uint64_t offset, uint64_t end)
{
	uint64_t from = offset & -(uint64_t)STREAM_PART;

	if (end - from >= STREAM_PART && grows(n, end))
		file_start_writeback(n->file, from, end - from);
}

static int write_backed(struct node *n, struct iovec *iov, int iovcnt,
			uint64_t offset, uint64_t len)
{
	int r = file_pwritev(n->file, iov, iovcnt, offset);

	if (r < 0)
		return r;
	start_writeback(n, offset, offset + len);
	data_written(n, offset + len, len);
	return 0;
}

/* In one section: a commit that ends takes the bytes of a node that nobody has
 * written to since (node.c). */
static int write_inline(struct node *n, struct iovec *iov, int iovcnt,
			uint64_t offset, uint64_t len)
{
	struct shard *s = shard_lock(node_local(n), n->ino);
	int r = inline_write(n, iov, iovcnt, offset);

	if (r == 0)
		note_write(n, offset + len, len);
	shard_unlock(s);
	return r;
}

/* A write that failed may have left bytes beyond the size. */
static void cut_failed(struct node *n)
{
	task_write_lock(&n->io);
	if (n->backed && n->file != NULL && data_cut_rest(n) < 0)
		node_fail(n, -EIO);
	task_write_unlock(&n->io);
}

/* POSIX write(2): by others than root, it clears set-id bits. */
static int drop_setid(struct node *n, const struct cred *cred)
{
	struct local *l = node_local(n);
	struct shard *s;
	bool setid;

	if (cred == NULL || cred->uid == 0)
		return 0;
	s = shard_lock(l, n->ino);
	setid = n->setid;
	shard_unlock(s);
	return setid ? attr_drop_setid(l, n->ino) : 0;
}

static bool too_much_inline(const struct node *n)
{
	const struct local *l = node_local(n);

	return !n->backed &&
	       __atomic_load_n(&l->inline_dirty, __ATOMIC_RELAXED) >
		       INLINE_DIRTY_MAX;
}

/* Of a backing file, the host says whether it may. */
static int may_grow(struct node *n, uint64_t end)
{
	struct local *l = node_local(n);
	struct shard *s = shard_lock(l, n->ino);
	bool grows = !n->backed && end > n->size;

	shard_unlock(s);
	return grows ? space_check(l) : 0;
}

static int check_write(struct node *n, const struct cred *cred, uint64_t offset,
		       uint64_t len)
{
	int r = data_check_regular(n);

	if (r < 0)
		return r;
	if (len > INT64_MAX || offset > INT64_MAX - len)
		return -EFBIG;
	r = may_grow(n, offset + len);
	if (r == 0)
		r = drop_setid(n, cred);
	return r < 0 ? r : clock_reserve(node_local(n));
}

static int write_claimed(struct node *n, struct iovec *iov, int iovcnt,
			 uint64_t offset, uint64_t len, bool *full)
{
	int r = data_lock_for_write(n, offset + len);

	if (r < 0)
		return r;
	if (n->backed)
		r = write_backed(n, iov, iovcnt, offset, len);
	else
		r = write_inline(n, iov, iovcnt, offset, len);
	*full = too_much_inline(n);
	task_read_unlock(&n->io);
	if (r < 0)
		cut_failed(n);
	return r;
}

int local_write(struct engine_node *node, const struct cred *cred,
		struct iovec *iov, int iovcnt, uint64_t offset,
		enum engine_stable stable)
{
	struct node *n = node_of(node);
	uint64_t len = 0;
	bool full, held;
	int r;

	for (int i = 0; i < iovcnt; i++)
		len += iov[i].iov_len;
	r = check_write(n, cred, offset, len);
	if (r == 0)
		r = quota_claim(n, offset + len, len, &held);
	if (r < 0 || len == 0)
		return r;
	r = write_claimed(n, iov, iovcnt, offset, len, &full);
	if (held)
		quota_unclaim(n);
	if (r == 0 && (stable != ENGINE_UNSTABLE || full))
		r = local_commit(node, 0, 0);
	return r;
}
