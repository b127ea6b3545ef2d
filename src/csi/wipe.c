/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree is deleted depth first, with a descriptor for each level: names are
 * never looked up from above, so whoever moves directories meanwhile can't lead
 * this elsewhere.
 */
#include "csi/wipe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"

/* A level takes two descriptors and a piece of the stack.  What is deeper is
 * moved up to the root, whose turn comes again. */
enum { DEPTH_MAX = 100 };

struct wiping {
	int root;
	dev_t device;
	unsigned moved;
};

static int wipe_in(struct wiping *w, int fd, int depth);

static bool is_dot_name(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* A directory that its owner closed to himself has to be opened to him. */
static int open_directory(int parent, const char *name)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(parent, name, flags);

	if (fd < 0 && errno == EACCES && fchmodat(parent, name, 0700, 0) == 0)
		fd = openat(parent, name, flags);
	return fd < 0 ? -errno : fd;
}

/* To a name that nobody has: a directory replaces none but an empty one. */
static int move_up(struct wiping *w, int parent, const char *name)
{
	char unique[32];
	int r;

	fchmodat(parent, name, 0700, 0);
	do {
		snprintf(unique, sizeof(unique), ".wiped-%u", w->moved++);
		r = renameat(parent, name, w->root, unique);
	} while (r < 0 &&
		 (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR));
	return r < 0 ? -errno : 0;
}

static int wipe_subdirectory(struct wiping *w, int parent, const char *name,
			     int depth)
{
	auto_close int fd = -1;
	struct stat st;
	int r;

	if (depth >= DEPTH_MAX)
		return move_up(w, parent, name);
	fd = open_directory(parent, name);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_dev != w->device)
		return -EXDEV;
	if ((st.st_mode & 0700) != 0700)
		fchmod(fd, 0700);
	r = wipe_in(w, fd, depth + 1);
	if (r < 0)
		return r;
	return unlinkat(parent, name, AT_REMOVEDIR) == 0 ? 0 : -errno;
}

static int wipe_entry(struct wiping *w, int parent, const char *name, int depth)
{
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	return wipe_subdirectory(w, parent, name, depth);
}

/* One reading of the directory; 1: something was there. */
static int wipe_once(struct wiping *w, int fd, int depth)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0), found = 0, r = 0;
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *e;

	if (d == NULL) {
		r = -errno;
		if (copy >= 0)
			close(copy);
		return r;
	}
	rewinddir(d);
	while (r == 0 && (e = readdir(d)) != NULL) {
		if (is_dot_name(e->d_name))
			continue;
		found = 1;
		r = wipe_entry(w, fd, e->d_name, depth);
	}
	closedir(d);
	return r < 0 ? r : found;
}

/* Again and again, until nothing is there: deleting while reading may skip
 * names. */
static int wipe_in(struct wiping *w, int fd, int depth)
{
	int r;

	do
		r = wipe_once(w, fd, depth);
	while (r > 0);
	return r;
}

int wipe_directory(const char *path)
{
	auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct wiping w = { .root = fd };
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	w.device = st.st_dev;
	return wipe_in(&w, fd, 0);
}
