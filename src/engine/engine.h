/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Engine: where the bytes of one file system live.
 *
 * The contract between the file protocols above and the storage below.  An
 * engine is inode-based: objects are named by a 64-bit inode number, which is
 * never used twice in the life of a file system, so it also serves as file
 * handle.  The root directory is ENGINE_ROOT.
 *
 * Threads: every call is made from a task (reactor/task.h), may park, and may
 * be made from any reactor at the same time as others.  No call is made while
 * holding a pthread mutex.
 *
 * Durability: when a call that changes metadata returns 0, the change is on
 * disk.  engine_write() promises what its `stable` asks; ENGINE_UNSTABLE data,
 * and the size and times that go with them, are on disk after engine_commit().
 *
 * Permission: an engine enforces what must be decided together with the change
 * (search and write permission of directories, the sticky bit, ownership for
 * setattr, clearing of set-id bits).  Reading and writing data is allowed to
 * whoever holds a node; the caller has checked (engine_access()) when it
 * opened. `cred` NULL is the server itself: everything is allowed.
 * SATTR_SIZE asks for write permission; for a file that is open for writing, a
 * server sets the size in a call of its own with `cred` NULL (ftruncate(2)).
 *
 * Errors: 0 or a count, or a negative errno with the meaning POSIX gives it;
 * -ESTALE: the inode does not exist (any more), or has neither name nor holder.
 * Names: -ENAMETOOLONG; -EINVAL for "", ".", ".." and those with '/' or NUL.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

enum {
	ENGINE_ROOT = 1,
	ENGINE_NAME_MAX = 255, /* bytes; any but '/' and NUL */
	ENGINE_SYMLINK_MAX = 4095,
	ENGINE_XATTR_NAME_MAX = 255,
	ENGINE_XATTR_SIZE_MAX = 65536,
	ENGINE_LINK_MAX = 65000,
};
#define ENGINE_FILE_SIZE_MAX INT64_MAX

struct engine;	    /* one open file system */
struct engine_node; /* a live inode: see engine_hold() */

/* Who asks. */
struct cred {
	uint32_t uid, gid;
	uint32_t ngroups;
	const uint32_t *groups; /* borrowed */
};

struct fattr {
	uint64_t ino;
	uint32_t mode; /* type and permission bits as in stat(2) */
	uint32_t nlink;
	uint32_t uid, gid;
	uint32_t rdev_major, rdev_minor;
	uint64_t size;
	uint64_t space_used; /* bytes */
	uint64_t change;     /* greater after every change of data or metadata,
				also across a crash */
	uint64_t parent;     /* of a directory: its parent; else 0 */
	struct timespec atime, mtime, ctime, btime;
};

enum {
	SATTR_MODE = 1 << 0, /* permission bits only */
	SATTR_UID = 1 << 1,
	SATTR_GID = 1 << 2,
	SATTR_SIZE = 1 << 3,
	SATTR_ATIME = 1 << 4,
	SATTR_MTIME = 1 << 5,
	SATTR_ATIME_NOW = 1 << 6, /* the server's time */
	SATTR_MTIME_NOW = 1 << 7,
};

struct sattr {
	unsigned mask; /* SATTR_* */
	uint32_t mode, uid, gid;
	uint64_t size;
	struct timespec atime, mtime;
};

/* The change attribute of a directory around a change of it, taken in the same
 * transaction (NFSv4 change_info4, atomic). */
struct change_info {
	uint64_t before, after;
};

struct create_spec {
	uint32_t mode; /* S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO, … | permissions */
	uint32_t rdev_major, rdev_minor; /* S_IFCHR, S_IFBLK */
	const char *target;		 /* S_IFLNK: not NUL-terminated */
	size_t target_len;
	struct sattr attrs; /* more than the mode: SATTR_SIZE, times, owner */
	/* Exclusive creation (RFC 8881, 18.16.3): kept with the inode.  If the
	 * name exists with this verifier the call succeeds, with *existed set.
	 */
	bool exclusive;
	uint64_t verifier;
};

/* One name found by engine_readdir().  `attr` is NULL unless asked for. */
struct engine_dirent {
	uint64_t cookie; /* > 2, stable as long as the entry exists */
	uint64_t ino;
	uint32_t type;	  /* S_IFMT bits */
	const char *name; /* borrowed for this call, not NUL-terminated */
	size_t name_len;
	const struct fattr *attr;
};

