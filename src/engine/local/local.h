/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The local engine, inside.  See README.md for the map of the files and
 * docs/internals/engine-local.md for the schema and the order of writes.
 *
 * Lock order: node->io, then node->sync (both held while parked), then
 * shard->lock, then the mutexes of group commit, of the reaper, of the walker
 * and of the trees.  All but the first two are held for a few instructions, one
 * of each at a time, and never parked.
 */
#ifndef ENGINE_LOCAL_LOCAL_H
#define ENGINE_LOCAL_LOCAL_H

#include <pthread.h>

#include "base/htable.h"
#include "base/list.h"
#include "engine/engine.h"
#include "engine/local/schema.h"
#include "lmdb/env.h"
#include "lmdb/group_commit.h"
#include "reactor/reactor.h"

struct file;

enum {
	LOCAL_SHARDS = 64,
	/* Files up to this size live in LMDB: two of its pages, less their
	 * header.  docs/internals/engine-local.md has the measurement. */
	INLINE_MAX = 8176,
	/* Bound of inline data that waits for COMMIT.  A writer beyond it
	 * commits its own file at once. */
	INLINE_DIRTY_MAX = 64 << 20,
	PATH_ROOM = 4096,
};

/* Some of the live inodes. */
struct shard {
	pthread_mutex_t lock;
	struct htable nodes; /* struct node, by ino */
} __attribute__((aligned(64)));

/* Inodes whose last name is gone, to be freed, and marks of others, to be
 * removed: reap.c. */
struct reaper {
	pthread_mutex_t lock;	 /* of the members below */
	struct list queue;	 /* struct orphan */
	size_t queued;		 /* atomic: also looked at without the lock */
	bool busy;		 /* its task runs */
	struct completion *idle; /* local_close() waits, or NULL */
};

/* What live nodes of a tree have grown by.  There as long as one of them is. */
struct tree {
	struct hnode by_id; /* local.trees */
	uint64_t id;
	unsigned nodes;	 /* under trees_lock */
	int64_t growing; /* atomic; the sum of node.growing and .claimed */
};

/* Trees whose content has to be looked at: walk.c. */
struct walker {
	pthread_mutex_t lock;	 /* of the members below */
	struct list queue;	 /* struct root */
	bool busy;		 /* its task runs */
	bool stop;		 /* atomic: also read without the lock */
	struct completion *idle; /* local_close() waits, or NULL */
};

struct local {
	struct engine engine; /* first */
	unsigned magic;
	char *dir;
	int lock; /* the directory's descriptor, flock'ed */
	struct lmdb *db;
	struct group_commit *commits;
	struct format_rec format;
	uint64_t clock;	       /* atomic; the last change attribute given out */
	uint64_t clock_limit;  /* atomic; state_rec.clock as it is on disk */
	uint64_t inline_dirty; /* atomic; bytes held by nodes */
	struct {
		uint64_t bytes, files; /* atomic, like all; 0: none */
		uint64_t used;	       /* bytes, as committed */
		int64_t growing;       /* the sum of those of nodes */
	} quota;
	bool grace; /* atomic; orphans of before the start may be held */
	struct reaper reaper;
	struct walker walker;
	pthread_mutex_t trees_lock; /* of: */
	struct htable trees;	    /* struct tree, of live nodes */
	struct shard shards[LOCAL_SHARDS];
};

enum { LOCAL_MAGIC = 0x4c4f4331, NODE_MAGIC = 0x4e4f4431 };

static inline struct local *local_of(struct engine *e)
{
	struct local *l = container_of(e, struct local, engine);

	MAGIC_CHECK(l, LOCAL_MAGIC);
	return l;
}

/*
 * A live inode: somebody holds it.  It knows what is newer than the record in
 * LMDB: size, times and change of a file that is being written, and the data if
 * they are inline.  An inode that nobody holds has no state in memory, except
 * when writing it back failed (`error`).
 *
 * References: one for each engine_hold(), one for a call that works on it.
 */
struct node {
	struct engine_node base; /* first */
	unsigned magic;
	uint64_t ino;
	uint32_t type; /* S_IFMT bits */
	struct hnode link;

