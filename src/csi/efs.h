/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the driver asks of EFS's API (2015-02-01): access points, mount targets,
 * file systems.  Calls block for as long as aws.h says.  Any thread.
 */
#ifndef CSI_EFS_H
#define CSI_EFS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "aws/aws.h"
#include "efs/targets.h"
#include "path/select.h"

enum { EFS_ID_SIZE = 64, EFS_PATH_SIZE = 101, EFS_TOKEN_SIZE = 65 };

#define EFS_TAG_CLUSTER "efs.csi.aws.com/cluster"
/* The capacity, which is also enforced; and one that is only kept. */
#define EFS_TAG_QUOTA	 "hawser:quota-bytes"
#define EFS_TAG_CAPACITY "efs.csi.aws.com/capacity"

struct efs;

struct efs_error {
	int status;	   /* of HTTP; 0: nobody answered */
	char code[64];	   /* "AccessPointNotFound" */
	char text[300];	   /* for people */
	char resource[64]; /* AccessPointAlreadyExists: which */
};

struct efs_point {
	char id[EFS_ID_SIZE], fs[EFS_ID_SIZE];
	char token[EFS_TOKEN_SIZE];
	char path[EFS_PATH_SIZE];
	bool has_user;
	uint32_t uid, gid;
	int64_t capacity; /* of either tag; 0: none */
	bool has_quota;	  /* it is the first one's */
	bool is_ours;	  /* has the tag of the cluster */
};

struct efs_point_spec {
	const char *fs, *token, *path, *permissions;
	uint32_t uid, gid;
	const json_t *tags; /* borrowed */
};

/* As aws_open(). */
int efs_create(const char *url, const char *region, struct efs **out);
void efs_destroy(struct efs *e);
void efs_url(const struct efs *e, char url[AWS_ENDPOINT_SIZE]);
const char *efs_region(const struct efs *e);

/* All that follow return 0, or -1 and why in `err`. */

int efs_point_create(struct efs *e, const struct efs_point_spec *spec,
		     struct efs_point *out, struct efs_error *err);
int efs_point_get(struct efs *e, const char *id, struct efs_point *out,
		  struct efs_error *err);
int efs_point_delete(struct efs *e, const char *id, struct efs_error *err);
/* Of the kind that it has. */
int efs_point_set_capacity(struct efs *e, const struct efs_point *p,
			   int64_t bytes, struct efs_error *err);

/* A page of them: max 0 is the service's own size.  `next` is "" for the
 * first, and after the last.  fs NULL: of all file systems. */
enum { EFS_NEXT_SIZE = 1024 };
typedef void efs_point_fn(void *arg, const struct efs_point *p);
int efs_point_page(struct efs *e, const char *fs, unsigned max,
		   char next[EFS_NEXT_SIZE], efs_point_fn *each, void *arg,
		   struct efs_error *err);
int efs_point_each(struct efs *e, const char *fs, efs_point_fn *each, void *arg,
		   struct efs_error *err);

/* Its zone if it has but one, else "". */
int efs_fs_zone(struct efs *e, const char *fs, char zone[PATH_ZONE_SIZE],
		struct efs_error *err);
/* As targets_find(), targets_name(). */
int efs_targets(struct efs *e, const struct targets_wish *w,
		struct path_candidate *list, struct targets_found *found);
void efs_name(const struct efs *e, const char *fs, const char *suffix,
	      char name[TARGETS_NAME_SIZE]);

bool efs_not_found(const struct efs_error *err);

#endif
