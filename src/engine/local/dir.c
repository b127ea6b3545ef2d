/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories: a name is one record under (directory, cookie), so that a lookup
 * is one descent of the tree, and READDIR is a walk along its leaves from
 * whatever cookie the client has, however large the directory.
 */
#include "engine/local/local.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

int name_check(const char *name, size_t len)
{
	if (len > ENGINE_NAME_MAX)
		return -ENAMETOOLONG;
	if (len == 0 || (len == 1 && name[0] == '.') ||
	    (len == 2 && name[0] == '.' && name[1] == '.'))
		return -EINVAL;
	if (memchr(name, '/', len) != NULL || memchr(name, 0, len) != NULL)
		return -EINVAL;
	return 0;
}

int dir_open(struct view *v, const struct cred *cred, uint64_t dir,
	     unsigned want, struct inode_rec *rec)
{
	int r = inode_get_merged(v, dir, rec);

	if (r < 0)
		return r;
	if (!S_ISDIR(rec->mode))
		return -ENOTDIR;
	if (rec->nlink == 0) /* removed, but held */
		return -ENOENT;
	return rec_access(rec, cred, want) == want ? 0 : -EACCES;
}

static bool decode(const MDB_val *value, struct name *d, const char **name,
		   size_t *len)
{
	struct dirent_rec rec;

	if (value->mv_size <= sizeof(rec))
		return false;
	memcpy(&rec, value->mv_data, sizeof(rec));
	d->ino = rec.ino;
	d->type = rec.type;
	*name = (const char *)value->mv_data + sizeof(rec);
	*len = value->mv_size - sizeof(rec);
	return true;
}

static bool is_name(const MDB_val *value, const char *name, size_t len,
		    struct name *d)
{
	const char *its;
	size_t its_len;

	return decode(value, d, &its, &its_len) && its_len == len &&
	       memcmp(its, name, len) == 0;
}

/* The entry at the cursor, if it is one of `dir`. */
static bool cookie_of(const MDB_val *key, uint64_t dir, uint64_t *cookie)
{
	if (load_be64(key->mv_data) != dir)
		return false;
	*cookie = load_be64((const char *)key->mv_data + 8);
	return true;
}

/* Walks the slots of one hash; there is hardly ever more than one. */
static int find_slot(MDB_cursor *cursor, uint64_t dir, uint64_t first,
		     const char *name, size_t len, struct name *d)
{
	const uint64_t end = first + (1 << COOKIE_SLOT_BITS);
	struct pair_key k;
	MDB_val key = pair_key(&k, dir, first), value;
	uint64_t free_slot = first, cookie;
	int rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);

	while (rc == 0 && cookie_of(&key, dir, &cookie) && cookie < end) {
		if (is_name(&value, name, len, d)) {
			d->cookie = cookie;
			return 0;
		}
		if (cookie == free_slot)
			free_slot++;
		rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	if (rc != 0 && rc != MDB_NOTFOUND)
		return lmdb_errno(rc);
	d->cookie = free_slot;
	return free_slot < end ? -ENOENT : -ENOSPC;
}

int dirent_find(struct view *v, uint64_t dir, const char *name, size_t len,
		struct name *d)
{
	uint64_t first = cookie_first(&v->l->format.hash_key, name, len);
	struct pair_key k;
	MDB_cursor *cursor;
	MDB_val value;
	int r = view_get(v, T_DIRENT, pair_key(&k, dir, first), &value);

	d->cookie = first;
	if (r == 0 && is_name(&value, name, len, d))
		return 0;
	if (r < 0 && r != -ENOENT)
		return r;
	r = view_cursor(v, T_DIRENT, &cursor);
	if (r < 0)
		return r;
	r = find_slot(cursor, dir, first, name, len, d);
	mdb_cursor_close(cursor);
	return r;
}

int dirent_put(struct view *v, uint64_t dir, const struct name *d,
	       const char *name, size_t len)
{
	const struct dirent_rec rec = { .ino = d->ino, .type = d->type };
	char value[sizeof(rec) + ENGINE_NAME_MAX];
	struct pair_key k;

	memcpy(value, &rec, sizeof(rec));
	memcpy(value + sizeof(rec), name, len);
	return view_put(v, T_DIRENT, pair_key(&k, dir, d->cookie),
			(MDB_val){ sizeof(rec) + len, value });
}

int dirent_del(struct view *v, uint64_t dir, uint64_t cookie)
{
	struct pair_key k;

	return view_del(v, T_DIRENT, pair_key(&k, dir, cookie));
}

