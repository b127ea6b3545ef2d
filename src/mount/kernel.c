/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's NFS client, by fsopen(2) and what goes with it: unlike mount(2)
 * it says in words what it does not like.  The source stays what the user gave
 * ("fs-…:/"), so that the table of mounts shows that, and `mount -a` knows it
 * again; the address goes along as an option.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "mount/internal.h"

enum { TRANSPORTS_MAX = 16 }; /* the kernel's bound */

int kernel_is_there(void)
{
	auto_close int fd = fsopen("nfs4", FSOPEN_CLOEXEC);

	return fd >= 0;
}

/* The first complaint that the kernel has left; else what `error` is. */
static void read_complaint(int fd, int error, char *text, size_t size)
{
	char line[300];
	ssize_t n;

	snprintf(text, size, "%s", strerror(error));
	while ((n = read(fd, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		if (line[0] == 'e' && line[1] == ' ') {
			line[strcspn(line, "\n")] = '\0';
			snprintf(text, size, "%s (%s)", line + 2,
				 strerror(error));
			return;
		}
	}
}

static int complain(int fd, const char *what, struct fault *f)
{
	int error = errno;
	char text[400];

	read_complaint(fd, error, text, sizeof(text));
	return fault_set(f, -error, "the kernel's NFS client: %s: %s", what,
			 text);
}

static int set(int fd, const char *name, const char *value, struct fault *f)
{
	int r = value ? fsconfig(fd, FSCONFIG_SET_STRING, name, value, 0)
		      : fsconfig(fd, FSCONFIG_SET_FLAG, name, NULL, 0);

	return r == 0 ? 0 : complain(fd, name, f);
}

static bool is_attribute(const char *name)
{
	return is_one_of(name, "nosuid|suid|nodev|dev|noexec|exec|noatime|"
			       "atime");
}

static int set_list(int fd, const char *options, struct fault *f)
{
	char copy[WISH_TEXT], *rest = copy, *name;
	int r = 0;

	snprintf(copy, sizeof(copy), "%s", options);
	while (r == 0 && (name = strsep(&rest, ",")) != NULL) {
		char *value = strchr(name, '=');

		if (value != NULL)
			*value++ = '\0';
		if (*name && !is_attribute(name))
			r = set(fd, name, value, f);
	}
	return r;
}

static bool has_version(const struct wish *w)
{
	return strstr(w->options, "vers=") != NULL ||
	       strstr(w->options, "minorversion=") != NULL;
}

static int set_address(int fd, const struct addr *a, struct fault *f)
{
	char text[ADDR_TEXT_MAX], port[8];
	int r;

	r = set(fd, "addr", addr_format_host(a, text), f);
	snprintf(port, sizeof(port), "%u", addr_port(a));
	return r < 0 ? r : set(fd, "port", port, f);
}

/* The kernel looks for other mount targets once, at the mount, among those
 * that the server tells of.  Not when as many are known as are wanted; nor when
 * one of those is silent, for which it would wait. */
static int set_paths(int fd, const struct wish *w, const struct site *p,
		     bool discover, struct fault *f)
{
	unsigned n = w->max_connect;
	char text[12];
	int r;

	if (!w->multipath || (p->alone && p->live == 1) || n == 1)
		return 0;
	if (n == 0 || n > TRANSPORTS_MAX)
		n = TRANSPORTS_MAX;
	snprintf(text, sizeof(text), "%u", n);
	r = set(fd, "max_connect", text, f);
	if (r < 0 || !discover || p->alone || p->live >= n || p->live < p->n)
		return r;
	return set(fd, "trunkdiscovery", NULL, f);
}

static int configure(int fd, const struct wish *w, const struct site *p,
		     size_t target, struct fault *f)
{
	char source[sizeof(p->name) + sizeof(p->path)];
	int r;

	snprintf(source, sizeof(source), "%s:%s", p->name, p->path);
	r = set(fd, "source", source, f);
	if (r == 0 && !has_version(w))
		r = set(fd, "vers", "4.2", f);
	/* So that a connection that is made again may come from elsewhere. */
	if (r == 0 && strstr(w->options, "resvport") == NULL)
		r = set(fd, "noresvport", NULL, f);
	if (r == 0)
		r = set_list(fd, w->options, f);
	if (r == 0)
		r = set_address(fd, &p->list[target].address, f);
	if (r == 0)
		r = set_paths(fd, w, p, target == 0, f);
	if (r == 0 && w->read_only)
		r = set(fd, "ro", NULL, f);
	return r;
}

/* A filesystem context whose superblock is there, by the mount target of that
 * number: a descriptor. */
static int create(const struct wish *w, const struct site *p, size_t target,
		  struct fault *f)
{
	int fd = fsopen("nfs4", FSOPEN_CLOEXEC), r;

	if (fd < 0)
		return fault_set(f, -errno,
				 "the kernel's NFS client is not "
				 "to be had here: %s",
				 errno == ENODEV ? "there is none"
						 : strerror(errno));
	r = configure(fd, w, p, target, f);
	if (r == 0 && fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		r = complain(fd, "mount", f);
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

/* Mount targets that the server did not tell of: a superblock for each, which
 * the kernel finds to be the same as the first, and keeps the connection. */
static void add_paths(const struct wish *w, const struct site *p)
{
	struct fault ignored;

	for (size_t i = 1; w->multipath && i < p->live; i++) {
		int fd = create(w, p, i, &ignored);

		if (fd >= 0)
			close(fd);
	}
}

static int attach(int fd, const struct wish *w, struct fault *f)
{
	unsigned attributes = (unsigned)w->attributes;
	auto_close int mount = -1;

	if (w->read_only)
		attributes |= MOUNT_ATTR_RDONLY;
	mount = fsmount(fd, FSMOUNT_CLOEXEC, attributes);
	if (mount < 0)
		return complain(fd, "mount", f);
	if (move_mount(mount, "", AT_FDCWD, w->directory,
		       MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return fault_set(f, -errno, "%s: %s", w->directory,
				 errno == EBUSY ? "already mounted"
						: strerror(errno));
	return 0;
}

/* First of all: the root may be mounted by everybody, who might be on his way
 * to an access point, and the kernel could say no more than that access is
 * denied.
 */
static int check_rights(const struct site *p, struct fault *f)
{
	char why[256];

	site_explain(p, why, sizeof(why));
	return why[0] ? fault_set(f, -EACCES, "%s", why) : 0;
}

int mount_by_kernel(const struct wish *w, const struct site *p, struct fault *f)
{
	auto_close int fd = -1;
	int r = check_rights(p, f);

	if (r < 0)
		return r;
	fd = create(w, p, 0, f);
	if (fd < 0)
		return fd;
	r = attach(fd, w, f);
	if (r == 0)
		add_paths(w, p);
	return r;
}
