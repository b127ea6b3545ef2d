/* SPDX-License-Identifier: Apache-2.0 */
#include "fsck.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/htable.h"
#include "engine/local/schema.h"
#include "lmdb/env.h"

struct item {
	struct hnode node;
	uint64_t ino;
	struct inode_rec rec;
	uint64_t names, entries, subdirs;
	uint64_t names_in_tree; /* in directories that count where it does */
	uint64_t parent;	/* where a name of it was seen */
	bool orphan, has_file, has_inline, has_xattr;
	int reach; /* 0: not looked at, 1: being looked at, 2: from the root */
};

struct check {
	const char *dir;
	bool settled, ok;
	struct lmdb *db;
	MDB_txn *txn;
	struct format_rec format;
	struct state_rec state;
	struct htable items, trees;
	bool walking; /* some tree is not all counted */
};

struct tree_item {
	struct hnode node;
	uint64_t id, bytes, files;
	struct tree_rec rec;
};

__attribute__((format(printf, 2, 3))) static void bad(struct check *c,
						      const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fprintf(stderr, "fsck %s: ", c->dir);
	vfprintf(stderr, format, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	c->ok = false;
}

static struct item *find(struct check *c, uint64_t ino)
{
	struct item *it;

	htable_for_each_match (it, &c->items, hash_u64(ino), node)
		if (it->ino == ino)
			return it;
	return NULL;
}

static struct tree_item *find_tree(struct check *c, uint64_t id)
{
	struct tree_item *t;

	htable_for_each_match (t, &c->trees, hash_u64(id), node)
		if (t->id == id)
			return t;
	return NULL;
}

typedef void row_fn(struct check *c, const MDB_val *key, const MDB_val *value);

static void each_row(struct check *c, enum table t, row_fn *fn)
{
	MDB_cursor *cursor;
	MDB_val key, value;

	mdb_cursor_open(c->txn, c->db->tables[t], &cursor);
	while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0)
		fn(c, &key, &value);
	mdb_cursor_close(cursor);
}

static void row_super(struct check *c, const MDB_val *key, const MDB_val *value)
{
	if (memcmp(key->mv_data, "state", 5) == 0)
		memcpy(&c->state, value->mv_data, sizeof(c->state));
	else
		memcpy(&c->format, value->mv_data, sizeof(c->format));
}

static void row_inode(struct check *c, const MDB_val *key, const MDB_val *value)
{
	struct item *it = calloc(1, sizeof(*it));

	it->ino = load_be64(key->mv_data);
	if (!inode_rec_load(value, &it->rec))
		bad(c, "inode %lu: record of %zu bytes",
		    load_be64(key->mv_data), value->mv_size);
	htable_insert(&c->items, &it->node, hash_u64(it->ino));
}

static void row_dirent(struct check *c, const MDB_val *key,
		       const MDB_val *value)
{
	uint64_t dir = load_be64(key->mv_data);
	uint64_t cookie = load_be64((char *)key->mv_data + 8);
	size_t len = value->mv_size - sizeof(struct dirent_rec);
	struct item *parent = find(c, dir), *it;
	struct dirent_rec rec;
	const char *name = (char *)value->mv_data + sizeof(rec);

	memcpy(&rec, value->mv_data, sizeof(rec));
	it = find(c, rec.ino);
	if (parent == NULL || it == NULL) {
		bad(c, "name %lu/%.*s: parent or inode %lu missing", dir,
		    (int)len, name, rec.ino);
		return;
	}
	if (cookie >> COOKIE_SLOT_BITS !=
	    cookie_first(&c->format.hash_key, name, len) >> COOKIE_SLOT_BITS)
		bad(c, "name %lu/%.*s: wrong cookie", dir, (int)len, name);
	if (rec.type != (it->rec.mode & S_IFMT))
		bad(c, "name %lu/%.*s: wrong type", dir, (int)len, name);
	it->names++;
	it->names_in_tree += it->rec.tree == parent->rec.tree ? 1 : 0;
	it->parent = dir;
	parent->entries++;
	parent->subdirs += S_ISDIR(it->rec.mode) ? 1 : 0;
}

