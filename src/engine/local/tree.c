/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees: directories whose content is counted, each for itself.
 *
 * An inode's record names the tree in which it counts: a tree is named by the
 * inode of its root, which counts in it, too.  What is made in a directory
 * counts where the directory does.  The tree's record has the sums, and changes
 * in the transaction that changes one of the inodes: so it is always true of
 * what the inodes say.  It goes with the last of them.
 *
 *	            set, empty            clear, empty
 *	  no tree ────────────▶ TREE ──────────────────┐
 *	     │                   ▲ │                   │
 *	     │ set          walk │ │ clear             ▼
 *	     └────────▶ TREE | WALK│              LEFT: there until nothing
 *	                         │ ▼               ▲    counts in it
 *	                  clear  └▶ LEFT | WALK ───┘
 *	                                        walk
 *
 * That the inodes say what is true of their place follows from what is refused:
 * no name leaves or enters a tree (create.c: link; rename.c).  While a tree is
 * WALK the walk (walk.c) makes it true.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "engine/local/local.h"

/* ----------------------------------------------------------- in memory --- */

void trees_init(struct local *l)
{
	pthread_mutex_init(&l->trees_lock, NULL);
}

void trees_fini(struct local *l)
{
	assert(l->trees.count == 0);
	htable_fini(&l->trees);
	pthread_mutex_destroy(&l->trees_lock);
}

static struct tree *find(struct local *l, uint64_t id)
{
	struct tree *t;

	htable_for_each_match (t, &l->trees, hash_u64(id), by_id)
		if (t->id == id)
			return t;
	return NULL;
}

struct tree *tree_get(struct local *l, uint64_t id)
{
	struct tree *t;

	if (id == 0)
		return NULL;
	pthread_mutex_lock(&l->trees_lock);
	t = find(l, id);
	if (t == NULL && (t = calloc(1, sizeof(*t))) != NULL) {
		t->id = id;
		htable_insert(&l->trees, &t->by_id, hash_u64(id));
	}
	if (t != NULL)
		t->nodes++;
	pthread_mutex_unlock(&l->trees_lock);
	return t;
}

void tree_put(struct local *l, struct tree *t)
{
	bool gone;

	if (t == NULL)
		return;
	pthread_mutex_lock(&l->trees_lock);
	gone = --t->nodes == 0;
	if (gone)
		htable_remove(&l->trees, &t->by_id);
	pthread_mutex_unlock(&l->trees_lock);
	if (gone)
		free(t);
}

/* ------------------------------------------------------------- on disk --- */

int tree_load(struct view *v, uint64_t id, struct tree_rec *t)
{
	struct ino_key k;
	MDB_val value;
	int r = view_get(v, T_TREE, ino_key(&k, id), &value);

	if (r < 0)
		return r;
	if (value.mv_size != sizeof(*t))
		return -EIO;
	memcpy(t, value.mv_data, sizeof(*t));
	return 0;
}

int tree_store(struct view *v, uint64_t id, const struct tree_rec *t)
{
	struct ino_key k;

	if (t->used_files == 0)
		return view_del(v, T_TREE, ino_key(&k, id));
	return view_put(v, T_TREE, ino_key(&k, id),
			(MDB_val){ sizeof(*t), (void *)t });
}

int tree_count(struct view *v, uint64_t id, int64_t bytes, int64_t files)
{
	struct tree_rec t;
	int r;

	if (id == 0 || (bytes == 0 && files == 0))
		return 0;
	r = tree_load(v, id, &t);
	if (r < 0)
		return r == -ENOENT ? -EIO : r; /* inodes name it */
	t.used_bytes += bytes;
	t.used_files += files;
	return tree_store(v, id, &t);
}

static bool goes_beyond(uint64_t max, uint64_t used, uint64_t more)
{
	return max != 0 && more > 0 && (used > max || more > max - used);
}

int tree_check(struct view *v, uint64_t id, uint64_t bytes, uint64_t files)
{
	struct tree_rec t;
	int r;

	if (id == 0)
		return 0;
	r = tree_load(v, id, &t);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return goes_beyond(t.max_bytes, t.used_bytes, bytes) ||
			       goes_beyond(t.max_files, t.used_files, files)
		       ? -EDQUOT
		       : 0;
}

int tree_move(struct view *v, struct inode_rec *rec, uint64_t to)
{
	int r = 0;

	if (rec->tree == to)
		return 0;
	r = tree_count(v, rec->tree, -(int64_t)rec->space, -1);
	if (r == 0)
		r = tree_count(v, to, (int64_t)rec->space, 1);
	rec->tree = to;
	return r;
}

/* ------------------------------------------------------- set and clear --- */

struct tree_change {
	struct change c;
	uint64_t dir, bytes, files;
	struct inode_rec rec;
	struct tree_rec tree;
	struct format_rec format;
};

static int set_check(struct view *v, struct change *c)
{
	struct tree_change *op = container_of(c, struct tree_change, c);
	int r = inode_get_merged(v, op->dir, &op->rec);

	if (r < 0)
		return r;
	if (!S_ISDIR(op->rec.mode))
		return -ENOTDIR;
	if (op->rec.nlink == 0)
		return -ESTALE;
	r = tree_load(v, op->dir, &op->tree);
	if (r == -ENOENT)
		op->tree = (struct tree_rec){};
	else if (r < 0)
		return r;
	if (op->rec.tree == op->dir && op->tree.max_bytes == op->bytes &&
	    op->tree.max_files == op->files)
		return CHANGE_NOTHING;
	return 0;
}

