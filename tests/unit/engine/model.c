/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct model_inode *create(struct model *m, uint32_t mode)
{
	struct model_inode *i = calloc(1, sizeof(*i));

	i->mode = mode;
	i->nlink = S_ISDIR(mode) ? 2 : 1;
	if (S_ISREG(mode))
		i->data = calloc(1, MODEL_SIZE_MAX);
	list_init(&i->names);
	list_append(&m->inodes, &i->link);
	return i;
}

void model_init(struct model *m)
{
	list_init(&m->inodes);
	m->root = create(m, S_IFDIR | 0755);
	m->root->parent = m->root;
	m->root->ino = 1;
}

static void destroy(struct model_inode *i)
{
	struct model_name *n;

	while ((n = list_first(&i->names, struct model_name, link)) != NULL) {
		list_del(&n->link);
		free(n);
	}
	list_del(&i->link);
	free(i->data);
	free(i);
}

void model_fini(struct model *m)
{
	struct model_inode *i;

	while ((i = list_first(&m->inodes, struct model_inode, link)) != NULL)
		destroy(i);
}

static struct model_name *find(struct model_inode *dir, const char *name)
{
	struct model_name *n;

	list_for_each (n, &dir->names, link)
		if (strcmp(n->name, name) == 0)
			return n;
	return NULL;
}

struct model_inode *model_look(struct model_inode *dir, const char *name)
{
	struct model_name *n = find(dir, name);

	return n != NULL ? n->inode : NULL;
}

static void add(struct model_inode *dir, const char *name,
		struct model_inode *inode)
{
	struct model_name *n = calloc(1, sizeof(*n));

	strcpy(n->name, name);
	n->inode = inode;
	list_append(&dir->names, &n->link);
	if (S_ISDIR(inode->mode)) {
		dir->nlink++;
		inode->parent = dir;
	}
}

static void take(struct model_inode *dir, struct model_name *n)
{
	if (S_ISDIR(n->inode->mode))
		dir->nlink--;
	list_del(&n->link);
	free(n);
}

static int check_dir(const struct model_inode *dir)
{
	if (!S_ISDIR(dir->mode))
		return -ENOTDIR;
	return dir->nlink == 0 ? -ENOENT : 0;
}

int model_create(struct model *m, struct model_inode *dir, const char *name,
		 uint32_t mode, struct model_inode **out)
{
	int r = check_dir(dir);

	if (r < 0)
		return r;
	if (find(dir, name) != NULL)
		return -EEXIST;
	*out = create(m, mode);
	(*out)->tree = dir->tree;
	if (S_ISLNK(mode))
		(*out)->size = 6;
	if (dir->mode & S_ISGID) {
		(*out)->gid = dir->gid;
		(*out)->mode |= S_ISDIR(mode) ? S_ISGID : 0;
	}
	add(dir, name, *out);
	return 0;
}

int model_link(struct model *m, struct model_inode *inode,
	       struct model_inode *dir, const char *name)
{
	int r = check_dir(dir);

	if (S_ISDIR(inode->mode))
		return -EPERM;
	if (r < 0)
		return r;
	if (find(dir, name) != NULL)
		return -EEXIST;
	if (inode->nlink == 0)
		return -ENOENT;
	if (inode->tree != dir->tree)
		return -EXDEV;
	inode->nlink++;
	add(dir, name, inode);
	return 0;
}

static void drop(struct model *m, struct model_inode *inode)
{
	inode->nlink = S_ISDIR(inode->mode) ? 0 : inode->nlink - 1;
	model_release(m, inode);
}

void model_release(struct model *m, struct model_inode *inode)
{
	if (inode->nlink == 0 && inode->held == 0)
		destroy(inode);
}

