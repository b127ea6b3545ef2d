/* SPDX-License-Identifier: Apache-2.0 */
#include "pathd/record.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"

int record_open(const char *dir)
{
	return mkdir(dir, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* A file's name is the transport's, with ':' for '/'. */
static void file_name(const char *dir, const char *transport,
		      char out[PATH_MAX])
{
	size_t n = snprintf(out, PATH_MAX, "%s/", dir);

	for (; *transport && n < PATH_MAX - 1; transport++)
		out[n++] = *transport == '/' ? ':' : *transport;
	out[n] = '\0';
}

int record_save(const char *dir, const char *transport, const struct record *r)
{
	char name[PATH_MAX], temporary[PATH_MAX + 8];
	char home[ADDR_TEXT_MAX], from[ADDR_TEXT_MAX], goal[ADDR_TEXT_MAX];
	FILE *f;

	file_name(dir, transport, name);
	snprintf(temporary, sizeof(temporary), "%s.new", name);
	f = fopen(temporary, "we");
	if (f == NULL)
		return -errno;
	fprintf(f, "%" PRIu64 " %s %s %s\n", r->inode,
		addr_format(&r->home, home), addr_format(&r->from, from),
		addr_format(&r->goal, goal));
	if (fclose(f) != 0 || rename(temporary, name) < 0)
		return -errno;
	return 0;
}

bool record_load(const char *dir, const char *transport, struct record *out)
{
	char name[PATH_MAX], home[ADDR_TEXT_MAX], from[ADDR_TEXT_MAX],
		goal[ADDR_TEXT_MAX];
	FILE *f;
	int n;

	file_name(dir, transport, name);
	f = fopen(name, "re");
	if (f == NULL)
		return false;
	n = fscanf(f, "%" SCNu64 " %63s %63s %63s", &out->inode, home, from,
		   goal);
	fclose(f);
	return n == 4 && addr_parse(&out->home, home, 0) == 0 &&
	       addr_parse(&out->from, from, 0) == 0 &&
	       addr_parse(&out->goal, goal, 0) == 0;
}

void record_remove(const char *dir, const char *transport)
{
	char name[PATH_MAX];

	file_name(dir, transport, name);
	unlink(name);
}

void record_sweep(const char *dir, record_wanted_fn *wanted, void *arg)
{
	char name[NAME_MAX + 1];
	struct record r;
	struct dirent *e;
	DIR *d = opendir(dir);

	while (d != NULL && (e = readdir(d)) != NULL) {
		char *colon;

		strcpy(name, e->d_name);
		colon = strchr(name, ':');
		if (colon == NULL)
			continue;
		*colon = '/';
		if (!record_load(dir, name, &r) || !wanted(arg, name, r.inode))
			record_remove(dir, name);
	}
	if (d != NULL)
		closedir(d);
}
