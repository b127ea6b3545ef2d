/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/refuse.h"
#include "base/util.h"

#define SUFFIX ".json"

static void directory(const struct connect_host *h, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/run/hawser/connect", h->root);
}

static void file_of(const struct connect_host *h, const char *name,
		    char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/run/hawser/connect/%s" SUFFIX, h->root,
		 name);
}

static int make_directory(const struct connect_host *h, char text[CONNECT_TEXT])
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/run/hawser", h->root);
	mkdir(path, 0755);
	directory(h, path);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return refuse_with(text, -errno, "%.200s: %s", path,
				   strerror(errno));
	return 0;
}

/* ----------------------------------------------------------------- records */

static int take(const json_t *j, struct connect_record *out,
		char text[CONNECT_TEXT])
{
	const char *side = json_string_value(json_object_get(j, "side"));
	const char *path = json_string_value(json_object_get(j, "path"));
	int rc = connect_info_parse(json_object_get(j, "info"), &out->info,
				    text);

	if (rc < 0 || side == NULL)
		return -EINVAL;
	out->side = strcmp(side, "user") == 0 ? CONNECT_USER : CONNECT_KERNEL;
	snprintf(out->path, sizeof(out->path), "%s", path ? path : "");
	out->size = (uint64_t)json_integer_value(json_object_get(j, "size"));
	memset(&out->options, 0, sizeof(out->options));
	out->options.single_path =
		json_is_true(json_object_get(j, "single_path"));
	json_unpack((json_t *)j, "{s:[i, i, i]}", "timers",
		    &out->options.reconnect_delay_s, &out->options.ctrl_loss_s,
		    &out->options.fast_io_fail_s);
	return 0;
}

static int read_file(const char *path, struct connect_record *out,
		     char text[CONNECT_TEXT])
{
	json_error_t error;
	json_t *j;
	int rc;

	if (access(path, F_OK) < 0)
		return refuse_with(text, -errno, "%.200s: %s", path,
				   strerror(errno));
	j = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	rc = j != NULL ? take(j, out, text)
		       : refuse_with(text, -EINVAL, "%.120s: %.100s", path,
				     error.text);
	json_decref(j);
	return rc;
}

int connect_record_read(const struct connect_host *h, const char *name,
			struct connect_record *out, char text[CONNECT_TEXT])
{
	char path[PATH_MAX];

	file_of(h, name, path);
	return read_file(path, out, text);
}

int connect_record_write(const struct connect_host *h,
			 const struct connect_record *r,
			 char text[CONNECT_TEXT])
{
	char path[PATH_MAX], new[PATH_MAX + 4];
	json_t *j;
	int rc = make_directory(h, text);

	if (rc < 0)
		return rc;
	j = json_pack("{s:o, s:s, s:s, s:I, s:b, s:[i, i, i]}", "info",
		      connect_info_dump(&r->info), "side",
		      r->side == CONNECT_USER ? "user" : "kernel", "path",
		      r->path, "size", (json_int_t)r->size, "single_path",
		      r->options.single_path, "timers",
		      r->options.reconnect_delay_s, r->options.ctrl_loss_s,
		      r->options.fast_io_fail_s);
	file_of(h, r->info.name, path);
	snprintf(new, sizeof(new), "%s.new", path);
	if (j == NULL || json_dump_file(j, new, JSON_INDENT(2)) < 0 ||
	    rename(new, path) < 0)
		rc = refuse_with(text, -EIO, "%.200s: it can't be written",
				 path);
	json_decref(j);
	return rc;
}

void connect_record_remove(const struct connect_host *h, const char *name)
{
	char path[PATH_MAX];

	file_of(h, name, path);
	unlink(path);
}

static int is_record(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name), tail = strlen(SUFFIX);

	return len > tail && strcmp(entry->d_name + len - tail, SUFFIX) == 0;
}

