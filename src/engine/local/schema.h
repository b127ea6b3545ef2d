/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is on disk in LMDB: tables, keys, records, and the accessors that
 * everything else in this folder uses.  docs/internals/engine-local.md has the
 * whole picture.
 *
 *	table	key				value
 *	super	"format"			struct format_rec
 *		"state"				struct state_rec
 *	inode	ino				struct inode_rec
 *	dirent	parent ino, cookie		struct dirent_rec, name
 *	inline	ino				file data or link target
 *	xattr	ino, name			value
 *	orphan	ino				nothing
 *	mark	ino				nothing
 *	tree	ino of its root			struct tree_rec
 *
 * Integers in keys are big-endian, so that LMDB's order is theirs; records are
 * little-endian as in memory.
 */
#ifndef ENGINE_LOCAL_SCHEMA_H
#define ENGINE_LOCAL_SCHEMA_H

#include <lmdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/hash.h"
#include "engine/engine.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "records are little-endian as in memory");

/* Their numbers are on disk, in the journal: new ones go behind. */
enum table {
	T_SUPER,
	T_INODE,
	T_DIRENT,
	T_INLINE,
	T_XATTR,
	T_ORPHAN,
	T_MARK,
	T_TREE,
	TABLES
};

/* A file system is made as 1.  It is 2 from its first tree on: programs that
 * know nothing of trees would count wrong, and leave it alone. */
enum {
	FORMAT_VERSION = 1,
	FORMAT_VERSION_TREES = 2,
	FORMAT_MAGIC = 0x52535748 /* "HWSR" */
};

/* Written when the file system is made, and with its first tree. */
struct format_rec {
	uint32_t magic, version;
	uint8_t uuid[16];
	struct siphash_key hash_key; /* of directory cookies */
};

/* Changes with nearly every transaction. */
struct state_rec {
	uint64_t next_ino;
	uint64_t clock; /* no change attribute above it was ever shown */
	uint64_t used_bytes, used_files;
};

enum {
	INODE_FILE = 1,	    /* data in a backing file; else inline */
	INODE_VERIFIER = 2, /* made by exclusive creation */
	INODE_XATTR = 4,    /* may have xattrs */
};

struct inode_rec {
	uint32_t version;
	uint32_t flags; /* INODE_* */
	uint32_t mode, nlink, uid, gid;
	uint32_t rdev_major, rdev_minor;
	uint64_t size;	/* bytes; of a directory: entries */
	uint64_t space; /* bytes allocated, as of the last commit */
	uint64_t change;
	uint64_t parent; /* of a directory */
	uint64_t verifier;
	nsec atime, mtime, ctime, btime; /* since 1970 */
	/* Root of the tree that it counts in; 0: none.  The record of an inode
	 * in none ends here. */
	uint64_t tree;
};
_Static_assert(offsetof(struct inode_rec, tree) == 104, "no holes");
_Static_assert(sizeof(struct inode_rec) == 112, "no holes");

enum {
	TREE_WALK = 1, /* the walk has not been everywhere: walk.c */
	TREE_LEFT = 2, /* it is no tree any more, and goes with the last inode
			  that still counts in it */
};

struct tree_rec {
	uint64_t max_bytes, max_files; /* 0: no limit */
	uint64_t used_bytes, used_files;
	uint32_t flags; /* TREE_* */
	uint32_t unused;
};

struct dirent_rec {
	uint64_t ino;
	uint32_t type; /* S_IFMT bits */
	uint32_t unused;
	char name[];
};

extern const char *const table_names[TABLES];

/* Key of inode, inline, orphan, mark, tree. */
struct ino_key {
	uint8_t bytes[8];
};
struct pair_key { /* of dirent */
	uint8_t bytes[16];
};
struct xattr_key {
	uint8_t bytes[8 + ENGINE_XATTR_NAME_MAX];
};

MDB_val ino_key(struct ino_key *k, uint64_t ino);
/* Of its size: 104 or 112 bytes.  False: it is none. */
bool inode_rec_load(const MDB_val *value, struct inode_rec *rec);
MDB_val inode_rec_value(const struct inode_rec *rec); /* borrows it */
MDB_val pair_key(struct pair_key *k, uint64_t ino, uint64_t cookie);

/* One name in a directory, found or to be. */
struct name {
	uint64_t cookie, ino;
	uint32_t type;
};

/*
 * Cookies: 56 bits of the keyed hash of the name, 7 bits of slot.  Names whose
 * hashes collide take different slots of one hash, and keep them for life: a
 * cookie names one entry, however often others come and go.  The hash is not
 * 0, so that all cookies are > 2 (NFS reserves 0, 1 and 2).
 */
enum { COOKIE_SLOT_BITS = 7 };
uint64_t cookie_first(const struct siphash_key *key, const char *name,
		      size_t len);

#endif