static void row_inline(struct check *c, const MDB_val *key,
		       const MDB_val *value)
{
	struct item *it = find(c, load_be64(key->mv_data));

	if (it == NULL || (it->rec.flags & INODE_FILE) ||
	    it->rec.size != value->mv_size)
		bad(c, "inode %lu: inline data of %zu bytes are not its",
		    load_be64(key->mv_data), value->mv_size);
	else
		it->has_inline = true;
}

static void row_xattr(struct check *c, const MDB_val *key, const MDB_val *value)
{
	struct item *it = find(c, load_be64(key->mv_data));

	if (it == NULL || !(it->rec.flags & INODE_XATTR))
		bad(c, "inode %lu: stray xattr", load_be64(key->mv_data));
}

static void row_orphan(struct check *c, const MDB_val *key,
		       const MDB_val *value)
{
	struct item *it = find(c, load_be64(key->mv_data));

	if (it == NULL || it->rec.nlink != 0)
		bad(c, "orphan %lu is none", load_be64(key->mv_data));
	else
		it->orphan = true;
	if (c->settled)
		bad(c, "orphan %lu was not freed", load_be64(key->mv_data));
}

static void row_mark(struct check *c, const MDB_val *key, const MDB_val *value)
{
	if (c->settled)
		bad(c, "mark %lu left", load_be64(key->mv_data));
}

static void row_tree(struct check *c, const MDB_val *key, const MDB_val *value)
{
	struct tree_item *t = calloc(1, sizeof(*t));

	t->id = load_be64(key->mv_data);
	memcpy(&t->rec, value->mv_data, sizeof(t->rec));
	c->walking |= t->rec.flags & TREE_WALK;
	htable_insert(&c->trees, &t->node, hash_u64(t->id));
	if (c->format.version < FORMAT_VERSION_TREES)
		bad(c, "tree %lu in format %u", t->id, c->format.version);
}

/* Where it counts, and that this is where it is. */
static void check_place(struct check *c, const struct item *it)
{
	struct tree_item *t = find_tree(c, it->rec.tree);

	if (it->rec.tree != 0 && t == NULL)
		bad(c, "inode %lu: counts in %lu, which is not there", it->ino,
		    it->rec.tree);
	if (t != NULL) {
		t->files++;
		t->bytes += it->rec.space;
	}
	if (it->orphan || c->walking || it->rec.tree == it->ino)
		return;
	if (it->ino == ENGINE_ROOT ? it->rec.tree != 0 : it->names_in_tree == 0)
		bad(c, "inode %lu: counts in %lu, where it is not", it->ino,
		    it->rec.tree);
}

static void check_trees(struct check *c)
{
	struct tree_item *t;

	htable_for_each (t, &c->trees, node)
		if (t->files != t->rec.used_files ||
		    t->bytes != t->rec.used_bytes || t->files == 0)
			bad(c,
			    "tree %lu: %lu files of %lu bytes; says %lu, "
			    "%lu",
			    t->id, t->files, t->bytes, t->rec.used_files,
			    t->rec.used_bytes);
}

static void check_file(struct check *c, int xx, const char *name)
{
	uint64_t ino = strtoull(name, NULL, 16);
	struct item *it = find(c, ino);
	char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s/data/%02x/%s", c->dir, xx, name);
	if (it == NULL || !(it->rec.flags & INODE_FILE) ||
	    (int)(ino & 0xff) != xx) {
		bad(c, "%s: belongs to no inode", path);
		return;
	}
	it->has_file = true;
	if (stat(path, &st) == 0 && (uint64_t)st.st_size > it->rec.size)
		bad(c, "%s: %ld bytes, size is %lu", path, (long)st.st_size,
		    it->rec.size);
}

static void check_files(struct check *c)
{
	char path[4096];
	struct dirent *d;
	DIR *dir;

	for (int i = 0; i < 256; i++) {
		snprintf(path, sizeof(path), "%s/data/%02x", c->dir, i);
		dir = opendir(path);
		while ((d = readdir(dir)) != NULL)
			if (d->d_name[0] != '.')
				check_file(c, i, d->d_name);
		closedir(dir);
	}
}

/* Up to the root, without coming back to where it began. */
static bool reaches_root(struct check *c, struct item *it)
{
	bool yes;

	if (it == NULL || it->reach == 1)
		return false;
	if (it->ino == ENGINE_ROOT || it->reach == 2)
		return true;
	it->reach = 1;
	yes = reaches_root(c, find(c, it->parent));
	it->reach = yes ? 2 : 0;
	return yes;
}