/* Calls visit() until it says that it's enough. */
static bool for_each(const struct connect_host *h,
		     bool (*visit)(const struct connect_record *r,
				   const void *arg),
		     const void *arg, struct connect_record *r)
{
	char path[PATH_MAX], file[PATH_MAX + NAME_MAX + 1];
	struct dirent **entries;
	bool enough = false;
	int n;

	directory(h, path);
	n = scandir(path, &entries, is_record, alphasort);
	for (int i = 0; i < n; i++) {
		snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
		if (!enough && read_file(file, r, NULL) == 0)
			enough = visit(r, arg);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return enough;
}

static bool is_nth(const struct connect_record *r, const void *left)
{
	unsigned *n = (unsigned *)left;

	return (*n)-- == 0;
}

bool connect_record_nth(const struct connect_host *h, unsigned i,
			struct connect_record *out)
{
	return for_each(h, is_nth, &i, out);
}

static bool has_path(const struct connect_record *r, const void *path)
{
	return strcmp(r->path, path) == 0;
}

int connect_record_find(const struct connect_host *h, const char *what,
			struct connect_record *out, char text[CONNECT_TEXT])
{
	int rc = -ENOENT;

	if (strchr(what, '/') == NULL)
		rc = connect_record_read(h, what, out, text);
	else if (for_each(h, has_path, what, out))
		rc = 0;
	if (rc == -ENOENT)
		refuse_with(text, rc,
			    "%.200s: no volume of that name, or with "
			    "that device, is connected",
			    what);
	return rc;
}

struct user {
	const char *name, *nqn;
};

static bool uses(const struct connect_record *r, const void *arg)
{
	const struct user *u = arg;

	if (strcmp(r->info.name, u->name) == 0 || r->side != CONNECT_KERNEL)
		return false;
	for (unsigned i = 0; i < r->info.n_targets; i++)
		if (strcmp(r->info.targets[i].nqn, u->nqn) == 0)
			return true;
	return false;
}

bool connect_record_others(const struct connect_host *h, const char *name,
			   const char *nqn)
{
	struct user u = { name, nqn };
	struct connect_record *r = malloc(sizeof(*r));
	bool found = r == NULL || for_each(h, uses, &u, r);

	free(r);
	return found;
}

/* ------------------------------------------------------------------- locks */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* An NQN has bytes that a file's name has not. */
static void lock_file(const struct connect_host *h, const char *nqn,
		      char out[PATH_MAX])
{
	char name[CONNECT_NQN_SIZE];
	size_t i;

	for (i = 0; nqn[i] != '\0'; i++)
		name[i] = nqn[i] == '/' ? '+' : nqn[i];
	name[i] = '\0';
	snprintf(out, PATH_MAX, "%s/run/hawser/connect/lock-%s", h->root, name);
}

static int lock_one(const struct connect_host *h, const char *nqn,
		    char text[CONNECT_TEXT])
{
	char path[PATH_MAX];
	int fd;

	lock_file(h, nqn, path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return refuse_with(text, -errno, "%.200s: %s", path,
				   strerror(errno));
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR) {
			close(fd);
			return refuse_with(text, -EIO, "%.200s: no lock", path);
		}
	return fd;
}

int connect_record_lock(const struct connect_host *h,
			const struct connect_info *info,
			struct connect_record_locks *out,
			char text[CONNECT_TEXT])
{
	const char *nqns[CONNECT_TARGETS_MAX];
	int rc = make_directory(h, text), fd;

	out->n = 0;
	for (unsigned i = 0; i < info->n_targets; i++)
		nqns[i] = info->targets[i].nqn;
	qsort(nqns, info->n_targets, sizeof(nqns[0]), by_text);
	for (unsigned i = 0; i < info->n_targets && rc == 0; i++) {
		if (i > 0 && strcmp(nqns[i], nqns[i - 1]) == 0)
			continue;
		fd = lock_one(h, nqns[i], text);
		if (fd < 0)
			rc = fd;
		else
			out->fds[out->n++] = fd;
	}
	if (rc < 0)
		connect_record_unlock(out);
	return rc;
}

void connect_record_unlock(struct connect_record_locks *l)
{
	while (l->n > 0)
		close(l->fds[--l->n]);
}