int dirent_next(struct view *v, uint64_t dir, struct name *d)
{
	struct pair_key k;
	MDB_val key = pair_key(&k, dir, d->cookie + 1), value;
	MDB_cursor *cursor;
	const char *name;
	size_t len;
	int r = view_cursor(v, T_DIRENT, &cursor);

	if (r < 0)
		return r;
	r = lmdb_errno(mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE));
	if (r == 0 && !cookie_of(&key, dir, &d->cookie))
		r = -ENOENT;
	if (r == 0 && !decode(&value, d, &name, &len))
		r = -EIO;
	mdb_cursor_close(cursor);
	return r;
}

int dirent_check(struct view *v, uint64_t dir, const struct name *d)
{
	struct pair_key k;
	struct name now;
	const char *name;
	MDB_val value;
	size_t len;
	int r = view_get(v, T_DIRENT, pair_key(&k, dir, d->cookie), &value);

	if (r < 0)
		return r;
	if (!decode(&value, &now, &name, &len))
		return -EIO;
	return now.ino == d->ino ? 0 : -ENOENT;
}

int dir_check_sticky(const struct inode_rec *dir, const struct cred *cred,
		     const struct inode_rec *victim)
{
	if (!(dir->mode & S_ISVTX) || cred_owns(cred, dir) ||
	    cred_owns(cred, victim))
		return 0;
	return -EPERM;
}

/* The inode that the name stands for. */
static int look(struct view *v, const struct cred *cred, uint64_t dir,
		const char *name, size_t len, uint64_t *ino)
{
	struct inode_rec rec;
	struct name d = {};
	int r = dir_open(v, cred, dir, ENGINE_X, &rec);

	if (r < 0)
		return r;
	if (len == 2 && memcmp(name, "..", 2) == 0) {
		*ino = rec.parent;
		return 0;
	}
	r = name_check(name, len);
	if (r == 0)
		r = dirent_find(v, dir, name, len, &d);
	*ino = d.ino;
	return r == -ENOSPC ? -ENOENT : r;
}

int local_lookup(struct engine *e, const struct cred *cred, uint64_t dir,
		 const char *name, size_t len, struct fattr *attr)
{
	struct local *l = local_of(e);
	struct view v;
	uint64_t ino;
	int r = view_begin(l, &v);

	if (r < 0)
		return r;
	r = look(&v, cred, dir, name, len, &ino);
	view_end(&v);
	if (r < 0)
		return r;
	r = attr_read(l, ino, attr);
	return r == -ESTALE ? -ENOENT : r; /* gone since */
}

struct walk {
	struct local *l;
	uint64_t dir;
	bool attrs;
	engine_dirent_fn *fn;
	void *arg;
};

/* 1: taken, 0: the sink is full. */
static int give(const struct walk *w, uint64_t cookie, const MDB_val *value)
{
	struct engine_dirent e = { .cookie = cookie };
	struct name d;
	struct fattr attr;
	int r;

	if (!decode(value, &d, &e.name, &e.name_len))
		return -EIO;
	e.ino = d.ino;
	e.type = d.type;
	if (w->attrs) {
		r = attr_read(w->l, d.ino, &attr);
		if (r == -ESTALE) /* gone since: as if it never was */
			return 1;
		if (r < 0)
			return r;
		e.attr = &attr;
	}
	return w->fn(w->arg, &e);
}

static int walk(const struct walk *w, MDB_cursor *cursor, uint64_t after,
		bool *eof)
{
	struct pair_key k;
	MDB_val key = pair_key(&k, w->dir, after + 1), value;
	uint64_t cookie;
	int rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE), r;

	while (rc == 0 && cookie_of(&key, w->dir, &cookie)) {
		r = give(w, cookie, &value);
		if (r <= 0)
			return r;
		rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	*eof = rc == 0 || rc == MDB_NOTFOUND;
	return *eof ? 0 : lmdb_errno(rc);
}

int local_readdir(struct engine *e, uint64_t dir, uint64_t after, bool attrs,
		  engine_dirent_fn *fn, void *arg, bool *eof)
{
	struct walk w = { local_of(e), dir, attrs, fn, arg };
	struct inode_rec rec;
	MDB_cursor *cursor;
	struct view v;
	int r = view_begin(w.l, &v);

	if (r < 0)
		return r;
	*eof = false;
	r = inode_get_merged(&v, dir, &rec);
	if (r == 0 && !S_ISDIR(rec.mode))
		r = -ENOTDIR;
	if (r == 0)
		r = view_cursor(&v, T_DIRENT, &cursor);
	if (r == 0) {
		if (after < INT64_MAX)
			r = walk(&w, cursor, after, eof);
		else
			*eof = true;
		mdb_cursor_close(cursor);
	}
	view_end(&v);
	return r;
}
