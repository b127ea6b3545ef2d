/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/util.h"
#include "fuse/mountpoint.h"
#include "status/status.h"

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool is_link(const char *path)
{
	struct statx st;

	/* Of a mount, the kernel answers this by itself. */
	return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC,
		     STATX_TYPE, &st) == 0 &&
	       S_ISLNK(st.stx_mode);
}

/* "d//" is "d": behind a slash, a link would be followed. */
static void cut_slashes(char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
}

int mountpoint_resolve(const char *directory, char out[PATH_MAX])
{
	char path[PATH_MAX], parent[PATH_MAX], resolved[PATH_MAX];
	char *slash;
	const char *base;

	if (strlen(directory) >= PATH_MAX)
		return -ENAMETOOLONG;
	strcpy(path, directory);
	cut_slashes(path);
	slash = strrchr(path, '/');
	base = slash ? slash + 1 : path;
	/* "." and ".." are inside of what may be mounted. */
	if (is_link(path) || is_dot(base) || *base == '\0')
		return realpath(path, out) ? 0 : -errno;
	snprintf(parent, sizeof(parent), "%.*s",
		 slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	if (realpath(parent, resolved) == NULL)
		return -errno;
	if (snprintf(out, PATH_MAX, "%s/%s", resolved[1] ? resolved : "",
		     base) >= PATH_MAX)
		return -ENAMETOOLONG;
	return 0;
}

/* mountinfo writes blanks and the like as "\040". */
static void unescape(char *text)
{
	char *to = text;
	unsigned byte;

	while (*text != '\0') {
		if (text[0] == '\\' && sscanf(text, "\\%3o", &byte) == 1) {
			*to++ = (char)byte;
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

int mountpoint_is_ours(const char *mountpoint)
{
	auto_free char *line = NULL, *at = NULL;
	FILE *f = fopen("/proc/self/mountinfo", "re");
	size_t size = 0;
	int ours = 0;

	if (f == NULL)
		return -errno;
	while (getline(&line, &size, f) > 0) {
		const char *type = strstr(line, " - ");

		free(at);
		at = NULL;
		if (type == NULL ||
		    sscanf(line, "%*s %*s %*s %*s %ms", &at) < 1)
			continue;
		unescape(at);
		if (strcmp(at, mountpoint) == 0)
			ours = strncmp(type, " - fuse.hawser ", 15) == 0;
	}
	fclose(f);
	return ours;
}

static int run_fusermount(const char *mountpoint, bool lazy)
{
	extern char **environ;
	const char *argv[] = { "fusermount3",	   "-u",       "-q",
			       lazy ? "-z" : "--", mountpoint, NULL };
	int status;
	pid_t pid;
	int r;

	r = posix_spawnp(&pid, argv[0], NULL, NULL, (char **)argv, environ);
	if (r != 0)
		return -r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EBUSY;
}

int mountpoint_unmount(const char *mountpoint, bool lazy)
{
	int flags = UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0);

	if (geteuid() != 0)
		return run_fusermount(mountpoint, lazy);
	return umount2(mountpoint, flags) == 0 ? 0 : -errno;
}

/* What belongs to a mount point in there. */
static void make_name(const char *mountpoint, const char *format,
		      char out[PATH_MAX])
{
	struct siphash_key key = {};
	struct stat ns;
	size_t len;

	if (stat("/proc/self/ns/mnt", &ns) == 0)
		key.k0 = ns.st_ino;
	status_directory(out);
	len = strlen(out);
	snprintf(out + len, PATH_MAX - len, format,
		 (unsigned long long)siphash24(&key, mountpoint,
					       strlen(mountpoint)));
}

void mountpoint_socket(const char *mountpoint, char out[PATH_MAX])
{
	make_name(mountpoint, "/mount-%016llx.sock", out);
}

/* A descriptor, or -errno. */
static int take_lock(const char *path)
{
	int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
	int error;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	error = errno;
	close(fd);
	return -error;
}

int mountpoint_lock(const char *mountpoint)
{
	char directory[PATH_MAX], path[PATH_MAX];

	status_directory(directory);
	if (mkdir(directory, 0755) < 0 && errno != EEXIST)
		return -errno;
	make_name(mountpoint, "/lock-%016llx", path);
	return take_lock(path);
}

void mountpoint_unlock(int lock)
{
	if (lock >= 0)
		close(lock);
}
