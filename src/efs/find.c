/* SPDX-License-Identifier: Apache-2.0 */
/* The mount targets of a file system that a host should use. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "efs/targets.h"

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
		   struct path_candidate *list, const struct aws_error *why,
		   struct targets_found *f)
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
	f->passing = n == -EAGAIN || why->status == 0 || why->status >= 500;
	return fail(f, -EHOSTUNREACH,
		    "the mount targets of %.63s are not known: %.300s; and "
		    "%.300s",
		    w->fs, why->message, err);
}

static int choose(const struct targets_wish *w, struct path_candidate *list,
		  size_t n, struct targets_found *f)
{
	if (n == 0)
		return fail(f, -EHOSTUNREACH,
			    "%.63s has no mount target that is available",
			    w->fs);
	if (w->zone != NULL)
		n = targets_keep_zone(list, n, w->zone);
	if (n == 0)
		return fail(f, -EHOSTUNREACH,
			    "%.63s has no mount target in zone %.63s", w->fs,
			    w->zone);
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
	return by_name(aws, w, list, &why, f);
}
