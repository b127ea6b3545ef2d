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
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"

/* EFS allows no deeper trees. */
enum { DEPTH_MAX = 1000 };

static int wipe_in(int fd, dev_t device, int depth);

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

static int wipe_subdirectory(int parent, const char *name, dev_t device,
			     int depth)
{
	auto_close int fd = -1;
	struct stat st;
	int r;

	if (depth >= DEPTH_MAX)
		return -ELOOP;
	fd = open_directory(parent, name);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_dev != device)
		return -EXDEV;
	if ((st.st_mode & 0700) != 0700)
		fchmod(fd, 0700);
	r = wipe_in(fd, device, depth + 1);
	if (r < 0)
		return r;
	return unlinkat(parent, name, AT_REMOVEDIR) == 0 ? 0 : -errno;
}

static int wipe_entry(int parent, const char *name, dev_t device, int depth)
{
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	return wipe_subdirectory(parent, name, device, depth);
}

/* One reading of the directory; 1: something was there. */
static int wipe_once(int fd, dev_t device, int depth)
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
		r = wipe_entry(fd, e->d_name, device, depth);
	}
	closedir(d);
	return r < 0 ? r : found;
}

/* Again and again, until nothing is there: deleting while reading may skip
 * names. */
static int wipe_in(int fd, dev_t device, int depth)
{
	int r;

	do
		r = wipe_once(fd, device, depth);
	while (r > 0);
	return r;
}

int wipe_directory(const char *path)
{
	auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	return wipe_in(fd, st.st_dev, 0);
}
