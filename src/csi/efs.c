/* SPDX-License-Identifier: Apache-2.0 */
#include "csi/efs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "aws/aws.h"
#include "base/percent.h"
#include "base/util.h"

#define SERVICE "elasticfilesystem"
#define ROOT	"/2015-02-01"

enum { PAGES_MAX = 2000 }; /* of a list: a service that pages for ever */

struct efs {
	struct aws_client *aws;
};

int efs_create(const char *url, const char *region, struct efs **out)
{
	struct aws_options options = { .endpoint = url, .region = region };
	struct efs *e = calloc(1, sizeof(*e));
	struct aws_error why;
	int r = e ? aws_open(&e->aws, &options, &why) : -ENOMEM;

	if (r < 0)
		free(e);
	else
		*out = e;
	return r;
}

void efs_destroy(struct efs *e)
{
	aws_close(e->aws);
	free(e);
}

void efs_url(const struct efs *e, char url[AWS_ENDPOINT_SIZE])
{
	aws_endpoint(e->aws, SERVICE, url);
}

const char *efs_region(const struct efs *e)
{
	return aws_region(e->aws);
}

bool efs_not_found(const struct efs_error *err)
{
	return is_one_of(err->code, "AccessPointNotFound|FileSystemNotFound");
}

/* ------------------------------------------------------------------ requests
 */

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static void copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from);
}

/* `body`: that of a refusal, or NULL. */
static int fail(const struct aws_error *why, const json_t *body,
		struct efs_error *err)
{
	memset(err, 0, sizeof(*err));
	err->status = why->status;
	copy(err->code, sizeof(err->code), why->code);
	snprintf(err->text, sizeof(err->text), "%.*s",
		 (int)sizeof(err->text) - 1, why->message);
	copy(err->resource, sizeof(err->resource),
	     text_of(body, "AccessPointId"));
	return -1;
}

/* *out is the answer's body. */
static int ask(struct efs *e, const char *method, const char *path,
	       const json_t *input, json_t **out, struct efs_error *err)
{
	struct aws_error why;
	json_t *body;
	int r = aws_rest(e->aws, SERVICE, method, path, input, &body, &why);

	if (r < 0)
		r = fail(&why, body, err);
	if (r == 0 && out != NULL)
		*out = body;
	else
		json_decref(body);
	return r;
}

/* A value of a query; `out` has room for 3 * EFS_NEXT_SIZE. */
static const char *encode(const char *text, char *out)
{
	percent_encode(out, text, strlen(text), "");
	return out;
}

/* ------------------------------------------------------------- access points
 */

static void parse_tag(struct efs_point *p, const json_t *tag)
{
	const char *key = text_of(tag, "Key"), *value = text_of(tag, "Value");

	if (strcmp(key, EFS_TAG_QUOTA) == 0) {
		p->capacity = strtoll(value, NULL, 10);
		p->has_quota = true;
	}
	if (strcmp(key, EFS_TAG_CAPACITY) == 0 && !p->has_quota)
		p->capacity = strtoll(value, NULL, 10);
	if (strcmp(key, EFS_TAG_CLUSTER) == 0)
		p->is_ours = strcmp(value, "true") == 0;
}

static void parse_point(const json_t *from, struct efs_point *p)
{
	const json_t *user = json_object_get(from, "PosixUser");
	const json_t *tags = json_object_get(from, "Tags");

	memset(p, 0, sizeof(*p));
	copy(p->id, sizeof(p->id), text_of(from, "AccessPointId"));
	copy(p->fs, sizeof(p->fs), text_of(from, "FileSystemId"));
	copy(p->token, sizeof(p->token), text_of(from, "ClientToken"));
	copy(p->path, sizeof(p->path),
	     text_of(json_object_get(from, "RootDirectory"), "Path"));
	p->has_user = json_is_object(user);
	p->uid = json_integer_value(json_object_get(user, "Uid"));
	p->gid = json_integer_value(json_object_get(user, "Gid"));
	for (size_t i = 0; i < json_array_size(tags); i++)
		parse_tag(p, json_array_get(tags, i));
}

int efs_point_create(struct efs *e, const struct efs_point_spec *spec,
		     struct efs_point *out, struct efs_error *err)
{
	json_t *input = json_pack(
		"{s:s, s:s, s:O, s:{s:I, s:I}, s:{s:s, s:{s:I, s:I, s:s}}}",
		"FileSystemId", spec->fs, "ClientToken", spec->token, "Tags",
		spec->tags, "PosixUser", "Uid", (json_int_t)spec->uid, "Gid",
		(json_int_t)spec->gid, "RootDirectory", "Path", spec->path,
		"CreationInfo", "OwnerUid", (json_int_t)spec->uid, "OwnerGid",
		(json_int_t)spec->gid, "Permissions", spec->permissions);
	json_t *body = NULL;
	int r = ask(e, "POST", ROOT "/access-points", input, &body, err);

