/* SPDX-License-Identifier: Apache-2.0 */
#include "csi/mounter.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/command.h"
#include "base/log.h"
#include "base/util.h"

enum { MOUNT_TIMEOUT_S = 60, UNMOUNT_TIMEOUT_S = 30, STAT_TIMEOUT_S = 5 };

static const char enter_cgroup[] =
	"echo $$ >\"$0/cgroup.procs\" && exec \"$@\"";

static unsigned add(const char **argv, unsigned n, const char *word)
{
	argv[n] = word;
	return n + 1;
}

unsigned mounter_enter(const struct mounter *m, const char *argv[])
{
	unsigned n = 0;

	if (m->cgroup != NULL) {
		n = add(argv, n, "sh");
		n = add(argv, n, "-c");
		n = add(argv, n, enter_cgroup);
		n = add(argv, n, m->cgroup);
	}
	return n;
}

void mounter_command(const struct mounter *m, const struct mount_spec *spec,
		     const char *at, const char *argv[MOUNTER_WORDS])
{
	unsigned n = mounter_enter(m, argv);

	n = add(argv, n, m->program);
	n = add(argv, n, "mount.hawser");
	if (spec->options[0]) {
		n = add(argv, n, "-o");
		n = add(argv, n, spec->options);
	}
	n = add(argv, n, "--");
	n = add(argv, n, spec->source);
	n = add(argv, n, at);
	argv[n] = NULL;
}

/* -------------------------------------------------------------- directories */