/* false: the sink is full, and this entry was not taken.  Must not park. */
typedef bool engine_dirent_fn(void *arg, const struct engine_dirent *entry);

enum engine_stable { ENGINE_UNSTABLE, ENGINE_DATA_SYNC, ENGINE_FILE_SYNC };

struct engine_statfs {
	uint64_t total_bytes, free_bytes, avail_bytes;
	uint64_t total_files, free_files, avail_files;
	/* What this file system holds (usage counters, O(1)). */
	uint64_t used_bytes, used_files;
};

/* A directory whose content is counted: see engine_tree_set(). */
struct engine_tree {
	uint64_t max_bytes, max_files; /* 0: no limit */
	uint64_t used_bytes, used_files;
	bool counting; /* not all of it is counted yet */
};

enum engine_remove_kind {
	ENGINE_REMOVE_ANY,    /* NFS REMOVE */
	ENGINE_REMOVE_NONDIR, /* unlink(2) */
	ENGINE_REMOVE_DIR,    /* rmdir(2) */
};

/*
 * What an engine implements.  Calls above the line are required; the others
 * have defaults, filled in by engine_register(), so nobody tests for NULL.
 */
struct engine_ops {
	const char *name;
	/* `directory` is the engine's own; created if absent and empty. */
	int (*open)(const char *directory, struct engine **out);
	void (*close)(struct engine *e);

	int (*getattr)(struct engine *e, uint64_t ino, struct fattr *attr);
	/* attr (may be NULL): the attributes afterwards. */
	int (*setattr)(struct engine *e, const struct cred *cred, uint64_t ino,
		       const struct sattr *set, struct fattr *attr);
	/* `name` may be ".." (at the root: itself); not ".". */
	int (*lookup)(struct engine *e, const struct cred *cred, uint64_t dir,
		      const char *name, size_t len, struct fattr *attr);
	/* Anything that is not a hard link. -EEXIST: attr is then filled with
	 * the attributes of what is there.  A size above 0 is set in a step of
	 * its own.  attr, existed, ci may be NULL; ci also elsewhere. */
	int (*create)(struct engine *e, const struct cred *cred, uint64_t dir,
		      const char *name, size_t len,
		      const struct create_spec *spec, struct fattr *attr,
		      bool *existed, struct change_info *ci);
	int (*link)(struct engine *e, const struct cred *cred, uint64_t ino,
		    uint64_t dir, const char *name, size_t len,
		    struct change_info *ci);
	int (*remove)(struct engine *e, const struct cred *cred, uint64_t dir,
		      const char *name, size_t len,
		      enum engine_remove_kind kind, struct change_info *ci);
	/* POSIX rename(2), replacing the target; ci[0] of `from`, ci[1] of
	 * `to`. */
	int (*rename)(struct engine *e, const struct cred *cred, uint64_t from,
		      const char *from_name, size_t from_len, uint64_t to,
		      const char *to_name, size_t to_len,
		      struct change_info ci[2]);
	/* The length; cut to `size`. */
	ssize_t (*readlink)(struct engine *e, uint64_t ino, char *buf,
			    size_t size);
	/* Entries with a cookie above `after`, in cookie order, without "." and
	 * "..", until the sink is full; *eof if all were given.  An entry that
	 * exists throughout is given exactly once by a series of calls. */
	int (*readdir)(struct engine *e, uint64_t dir, uint64_t after,
		       bool attrs, engine_dirent_fn *fn, void *arg, bool *eof);

	/* A node keeps its inode alive, unlinked or not, until the last
	 * release. After a restart an unlinked inode that was held can be held
	 * again until engine_end_grace().  Any type can be held; reading and
	 * writing others than regular files is -EISDIR or -EINVAL.
	 * The last release writes back what is dirty, and may take as long as
	 * a commit; if that fails, the next commit of the inode says so. */
	int (*hold)(struct engine *e, uint64_t ino, struct engine_node **out);
	void (*release)(struct engine_node *node);
	uint64_t (*node_ino)(const struct engine_node *node);

	ssize_t (*read)(struct engine_node *node, void *buf, size_t len,
			uint64_t offset, bool *eof);
	/* Everything or an error; uses up iov.  Clears set-id bits if `cred` is
	 * neither NULL nor uid 0. */
	int (*write)(struct engine_node *node, const struct cred *cred,
		     struct iovec *iov, int n, uint64_t offset,
		     enum engine_stable stable);
	/* The whole file, whatever the range (len 0: to the end). */
	int (*commit)(struct engine_node *node, uint64_t offset, uint64_t len);
	/* `tree` 0: of all; else as seen by who knows only what is below that
	 * directory, if it is counted. */
	int (*statfs)(struct engine *e, uint64_t tree,
		      struct engine_statfs *out);

