/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/engine.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/util.h"
#include "engine/local/engine.h"

/* Few, and none is ever taken out. */
static struct engine_ops *kinds[8];
static size_t nkinds;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void default_begin_grace(struct engine *e) {}

static void default_end_grace(struct engine *e) {}

/* The whole file is one extent, with the hole that every file has behind it. */
static int64_t default_seek(struct engine_node *node, uint64_t offset,
			    int whence)
{
	struct fattr attr;
	int r = engine_getattr(node->engine, engine_node_ino(node), &attr);

	if (r < 0)
		return r;
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return -EINVAL;
	if (offset >= attr.size)
		return -ENXIO;
	return whence == SEEK_DATA ? (int64_t)offset : (int64_t)attr.size;
}

static int default_allocate(struct engine_node *node, uint64_t offset,
			    uint64_t len)
{
	return -EOPNOTSUPP;
}

static ssize_t default_getxattr(struct engine *e, uint64_t ino,
				const char *name, size_t name_len, void *buf,
				size_t size)
{
	return -EOPNOTSUPP;
}

static int default_setxattr(struct engine *e, const struct cred *cred,
			    uint64_t ino, const char *name, size_t name_len,
			    const void *value, size_t size, int flags,
			    struct change_info *ci)
{
	return -EOPNOTSUPP;
}

static int default_removexattr(struct engine *e, const struct cred *cred,
			       uint64_t ino, const char *name, size_t name_len,
			       struct change_info *ci)
{
	return -EOPNOTSUPP;
}

static int default_set_quota(struct engine *e, uint64_t bytes, uint64_t files)
{
	return -EOPNOTSUPP;
}

static int default_tree_set(struct engine *e, uint64_t dir, uint64_t bytes,
			    uint64_t files)
{
	return -EOPNOTSUPP;
}

static int default_tree_clear(struct engine *e, uint64_t dir)
{
	return -ENOENT;
}

static int default_tree_get(struct engine *e, uint64_t dir,
			    struct engine_tree *out)
{
	return -ENOENT;
}

static int default_tree_next(struct engine *e, uint64_t *dir)
{
	return -ENOENT;
}

static ssize_t default_listxattr(struct engine *e, uint64_t ino, char *buf,
				 size_t size)
{
	return -EOPNOTSUPP;
}

static void fill_defaults(struct engine_ops *ops)
{
	assert(ops->open && ops->close && ops->getattr && ops->setattr &&
	       ops->lookup && ops->create && ops->link && ops->remove &&
	       ops->rename && ops->readlink && ops->readdir && ops->hold &&
	       ops->release && ops->node_ino && ops->read && ops->write &&
	       ops->commit && ops->statfs);
#define DEFAULT(call, fn)                                                      \
	do {                                                                   \
		if (ops->call == NULL)                                         \
			ops->call = fn;                                        \
	} while (0)
	DEFAULT(begin_grace, default_begin_grace);
	DEFAULT(end_grace, default_end_grace);
	DEFAULT(set_quota, default_set_quota);
	DEFAULT(tree_set, default_tree_set);
	DEFAULT(tree_clear, default_tree_clear);
	DEFAULT(tree_get, default_tree_get);
	DEFAULT(tree_next, default_tree_next);
	DEFAULT(seek, default_seek);
	DEFAULT(allocate, default_allocate);
	DEFAULT(deallocate, default_allocate);
	DEFAULT(getxattr, default_getxattr);
	DEFAULT(setxattr, default_setxattr);
	DEFAULT(removexattr, default_removexattr);
	DEFAULT(listxattr, default_listxattr);
#undef DEFAULT
}

static int add(struct engine_ops *ops)
{
	if (nkinds == ARRAY_SIZE(kinds))
		return -ENOSPC;
	fill_defaults(ops);
	kinds[nkinds++] = ops;
	return 0;
}

static void add_own(void)
{
	add(&engine_local_ops);
}

int engine_register(struct engine_ops *ops)
{
	pthread_once(&once, add_own);
	return add(ops);
}

int engine_open(const char *kind, const char *directory, struct engine **out)
{
	pthread_once(&once, add_own);
	for (size_t i = 0; i < nkinds; i++)
		if (strcmp(kinds[i]->name, kind) == 0)
			return kinds[i]->open(directory, out);
	return -ENOENT;
}

void engine_close(struct engine *e)
{
	if (e != NULL)
		e->ops->close(e);
}

bool cred_in_group(const struct cred *cred, uint32_t gid)
{
	if (cred->gid == gid)
		return true;
	for (uint32_t i = 0; i < cred->ngroups; i++)
		if (cred->groups[i] == gid)
			return true;
	return false;
}

unsigned engine_access(const struct fattr *attr, const struct cred *cred,
		       unsigned want)
{
	bool runs = S_ISDIR(attr->mode) || (attr->mode & 0111) != 0;

	if (cred == NULL)
		return want;
	if (cred->uid == 0)
		return runs ? want : want & ~ENGINE_X;
	if (cred->uid == attr->uid)
		return want & (attr->mode >> 6);
	if (cred_in_group(cred, attr->gid))
		return want & (attr->mode >> 3);
	return want & attr->mode & 7;
}
