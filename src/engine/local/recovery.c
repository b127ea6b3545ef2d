/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a crash left of backing files that were being written: data.c has the
 * protocol.  Looks at dirty/ only, so it takes as long as there were files
 * open for writing, however large the file system.
 */
#include "engine/local/local.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

static int committed_size(struct local *l, uint64_t ino, uint64_t *size,
			  bool *backed)
{
	struct inode_rec rec;
	struct view v;
	int r = view_begin(l, &v);

	if (r < 0)
		return r;
	r = inode_get(&v, ino, &rec);
	view_end(&v);
	*backed = r == 0 && (rec.flags & INODE_FILE);
	*size = *backed ? rec.size : 0;
	return r == -ESTALE ? 0 : r;
}

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

static int repair(struct local *l, uint64_t ino)
{
	char path[PATH_ROOM];
	uint64_t size;
	bool backed;
	int r = committed_size(l, ino, &size, &backed);

	if (r < 0)
		return r;
	data_path(l, ino, path);
	if (backed)
		r = cut(path, size);
	else if (unlink(path) < 0 && errno != ENOENT)
		r = -errno;
	if (r < 0) {
		log_error("%s: cannot repair: %s", path, strerror(-r));
		return r;
	}
	marker_path(l, ino, path);
	return unlink(path) < 0 ? -errno : 0;
}

int recover(struct local *l)
{
	char path[PATH_ROOM], *end;
	struct dirent *entry;
	unsigned repaired = 0;
	uint64_t ino;
	DIR *dir;
	int r = 0;

	snprintf(path, sizeof(path), "%s/dirty", l->dir);
	dir = opendir(path);
	if (dir == NULL)
		return -errno;
	while (r == 0 && (entry = readdir(dir)) != NULL) {
		ino = strtoull(entry->d_name, &end, 16);
		if (*end != 0 || end == entry->d_name)
			continue; /* . and .., or not ours */
		r = repair(l, ino);
		repaired++;
	}
	closedir(dir);
	if (repaired > 0)
		log_info("%s: %u files were being written at the last end",
			 l->dir, repaired);
	return r;
}