int model_remove(struct model *m, struct model_inode *dir, const char *name)
{
	int r = check_dir(dir);
	struct model_inode *inode;
	struct model_name *n;

	if (r < 0)
		return r;
	n = find(dir, name);
	if (n == NULL)
		return -ENOENT;
	inode = n->inode;
	if (!list_empty(&inode->names))
		return -ENOTEMPTY;
	take(dir, n);
	drop(m, inode);
	return 0;
}

static bool is_above(const struct model_inode *a, const struct model_inode *d)
{
	while (d != a && d->parent != d)
		d = d->parent;
	return d == a;
}

static int check_rename(const struct model_inode *moved,
			const struct model_inode *victim,
			const struct model_inode *from,
			const struct model_inode *to)
{
	bool dir = S_ISDIR(moved->mode);

	if (dir && from != to && is_above(moved, to))
		return -EINVAL;
	if (victim == NULL)
		return 0;
	if (S_ISDIR(victim->mode) && from != to && is_above(victim, from))
		return -ENOTEMPTY;
	if (dir != S_ISDIR(victim->mode))
		return dir ? -ENOTDIR : -EISDIR;
	return list_empty(&victim->names) ? 0 : -ENOTEMPTY;
}

int model_rename(struct model *m, struct model_inode *from,
		 const char *from_name, struct model_inode *to,
		 const char *to_name)
{
	struct model_name *source, *target;
	struct model_inode *moved, *victim;
	int r = check_dir(from);

	if (r == 0)
		r = check_dir(to);
	if (r < 0)
		return r;
	source = find(from, from_name);
	if (source == NULL)
		return -ENOENT;
	target = find(to, to_name);
	moved = source->inode;
	victim = target != NULL ? target->inode : NULL;
	if (moved == victim)
		return 0;
	r = check_rename(moved, victim, from, to);
	if (r == 0 && from->tree != to->tree)
		r = -EXDEV;
	if (r < 0)
		return r;
	if (target != NULL)
		take(to, target);
	take(from, source);
	add(to, to_name, moved);
	if (victim != NULL)
		drop(m, victim);
	return 0;
}

/* Of `inode`, in what is below `dir` and not below another root. */
static uint32_t names_below(const struct model_inode *dir,
			    const struct model_inode *inode)
{
	struct model_name *n;
	uint32_t names = 0;

	list_for_each (n, &dir->names, link) {
		names += n->inode == inode ? 1 : 0;
		if (S_ISDIR(n->inode->mode) && n->inode->tree != n->inode->ino)
			names += names_below(n->inode, inode);
	}
	return names;
}

static void move_below(struct model_inode *dir, uint64_t tree)
{
	struct model_name *n;

	dir->tree = tree;
	list_for_each (n, &dir->names, link) {
		if (n->inode->tree == n->inode->ino)
			continue;
		n->inode->tree = tree;
		if (S_ISDIR(n->inode->mode))
			move_below(n->inode, tree);
	}
}

bool model_set_tree(struct model *m, struct model_inode *dir, bool set)
{
	bool is_root = dir->parent == dir;
	struct model_inode *i;
	uint32_t names;

	list_for_each (i, &m->inodes, link) {
		if (S_ISDIR(i->mode))
			continue;
		names = names_below(dir, i);
		if (names > 0 && names != i->nlink)
			return false;
	}
	move_below(dir, set ? dir->ino : is_root ? 0 : dir->parent->tree);
	return true;
}

uint64_t model_count(const struct model *m, uint64_t tree)
{
	const struct model_inode *i;
	uint64_t n = 0;

	list_for_each (i, &m->inodes, link)
		n += i->tree == tree ? 1 : 0;
	return n;
}

void model_write(struct model_inode *inode, const void *data, uint64_t len,
		 uint64_t offset)
{
	memcpy(inode->data + offset, data, len);
	if (offset + len > inode->size)
		inode->size = offset + len;
}

void model_truncate(struct model_inode *inode, uint64_t size)
{
	if (size < inode->size)
		memset(inode->data + size, 0, inode->size - size);
	inode->size = size;
}