	/* Shared: reads, writes, commits.  Exclusive: what changes `backed`,
	 * `marked` or `file`, and whatever must see no write in progress. */
	struct task_rwlock io;
	struct file *file; /* the backing file, once it was needed */
	bool backed;	   /* data are in the backing file, not inline */
	bool marked;	   /* LMDB has a mark of it: see mark.c; to change
			      also under the shard's lock */

	/* Exclusive: whoever runs an fsync of `file`. */
	struct task_rwlock sync;
	uint64_t synced; /* the data of so many writes are on disk, and that
			    the file was cut before; 0: unknown */

	/* Under the shard's lock. */
	unsigned refs;
	bool unlinked;	/* freed by the last release */
	bool setid;	/* the mode has bits that a write clears */
	bool told;	/* somebody has got `error` */
	bool mark_left; /* LMDB has a mark that a change of the record put */
	int error;	/* writing back failed for good: what is in memory is
			   not what will be there after a restart */
	uint64_t size;
	uint64_t committed_size; /* of the backing file, in LMDB */
	uint64_t space;		 /* not less than what is allocated */
	int64_t growing;	 /* bytes of it that no commit covers yet */
	unsigned claims;	 /* writes in progress under a quota (quota.c);
				    they may add to `space`, in all, */
	uint64_t claimed;	 /* so many bytes; */
	uint64_t claimed_end;	 /* none of them ends beyond that */
	struct tree *tree;	 /* in which it counts; NULL: in none */
	uint64_t change;	 /* of the last write; mtime and ctime too */
	nsec time;
	nsec atime; /* of the last read, 0: none yet */
	/* Writes so far, from 1, and those that are on disk: dirty if they
	 * differ. */
	uint64_t written, committed;
	char *data; /* of an inline file that is dirty: INLINE_MAX bytes, zeroes
		       beyond the size */
};

/*
 * A view of LMDB: a snapshot, or the transaction that a change runs in.
 */
struct view {
	struct local *l;
	MDB_txn *txn;
	struct lmdb_write *write; /* NULL: a snapshot */
	struct change *change;	  /* NULL: a snapshot */
};

/*
 * A change of metadata.  Every kind embeds one and gives:
 *
 *	check	may it be done?  Runs twice: against a snapshot, so that a
 *		refusal costs no transaction, and again inside the transaction.
 *		0, -errno, or CHANGE_NOTHING: done already, successfully.
 *	apply	does it, in the transaction.
 *	done	optional: what follows in memory; as group_commit_done_fn.
 */
enum { CHANGE_NOTHING = 1, TOUCHED_MAX = 4 };

/* What a live node has to learn of a record that was put. */
struct touched {
	uint64_t ino, change, tree;
	uint32_t mode;
	bool marked; /* the same transaction put a mark */
	nsec atime;
};

struct change {
	int (*check)(struct view *v, struct change *c);
	int (*apply)(struct view *v, struct change *c);
	void (*done)(struct change *c, int result);
	bool grows; /* needs room, for good: refused when the disk is full */

	/* Set by local_change(). */
	struct local *l;
	nsec now;
	bool wrote;		/* something: a failure has to be undone */
	struct state_rec state; /* apply may change it */
	struct touched touched[TOUCHED_MAX];
	int ntouched;
};

int local_change(struct local *l, struct change *c);
int state_read(struct local *l, struct state_rec *state); /* as committed */
int state_load(struct view *v, struct state_rec *state);
int state_put(struct view *v, const struct state_rec *state);

/* change.c: records through a view.  All return 0 or -errno. */
int view_begin(struct local *l, struct view *v); /* a snapshot */
void view_end(struct view *v);
int view_get(struct view *v, enum table t, MDB_val key, MDB_val *value);
int view_put(struct view *v, enum table t, MDB_val key, MDB_val value);
int view_del(struct view *v, enum table t, MDB_val key); /* absent: 0 */
int view_cursor(struct view *v, enum table t, MDB_cursor **out);

/* -ESTALE if there is none.  inode_get_merged() adds what a live node knows of
 * times, as every change of a record has to begin; and an inode without a name
 * that nobody holds is gone for it. */
