/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quotas, as tags say them: of a file system, and of what is below the root of
 * an access point.  A quota of an access point is kept by the engine, too, so a
 * start has to set it only if the last one was cut short.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/internal.h"
#include "engine/engine.h"
#include "nfs/server/server.h"

static uint64_t tagged_number(const json_t *attributes, const char *key)
{
	const char *text = attribute_tag(attributes, key);

	return text ? strtoull(text, NULL, 10) : 0;
}

/* One of 0 counts, and limits nothing. */
static bool has_quota(const json_t *attributes)
{
	return attribute_tag(attributes, CONTROL_QUOTA_BYTES) != NULL ||
	       attribute_tag(attributes, CONTROL_QUOTA_FILES) != NULL;
}

void fs_set_quota(struct fs *fs)
{
	const json_t *a = fs->attributes;
	int r = 0;

	if (fs->engine != NULL)
		r = engine_set_quota(fs->engine,
				     tagged_number(a, CONTROL_QUOTA_BYTES),
				     tagged_number(a, CONTROL_QUOTA_FILES));
	if (r < 0)
		log_error("%s: setting its quota: %s", fs->id, strerror(-r));
}

/* -------------------------------------------------------- access points --- */

int point_set_quota(const struct access_point *p)
{
	const json_t *a = p->attributes;
	struct nfs_quota quota = {
		.bytes = tagged_number(a, CONTROL_QUOTA_BYTES),
		.files = tagged_number(a, CONTROL_QUOTA_FILES),
	};
	int r;

	if (p->fs->server == NULL)
		return 0;
	r = nfs_server_set_quota(p->fs->server, point_number(p->id),
				 has_quota(a) ? &quota : NULL);
	if (r < 0)
		log_error("%s: setting its quota: %s", p->id, strerror(-r));
	return r;
}

int point_clear_quota(const struct access_point *p)
{
	if (p->fs->server == NULL || !has_quota(p->attributes))
		return 0;
	return nfs_server_set_quota(p->fs->server, point_number(p->id), NULL);
}

void fs_drop_quotas(struct fs *fs)
{
	int r = nfs_server_drop_quotas(fs->server);

	if (r < 0)
		log_error("%s: giving up old quotas: %s", fs->id, strerror(-r));
}

static const char *path_of(const json_t *attributes)
{
	return attribute(json_object_get(attributes, "RootDirectory"), "Path");
}

int point_check_quota(const struct fs *fs, const struct access_point *self,
		      const json_t *before, const json_t *attributes,
		      struct control_error *err)
{
	const char *path = path_of(attributes);
	struct access_point *p;

	if (!has_quota(attributes) || has_quota(before))
		return 0;
	list_for_each (p, &fs->control->points, link)
		if (p->fs == fs && p != self && has_quota(p->attributes) &&
		    strcmp(path, path_of(p->attributes)) == 0)
			return refuse(err, -EINVAL, "BadRequest",
				      "Access point %s has a quota of '%.100s' "
				      "already: one directory has one.",
				      p->id, path);
	return 0;
}

int control_access_point_usage(struct control *c, const char *id,
			       struct control_usage *out)
{
	const struct access_point *p = point_find(c, id);
	struct engine_tree tree;
	int r = -ENOENT;

	*out = (struct control_usage){};
	if (p == NULL || !has_quota(p->attributes))
		return -ENOENT;
	out->max_bytes = tagged_number(p->attributes, CONTROL_QUOTA_BYTES);
	out->max_files = tagged_number(p->attributes, CONTROL_QUOTA_FILES);
	if (p->fs->server != NULL)
		r = nfs_server_get_usage(p->fs->server, point_number(p->id),
					 &tree);
	if (r < 0)
		return r == -ENOENT ? 0 : r; /* no root yet */
	out->used_bytes = tree.used_bytes;
	out->used_files = tree.used_files;
	out->counting = tree.counting;
	return 0;
}
