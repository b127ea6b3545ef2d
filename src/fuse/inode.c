/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of inodes: which file handle a node id stands for.  It is as large
 * as the kernel's own cache; the kernel says when it has dropped one.
 */
#include "base/hash.h"
#include "fuse/internal.h"

static uint64_t fh_hash(const struct nfs_fh *fh)
{
	return hash_bytes(fh->data, fh->len);
}

bool inode_has_fh(const struct inode *inode, const struct nfs_fh *fh)
{
	return nfs_fh_equal(&inode->fh, fh);
}

struct inode *inode_find(struct mount *m, fuse_ino_t id)
{
	struct inode *inode =
		id == FUSE_ROOT_ID ? m->root : (struct inode *)(uintptr_t)id;

	MAGIC_CHECK(inode, INODE_MAGIC);
	return inode;
}

fuse_ino_t inode_id(const struct inode *inode)
{
	return inode == inode->mount->root ? FUSE_ROOT_ID
					   : (fuse_ino_t)(uintptr_t)inode;
}

struct inode *inode_peek(struct mount *m, const struct nfs_fh *fh)
{
	struct inode *inode;

	htable_for_each_match (inode, &m->inodes, fh_hash(fh), node)
		if (inode_has_fh(inode, fh))
			return inode;
	return NULL;
}

static struct inode *inode_create(struct mount *m, const struct nfs_fh *fh)
{
	struct inode *inode = calloc(1, sizeof(*inode));

	if (inode == NULL)
		return NULL;
	MAGIC_SET(inode, INODE_MAGIC);
	inode->mount = m;
	inode->fh = *fh;
	list_init(&inode->handles);
	list_init(&inode->holders);
	waitq_init(&inode->sent);
	htable_insert(&m->inodes, &inode->node, fh_hash(fh));
	return inode;
}

struct inode *inode_of_fh(struct mount *m, const struct nfs_fh *fh,
			  const struct nfs_attr *attr)
{
	struct inode *inode = inode_peek(m, fh);

	if (inode == NULL)
		inode = inode_create(m, fh);
	if (inode == NULL)
		return NULL;
	inode->mode = attr->mode;
	inode->gid = attr->gid;
	inode->fileid = attr->fileid;
	inode_ref(inode);
	return inode;
}

void inode_ref(struct inode *inode)
{
	MAGIC_CHECK(inode, INODE_MAGIC);
	inode->refs++;
}

void inode_found(struct inode *inode, struct inode *dir, const char *name)
{
	struct inode *old = inode->parent;

	if (S_ISDIR(inode->mode)) {
		inode->parent_fileid = dir ? dir->fileid : 0;
		return;
	}
	if (name != NULL && inode->name != NULL && old == dir &&
	    strcmp(inode->name, name) == 0)
		return;
	free(inode->name);
	inode->name = name ? strdup(name) : NULL;
	inode->parent = inode->name ? dir : NULL;
	if (inode->parent != NULL)
		inode_ref(inode->parent);
	if (old != NULL)
		inode_unref(old);
}

/* A directory has no parent here, so this goes one deep. */
static void inode_destroy(struct inode *inode)
{
	struct mount *m = inode->mount;

	if (!S_ISDIR(inode->mode))
		inode_found(inode, NULL, NULL);
	assert(list_empty(&inode->handles) && list_empty(&inode->holders));
	m->changes_anywhere = MAX(m->changes_anywhere, inode->changed);
	htable_remove(&m->inodes, &inode->node);
	MAGIC_CLEAR(inode);
	free(inode);
}

void inode_unref(struct inode *inode)
{
	MAGIC_CHECK(inode, INODE_MAGIC);
	assert(inode->refs > 0);
	if (--inode->refs == 0)
		inode_destroy(inode);
}

void inode_looked_up(struct inode *inode)
{
	if (inode->lookups++ == 0)
		inode_ref(inode);
}

void inode_forget(struct inode *inode, uint64_t n)
{
	assert(n <= inode->lookups);
	inode->lookups -= n;
	if (n > 0 && inode->lookups == 0)
		inode_unref(inode);
}

void inode_changes(struct inode *inode)
{
	inode->changed = ++inode->mount->changes;
	inode->own_changes = true;
}

void mount_changes(struct mount *m)
{
	m->changes_anywhere = ++m->changes;
}

void inodes_fini(struct mount *m)
{
	struct inode *inode;

	while ((inode = htable_pop_entry(&m->inodes, struct inode, node))) {
		MAGIC_CLEAR(inode);
		free(inode->name);
		free(inode);
	}
	htable_fini(&m->inodes);
}
