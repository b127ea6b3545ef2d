/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories.  The kernel asks for a page of entries at a time; the server is
 * asked for a chunk of some hundred, which is kept with the open directory.
 *
 * With readdirplus the kernel makes inodes of the entries, and believes that
 * the attributes are from after its request.  Those of a chunk are older.  So
 * they are given only while they can't be wrong: for a moment (actimeo), and
 * not after this mount itself has changed the file or the directory since the
 * chunk was asked for.  After that the entry is given without attributes.  Of
 * other clients' changes the kernel learns as late as with any cached
 * attributes.
 *
 * Offsets are the server's cookies, which are above 2; 1 and 2 are behind "."
 * and "..".
 */
#include <linux/fuse.h>
#include <stdalign.h>

#include "fuse/ops.h"

enum { DIR_MAGIC = 0x64697266, CHUNK_REQUEST = 64 << 10 };
enum { AFTER_DOT = 1, AFTER_DOTDOT = 2 };

struct entry {
	uint64_t cookie, fileid;
	uint32_t type;
	bool plus; /* attr and fh are filled in */
	struct nfs_attr attr;
	struct nfs_fh fh;
	size_t len;
	char name[]; /* with NUL */
};

/* Entries one behind the other, as they came from the server. */
struct chunk {
	struct buffer *memory; /* NULL: none; memory->used: filled up to here */
	uint64_t before;       /* cookie of the entry before the first */
	bool plus, eof;
	uint64_t changes; /* mount.changes when it was asked for */
	nsec since;
	/* Where the kernel has read to: the next entry, behind that cookie. */
	size_t position;
	uint64_t cookie;
};

struct dir {
	unsigned magic;
	struct task_rwlock lock; /* one request at a time */
	verifier4 verf;
	struct chunk chunk;
};

static size_t entry_size(size_t len)
{
	return round_up(sizeof(struct entry) + len + 1, alignof(struct entry));
}

static struct entry *chunk_entry(const struct chunk *c, size_t position)
{
	return position < c->memory->used
		       ? (struct entry *)(c->memory->data + position)
		       : NULL;
}

/* ------------------------------------------------------- from the server */

/* An nfs_dirent_fn. */
static bool chunk_add(void *arg, const struct nfs_dirent *d)
{
	struct chunk *c = arg;
	size_t size = entry_size(d->len);
	struct entry *e;

	if (c->memory->used + size > BUFFER_LARGE)
		return false;
	e = (struct entry *)(c->memory->data + c->memory->used);
	c->memory->used += size;
	e->cookie = d->cookie;
	e->fileid = d->fileid;
	e->type = d->type;
	e->plus = d->fh != NULL && d->attr != NULL;
	if (e->plus) {
		e->attr = *d->attr;
		e->fh = *d->fh;
	}
	e->len = d->len;
	memcpy(e->name, d->name, d->len);
	e->name[d->len] = '\0';
	return true;
}

static void chunk_drop(struct mount *m, struct chunk *c)
{
	if (c->memory != NULL)
		buffer_give(&m->buffers, c->memory);
	c->memory = NULL;
}

static int chunk_fetch(struct op *op, struct dir *dir, uint64_t cookie,
		       bool plus)
{
	struct chunk *c = &dir->chunk;
	int r;

	if (cookie == 0)
		dir->verf = (verifier4){};
	if (c->memory == NULL)
		c->memory = buffer_take(&op->mount->buffers, BUFFER_LARGE);
	if (c->memory == NULL)
		return -ENOMEM;
	c->memory->used = 0;
	c->before = c->cookie = cookie;
	c->position = 0;
	c->plus = plus;
	c->changes = op->mount->changes;
	c->since = reactor_now();
	r = nfs_readdir(op->mount->nfs, op_cred(op), &op->inode->fh, cookie,
			&dir->verf, CHUNK_REQUEST, plus, chunk_add, c, &c->eof);
	if (r < 0)
		chunk_drop(op->mount, c);
	return r;
}

/* Whether the chunk goes on behind that cookie; if so, from there. */
static bool chunk_seek(struct chunk *c, uint64_t cookie)
{
	struct entry *e;

	if (c->memory == NULL)
		return false;
	if (c->cookie == cookie)
		return true;
	c->position = 0;
	c->cookie = c->before;
	while (c->cookie != cookie) {
		e = chunk_entry(c, c->position);
		if (e == NULL)
			return false;
		c->cookie = e->cookie;
		c->position += entry_size(e->len);
	}
	return true;
}

/* The entry behind that cookie: 0, -ENOENT at the end, or an error. */
static int next_entry(struct op *op, struct dir *dir, uint64_t cookie,
		      bool plus, struct entry **out)
{
	struct chunk *c = &dir->chunk;
	/* A directory read from its beginning is read anew; attributes that
	 * were not asked for can't be given. */
	bool usable = cookie != 0 && (c->plus || !plus);
	int r;

	while (!usable || !chunk_seek(c, cookie) ||
	       (chunk_entry(c, c->position) == NULL && !c->eof)) {
		r = chunk_fetch(op, dir, cookie, plus);
		if (r < 0)
			return r;
		usable = true;
		if (c->memory->used == 0 && !c->eof)
			return -EIO; /* neither an entry nor the end */
	}
	*out = chunk_entry(c, c->position);
	return *out ? 0 : -ENOENT;
}

/* --------------------------------------------------------- to the kernel */

/* One reply while it is filled. */
struct filler {
	struct op *op;
	bool plus;
	char *data;
	size_t size, used;
	/* The inodes among it that the kernel gets. */
	unsigned ngiven;
	struct given {
		struct inode *inode;
		const struct nfs_attr *attr;
	} * given;
};

