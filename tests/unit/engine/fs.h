/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Short forms of the engine's calls for tests: names are C strings, what must
 * succeed does or the test ends.
 */
#ifndef TESTS_ENGINE_FS_H
#define TESTS_ENGINE_FS_H

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "../in_task.h"
#include "engine/engine.h"
#include "engine/local/local.h"

static const struct cred fs_root = { .uid = 0, .gid = 0 };

static inline struct engine *fs_open(const char *directory)
{
	struct engine *e = NULL;

	require(engine_open("local", directory, &e) == 0);
	return e;
}

/* 0 or -errno; *ino may be NULL. */
static inline int fs_make(struct engine *e, const struct cred *cred,
			  uint64_t dir, const char *name, uint32_t mode,
			  uint64_t *ino)
{
	struct create_spec spec = { .mode = mode };
	struct fattr attr;
	int r;

	if (S_ISLNK(mode)) {
		spec.target = "target";
		spec.target_len = 6;
	}
	r = engine_create(e, cred, dir, name, strlen(name), &spec, &attr, NULL,
			  NULL);
	if (r == 0 && ino != NULL)
		*ino = attr.ino;
	return r;
}

static inline uint64_t fs_file(struct engine *e, uint64_t dir, const char *name)
{
	uint64_t ino = 0;

	require(fs_make(e, NULL, dir, name, S_IFREG | 0644, &ino) == 0);
	return ino;
}

static inline uint64_t fs_dir(struct engine *e, uint64_t dir, const char *name)
{
	uint64_t ino = 0;

	require(fs_make(e, NULL, dir, name, S_IFDIR | 0755, &ino) == 0);
	return ino;
}

static inline struct fattr fs_attr(struct engine *e, uint64_t ino)
{
	struct fattr attr;

	require(engine_getattr(e, ino, &attr) == 0);
	return attr;
}

/* Everything counts where it is. */
static inline void fs_wait_for_walks(struct engine *e)
{
	uint64_t tree = 0;

	for (int i = 0; i < 20000; i++, tree = 0) {
		if (tree_next_with(local_of(e), &tree, TREE_WALK, 0) == -ENOENT)
			return;
		task_sleep(MSEC(1));
	}
	require(!"counted in 20 s");
}

/* The inode, or 0 if there is no such name. */
static inline uint64_t fs_look(struct engine *e, uint64_t dir, const char *name)
{
	struct fattr attr;
	int r = engine_lookup(e, NULL, dir, name, strlen(name), &attr);

	require(r == 0 || r == -ENOENT);
	return r == 0 ? attr.ino : 0;
}

static inline int fs_remove(struct engine *e, const struct cred *cred,
			    uint64_t dir, const char *name)
{
	return engine_remove(e, cred, dir, name, strlen(name),
			     ENGINE_REMOVE_ANY, NULL);
}

static inline int fs_rename(struct engine *e, const struct cred *cred,
			    uint64_t from, const char *from_name, uint64_t to,
			    const char *to_name)
{
	return engine_rename(e, cred, from, from_name, strlen(from_name), to,
			     to_name, strlen(to_name), NULL);
}

static inline int fs_link(struct engine *e, const struct cred *cred,
			  uint64_t ino, uint64_t dir, const char *name)
{
	return engine_link(e, cred, ino, dir, name, strlen(name), NULL);
}

static inline int fs_chmod(struct engine *e, const struct cred *cred,
			   uint64_t ino, uint32_t mode)
{
	struct sattr set = { .mask = SATTR_MODE, .mode = mode };

	return engine_setattr(e, cred, ino, &set, NULL);
}

static inline int fs_chown(struct engine *e, const struct cred *cred,
			   uint64_t ino, int64_t uid, int64_t gid)
{
	struct sattr set = { .mask = (uid >= 0 ? SATTR_UID : 0) |
				     (gid >= 0 ? SATTR_GID : 0),
			     .uid = uid,
			     .gid = gid };

	return engine_setattr(e, cred, ino, &set, NULL);
}

static inline int fs_truncate(struct engine *e, const struct cred *cred,
			      uint64_t ino, uint64_t size)
{
	struct sattr set = { .mask = SATTR_SIZE, .size = size };

	return engine_setattr(e, cred, ino, &set, NULL);
}

static inline struct engine_node *fs_hold(struct engine *e, uint64_t ino)
{
	struct engine_node *n = NULL;

	require(engine_hold(e, ino, &n) == 0);
	return n;
}

static inline void fs_write(struct engine_node *n, const void *data, size_t len,
			    uint64_t offset)
{
	struct iovec iov = { (void *)data, len };

	require(engine_write(n, NULL, &iov, 1, offset, ENGINE_UNSTABLE) == 0);
}

/* `len` bytes at `offset` are exactly `data`. */
static inline bool fs_reads(struct engine_node *n, const void *data, size_t len,
			    uint64_t offset)
{
	char *buf = malloc(len + 1);
	bool eof, same;

	require(engine_read(n, buf, len, offset, &eof) == (ssize_t)len);
	same = memcmp(buf, data, len) == 0;
	free(buf);
	return same;
}

#endif