static void check_links(struct check *c, struct item *it)
{
	const struct inode_rec *rec = &it->rec;
	uint64_t expect = S_ISDIR(rec->mode) ? 2 + it->subdirs : it->names;

	if (it->orphan)
		return;
	if (it->ino == ENGINE_ROOT)
		it->parent = ENGINE_ROOT;
	else if (it->names == 0)
		bad(c, "inode %lu: no name", it->ino);
	if (rec->nlink != expect)
		bad(c, "inode %lu: nlink %u, should be %lu", it->ino,
		    rec->nlink, expect);
	if (S_ISDIR(rec->mode) && it->ino != ENGINE_ROOT && it->names != 1)
		bad(c, "directory %lu: %lu names", it->ino, it->names);
	if (S_ISDIR(rec->mode) && rec->parent != it->parent)
		bad(c, "directory %lu: parent %lu, should be %lu", it->ino,
		    rec->parent, it->parent);
	if (S_ISDIR(rec->mode) && rec->size != it->entries)
		bad(c, "directory %lu: counts %lu entries, has %lu", it->ino,
		    rec->size, it->entries);
	if (it->names > 0 && !reaches_root(c, it))
		bad(c, "inode %lu: cannot be reached", it->ino);
}

static void check_data(struct check *c, struct item *it)
{
	const struct inode_rec *rec = &it->rec;
	bool has_data = S_ISREG(rec->mode) || S_ISLNK(rec->mode);

	if ((rec->flags & INODE_FILE) && !it->has_file)
		bad(c, "inode %lu: backing file missing", it->ino);
	if (has_data && !(rec->flags & INODE_FILE) && rec->size > 0 &&
	    !it->has_inline)
		bad(c, "inode %lu: inline data missing", it->ino);
}

static void check_items(struct check *c)
{
	uint64_t files = 0, bytes = 0;
	struct item *it;

	htable_for_each (it, &c->items, node) {
		files++;
		bytes += it->rec.space;
		if ((it->rec.nlink == 0) != it->orphan)
			bad(c, "inode %lu: nlink %u, orphan %d", it->ino,
			    it->rec.nlink, it->orphan);
		if (it->ino >= c->state.next_ino)
			bad(c, "inode %lu: next is %lu", it->ino,
			    c->state.next_ino);
		if (it->rec.change > c->state.clock)
			bad(c, "inode %lu: change is beyond the limit",
			    it->ino);
		check_links(c, it);
		check_place(c, it);
		check_data(c, it);
	}
	if (files != c->state.used_files || bytes != c->state.used_bytes)
		bad(c, "%lu files of %lu bytes; counters say %lu, %lu", files,
		    bytes, c->state.used_files, c->state.used_bytes);
}

bool fsck(const char *directory, bool settled)
{
	struct check c = { .dir = directory, .settled = settled, .ok = true };
	struct tree_item *t;
	struct item *it;
	char path[4096];

	snprintf(path, sizeof(path), "%s/meta", directory);
	if (lmdb_open(path, 256ULL << 30, table_names, TABLES, &c.db) < 0)
		return false;
	lmdb_read_begin(&c.db->readers, &c.txn);
	each_row(&c, T_SUPER, row_super);
	each_row(&c, T_TREE, row_tree);
	each_row(&c, T_INODE, row_inode);
	each_row(&c, T_DIRENT, row_dirent);
	each_row(&c, T_INLINE, row_inline);
	each_row(&c, T_XATTR, row_xattr);
	each_row(&c, T_ORPHAN, row_orphan);
	each_row(&c, T_MARK, row_mark);
	check_files(&c);
	check_items(&c);
	check_trees(&c);
	while ((it = htable_pop_entry(&c.items, struct item, node)) != NULL)
		free(it);
	while ((t = htable_pop_entry(&c.trees, struct tree_item, node)) != NULL)
		free(t);
	htable_fini(&c.items);
	htable_fini(&c.trees);
	lmdb_read_end(&c.db->readers, c.txn);
	lmdb_close(c.db);
	return c.ok;
}