	/* ------------------------------------------------------ optional */

	/* The holders go, or are not back yet after a restart: unlinked inodes
	 * are not freed by their last release, until engine_end_grace().
	 * Default: nothing. */
	void (*begin_grace)(struct engine *e);
	/* Nobody will hold unlinked inodes of before the restart any more:
	 * frees those that nobody holds.  Default: nothing. */
	void (*end_grace)(struct engine *e);
	/* What it may hold, the root included; 0: as much as there is room.
	 * What goes beyond is -EDQUOT, and statfs says what is left.  What is
	 * there already may stay, whatever the quota.  Default: -EOPNOTSUPP. */
	int (*set_quota)(struct engine *e, uint64_t bytes, uint64_t files);
	/*
	 * Trees.  From now on what is below this directory is counted, itself
	 * included, and can't become more than this (0: no limit; -EDQUOT).
	 * What is there already may stay; it is counted in the background, by
	 * the next starts if need be, and until then the limits are those of
	 * what has been counted.  Of trees within each other the innermost
	 * counts.
	 *
	 * No name crosses the edge of a tree: link() and rename() between two
	 * trees, or a tree and what is in none, are -EXDEV, as between XFS'
	 * projects; mv(1) copies then, which pays for what it brings.  (The
	 * root itself may be moved.)  While a tree is being counted, link() in
	 * it may be -EXDEV, and rename() of a directory -EAGAIN.  A file that
	 * had names on both sides before counts in one of them.
	 *
	 * Limits of a tree that is one are changed.  -ENOTDIR, -ESTALE.
	 * Defaults: -EOPNOTSUPP; there is none (-ENOENT).
	 */
	int (*tree_set)(struct engine *e, uint64_t dir, uint64_t bytes,
			uint64_t files);
	/* It is a directory like others again.  -ENOENT: it is. */
	int (*tree_clear)(struct engine *e, uint64_t dir);
	int (*tree_get)(struct engine *e, uint64_t dir,
			struct engine_tree *out);
	/* The first one above *dir; -ENOENT: there is none. */
	int (*tree_next)(struct engine *e, uint64_t *dir);
	/* whence SEEK_DATA or SEEK_HOLE; -ENXIO.  Default: one extent. */
	int64_t (*seek)(struct engine_node *node, uint64_t offset, int whence);
	/* Default: -EOPNOTSUPP. */
	int (*allocate)(struct engine_node *node, uint64_t offset,
			uint64_t len);
	int (*deallocate)(struct engine_node *node, uint64_t offset,
			  uint64_t len);
	/* Names include their prefix ("user.…").  Default: -EOPNOTSUPP.
	 * size 0 asks for the length; -ERANGE, -ENODATA. */
	ssize_t (*getxattr)(struct engine *e, uint64_t ino, const char *name,
			    size_t name_len, void *buf, size_t size);
	/* flags: XATTR_CREATE, XATTR_REPLACE, 0.  ci of the inode itself. */
	int (*setxattr)(struct engine *e, const struct cred *cred, uint64_t ino,
			const char *name, size_t name_len, const void *value,
			size_t size, int flags, struct change_info *ci);
	int (*removexattr)(struct engine *e, const struct cred *cred,
			   uint64_t ino, const char *name, size_t name_len,
			   struct change_info *ci);
	/* Names with a NUL behind each; size 0 asks for the length. */
	ssize_t (*listxattr)(struct engine *e, uint64_t ino, char *buf,
			     size_t size);
};

/* The first member of every engine's own struct. */
struct engine {
	const struct engine_ops *ops; /* complete: no member is NULL */
	uint64_t losses;	      /* see engine_losses(); atomic */
};

/* The first member of every engine's node. */
struct engine_node {
	struct engine *engine;
};

/* Makes a kind of engine known and fills in the defaults; `ops` is kept.  To be
 * called before threads start.  "local" is known without.  0 or -ENOSPC. */
int engine_register(struct engine_ops *ops);

/* Opens by the name of the kind; an unknown one is -ENOENT. */
int engine_open(const char *kind, const char *directory, struct engine **out);
void engine_close(struct engine *e);

