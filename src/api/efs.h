/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API of Amazon EFS, version 2015-02-01: one table of operations (efs.c),
 * whose functions stand in efs_*.c.
 */
#ifndef API_EFS_H
#define API_EFS_H

#include "api/internal.h"

#define EFS_OP(name) int efs_##name(struct api_call *call)
/* efs_fs.c */
EFS_OP(create_file_system);
EFS_OP(delete_file_system);
EFS_OP(describe_file_systems);
EFS_OP(update_file_system);
EFS_OP(update_file_system_protection);
/* efs_target.c */
EFS_OP(create_mount_target);
EFS_OP(delete_mount_target);
EFS_OP(describe_mount_target_security_groups);
EFS_OP(describe_mount_targets);
EFS_OP(modify_mount_target_security_groups);
/* efs_point.c */
EFS_OP(create_access_point);
EFS_OP(delete_access_point);
EFS_OP(describe_access_points);
/* efs_setting.c */
EFS_OP(delete_file_system_policy);
EFS_OP(describe_account_preferences);
EFS_OP(describe_backup_policy);
EFS_OP(describe_file_system_policy);
EFS_OP(describe_lifecycle_configuration);
EFS_OP(put_account_preferences);
EFS_OP(put_backup_policy);
EFS_OP(put_file_system_policy);
EFS_OP(put_lifecycle_configuration);
/* efs_replication.c */
EFS_OP(create_replication_configuration);
EFS_OP(delete_replication_configuration);
EFS_OP(describe_replication_configurations);
/* efs_tag.c */
EFS_OP(create_tags);
EFS_OP(delete_tags);
EFS_OP(describe_tags);
EFS_OP(list_tags_for_resource);
EFS_OP(tag_resource);
EFS_OP(untag_resource);

/* ----------------------------------------------------------- efs_common.c */

struct control *efs_control(const struct api_call *call);
/* "fs-…" of "arn:aws:elasticfilesystem:…:file-system/fs-…", or the text;
 * NULL of NULL. */
const char *efs_id(const char *id_or_arn);
const char *efs_file_system_id(const struct api_call *call);
/* `kind` is "file-system" or "access-point"; a new reference. */
json_t *efs_arn(const struct api_call *call, const char *kind, const char *id);
json_t *efs_time(nsec t);

/* "us-east-1b" for zone "b", and "use1-az2". */
json_t *efs_zone_name(const struct api_call *call, const char *zone);
json_t *efs_zone_id(const struct api_call *call, const char *zone);

/* Members of the input by these names, as far as they are there, to `to`. */
void efs_copy(const json_t *from, json_t *to, const char *const *names);

/* Changes attributes of the file system that the input names. */
int efs_change_fs(struct api_call *call, control_change_fn *fn,
		  struct control_fs *out);
/* 0, or refuses: one that is being deleted is gone. */
int efs_find_fs(struct api_call *call, const char *id, struct control_fs *out);

/* Pages: where the next one begins is told by the time at which its first item
 * was created, so that items may come and go in between. */
enum { EFS_PAGE_DEFAULT = 100, EFS_PAGE_MAX = 1000 };
struct efs_page {
	nsec after;  /* the marker: items that are younger */
	size_t size; /* of the page */
	size_t n;    /* on it */
	nsec last;   /* the last one of them */
	bool more;
};
/* `limit`, `marker`: names of the input's members. */
int efs_page_begin(struct api_call *call, const char *limit, const char *marker,
		   struct efs_page *page);
/* Does an item of that age belong to the page? */
bool efs_page_take(struct efs_page *page, nsec created);
/* Notes in the output where to go on, if there is more. */
void efs_page_end(struct api_call *call, const char *next,
		  const struct efs_page *page);

/* efs_policy.c: 0, or refuses with InvalidPolicyException. */
int efs_check_policy(struct api_call *call, const char *text);

/* efs_tag.c: no key twice, none of AWS's own, not too many.  0, or refuses. */
int efs_check_tags(struct api_call *call, const json_t *tags);

#endif