int inode_get(struct view *v, uint64_t ino, struct inode_rec *rec);
int inode_get_merged(struct view *v, uint64_t ino, struct inode_rec *rec);
/* With a new change attribute and ctime. */
int inode_put_changed(struct view *v, uint64_t ino, struct inode_rec *rec);
int inode_put(struct view *v, uint64_t ino, const struct inode_rec *rec);

/* The next value of the change attribute: max(time of day, last + 1). */
uint64_t clock_tick(struct local *l);
/* Makes sure that the values of the next while are covered on disk; before
 * values are shown that no transaction carries.  May park. */
int clock_reserve(struct local *l);
/* -ENOSPC if the disk has room only for what makes some.  May park. */
int space_check(struct local *l);

/* Behind all that was committed before the call, and is in memory, too. */
int change_barrier(struct local *l);

/* quota.c.  Those of a node, but for the check, want the shard's lock. */
int local_set_quota(struct engine *e, uint64_t bytes, uint64_t files);
void quota_committed(struct local *l, const struct state_rec *state);
/* Of an inode that takes more, in a transaction. */
int quota_check_rec(struct view *v, const struct inode_rec *rec, uint64_t bytes,
		    uint64_t files);
/* In a transaction: what the inode takes has changed by so much. */
int usage_move(struct view *v, const struct inode_rec *rec, int64_t bytes,
	       int64_t files);
/* For a write of so many bytes that ends there: room for what it may add, if
 * there is a quota; *held: quota_unclaim() has to come when it is done.  May
 * park.  -EDQUOT. */
int quota_claim(struct node *n, uint64_t end, uint64_t len, bool *held);
void quota_unclaim(struct node *n); /* takes the shard's lock */
/* A write has added so much, which was claimed or not. */
void quota_written(struct node *n, int64_t bytes);
/* What it may take then, at most: node.space. */
uint64_t quota_space_after(const struct node *n, uint64_t end, uint64_t len);
void quota_grown(struct node *n, int64_t bytes);
/* A commit covers so much of what it had grown by; another one may have. */
void quota_covered(struct node *n, int64_t bytes);
/* The node counts in another tree than it did, or in the same. */
void quota_node_moved(struct node *n, uint64_t tree);
void quota_limit_statfs(struct local *l, struct engine_statfs *st);

/* tree.c.  Within a tree's record: */
int tree_load(struct view *v, uint64_t id, struct tree_rec *t); /* -ENOENT */
int tree_store(struct view *v, uint64_t id, const struct tree_rec *t);
int tree_count(struct view *v, uint64_t id, int64_t bytes, int64_t files);
int tree_check(struct view *v, uint64_t id, uint64_t bytes, uint64_t files);
/* The inode counts in tree `to` from now on; the caller puts the record. */
int tree_move(struct view *v, struct inode_rec *rec, uint64_t to);
/* The first one above *id with these TREE_* and without those. */
int tree_next_with(struct local *l, uint64_t *id, uint32_t set, uint32_t unset);
int tree_limit_statfs(struct local *l, uint64_t id, struct engine_statfs *st);
/* In memory.  One reference, or NULL: of tree 0, and without memory. */
struct tree *tree_get(struct local *l, uint64_t id);
void tree_put(struct local *l, struct tree *t); /* NULL is fine */
void trees_init(struct local *l);
void trees_fini(struct local *l);
int local_tree_set(struct engine *e, uint64_t dir, uint64_t bytes,
		   uint64_t files);
int local_tree_clear(struct engine *e, uint64_t dir);
int local_tree_get(struct engine *e, uint64_t dir, struct engine_tree *out);
int local_tree_next(struct engine *e, uint64_t *dir);

/* walk.c */
void walk_init(struct local *l);
void walk_stop(struct local *l); /* where it is; a start goes on */
void walk_fini(struct local *l);
void walk_resume(struct local *l); /* at the start */
void walk_start(struct local *l, uint64_t root);

