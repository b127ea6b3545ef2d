/* SPDX-License-Identifier: Apache-2.0 */
/* An access point as its file system's NFS server knows it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/internal.h"
#include "nfs/server/server.h"

/* The last 16 digits of the id.  Never 0: that is no export. */
uint64_t point_number(const char *id)
{
	size_t len = strlen(id);
	uint64_t number = strtoull(id + len - MIN(len, (size_t)16), NULL, 16);

	return number ? number : 1;
}

static uint32_t number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static void set_user(struct nfs_export *e, const json_t *user,
		     uint32_t groups[NFS_EXPORT_GROUPS_MAX])
{
	const json_t *gids = json_object_get(user, "SecondaryGids");

	if (user == NULL)
		return;
	e->forces_user = true;
	e->uid = number(user, "Uid");
	e->gid = number(user, "Gid");
	e->ngroups = MIN(json_array_size(gids), (size_t)NFS_EXPORT_GROUPS_MAX);
	for (uint32_t i = 0; i < e->ngroups; i++)
		groups[i] = json_integer_value(json_array_get(gids, i));
	e->groups = groups;
}

static void set_root(struct nfs_export *e, const json_t *root)
{
	const json_t *info = json_object_get(root, "CreationInfo");

	e->path = attribute(root, "Path");
	if (info == NULL)
		return;
	e->create = true;
	e->owner_uid = number(info, "OwnerUid");
	e->owner_gid = number(info, "OwnerGid");
	e->mode = strtoul(attribute(info, "Permissions"), NULL, 8) & 07777;
}

int point_export(const struct access_point *p)
{
	char arn[RIGHTS_ARN_SIZE];
	struct nfs_export e = { .name = p->id,
				.number = point_number(p->id),
				.label = arn };
	uint32_t groups[NFS_EXPORT_GROUPS_MAX];
	int r;

	if (p->fs->server == NULL)
		return 0;
	point_arn(p, arn);
	set_user(&e, json_object_get(p->attributes, "PosixUser"), groups);
	set_root(&e, json_object_get(p->attributes, "RootDirectory"));
	r = nfs_server_export(p->fs->server, &e);
	if (r < 0)
		log_error("%s: can't be reached: %s", p->id, strerror(-r));
	return r;
}

void point_unexport(const struct access_point *p)
{
	if (p->fs->server != NULL)
		nfs_server_unexport(p->fs->server, point_number(p->id));
}
