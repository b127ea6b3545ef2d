/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts, made and ended by another program.  What it leaves behind, a daemon
 * or a mount of the kernel's client, is not ours: it goes on when this process
 * ends.  Only this file knows which program that is (mount.hawser).  Any
 * thread; calls block.
 */
#ifndef CSI_MOUNTER_H
#define CSI_MOUNTER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	MOUNTER_TEXT_SIZE = 800,
	MOUNTER_SOURCE_SIZE = 1200,
	MOUNTER_OPTIONS_SIZE = 4096,
	MOUNTER_WORDS = 16,
};

struct mounter {
	const char *program; /* hawser */
	const char *cgroup;  /* a directory of cgroupfs, or NULL */
};

struct mount_spec {
	char source[MOUNTER_SOURCE_SIZE];   /* "fs-…:/fsap-…" */
	char options[MOUNTER_OPTIONS_SIZE]; /* "addr=…,…" */
	bool read_only;
};

/* The words before those of a command whose daemons are not to end with this
 * container: how many.  At most 5. */
unsigned mounter_enter(const struct mounter *m, const char *argv[]);

/* The words of the command that mounts. */
void mounter_command(const struct mounter *m, const struct mount_spec *spec,
		     const char *at, const char *argv[MOUNTER_WORDS]);

/* Makes the directory if need be (and removes it again if it fails), mounts: 0,
 * or -errno and why in `err`. */
int mounter_mount(const struct mounter *m, const struct mount_spec *spec,
		  const char *at, char err[MOUNTER_TEXT_SIZE]);
/* 0 also if nothing is mounted there; -EBUSY, -ETIMEDOUT.  lazy: out of the
 * tree now, whoever uses it. */
int mounter_unmount(const struct mounter *m, const char *at, bool lazy,
		    char err[MOUNTER_TEXT_SIZE]);

/* What is mounted at a directory, last. */
struct mounted {
	bool ours; /* by that program */
	bool by_kernel;
	bool read_only;
	char source[MOUNTER_SOURCE_SIZE];
	char type[16]; /* "fuse.hawser", "ext4" */
	dev_t device;  /* of the file system */
};

/* 1, 0: nothing, or -errno.  Doesn't touch the mount. */
int mounter_look(const char *at, struct mounted *out);
/* Another directory than `at` where this source is mounted: 1 and its path, 0,
 * or -errno. */
int mounter_elsewhere(const char *source, const char *at, char path[PATH_MAX]);

struct usage {
	int64_t bytes, bytes_free, bytes_available, files, files_free;
};

/* What statfs says; a mount whose server is silent does not keep anybody:
 * -ETIMEDOUT; -ENOTCONN: its daemon is dead. */
int mounter_usage(const char *at, struct usage *out);

/* An empty directory, or one that was not there. */
void mounter_remove_directory(const char *at);
/* With those above it, as far as they are missing: 0 or -errno. */
int mounter_make_directory(const char *at);
/* The group gets what a root directory allows its owner, as the kubelet would
 * do it, but for that one directory only. */
int mounter_give_to_group(const char *at, gid_t group);

#endif
