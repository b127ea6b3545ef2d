/* SPDX-License-Identifier: Apache-2.0 */
#include "csi/locate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "csi/internal.h"
#include "efs/targets.h"

/* ---------------------------------------------------------------- addresses */

static int fail(char err[MOUNTER_TEXT_SIZE], int r, const char *format,
		const char *a, const char *b)
{
	snprintf(err, MOUNTER_TEXT_SIZE, format, a, b);
	return r;
}

enum { NAME_SIZE = EFS_ID_SIZE + 256 };

/* As AWS would name its mount targets. */
static const char *name_of(const struct csi *csi, const char *fs,
			   char name[NAME_SIZE])
{
	const char *suffix = csi->options->suffix;
	char url[AWS_ENDPOINT_SIZE];

	efs_url(csi->efs, url);
	if (suffix == NULL)
		suffix = strstr(url, ".amazonaws.com") ? "amazonaws.com"
						       : "hawser.internal";
	snprintf(name, NAME_SIZE, "%s.efs.%s.%.128s", fs, efs_region(csi->efs),
		 suffix);
	return name;
}

/* The service has no API that answers: names may do.  How many, or -errno. */
static int by_name(struct csi *csi, const char *fs, const char *why,
		   struct path_candidate *out, char err[MOUNTER_TEXT_SIZE])
{
	char name[NAME_SIZE], no_name[TARGETS_TEXT_SIZE];

	name_of(csi, fs, name);
	if (targets_resolve(name, out, 1, no_name) == 1)
		return 1;
	return fail(err, -EHOSTUNREACH,
		    "the mount targets are not known: %s; and %s", why,
		    no_name);
}

static void say_why_single(const struct handle *h, const char *why)
{
	log_warn("%s: multipathing is asked for, but %s: a single mount target "
		 "is used, and what it tells of",
		 h->fs, why);
}

static size_t choose(struct csi *csi, const struct locate_wish *wish,
		     struct path_candidate *list, size_t n)
{
	size_t limit = wish->multipathing ? wish->max_targets : 1;

	if (limit == 0 || limit > LOCATE_MAX)
		limit = LOCATE_MAX;
	return targets_choose(csi->options->zone, limit, list, n);
}

static int by_api(struct csi *csi, const struct handle *h,
		  const struct locate_wish *wish, struct path_candidate *list,
		  char err[MOUNTER_TEXT_SIZE])
{
	char zone[PATH_ZONE_SIZE];
	struct efs_error error;
	size_t n;

	if (efs_targets(csi->efs, h->fs, list, PATH_SELECT_MAX, &n, &error) <
	    0) {
		if (efs_not_found(&error))
			return fail(err, -ENOENT, "%s%s", error.text, "");
		if (wish->multipathing)
			say_why_single(h, error.text);
		return by_name(csi, h->fs, error.text, list, err);
	}
	if (n == 0)
		return fail(err, -EHOSTUNREACH,
			    "%s has no mount target that is available%s", h->fs,
			    "");
	if (locate_flag(wish, "az", zone, sizeof(zone)))
		n = targets_keep_zone(list, n, zone);
	if (n == 0)
		return fail(err, -EHOSTUNREACH,
			    "%s has no mount target in zone %s", h->fs, zone);
	n = choose(csi, wish, list, n);
	if (wish->multipathing && n == 1 && wish->max_targets != 1)
		say_why_single(h, "it has one mount target");
	return (int)n;
}

static int given(const struct handle *h, const struct locate_wish *wish,
		 const char *text, struct path_candidate *out,
		 char err[MOUNTER_TEXT_SIZE])
{
	memset(out, 0, sizeof(*out));
	if (addr_parse(&out->address, text, 0) < 0)
		return fail(err, -EINVAL, "mounttargetip %s is no address%s",
			    text, "");
	if (wish->multipathing)
		say_why_single(h, "mounttargetip names one");
	return 1;
}

/* How many; 0: the options say it; or -errno. */
static int find_addresses(struct csi *csi, const struct handle *h,
			  const struct locate_wish *wish,
			  struct path_candidate *list,
			  char err[MOUNTER_TEXT_SIZE])
{
	char value[ADDR_TEXT_MAX];

	if (locate_flag(wish, "addr", value, sizeof(value)))
		return 0;
	if (locate_flag(wish, "mounttargetip", value, sizeof(value)))
		return given(h, wish, value, list, err);
	if (wish->address != NULL)
		return given(h, wish, wish->address, list, err);
	return by_api(csi, h, wish, list, err);
}

void locate_source(const struct handle *h, char out[MOUNTER_SOURCE_SIZE])
{
	if (h->point[0] == '\0')
		sprintf(out, "%s:%s", h->fs, h->path);
	else
		sprintf(out, "%s:/%s%s", h->fs, h->point,
			h->path[1] ? h->path : "");
}

int locate(struct csi *csi, const struct handle *h,
	   const struct locate_wish *wish, struct mount_spec *out,
	   char err[MOUNTER_TEXT_SIZE])
{
	struct path_candidate list[PATH_SELECT_MAX];
	struct locate_wish with = *wish;
	char name[NAME_SIZE];
	int n;

	with.host = name_of(csi, h->fs, name);
	with.region = efs_region(csi->efs);
	with.ca_file = csi->options->ca_file;
	locate_source(h, out->source);
	out->read_only = wish->read_only;
	n = find_addresses(csi, h, wish, list, err);
	if (n < 0)
		return n;
	if (locate_options(&with, list, n, out->options, sizeof(out->options)) <
	    0)
		return fail(err, -E2BIG, "too many mount options%s%s", "", "");
	return 0;
}
