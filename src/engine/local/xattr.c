/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes: one record each.  Only the user's namespace exists: it
 * is what NFS carries (RFC 8276) and what needs no privilege.
 */
#include "engine/local/local.h"

#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/bytes.h"

/* What listxattr(2) can return at most. */
enum { NAMES_MAX = 65536 };

static MDB_val name_key(struct xattr_key *k, uint64_t ino, const char *name,
			size_t len)
{
	store_be64(k->bytes, ino);
	memcpy(k->bytes + 8, name, len);
	return (MDB_val){ 8 + len, k->bytes };
}

static int check_name(const char *name, size_t len)
{
	static const char prefix[] = "user.";
	const size_t n = sizeof(prefix) - 1;

	if (len > ENGINE_XATTR_NAME_MAX)
		return -ENAMETOOLONG;
	if (len < n || memcmp(name, prefix, n) != 0)
		return -EOPNOTSUPP;
	return len == n || memchr(name, 0, len) != NULL ? -EINVAL : 0;
}

ssize_t local_getxattr(struct engine *e, uint64_t ino, const char *name,
		       size_t name_len, void *buf, size_t size)
{
	struct inode_rec rec;
	struct xattr_key k;
	struct view v;
	MDB_val value;
	ssize_t r = check_name(name, name_len);

	if (r == 0)
		r = view_begin(local_of(e), &v);
	if (r < 0)
		return r;
	r = inode_get_merged(&v, ino, &rec);
	if (r == 0)
		r = view_get(&v, T_XATTR, name_key(&k, ino, name, name_len),
			     &value);
	if (r == 0 && size > 0 && value.mv_size > size)
		r = -ERANGE;
	if (r == 0) {
		if (size > 0)
			memcpy(buf, value.mv_data, value.mv_size);
		r = value.mv_size;
	}
	view_end(&v);
	return r == -ENOENT ? -ENODATA : r;
}

/* Copies as many names as fit; the room that all of them need. */
static ssize_t collect(struct view *v, uint64_t ino, char *buf, size_t size)
{
	struct ino_key k;
	MDB_val key = ino_key(&k, ino), value;
	MDB_cursor *cursor;
	size_t need = 0, len;
	int rc = view_cursor(v, T_XATTR, &cursor);

	if (rc < 0)
		return rc;
	rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
	while (rc == 0 && load_be64(key.mv_data) == ino) {
		len = key.mv_size - 8;
		if (need + len + 1 <= size) {
			memcpy(buf + need, (char *)key.mv_data + 8, len);
			buf[need + len] = 0;
		}
		need += len + 1;
		rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	return rc == 0 || rc == MDB_NOTFOUND ? (ssize_t)need : lmdb_errno(rc);
}

ssize_t local_listxattr(struct engine *e, uint64_t ino, char *buf, size_t size)
{
	struct inode_rec rec;
	struct view v;
	ssize_t r = view_begin(local_of(e), &v);

	if (r < 0)
		return r;
	r = inode_get_merged(&v, ino, &rec);
	if (r == 0)
		r = collect(&v, ino, buf, size);
	view_end(&v);
	return size > 0 && r > (ssize_t)size ? -ERANGE : r;
}

struct setxattr {
	struct change c;
	const struct cred *cred;
	uint64_t ino;
	const char *name;
	size_t name_len;
	const void *value; /* NULL with remove */
	size_t size;
	int flags;
	bool remove;

	struct inode_rec rec;
	struct change_info ci;
};

/* As xattr(7) has it for the user's namespace. */
static int check_owner(const struct setxattr *op)
{
	const struct inode_rec *rec = &op->rec;

	if (!S_ISREG(rec->mode) && !S_ISDIR(rec->mode))
		return -EPERM;
	if (S_ISDIR(rec->mode) && (rec->mode & S_ISVTX) &&
	    !cred_owns(op->cred, rec))
		return -EPERM;
	return rec_access(rec, op->cred, ENGINE_W) ? 0 : -EACCES;
}

static int check_room(struct view *v, const struct setxattr *op)
{
	ssize_t names = collect(v, op->ino, NULL, 0);

	if (names < 0)
		return names;
	return names + op->name_len + 1 <= NAMES_MAX ? 0 : -ENOSPC;
}

static int check(struct view *v, struct change *c)
{
	struct setxattr *op = container_of(c, struct setxattr, c);
	struct xattr_key k;
	MDB_val old;
	bool exists;
	int r = inode_get_merged(v, op->ino, &op->rec);

	if (r == 0)
		r = check_owner(op);
	if (r < 0)
		return r;
	r = view_get(v, T_XATTR, name_key(&k, op->ino, op->name, op->name_len),
		     &old);
	if (r < 0 && r != -ENOENT)
		return r;
	exists = r == 0;
	if (exists && (op->flags & XATTR_CREATE))
		return -EEXIST;
	if (!exists && (op->remove || (op->flags & XATTR_REPLACE)))
		return -ENODATA;
	return exists ? 0 : check_room(v, op);
}

static int apply(struct view *v, struct change *c)
{
	struct setxattr *op = container_of(c, struct setxattr, c);
	struct xattr_key k;
	MDB_val key = name_key(&k, op->ino, op->name, op->name_len);
	int r;

	if (op->remove)
		r = view_del(v, T_XATTR, key);
	else
		r = view_put(v, T_XATTR, key,
			     (MDB_val){ op->size, (void *)op->value });
	if (r < 0)
		return r;
	op->rec.flags |= INODE_XATTR;
	op->ci.before = op->rec.change;
	r = inode_put_changed(v, op->ino, &op->rec);
	op->ci.after = op->rec.change;
	return r;
}

static int run(struct local *l, struct setxattr *op, struct change_info *ci)
{
	int r = check_name(op->name, op->name_len);

	op->c.check = check;
	op->c.apply = apply;
	op->c.grows = !op->remove;
	if (r == 0 && op->size > ENGINE_XATTR_SIZE_MAX)
		r = -E2BIG;
	if (r == 0)
		r = local_change(l, &op->c);
	if (r == 0 && ci != NULL)
		*ci = op->ci;
	return r;
}

int local_setxattr(struct engine *e, const struct cred *cred, uint64_t ino,
		   const char *name, size_t name_len, const void *value,
		   size_t size, int flags, struct change_info *ci)
{
	struct setxattr op = { .cred = cred,
			       .ino = ino,
			       .name = name,
			       .name_len = name_len,
			       .value = value,
			       .size = size,
			       .flags = flags };

	return run(local_of(e), &op, ci);
}

int local_removexattr(struct engine *e, const struct cred *cred, uint64_t ino,
		      const char *name, size_t name_len, struct change_info *ci)
{
	struct setxattr op = { .cred = cred,
			       .ino = ino,
			       .name = name,
			       .name_len = name_len,
			       .remove = true };

	return run(local_of(e), &op, ci);
}