static bool add(struct filler *f, const char *name,
		const struct fuse_entry_param *entry, off_t next)
{
	size_t left = f->size - f->used;
	size_t n =
		f->plus ? fuse_add_direntry_plus(f->op->req, f->data + f->used,
						 left, name, entry, next)
			: fuse_add_direntry(f->op->req, f->data + f->used, left,
					    name, &entry->attr, next);

	if (n > left)
		return false;
	f->used += n;
	return true;
}

static bool add_dot(struct filler *f, off_t offset)
{
	const struct inode *dir = f->op->inode;
	bool dotdot = offset == AFTER_DOT;
	const struct fuse_entry_param entry = {
		.attr = { .st_ino = dotdot && dir->parent_fileid
					    ? dir->parent_fileid
					    : dir->fileid,
			  .st_mode = S_IFDIR },
	};

	return add(f, dotdot ? ".." : ".", &entry, offset + 1);
}

static bool is_fresh(const struct op *op, const struct chunk *c,
		     const struct entry *e)
{
	const struct mount *m = op->mount;
	const struct inode *inode;

	if (!e->plus || op->inode->changed > c->changes ||
	    m->changes_anywhere > c->changes)
		return false;
	if (reactor_now() - c->since >= (nsec)(m->options->actimeo * SEC(1)))
		return false;
	inode = inode_peek(op->mount, &e->fh);
	return inode == NULL ||
	       (inode->changed <= c->changes && inode->unsent == 0);
}

static bool add_entry(struct filler *f, const struct chunk *c,
		      const struct entry *e)
{
	struct fuse_entry_param entry = {
		.attr = { .st_ino = e->fileid, .st_mode = e->type },
	};
	struct inode *inode = NULL;

	if (f->plus && is_fresh(f->op, c, e))
		inode = op_entry_fill(f->op, &e->fh, &e->attr, &entry);
	if (!add(f, e->name, &entry, (off_t)e->cookie)) {
		if (inode != NULL)
			inode_unref(inode);
		return false;
	}
	if (inode != NULL) {
		inode_found(inode, f->op->inode, e->name);
		f->given[f->ngiven++] = (struct given){ inode, &e->attr };
	}
	return true;
}

/* Entries of one chunk, at most: parking in between would make the attributes
 * of the first ones old. */
static int fill(struct filler *f, struct dir *dir, off_t offset)
{
	struct chunk *c = &dir->chunk;
	struct entry *e;
	int r;

	while (offset < AFTER_DOTDOT) {
		if (!add_dot(f, offset))
			return 0;
		offset++;
	}
	r = next_entry(f->op, dir,
		       offset == AFTER_DOTDOT ? 0 : (uint64_t)offset, f->plus,
		       &e);
	if (r < 0)
		return r == -ENOENT || f->used > 0 ? 0 : r;
	while (e != NULL && add_entry(f, c, e)) {
		c->cookie = e->cookie;
		c->position += entry_size(e->len);
		e = chunk_entry(c, c->position);
	}
	return 0;
}

static void reply(struct filler *f, int r)
{
	bool taken = false;

	if (r < 0)
		op_error(f->op, r);
	else
		taken = op_reply(f->op, fuse_reply_buf, f->data, f->used);
	for (unsigned i = 0; i < f->ngiven; i++) {
		if (taken) {
			inode_looked_up(f->given[i].inode);
			cache_told(f->given[i].inode, f->given[i].attr);
		}
		inode_unref(f->given[i].inode);
	}
}

static void read_dir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		     struct fuse_file_info *fi, bool plus)
{
	struct dir *dir = (struct dir *)(uintptr_t)fi->fh;
	struct op op;
	struct filler f = { .op = &op, .plus = plus };

	MAGIC_CHECK(dir, DIR_MAGIC);
	op_begin(&op, req, ino);
	f.size = MIN(size, (size_t)MOUNT_IO_MAX);
	f.data = malloc(f.size);
	f.given = malloc(sizeof(*f.given) *
			 (f.size / FUSE_NAME_OFFSET_DIRENTPLUS + 1));
	if (f.data == NULL || f.given == NULL) {
		op_error(&op, -ENOMEM);
	} else {
		task_write_lock(&dir->lock);
		reply(&f, fill(&f, dir, offset));
		task_write_unlock(&dir->lock);
	}
	free(f.data);
	free(f.given);
	op_end(&op);
}

void ll_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		struct fuse_file_info *fi)
{
	read_dir(req, ino, size, offset, fi, false);
}

void ll_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		    struct fuse_file_info *fi)
{
	read_dir(req, ino, size, offset, fi, true);
}

void ll_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct dir *dir = calloc(1, sizeof(*dir));

	if (dir == NULL) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	MAGIC_SET(dir, DIR_MAGIC);
	task_rwlock_init(&dir->lock);
	fi->fh = (uintptr_t)dir;
	if (fuse_reply_open(req, fi) < 0) {
		task_rwlock_fini(&dir->lock);
		free(dir);
	}
}

void ll_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct dir *dir = (struct dir *)(uintptr_t)fi->fh;
	struct op op;

	MAGIC_CHECK(dir, DIR_MAGIC);
	op_begin(&op, req, ino);
	/* A killed reader's last request may still be under way. */
	task_write_lock(&dir->lock);
	chunk_drop(op.mount, &dir->chunk);
	task_write_unlock(&dir->lock);
	task_rwlock_fini(&dir->lock);
	MAGIC_CLEAR(dir);
	free(dir);
	op_error(&op, 0);
	op_end(&op);
}

/* What has been answered is on the server's disk. */
void ll_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync,
		 struct fuse_file_info *fi)
{
	fuse_reply_err(req, 0);
}