	json_decref(input);
	if (r == 0)
		parse_point(body, out);
	json_decref(body);
	return r;
}

int efs_point_get(struct efs *e, const char *id, struct efs_point *out,
		  struct efs_error *err)
{
	char path[EFS_ID_SIZE + 64];
	json_t *body = NULL;
	int r;

	snprintf(path, sizeof(path), ROOT "/access-points?AccessPointId=%s",
		 id);
	r = ask(e, "GET", path, NULL, &body, err);
	if (r == 0)
		parse_point(json_array_get(
				    json_object_get(body, "AccessPoints"), 0),
			    out);
	json_decref(body);
	return r;
}

int efs_point_delete(struct efs *e, const char *id, struct efs_error *err)
{
	char path[EFS_ID_SIZE + 64];

	snprintf(path, sizeof(path), ROOT "/access-points/%s", id);
	return ask(e, "DELETE", path, NULL, NULL, err);
}

int efs_point_set_capacity(struct efs *e, const struct efs_point *p,
			   int64_t bytes, struct efs_error *err)
{
	bool kept_only = p->capacity > 0 && !p->has_quota;
	char path[EFS_ID_SIZE + 64], value[24];
	json_t *input;
	int r;

	snprintf(path, sizeof(path), ROOT "/resource-tags/%s", p->id);
	snprintf(value, sizeof(value), "%lld", (long long)bytes);
	input = json_pack("{s:[{s:s, s:s}]}", "Tags", "Key",
			  kept_only ? EFS_TAG_CAPACITY : EFS_TAG_QUOTA, "Value",
			  value);
	r = ask(e, "POST", path, input, NULL, err);
	json_decref(input);
	return r;
}

int efs_point_page(struct efs *e, const char *fs, unsigned max,
		   char next[EFS_NEXT_SIZE], efs_point_fn *each, void *arg,
		   struct efs_error *err)
{
	char path[3 * EFS_NEXT_SIZE + 200], token[3 * EFS_NEXT_SIZE + 1];
	int n = snprintf(path, sizeof(path), ROOT "/access-points?");
	json_t *body = NULL, *list;
	struct efs_point p;

	/* In the order of their names: what is signed is sorted. */
	if (fs != NULL)
		n += snprintf(path + n, sizeof(path) - n, "FileSystemId=%s&",
			      fs);
	if (max > 0)
		n += snprintf(path + n, sizeof(path) - n, "MaxResults=%u&",
			      max);
	if (next[0])
		n += snprintf(path + n, sizeof(path) - n, "NextToken=%s&",
			      encode(next, token));
	path[n - 1] = '\0'; /* the last '&', or the '?' */
	if (ask(e, "GET", path, NULL, &body, err) < 0)
		return -1;
	list = json_object_get(body, "AccessPoints");
	for (size_t i = 0; i < json_array_size(list); i++) {
		parse_point(json_array_get(list, i), &p);
		each(arg, &p);
	}
	snprintf(next, EFS_NEXT_SIZE, "%s", text_of(body, "NextToken"));
	json_decref(body);
	return 0;
}

int efs_point_each(struct efs *e, const char *fs, efs_point_fn *each, void *arg,
		   struct efs_error *err)
{
	char next[EFS_NEXT_SIZE] = "";
	int r, pages = 0;

	do
		r = efs_point_page(e, fs, 0, next, each, arg, err);
	while (r == 0 && next[0] && ++pages < PAGES_MAX);
	return r;
}

/* ------------------------------------------------ file systems and targets */

int efs_fs_zone(struct efs *e, const char *fs, char zone[PATH_ZONE_SIZE],
		struct efs_error *err)
{
	char path[EFS_ID_SIZE + 64];
	json_t *body = NULL, *first;
	int r;

	snprintf(path, sizeof(path), ROOT "/file-systems?FileSystemId=%s", fs);
	r = ask(e, "GET", path, NULL, &body, err);
	first = json_array_get(json_object_get(body, "FileSystems"), 0);
	copy(zone, PATH_ZONE_SIZE, text_of(first, "AvailabilityZoneName"));
	json_decref(body);
	return r;
}

int efs_targets(struct efs *e, const struct targets_wish *w,
		struct path_candidate *list, struct targets_found *found)
{
	return targets_find(e->aws, w, list, found);
}

void efs_name(const struct efs *e, const char *fs, const char *suffix,
	      char name[TARGETS_NAME_SIZE])
{
	targets_name(e->aws, fs, suffix, name);
}
