/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A POSIX file system as a data structure, as simple as can be: what the engine
 * is held against.  Errors and effects are those of root; permissions have
 * tests of their own.
 */
#ifndef TESTS_ENGINE_MODEL_H
#define TESTS_ENGINE_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/list.h"

enum { MODEL_SIZE_MAX = 100000 };

struct model_inode {
	struct list link; /* of all */
	uint64_t ino;	  /* the engine's, told at creation */
	uint32_t mode, nlink, uid, gid;
	int held;
	uint64_t tree; /* in which it counts; its own ino: a root */
	char *data;    /* of a regular file: MODEL_SIZE_MAX bytes */
	uint64_t size;
	struct list names;	    /* of a directory: struct model_name */
	struct model_inode *parent; /* of a directory */
};

struct model_name {
	struct list link;
	char name[256];
	struct model_inode *inode;
};

struct model {
	struct list inodes;
	struct model_inode *root;
};

void model_init(struct model *m);
void model_fini(struct model *m);

struct model_inode *model_look(struct model_inode *dir, const char *name);

/* As the system calls: 0 or -errno. */
int model_create(struct model *m, struct model_inode *dir, const char *name,
		 uint32_t mode, struct model_inode **out);
int model_link(struct model *m, struct model_inode *inode,
	       struct model_inode *dir, const char *name);
int model_remove(struct model *m, struct model_inode *dir, const char *name);
int model_rename(struct model *m, struct model_inode *from,
		 const char *from_name, struct model_inode *to,
		 const char *to_name);
void model_write(struct model_inode *inode, const void *data, uint64_t len,
		 uint64_t offset);
void model_truncate(struct model_inode *inode, uint64_t size);
/* The directory is the root of a tree now, or none any more; with what is
 * below.  Not if files there have names elsewhere: then it says false. */
bool model_set_tree(struct model *m, struct model_inode *dir, bool set);
/* How many count in it. */
uint64_t model_count(const struct model *m, uint64_t tree);
/* Frees it if it has neither name nor holder. */
void model_release(struct model *m, struct model_inode *inode);

#endif