/*
 * How often it has dropped what was written and could not be brought to disk:
 * whoever holds such an inode is told by its commits, but the next one to hold
 * it finds it clean again.  So what was written before this number changed may
 * be lost though a commit succeeds.  Any thread; it never goes back.
 */
static inline uint64_t engine_losses(const struct engine *e)
{
	return __atomic_load_n(&e->losses, __ATOMIC_ACQUIRE);
}

/* Callers write engine_lookup(e, …) for e->ops->lookup(e, …). */
#define ENGINE_CALL_(call, e, ...) ((e)->ops->call((e), ##__VA_ARGS__))
#define engine_getattr(e, ...)	   ENGINE_CALL_(getattr, e, __VA_ARGS__)
#define engine_setattr(e, ...)	   ENGINE_CALL_(setattr, e, __VA_ARGS__)
#define engine_lookup(e, ...)	   ENGINE_CALL_(lookup, e, __VA_ARGS__)
#define engine_create(e, ...)	   ENGINE_CALL_(create, e, __VA_ARGS__)
#define engine_link(e, ...)	   ENGINE_CALL_(link, e, __VA_ARGS__)
#define engine_remove(e, ...)	   ENGINE_CALL_(remove, e, __VA_ARGS__)
#define engine_rename(e, ...)	   ENGINE_CALL_(rename, e, __VA_ARGS__)
#define engine_readlink(e, ...)	   ENGINE_CALL_(readlink, e, __VA_ARGS__)
#define engine_readdir(e, ...)	   ENGINE_CALL_(readdir, e, __VA_ARGS__)
#define engine_hold(e, ...)	   ENGINE_CALL_(hold, e, __VA_ARGS__)
#define engine_statfs(e, ...)	   ENGINE_CALL_(statfs, e, __VA_ARGS__)
#define engine_set_quota(e, ...)   ENGINE_CALL_(set_quota, e, __VA_ARGS__)
#define engine_tree_set(e, ...)	   ENGINE_CALL_(tree_set, e, __VA_ARGS__)
#define engine_tree_clear(e, ...)  ENGINE_CALL_(tree_clear, e, __VA_ARGS__)
#define engine_tree_get(e, ...)	   ENGINE_CALL_(tree_get, e, __VA_ARGS__)
#define engine_tree_next(e, ...)   ENGINE_CALL_(tree_next, e, __VA_ARGS__)
#define engine_begin_grace(e)	   ENGINE_CALL_(begin_grace, e)
#define engine_end_grace(e)	   ENGINE_CALL_(end_grace, e)
#define engine_getxattr(e, ...)	   ENGINE_CALL_(getxattr, e, __VA_ARGS__)
#define engine_setxattr(e, ...)	   ENGINE_CALL_(setxattr, e, __VA_ARGS__)
#define engine_removexattr(e, ...) ENGINE_CALL_(removexattr, e, __VA_ARGS__)
#define engine_listxattr(e, ...)   ENGINE_CALL_(listxattr, e, __VA_ARGS__)

#define NODE_CALL_(call, node, ...)                                            \
	((node)->engine->ops->call((node), ##__VA_ARGS__))
#define engine_release(node)	     NODE_CALL_(release, node)
#define engine_node_ino(node)	     NODE_CALL_(node_ino, node)
#define engine_read(node, ...)	     NODE_CALL_(read, node, __VA_ARGS__)
#define engine_write(node, ...)	     NODE_CALL_(write, node, __VA_ARGS__)
#define engine_commit(node, ...)     NODE_CALL_(commit, node, __VA_ARGS__)
#define engine_seek(node, ...)	     NODE_CALL_(seek, node, __VA_ARGS__)
#define engine_allocate(node, ...)   NODE_CALL_(allocate, node, __VA_ARGS__)
#define engine_deallocate(node, ...) NODE_CALL_(deallocate, node, __VA_ARGS__)

/* POSIX permission of cred (NULL: everything) on an object: of `want`
 * (ENGINE_R|W|X), the bits that are granted.  uid 0 has all but X on a
 * regular file that nobody may execute. */
enum { ENGINE_X = 1, ENGINE_W = 2, ENGINE_R = 4 };
unsigned engine_access(const struct fattr *attr, const struct cred *cred,
		       unsigned want);
bool cred_in_group(const struct cred *cred, uint32_t gid);

#endif
