/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How metadata change: every change is a check and an application, run by group
 * commit in the one write transaction of the moment.
 *
 * The change attribute is a clock of the file system's own: nanoseconds of the
 * time of day, but always above the last value.  Values are also shown that no
 * transaction carries (of a file that is being written, before COMMIT), so the
 * disk holds a limit above all of them, moved on by the transactions that
 * happen anyway; after a crash the clock starts at the limit, and what was
 * shown before it never comes back with another meaning.
 */
#include "engine/local/local.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

/* How far ahead the limit is set, and when it is moved on. */
#define CLOCK_AHEAD  SEC(10)
#define CLOCK_MARGIN SEC(5)

uint64_t clock_tick(struct local *l)
{
	uint64_t now = reactor_realtime();
	uint64_t last = __atomic_load_n(&l->clock, __ATOMIC_RELAXED), next;

	do {
		next = MAX(now, last + 1);
	} while (!__atomic_compare_exchange_n(&l->clock, &last, next, true,
					      __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	return next;
}

static int allow(struct view *v, struct change *c)
{
	return 0;
}

int change_barrier(struct local *l)
{
	struct change nothing = { .check = allow, .apply = allow };

	return local_change(l, &nothing);
}

int clock_reserve(struct local *l)
{
	uint64_t limit = __atomic_load_n(&l->clock_limit, __ATOMIC_RELAXED);
	if (likely(clock_tick(l) + CLOCK_MARGIN - SEC(1) < limit))
		return 0;
	return change_barrier(l); /* moves the limit on */
}

int space_check(struct local *l)
{
	struct change nothing = { .check = allow,
				  .apply = allow,
				  .grows = true };

	return lmdb_is_full(l->db) ? local_change(l, &nothing) : 0;
}

int view_begin(struct local *l, struct view *v)
{
	*v = (struct view){ .l = l };
	return lmdb_read_begin(&l->db->readers, &v->txn);
}

void view_end(struct view *v)
{
	lmdb_read_end(&v->l->db->readers, v->txn);
}

int view_get(struct view *v, enum table t, MDB_val key, MDB_val *value)
{
	return lmdb_errno(mdb_get(v->txn, v->l->db->tables[t], &key, value));
}

int view_put(struct view *v, enum table t, MDB_val key, MDB_val value)
{
	v->change->wrote = true;
	return lmdb_put(v->write, t, key, value);
}

int view_del(struct view *v, enum table t, MDB_val key)
{
	int r = lmdb_del(v->write, t, key);

	if (r == -ENOENT)
		return 0;
	v->change->wrote = true;
	return r;
}

int view_cursor(struct view *v, enum table t, MDB_cursor **out)
{
	return lmdb_errno(mdb_cursor_open(v->txn, v->l->db->tables[t], out));
}

int inode_get(struct view *v, uint64_t ino, struct inode_rec *rec)
{
	struct ino_key k;
	MDB_val value;
	int r = view_get(v, T_INODE, ino_key(&k, ino), &value);

	if (r < 0)
		return r == -ENOENT ? -ESTALE : r;
	if (!inode_rec_load(&value, rec)) {
		log_error("%s: inode %lu: record of %zu bytes", v->l->dir, ino,
			  value.mv_size);
		return -EIO;
	}
	return 0;
}

int inode_get_merged(struct view *v, uint64_t ino, struct inode_rec *rec)
{
	int r = inode_get(v, ino, rec);
	struct shard *s;
	struct node *n;

	if (r < 0)
		return r;
	s = shard_lock(v->l, ino);
	n = shard_find(s, ino);
	if (n != NULL && n->change > rec->change) {
		rec->change = n->change;
		rec->mtime = rec->ctime = n->time;
	}
	if (n != NULL && n->atime > rec->atime)
		rec->atime = n->atime;
	shard_unlock(s);
	if (rec->nlink == 0 && n == NULL &&
	    !__atomic_load_n(&v->l->grace, __ATOMIC_RELAXED))
		return -ESTALE;
	return 0;
}

static void touched(struct change *c, uint64_t ino, const struct inode_rec *rec,
		    bool marked)
{
	int i = 0;

	while (i < c->ntouched && c->touched[i].ino != ino)
		i++;
	assert(i < TOUCHED_MAX);
	c->touched[i] = (struct touched){ .ino = ino,
					  .change = rec->change,
					  .tree = rec->tree,
					  .mode = rec->mode,
					  .marked = marked,
					  .atime = rec->atime };
	c->ntouched = MAX(c->ntouched, i + 1);
}

static int put(struct view *v, uint64_t ino, const struct inode_rec *rec,
	       bool marked)
{
	struct ino_key k;

	touched(v->change, ino, rec, marked);
	return view_put(v, T_INODE, ino_key(&k, ino), inode_rec_value(rec));
}

int inode_put(struct view *v, uint64_t ino, const struct inode_rec *rec)
{
	return put(v, ino, rec, false);
}

int inode_put_changed(struct view *v, uint64_t ino, struct inode_rec *rec)
{
	int marked = S_ISREG(rec->mode) ? mark_if_ahead(v, ino) : 0;

	if (marked < 0)
		return marked;
	rec->ctime = v->change->now;
	rec->change = clock_tick(v->l);
	return put(v, ino, rec, marked);
}

static MDB_val state_key(void)
{
	return (MDB_val){ 5, (void *)"state" };
}

int state_load(struct view *v, struct state_rec *state)
{
	MDB_val value;
	int r = view_get(v, T_SUPER, state_key(), &value);

	if (r < 0)
		return r;
	if (value.mv_size != sizeof(*state))
		return -EIO;
	memcpy(state, value.mv_data, sizeof(*state));
	return 0;
}

int state_read(struct local *l, struct state_rec *state)
{
	struct view v;
	int r = view_begin(l, &v);

	if (r < 0)
		return r;
	r = state_load(&v, state);
	view_end(&v);
	return r;
}

int state_put(struct view *v, const struct state_rec *state)
{
	return lmdb_put(v->write, T_SUPER, state_key(),
			(MDB_val){ sizeof(*state), (void *)state });
}

static int state_store(struct view *v, const struct state_rec *before)
{
	struct state_rec *state = &v->change->state;
	uint64_t now = __atomic_load_n(&v->l->clock, __ATOMIC_RELAXED);

	if (now + CLOCK_MARGIN > state->clock)
		state->clock = now + CLOCK_AHEAD;
	if (memcmp(state, before, sizeof(*state)) == 0)
		return 0;
	v->change->wrote = true;
	return state_put(v, state);
}

/* Once it is full, it may have been emptied by others than us. */
static int ask_for_room(struct lmdb *db)
{
	if (lmdb_is_full(db))
		lmdb_allocate(db);
	return lmdb_is_full(db) ? -ENOSPC : 0;
}

/* group_commit_fn */
static int run(struct lmdb_write *w, void *arg)
{
	struct change *c = arg;
	struct view v = { .l = c->l, .txn = w->txn, .write = w, .change = c };
	struct state_rec before = {};
	int r = state_load(&v, &before);

	c->state = before;
	c->ntouched = 0;
	c->wrote = false;
	if (r == 0)
		r = c->check(&v, c);
	if (r == 0 && c->grows)
		r = ask_for_room(c->l->db);
	if (r == 0)
		r = c->apply(&v, c);
	if (r == 0)
		r = state_store(&v, &before);
	return r < 0 && c->wrote ? group_commit_undo(r) : r;
}

/* group_commit_done_fn */
static void done(void *arg, int result)
{
	struct change *c = arg;

	if (result == 0) {
		__atomic_store_n(&c->l->clock_limit, c->state.clock,
				 __ATOMIC_RELAXED);
		quota_committed(c->l, &c->state);
	}
	if (c->done != NULL)
		c->done(c, result);
	for (int i = 0; result == 0 && i < c->ntouched; i++)
		node_record_changed(c->l, &c->touched[i]);
}

int local_change(struct local *l, struct change *c)
{
	struct view v;
	int r = view_begin(l, &v);

	if (r < 0)
		return r;
	c->l = l;
	c->now = reactor_realtime();
	r = c->check(&v, c);
	view_end(&v);
	if (r == 0)
		r = group_commit_run(l->commits, run, done, c);
	return r < 0 ? r : 0;
}
