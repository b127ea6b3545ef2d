/* SPDX-License-Identifier: Apache-2.0 */
/* The mount targets of a file system that a host should use. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "efs/targets.h"

enum { TARGETS_ZONES_SIZE = 300 };

void targets_name(const struct aws_client *aws, const char *fs,
		  const char *suffix, char name[TARGETS_NAME_SIZE])
{
	char url[AWS_ENDPOINT_SIZE];

	aws_endpoint(aws, "elasticfilesystem", url);
	if (suffix == NULL)
		suffix = strstr(url, ".amazonaws.com") ? "amazonaws.com"
						       : "hawser.internal";
	snprintf(name, TARGETS_NAME_SIZE, "%.63s.efs.%.63s.%.100s", fs,
		 aws_region(aws), suffix);
}

__attribute__((format(printf, 3, 4))) static int fail(struct targets_found *f,
						      int r, const char *format,
						      ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(f->text, sizeof(f->text), format, args);
	va_end(args);
	return r;
}

/* The API says nothing: names may do. */
static int by_name(struct aws_client *aws, const struct targets_wish *w,
		   struct path_candidate *list, int r,
		   const struct aws_error *why, struct targets_found *f)
{
	char name[TARGETS_NAME_SIZE + PATH_ZONE_SIZE], err[TARGETS_TEXT_SIZE];
	char *at = name;
	int n;

	if (w->zone != NULL)
		at += sprintf(name, "%.63s.", w->zone);
	targets_name(aws, w->fs, w->suffix, at);
	n = targets_resolve(name, list, PATH_SELECT_MAX, err);
	f->named = true;
	if (n > 0)
		return fail(f, n, "%.400s", why->message);
	/* To wait for an access key would be in vain. */
	f->passing = n == -EAGAIN ||
		     (r != -ENOENT && (why->status == 0 || why->status >= 500));
	return fail(f, -EHOSTUNREACH,
		    "the mount targets of %.63s are not known: %.300s; and "
		    "%.300s",
		    w->fs, why->message, err);
}

/* The zones of a list, with commas between. */
static void name_zones(const struct path_candidate *list, size_t n,
		       char text[TARGETS_ZONES_SIZE])
{
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < n && len < TARGETS_ZONES_SIZE - 1; i++) {
		bool before = false;

		for (size_t k = 0; k < i && !before; k++)
			before = strcmp(list[k].zone, list[i].zone) == 0;
		if (!before)
			len += (size_t)snprintf(text + len,
						TARGETS_ZONES_SIZE - len,
						"%s%s", len ? ", " : "",
						list[i].zone);
	}
}

static int choose(const struct targets_wish *w, struct path_candidate *list,
		  size_t n, struct targets_found *f)
{
	char zones[TARGETS_ZONES_SIZE];

	if (n == 0)
		return fail(f, -EHOSTUNREACH,
			    "%.63s has no mount target that is available",
			    w->fs);
	name_zones(list, n, zones);
	if (w->zone != NULL)
		n = targets_keep_zone(list, n, w->zone);
	if (n == 0)
		return fail(f, -EHOSTUNREACH,
			    "%.63s has no mount target in zone %.63s, but in "
			    "%s",
			    w->fs, w->zone, zones);
	return (int)targets_choose(w->zone		  ? w->zone
				   : w->host_zone != NULL ? w->host_zone
							  : "",
				   w->limit, list, n);
}

int targets_find(struct aws_client *aws, const struct targets_wish *w,
		 struct path_candidate *list, struct targets_found *f)
{
	struct aws_error why;
	size_t n;
	int r = targets_list(aws, w->fs, list, PATH_SELECT_MAX, &n, &why);

	*f = (struct targets_found){ 0 };
	if (r == 0)
		return choose(w, list, n, f);
	if (strcmp(why.code, "FileSystemNotFound") == 0)
		return fail(f, -ENOENT, "%.400s", why.message);
	return by_name(aws, w, list, r, &why, f);
}