/* attr.c */
nsec time_to_nsec(struct timespec ts); /* saturates */
int attr_read(struct local *l, uint64_t ino, struct fattr *attr);
void attr_from_rec(uint64_t ino, const struct inode_rec *rec,
		   struct fattr *attr);
bool cred_owns(const struct cred *cred, const struct inode_rec *rec);
unsigned rec_access(const struct inode_rec *rec, const struct cred *cred,
		    unsigned want);
/* Bits that a write or a change of owner by others clears. */
uint32_t mode_without_setid(uint32_t mode);
/* Checks and applies all but SATTR_SIZE. */
int attr_check(const struct inode_rec *rec, const struct cred *cred,
	       const struct sattr *set);
void attr_apply(struct inode_rec *rec, const struct cred *cred,
		const struct sattr *set, nsec now);
int attr_drop_setid(struct local *l, uint64_t ino);

/* dir.c */
int name_check(const char *name, size_t len);
/* The directory, and that cred may do `want` in it. */
int dir_open(struct view *v, const struct cred *cred, uint64_t dir,
	     unsigned want, struct inode_rec *rec);
/* -ENOENT: d->cookie is then free for this name. */
int dirent_find(struct view *v, uint64_t dir, const char *name, size_t len,
		struct name *d);
int dirent_put(struct view *v, uint64_t dir, const struct name *d,
	       const char *name, size_t len);
int dirent_del(struct view *v, uint64_t dir, uint64_t cookie);
/* The first one above d->cookie; -ENOENT: there is none. */
int dirent_next(struct view *v, uint64_t dir, struct name *d);
/* Is that still one of its entries? */
int dirent_check(struct view *v, uint64_t dir, const struct name *d);
/* The sticky bit's rule (POSIX: S_ISVTX) for removing `victim` from `dir`. */
int dir_check_sticky(const struct inode_rec *dir, const struct cred *cred,
		     const struct inode_rec *victim);
/* One name fewer; the last one makes an orphan. *orphan is then its ino. */
int inode_drop_link(struct view *v, uint64_t ino, struct inode_rec *rec,
		    uint64_t *orphan);

/* node.c */
struct shard *shard_lock(struct local *l, uint64_t ino);
void shard_unlock(struct shard *s);
struct node *shard_find(struct shard *s, uint64_t ino); /* or NULL */
int node_get(struct local *l, uint64_t ino, struct node **out);
void node_put(struct node *n); /* may park */
/* The inode has no name any more.  True: it is held, and its last release calls
 * reap(); nobody can hold it after that. */
bool node_unlinked(struct local *l, uint64_t ino);
void node_drop_failed(struct local *l); /* at the end */
/* After a change of a record is on disk: the live node must show something
 * newer than it showed before. */
void node_record_changed(struct local *l, const struct touched *t);
int node_commit(struct node *n);
void node_fail(struct node *n, int error); /* what is dirty is lost */
/* n->io held, n->file open: all that was done to the file is on disk. */
int node_sync_data(struct node *n);
static inline bool node_dirty(const struct node *n) /* lock held */
{
	return n->written != n->committed;
}
static inline struct node *node_of(struct engine_node *base)
{
	struct node *n = container_of(base, struct node, base);

	MAGIC_CHECK(n, NODE_MAGIC);
	return n;
}
static inline struct local *node_local(const struct node *n)
{
	return local_of(n->base.engine);
}

/* inline.c: data in LMDB.  Under the shard's lock, except inline_drop(). */
int inline_load(struct node *n); /* n->data, from LMDB if need be */
void inline_free(struct node *n);
ssize_t inline_read(struct node *n, void *buf, size_t len, uint64_t offset);
int inline_write(struct node *n, const struct iovec *iov, int iovcnt,
		 uint64_t offset);
int inline_store(struct view *v, struct node *n, uint64_t size);

/* data.c: backing files */
int data_check_regular(const struct node *n);
int data_cut_rest(struct node *n); /* bytes beyond the size; n->io exclusive */
void data_path(const struct local *l, uint64_t ino, char path[PATH_ROOM]);
/* Locks n->io shared, with everything in place for access up to `end`. */
int data_lock_for_write(struct node *n, uint64_t end);
int data_lock_for_read(struct node *n);
/* n->io is held exclusively: the same. */
int data_prepare_write(struct node *n, uint64_t end);
/* n->io is held: a write to [.., end) of `len` bytes has been done.  To inline
 * data: exclusively, else a commit may have taken them before this. */
