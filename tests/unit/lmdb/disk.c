/* SPDX-License-Identifier: Apache-2.0 */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../in_task.h"
#include "base/util.h"

enum { PAGE = 4096, SECTOR = 512, ROOM = 64 << 20, FILES = 2 };

static struct image {
	const char *name;
	char path[256];
	char *seen, *durable,
		*left; /* by the program; on disk; after the cut */
	size_t size;   /* that any of it ever had */
} images[FILES] = { { .name = "data.mdb" }, { .name = "journal" } };

static struct rng *rng;
static bool watching, cut;
static unsigned countdown;

static void load(struct image *im)
{
	int fd = open(im->path, O_RDONLY);
	ssize_t n;

	if (im->seen == NULL) {
		im->seen = malloc(ROOM);
		im->durable = malloc(ROOM);
		im->left = malloc(ROOM);
	}
	memset(im->seen, 0, ROOM);
	n = pread(fd, im->seen, ROOM, 0);
	require(n > 0 && n < ROOM);
	im->size = n;
	memcpy(im->durable, im->seen, ROOM);
	close(fd);
}

void disk_watch(const char *directory, struct rng *r, unsigned nth)
{
	for (int i = 0; i < FILES; i++) {
		struct image *im = &images[i];

		snprintf(im->path, sizeof(im->path), "%s/%s", directory,
			 im->name);
		load(im);
	}
	rng = r;
	countdown = nth;
	cut = false;
	watching = true;
}

bool disk_is_cut(void)
{
	return cut;
}

void disk_restore(void)
{
	watching = false;
	for (int i = 0; i < FILES; i++) {
		struct image *im = &images[i];
		int fd = open(im->path, O_WRONLY | O_TRUNC);

		require(pwrite(fd, im->left, im->size, 0) == (ssize_t)im->size);
		close(fd);
	}
}

static struct image *image_of(int fd)
{
	char link[64], path[4096];
	ssize_t len;

	if (!watching || cut)
		return NULL;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	path[MAX(len, 0)] = 0;
	for (int i = 0; i < FILES; i++)
		if (strcmp(images[i].path, path) == 0)
			return &images[i];
	return NULL;
}

/* Some of what is not on disk gets there by itself. */
static void write_back(struct image *im, size_t from, size_t to, size_t unit,
		       char *disk)
{
	for (size_t at = from - from % unit; at < to; at += unit)
		if (rng_chance(rng, 0.5))
			memcpy(disk + at, im->seen + at, unit);
}

static void cut_power(struct image *im, size_t from, size_t to, bool durably)
{
	for (int i = 0; i < FILES; i++) {
		struct image *it = &images[i];

		memcpy(it->left, it->durable, ROOM);
		if (it != im || !durably)
			write_back(it, 0, it->size, PAGE, it->left);
	}
	if (durably)
		write_back(im, from, to, SECTOR, im->left);
	cut = true;
}

static void wrote(int fd, const void *buf, size_t len, off_t offset,
		  bool durably)
{
	struct image *im = image_of(fd);
	size_t end = offset + len;

	if (im == NULL)
		return;
	require(end <= ROOM);
	write_back(im, offset, end, PAGE, im->durable);
	memcpy(im->seen + offset, buf, len);
	im->size = MAX(im->size, end);
	if (--countdown == 0)
		cut_power(im, offset, end, durably);
	else if (durably)
		memcpy(im->durable + offset, buf, len);
}

static void flushed(int fd)
{
	struct image *im = image_of(fd);

	if (im == NULL)
		return;
	if (--countdown == 0)
		cut_power(im, 0, 0, false);
	else
		memcpy(im->durable, im->seen, im->size);
}

/* ----------------------------------------- in place of the C library's --- */

ssize_t pwrite64_plain(int fd, const void *buf, size_t n,
		       off_t offset) __asm__("pwrite");
ssize_t pwrite64_plain(int fd, const void *buf, size_t n, off_t offset)
{
	wrote(fd, buf, n, offset, false);
	return syscall(SYS_pwrite64, fd, buf, n, offset);
}

ssize_t pwrite(int fd, const void *buf, size_t n, off_t offset)
{
	return pwrite64_plain(fd, buf, n, offset);
}

ssize_t pwritev2(int fd, const struct iovec *iov, int n, off_t offset,
		 int flags)
{
	off_t at = offset;

	for (int i = 0; i < n; at += iov[i++].iov_len)
		wrote(fd, iov[i].iov_base, iov[i].iov_len, at,
		      flags & RWF_DSYNC);
	return syscall(SYS_pwritev2, fd, iov, n, offset, 0L, flags);
}

ssize_t writev(int fd, const struct iovec *iov, int n)
{
	off_t at = lseek(fd, 0, SEEK_CUR);

	for (int i = 0; i < n; at += iov[i++].iov_len)
		wrote(fd, iov[i].iov_base, iov[i].iov_len, at, false);
	return syscall(SYS_writev, fd, iov, n);
}

int fdatasync(int fd)
{
	flushed(fd);
	return 0; /* there is no need to wait for the real one */
}

int fsync(int fd)
{
	flushed(fd);
	return 0;
}