/* The first tree: see schema.h. */
static int set_format(struct view *v, struct tree_change *op)
{
	op->format = v->l->format;
	op->format.version = FORMAT_VERSION_TREES;
	if (v->l->format.version == FORMAT_VERSION_TREES)
		return 0;
	return view_put(v, T_SUPER, (MDB_val){ 6, (void *)"format" },
			(MDB_val){ sizeof(op->format), &op->format });
}

static int set_apply(struct view *v, struct change *c)
{
	struct tree_change *op = container_of(c, struct tree_change, c);
	struct tree_rec *t = &op->tree;
	struct ino_key k;
	bool is_new = op->rec.tree != op->dir;
	int r = set_format(v, op);

	if (is_new)
		t->flags = op->rec.size > 0 ? TREE_WALK : 0;
	t->max_bytes = op->bytes;
	t->max_files = op->files;
	if (r == 0) /* it may have no inode yet */
		r = view_put(v, T_TREE, ino_key(&k, op->dir),
			     (MDB_val){ sizeof(*t), t });
	if (r < 0 || !is_new)
		return r;
	r = tree_move(v, &op->rec, op->dir);
	return r < 0 ? r : inode_put(v, op->dir, &op->rec);
}

static void set_done(struct change *c, int result)
{
	struct tree_change *op = container_of(c, struct tree_change, c);

	if (result == 0)
		c->l->format.version = op->format.version;
}

static int change(struct local *l, struct tree_change *op)
{
	int r = local_change(l, &op->c);

	if (r == 0 && (op->tree.flags & TREE_WALK))
		walk_start(l, op->dir);
	return r;
}

int local_tree_set(struct engine *e, uint64_t dir, uint64_t bytes,
		   uint64_t files)
{
	struct tree_change op = { .c = { .check = set_check,
					 .apply = set_apply,
					 .done = set_done,
					 .grows = true },
				  .dir = dir,
				  .bytes = bytes,
				  .files = files };

	return change(local_of(e), &op);
}

static int clear_check(struct view *v, struct change *c)
{
	struct tree_change *op = container_of(c, struct tree_change, c);
	int r = inode_get_merged(v, op->dir, &op->rec);

	if (r == -ESTALE || (r == 0 && op->rec.tree != op->dir))
		return -ENOENT;
	return r < 0 ? r : tree_load(v, op->dir, &op->tree);
}

/* Where its root counts when it is none. */
static int outer_tree(struct view *v, const struct tree_change *op,
		      uint64_t *outer)
{
	struct inode_rec parent;
	int r = 0;

	*outer = 0;
	if (op->dir == ENGINE_ROOT || op->rec.nlink == 0)
		return 0;
	r = inode_get(v, op->rec.parent, &parent);
	if (r == 0)
		*outer = parent.tree;
	return r;
}

static int clear_apply(struct view *v, struct change *c)
{
	struct tree_change *op = container_of(c, struct tree_change, c);
	struct tree_rec *t = &op->tree;
	uint64_t outer;
	int r = outer_tree(v, op, &outer);

	t->flags = TREE_LEFT | (op->rec.size > 0 ? TREE_WALK : 0);
	t->max_bytes = t->max_files = 0;
	if (r == 0)
		r = tree_store(v, op->dir, t);
	if (r == 0)
		r = tree_move(v, &op->rec, outer);
	return r < 0 ? r : inode_put(v, op->dir, &op->rec);
}

int local_tree_clear(struct engine *e, uint64_t dir)
{
	struct tree_change op = {
		.c = { .check = clear_check, .apply = clear_apply }, .dir = dir
	};

	return change(local_of(e), &op);
}

/* ---------------------------------------------------------------- read --- */

int local_tree_get(struct engine *e, uint64_t dir, struct engine_tree *out)
{
	struct tree_rec t;
	struct view v;
	int r = view_begin(local_of(e), &v);

	if (r < 0)
		return r;
	r = tree_load(&v, dir, &t);
	view_end(&v);
	if (r == 0 && (t.flags & TREE_LEFT))
		r = -ENOENT;
	if (r < 0)
		return r;
	*out = (struct engine_tree){ .max_bytes = t.max_bytes,
				     .max_files = t.max_files,
				     .used_bytes = t.used_bytes,
				     .used_files = t.used_files,
				     .counting = t.flags & TREE_WALK };
	return 0;
}

static int next_tree(struct view *v, uint64_t *id, struct tree_rec *t)
{
	struct ino_key k;
	MDB_val key = ino_key(&k, *id + 1), value;
	MDB_cursor *cursor;
	int r = view_cursor(v, T_TREE, &cursor);

	if (r < 0)
		return r;
	r = lmdb_errno(mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE));
	if (r == 0 && value.mv_size != sizeof(*t))
		r = -EIO;
	if (r == 0) {
		*id = load_be64(key.mv_data);
		memcpy(t, value.mv_data, sizeof(*t));
	}
	mdb_cursor_close(cursor);
	return r;
}

int tree_next_with(struct local *l, uint64_t *id, uint32_t set, uint32_t unset)
{
	struct tree_rec t;
	struct view v;
	int r = view_begin(l, &v);

	if (r < 0)
		return r;
	do
		r = next_tree(&v, id, &t);
	while (r == 0 && ((t.flags & set) != set || (t.flags & unset)));
	view_end(&v);
	return r;
}

int local_tree_next(struct engine *e, uint64_t *dir)
{
	return tree_next_with(local_of(e), dir, 0, TREE_LEFT);
}