void data_written(struct node *n, uint64_t end, uint64_t len);

/* mark.c */
int mark_node(struct node *n); /* n->io held exclusively; may park */
/* In the transaction that changes the record of a node that is ahead of it:
 * puts a mark if that is needed.  1: it was. */
int mark_if_ahead(struct view *v, uint64_t ino);
int mark_drop(struct view *v, uint64_t ino); /* unless a live node needs it */
/* At the start, in offload(): repairs what is marked. */
int marks_repair(struct local *l);

/* reap.c */
void reap_init(struct local *l);
void reap_stop(struct local *l); /* nothing is removed any more: finish */
void reap_fini(struct local *l);
void reap(struct local *l, uint64_t ino); /* may park */
/* Removes its mark, some time. */
void reap_mark(struct local *l, uint64_t ino);
bool reap_any_left(struct local *l); /* orphans of before the start */

/* The calls of engine_ops, by file. */
int local_getattr(struct engine *e, uint64_t ino, struct fattr *attr);
int local_setattr(struct engine *e, const struct cred *cred, uint64_t ino,
		  const struct sattr *set, struct fattr *attr);
int local_lookup(struct engine *e, const struct cred *cred, uint64_t dir,
		 const char *name, size_t len, struct fattr *attr);
int local_readdir(struct engine *e, uint64_t dir, uint64_t after, bool attrs,
		  engine_dirent_fn *fn, void *arg, bool *eof);
int local_create(struct engine *e, const struct cred *cred, uint64_t dir,
		 const char *name, size_t len, const struct create_spec *spec,
		 struct fattr *attr, bool *existed, struct change_info *ci);
int local_link(struct engine *e, const struct cred *cred, uint64_t ino,
	       uint64_t dir, const char *name, size_t len,
	       struct change_info *ci);
int local_remove(struct engine *e, const struct cred *cred, uint64_t dir,
		 const char *name, size_t len, enum engine_remove_kind kind,
		 struct change_info *ci);
int local_rename(struct engine *e, const struct cred *cred, uint64_t from,
		 const char *from_name, size_t from_len, uint64_t to,
		 const char *to_name, size_t to_len, struct change_info ci[2]);
ssize_t local_readlink(struct engine *e, uint64_t ino, char *buf, size_t size);
int local_hold(struct engine *e, uint64_t ino, struct engine_node **out);
void local_release(struct engine_node *node);
uint64_t local_node_ino(const struct engine_node *node);
ssize_t local_read(struct engine_node *node, void *buf, size_t len,
		   uint64_t offset, bool *eof);
int local_write(struct engine_node *node, const struct cred *cred,
		struct iovec *iov, int n, uint64_t offset,
		enum engine_stable stable);
int local_commit(struct engine_node *node, uint64_t offset, uint64_t len);
int local_truncate(struct local *l, const struct cred *cred, uint64_t ino,
		   const struct sattr *set);
int64_t local_seek(struct engine_node *node, uint64_t offset, int whence);
int local_allocate(struct engine_node *node, uint64_t offset, uint64_t len);
int local_deallocate(struct engine_node *node, uint64_t offset, uint64_t len);
int local_statfs(struct engine *e, uint64_t tree, struct engine_statfs *out);
void local_begin_grace(struct engine *e);
void local_end_grace(struct engine *e);
ssize_t local_getxattr(struct engine *e, uint64_t ino, const char *name,
		       size_t name_len, void *buf, size_t size);
int local_setxattr(struct engine *e, const struct cred *cred, uint64_t ino,
		   const char *name, size_t name_len, const void *value,
		   size_t size, int flags, struct change_info *ci);
int local_removexattr(struct engine *e, const struct cred *cred, uint64_t ino,
		      const char *name, size_t name_len,
		      struct change_info *ci);
ssize_t local_listxattr(struct engine *e, uint64_t ino, char *buf, size_t size);

#endif