int mounter_make_directory(const char *at)
{
	char path[PATH_MAX];

	if (strlen(at) >= sizeof(path))
		return -ENAMETOOLONG;
	strcpy(path, at);
	for (char *slash = strchr(path + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(path, 0755) == 0 || errno == EEXIST ? 0 : -errno;
}

void mounter_remove_directory(const char *at)
{
	if (rmdir(at) < 0 && errno != ENOENT)
		log_warn("%s: %s", at, strerror(errno));
}

int mounter_give_to_group(const char *at, gid_t group)
{
	struct stat st;
	mode_t mode;

	if (stat(at, &st) < 0)
		return -errno;
	if (st.st_gid != group && chown(at, -1, group) < 0)
		return -errno;
	mode = (st.st_mode & 07777) | (st.st_mode & 0700) >> 3 | S_ISGID;
	return mode == (st.st_mode & 07777) || chmod(at, mode) == 0 ? 0
								    : -errno;
}

/* -------------------------------------------------------- mount and unmount */

static int explain(int r, const char *said, char err[MOUNTER_TEXT_SIZE])
{
	if (said[0] && r != -ETIMEDOUT)
		snprintf(err, MOUNTER_TEXT_SIZE, "%.*s", MOUNTER_TEXT_SIZE - 1,
			 said);
	else
		snprintf(err, MOUNTER_TEXT_SIZE, "%s",
			 r < 0 ? strerror(-r) : "the command failed");
	return r < 0 ? r : -EIO;
}

int mounter_mount(const struct mounter *m, const struct mount_spec *spec,
		  const char *at, char err[MOUNTER_TEXT_SIZE])
{
	const char *argv[MOUNTER_WORDS];
	char said[MOUNTER_TEXT_SIZE];
	int r = mounter_make_directory(at);

	if (r < 0)
		return explain(r, "", err);
	mounter_command(m, spec, at, argv);
	r = command_run(argv, MOUNT_TIMEOUT_S, said, sizeof(said));
	if (r == 0)
		return 0;
	mounter_remove_directory(at);
	return explain(r, said, err);
}

static int unmount_once(const struct mounter *m, const struct mounted *what,
			const char *at, bool lazy, char err[MOUNTER_TEXT_SIZE])
{
	const char *flag = lazy ? "-l" : "--";
	const char *by_user[] = { m->program, "umount", flag, at, NULL };
	const char *by_kernel[] = { "umount", flag, at, NULL };
	char said[MOUNTER_TEXT_SIZE];
	int r;

	if (!what->ours)
		return explain(-EBUSY, "something else is mounted there", err);
	r = command_run(what->by_kernel ? by_kernel : by_user,
			UNMOUNT_TIMEOUT_S, said, sizeof(said));
	if (r == 0)
		return 0;
	explain(r, said, err);
	if (r < 0)
		return r;
	return strstr(said, "in use") || strstr(said, "busy") ? -EBUSY : -EIO;
}

/* The kernel mounts twice at one place what two processes mount there at once:
 * that of a driver that was killed goes on. */
int mounter_unmount(const struct mounter *m, const char *at, bool lazy,
		    char err[MOUNTER_TEXT_SIZE])
{
	struct mounted what;
	int r;

	do {
		r = mounter_look(at, &what);
		if (r <= 0)
			return r;
		r = unmount_once(m, &what, at, lazy, err);
	} while (r == 0 && what.by_kernel);
	return r;
}

/* ------------------------------------------------------- the kernel's table */

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

struct row {
	char *device, *at, *options, *type, *source;
};

static void row_free(struct row *row)
{
	free(row->device);
	free(row->at);
	free(row->options);
	free(row->type);
	free(row->source);
	memset(row, 0, sizeof(*row));
}

static bool row_parse(const char *line, struct row *row)
{
	const char *dash = strstr(line, " - ");

	row_free(row);
	if (dash == NULL ||
	    sscanf(line, "%*s %*s %ms %*s %ms %ms", &row->device, &row->at,
		   &row->options) != 3 ||
	    sscanf(dash, " - %ms %ms", &row->type, &row->source) != 2)
		return false;
	unescape(row->at);
	unescape(row->source);
	return true;
}

typedef bool row_fn(void *arg, const struct row *row);

/* Until `each` is false. */
static int for_each_mount(row_fn *each, void *arg)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	auto_free char *line = NULL;
	struct row row = {};
	bool more = true;
	size_t size = 0;

	if (f == NULL)
		return -errno;
	while (more && getline(&line, &size, f) > 0)
		if (row_parse(line, &row))
			more = each(arg, &row);
	row_free(&row);
	fclose(f);
	return 0;
}

/* The kernel's client shows the source that it was given, too. */
static bool is_by_kernel(const struct row *row)
{
	return strcmp(row->type, "nfs4") == 0 &&
	       strncmp(row->source, "fs-", 3) == 0;
}

static bool is_ours(const struct row *row)
{
	return strcmp(row->type, "fuse.hawser") == 0 || is_by_kernel(row);
}

/* The directory that it is in, without symbolic links, and its name. */
static bool resolve_parent(const char *at, char out[PATH_MAX])
{
	char parent[PATH_MAX], resolved[PATH_MAX];
	const char *name = strrchr(at, '/');

	if (name == NULL || name[1] == '\0')
		return false;
	snprintf(parent, sizeof(parent), "%.*s", (int)(name - at), at);
	if (realpath(parent[0] ? parent : "/", resolved) == NULL)
		return false;
	return snprintf(out, PATH_MAX, "%s/%s", resolved[1] ? resolved : "",
			name + 1) < PATH_MAX;
}

static bool is_link(const char *at)
{
	char target[2];

	return readlink(at, target, sizeof(target)) >= 0;
}

/* The kernel's table has no symbolic links in its paths, and the kubelet's
 * directory may be one.  The last component is not looked up, unless it is one,
 * too: it is the mount itself, which might not answer. */
static void resolve(const char *at, char out[PATH_MAX])
{
	size_t len = strnlen(at, PATH_MAX - 1);
	char path[PATH_MAX];

	while (len > 1 && at[len - 1] == '/')
		len--;
	snprintf(path, sizeof(path), "%.*s", (int)len, at);
	if (!is_link(path) && resolve_parent(path, out))
		return;
	if (realpath(path, out) == NULL)
		strcpy(out, path);
}

struct look {
	const char *at, *source;
	int found;
	struct mounted *out;
	char *path;
};

static bool look_at(void *arg, const struct row *row)
{
	struct look *look = arg;
	unsigned major = 0, minor = 0;

	if (strcmp(row->at, look->at) != 0)
		return true;
	look->found = 1;
	look->out->ours = is_ours(row);
	look->out->by_kernel = is_by_kernel(row);
	look->out->read_only = strncmp(row->options, "ro", 2) == 0;
	snprintf(look->out->source, sizeof(look->out->source), "%s",
		 row->source);
	snprintf(look->out->type, sizeof(look->out->type), "%s", row->type);
	sscanf(row->device, "%u:%u", &major, &minor);
	look->out->device = makedev(major, minor);
	return true; /* the last one counts */
}

int mounter_look(const char *at, struct mounted *out)
{
	char path[PATH_MAX];
	struct look look = { .at = path, .out = out };
	int r;

	resolve(at, path);
	r = for_each_mount(look_at, &look);

	return r < 0 ? r : look.found;
}

static bool look_for_source(void *arg, const struct row *row)
{
	struct look *look = arg;

	if (!is_ours(row) || strcmp(row->source, look->source) != 0 ||
	    strcmp(row->at, look->at) == 0)
		return true;
	look->found = 1;
	snprintf(look->path, PATH_MAX, "%s", row->at);
	return false;
}

int mounter_elsewhere(const char *source, const char *at, char path[PATH_MAX])
{
	char own[PATH_MAX];
	struct look look = { .at = own, .source = source, .path = path };
	int r;

	resolve(at, own);
	r = for_each_mount(look_for_source, &look);

	return r < 0 ? r : look.found;
}

/* -------------------------------------------------------------------- usage */

/* A daemon that dies while it is asked is as dead. */
static int error_in(const char *said)
{
	if (strstr(said, strerror(ENOTCONN)) ||
	    strstr(said, strerror(ECONNABORTED)))
		return -ENOTCONN;
	return strstr(said, strerror(ENOENT)) ? -ENOENT : -EIO;
}

/* By a process, because one that asks a silent server can be killed, and a
 * thread can't. */
int mounter_usage(const char *at, struct usage *out)
{
	const char *argv[] = { "stat", "-f", "-c", "%S %b %f %a %c %d",
			       "--",   at,   NULL };
	long long unit, n[5];
	char said[MOUNTER_TEXT_SIZE];
	int r = command_run(argv, STAT_TIMEOUT_S, said, sizeof(said));

	if (r < 0)
		return r;
	if (r > 0)
		return error_in(said);
	if (sscanf(said, "%lld %lld %lld %lld %lld %lld", &unit, &n[0], &n[1],
		   &n[2], &n[3], &n[4]) != 6)
		return -EPROTO;
	*out = (struct usage){ n[0] * unit, n[1] * unit, n[2] * unit, n[3],
			       n[4] };
	return 0;
}
