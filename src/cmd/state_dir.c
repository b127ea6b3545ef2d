/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/rng.h"
#include "base/tree.h"

/* Above those that people choose by hand. */
enum { OCTET_FIRST = 128, OCTET_END = 255 };

static int fail(const char *path, int error)
{
	fprintf(stderr, "hawserd: %s: %s\n", path, strerror(error));
	return -error;
}

static int say_in_use(const char *path, int lock)
{
	char pid[32] = "";
	ssize_t n = read(lock, pid, sizeof(pid) - 1);

	pid[n > 0 ? strcspn(pid, "\n") : 0] = '\0';
	fprintf(stderr, "hawserd: %s is in use by another hawserd (pid %s)\n",
		path, pid[0] ? pid : "unknown");
	return -EBUSY;
}

/* The descriptor, or -errno. */
static int take_lock(const char *path)
{
	char name[PATH_MAX + 8];
	int fd;

	snprintf(name, sizeof(name), "%s/lock", path);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(name, errno);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int error = errno == EWOULDBLOCK ? say_in_use(path, fd)
						 : fail(name, errno);

		close(fd);
		return error;
	}
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0) {
		int error = fail(name, errno);

		close(fd);
		return error;
	}
	return fd;
}

int state_dir_open(struct state_dir *d, const char *path)
{
	memset(d, 0, sizeof(*d));
	d->loopback_lock = -1;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return fail(path, errno);
	if (realpath(path, d->path) == NULL)
		return fail(path, errno);
	d->lock = take_lock(d->path);
	return d->lock < 0 ? d->lock : 0;
}

/* A name in the network namespace, like the addresses it stands for: it needs
 * no file, and vanishes with the process. */
static int reserve(unsigned octet)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int len;

	if (fd < 0)
		return -errno;
	len = snprintf(at.sun_path + 1, sizeof(at.sun_path) - 1,
		       "hawser/127.%u", octet);
	if (bind(fd, (struct sockaddr *)&at,
		 offsetof(struct sockaddr_un, sun_path) + 1 + len) < 0) {
		int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

static int reserve_loopback(unsigned *octet)
{
	unsigned n = OCTET_END - OCTET_FIRST, start, i;
	int fd;

	random_bytes(&start, sizeof(start));
	for (i = 0; i < n; i++) {
		*octet = OCTET_FIRST + (start % n + i) % n;
		fd = reserve(*octet);
		if (fd != -EADDRINUSE)
			return fd < 0 ? fail("loopback range", -fd) : fd;
	}
	return fail("loopback range", EADDRINUSE);
}

int state_dir_open_private(struct state_dir *d, unsigned *octet)
{
	const char *tmp = getenv("TMPDIR");
	char path[PATH_MAX];
	int fd, r;

	snprintf(path, sizeof(path), "%s/hawserd-XXXXXX",
		 tmp && tmp[0] ? tmp : "/tmp");
	fd = reserve_loopback(octet);
	if (fd < 0)
		return fd;
	if (mkdtemp(path) == NULL) {
		close(fd);
		return fail(path, errno);
	}
	r = state_dir_open(d, path);
	if (r < 0) {
		close(fd);
		return r;
	}
	d->is_private = true;
	d->loopback_lock = fd;
	return 0;
}

void state_dir_close(struct state_dir *d)
{
	if (d->is_private)
		tree_remove(d->path, NULL);
	if (d->loopback_lock >= 0)
		close(d->loopback_lock);
	close(d->lock);
}
