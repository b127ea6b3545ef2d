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

static void say_why_single(const struct handle *h, const char *why)
{
	log_warn("%s: multipathing is asked for, but %s: a single mount target "
		 "is used, and what it tells of",
		 h->fs, why);
}

static int by_api(struct csi *csi, const struct handle *h,
		  const struct locate_wish *wish, struct path_candidate *list,
		  char err[MOUNTER_TEXT_SIZE])
{
	char zone[PATH_ZONE_SIZE];
	struct targets_wish w = {
		.fs = h->fs,
		.zone = locate_flag(wish, "az", zone, sizeof(zone)) ? zone
								    : NULL,
		.host_zone = csi->options->zone,
		.suffix = csi->options->suffix,
		.limit = wish->multipathing ? wish->max_targets : 1,
	};
	struct targets_found found;
	int n;

	if (w.limit == 0 || w.limit > LOCATE_MAX)
		w.limit = LOCATE_MAX;
	n = efs_targets(csi->efs, &w, list, &found);
	if (n < 0)
		return fail(err, n, "%s%s", found.text, "");
	if (wish->multipathing && found.named)
		say_why_single(h, found.text);
	else if (wish->multipathing && n == 1 && wish->max_targets != 1)
		say_why_single(h, "it has one mount target");
	return found.named ? 1 : n;
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
	char name[TARGETS_NAME_SIZE];
	int n;

	efs_name(csi->efs, h->fs, csi->options->suffix, name);
	with.host = name;
	with.region = efs_region(csi->efs);
	with.ca_file = csi->options->ca_file;
	with.client = csi->options->client;
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
