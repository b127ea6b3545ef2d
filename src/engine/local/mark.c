/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks: a record in LMDB for each inode whose content may be newer, or longer,
 * than its record says.
 *
 *	                 mark_node(), before the first write
 *	                 to the backing file
 *	  no mark ─────────────────────────────────────────▶ marked
 *	     ▲                                                 │
 *	     └─────────────────────────────────────────────────┘
 *	                 reap.c, some time after the last
 *	                 release of a clean node, or with the inode
 *
 * A mark is on disk before the backing file is touched.  After a crash,
 * marks_repair() cuts each marked file to its size, or removes it if LMDB knows
 * of none, and gives the inode a change attribute above all that were shown.
 * For what it has may be old bytes or new ones, and a client that has cached
 * the others has to notice.
 *
 * Small files have no other bytes than those of their record.  But when the
 * record changes while newer bytes are in memory only, it gets a change
 * attribute that was shown with those; so the same transaction puts a mark.
 *
 * A mark too many costs a look at the next start, and clients their caches.
 */
#include "engine/local/local.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"

static int put_mark(struct view *v, uint64_t ino)
{
	struct ino_key k;

	return view_put(v, T_MARK, ino_key(&k, ino), (MDB_val){});
}

struct mark {
	struct change c;
	uint64_t ino;
};

/* Always: a mark that is there may be about to go. */
static int allow(struct view *v, struct change *c)
{
	return 0;
}

static int apply(struct view *v, struct change *c)
{
	return put_mark(v, container_of(c, struct mark, c)->ino);
}

static void set_marked(struct node *n, bool marked)
{
	struct shard *s = shard_lock(node_local(n), n->ino);

	n->marked = marked;
	shard_unlock(s);
}

/* The node says so first: whoever is removing an earlier mark sees it, or did
 * so in a transaction before this one. */
int mark_node(struct node *n)
{
	struct mark op = { .c = { .check = allow, .apply = apply },
			   .ino = n->ino };
	int r;

	if (n->marked)
		return 0;
	set_marked(n, true);
	r = local_change(node_local(n), &op.c);
	if (r < 0)
		set_marked(n, false);
	return r;
}

int mark_if_ahead(struct view *v, uint64_t ino)
{
	struct shard *s = shard_lock(v->l, ino);
	const struct node *n = shard_find(s, ino);
	bool ahead = n != NULL && node_dirty(n) && !n->marked && !n->mark_left;
	int r;

	shard_unlock(s);
	if (!ahead)
		return 0;
	r = put_mark(v, ino);
	return r < 0 ? r : 1;
}

static bool node_needs_mark(struct local *l, uint64_t ino)
{
	struct shard *s = shard_lock(l, ino);
	const struct node *n = shard_find(s, ino);
	bool needed = n != NULL && (n->marked || n->mark_left || node_dirty(n));

	shard_unlock(s);
	return needed;
}

/* The last holder of a removed file goes without writing back: until the file
 * is removed as well, its mark is all that tells of it. */
int mark_drop(struct view *v, uint64_t ino)
{
	struct inode_rec rec;
	struct ino_key k;
	int r;

	if (node_needs_mark(v->l, ino))
		return 0;
	r = inode_get(v, ino, &rec);
	if (r == 0 && rec.nlink > 0)
		r = view_del(v, T_MARK, ino_key(&k, ino));
	return r == -ESTALE ? 0 : r;
}

/* ------------------------------------------------------- at the start --- */

/* A file may be shorter than its size: the rest is a hole (truncate.c).  There
 * is none if it was being removed. */
static int cut(const char *path, uint64_t size)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if ((uint64_t)st.st_size <= size)
		return 0;
	return truncate(path, size) < 0 ? -errno : 0;
}

static int repair_file(struct local *l, uint64_t ino,
		       const struct inode_rec *rec)
{
	char path[PATH_ROOM];
	int r = 0;

	data_path(l, ino, path);
	if (rec != NULL && (rec->flags & INODE_FILE))
		r = cut(path, rec->size);
	else if (unlink(path) < 0 && errno != ENOENT)
		r = -errno;
	if (r < 0)
		log_error("%s: cannot repair: %s", path, strerror(-r));
	return r;
}

/* What cannot be repaired keeps its mark, and everything else works: a read or
 * write of that file says what is wrong. */
static int repair(struct view *v, uint64_t ino, struct state_rec *state)
{
	struct inode_rec rec;
	struct ino_key k;
	int r = inode_get(v, ino, &rec);
	bool exists = r == 0, repaired;

	if (r < 0 && r != -ESTALE)
		return r;
	repaired = repair_file(v->l, ino, exists ? &rec : NULL) == 0;
	rec.change = ++state->clock;
	r = !exists ? 0
		    : lmdb_put(v->write, T_INODE, ino_key(&k, ino),
			       inode_rec_value(&rec));
	if (r == 0 && repaired)
		r = lmdb_del(v->write, T_MARK, ino_key(&k, ino));
	return r;
}

/* The next mark above *ino. */
static int next_mark(struct view *v, uint64_t *ino)
{
	struct ino_key k;
	MDB_val key = ino_key(&k, *ino + 1), value;
	MDB_cursor *cursor;
	int r = view_cursor(v, T_MARK, &cursor);

	if (r < 0)
		return r;
	r = lmdb_errno(mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE));
	if (r == 0)
		*ino = load_be64(key.mv_data);
	mdb_cursor_close(cursor);
	return r;
}

/* As many above *ino as a transaction takes: their number. */
static int repair_some(struct view *v, uint64_t *ino)
{
	struct state_rec state;
	int n = 0, r = state_load(v, &state);

	while (r == 0 && v->write->length < LMDB_WRITE_ENOUGH) {
		r = next_mark(v, ino);
		if (r == 0)
			r = repair(v, *ino, &state);
		n += r == 0;
	}
	if ((r == 0 || r == -ENOENT) && n > 0)
		r = state_put(v, &state);
	return r < 0 && r != -ENOENT ? r : n;
}

static int repair_in_transaction(struct local *l, uint64_t *ino)
{
	struct lmdb_write w;
	struct view v = { .l = l, .write = &w };
	int n, r = lmdb_write_begin(l->db, &w);

	if (r < 0)
		return r;
	v.txn = w.txn;
	n = repair_some(&v, ino);
	if (n <= 0) {
		lmdb_write_abort(&w);
		return n;
	}
	r = lmdb_write_commit(&w);
	return r < 0 ? r : n;
}

int marks_repair(struct local *l)
{
	uint64_t ino = 0;
	int n, all = 0;

	while ((n = repair_in_transaction(l, &ino)) > 0)
		all += n;
	if (all > 0)
		log_info("%s: %d files were being written at the last end",
			 l->dir, all);
	return n;
}
