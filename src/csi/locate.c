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

/* The service has no API that answers: names may do.  How many, or -errno. */
static int by_name(struct csi *csi, const char *fs, const char *why,
		   struct path_candidate *out, char err[MOUNTER_TEXT_SIZE])
{
	char name[EFS_ID_SIZE + 128], no_name[TARGETS_TEXT_SIZE];

	snprintf(name, sizeof(name), "%s.efs.%s.amazonaws.com", fs,
		 efs_region(csi->efs));
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
	static const struct locate_wish nothing;
	struct path_candidate list[PATH_SELECT_MAX];
	int n;

	if (wish == NULL)
		wish = &nothing;
	locate_source(h, out->source);
	out->read_only = wish->read_only;
	n = find_addresses(csi, h, wish, list, err);
	if (n < 0)
		return n;
	if (locate_options(wish, list, n, out->options, sizeof(out->options)) <
	    0)
		return fail(err, -E2BIG, "too many mount options%s%s", "", "");
	return 0;
}
