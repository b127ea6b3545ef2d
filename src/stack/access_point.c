/* SPDX-License-Identifier: Apache-2.0 */
/* The access points: found by their client tokens. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "stack/input.h"
#include "stack/internal.h"

#define ACCESS_POINTS "/2015-02-01/access-points"

enum { KAFKA_ID = 1000 }; /* user and group of Kafka's images */

static const struct {
	const char *key, *input, *path, *name;
} points[] = {
	{ "kafka_backups", "create_kafka_backup_access_point", "/kafka-backups",
	  "kafka-backups" },
	{ "kafka_connect", "create_kafka_connect_access_point",
	  "/kafka-connect-plugins", "kafka-connect" },
	{ "shared_logs", "create_shared_logs_access_point", "/shared-logs",
	  "shared-logs" },
};

static int declare(struct stack *s, struct resources *wanted)
{
	struct resource *r;

	for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
		if (!input_flag(s->inputs, points[i].input))
			continue;
		r = resource_add(wanted, points[i].key);
		json_decref(r->attributes);
		r->attributes =
			json_pack("{s:s, s:i, s:i, s:i, s:i, s:s, s:o}", "path",
				  points[i].path, "uid", KAFKA_ID, "gid",
				  KAFKA_ID, "owner_uid", KAFKA_ID, "owner_gid",
				  KAFKA_ID, "permissions", "0755", "tags",
				  tags_declare(s, points[i].name));
	}
	return 0;
}

/* ------------------------------------------------------------------- read */

/* "kafka-prod~kafka_backups": which it is; NULL: not one of the stack's. */
static const char *key_of(const struct stack *s, const char *token)
{
	size_t len = strlen(s->token);

	if (strncmp(token, s->token, len) != 0 || token[len] != '~')
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(points); i++)
		if (strcmp(points[i].key, token + len + 1) == 0)
			return points[i].key;
	return NULL;
}

static void read_one(struct stack *s, json_t *facts, struct resources *is)
{
	static const char *const names[][3] = {
		{ "uid", "PosixUser", "Uid" },
		{ "gid", "PosixUser", "Gid" },
		{ "owner_uid", "CreationInfo", "OwnerUid" },
		{ "owner_gid", "CreationInfo", "OwnerGid" },
		{ "permissions", "CreationInfo", "Permissions" },
	};
	const char *id = stack_text(facts, "AccessPointId");
	const char *key = key_of(s, stack_text(facts, "ClientToken"));
	struct resource *r = resource_add(is, key ? key : id);
	const json_t *root = json_object_get(facts, "RootDirectory");

	snprintf(r->id, sizeof(r->id), "%s", id);
	r->foreign = key == NULL;
	r->facts = json_incref(facts);
	json_object_set(r->attributes, "path", json_object_get(root, "Path"));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const json_t *part =
			json_object_get(facts, names[i][1])
				?: json_object_get(root, names[i][1]);
		json_t *value = json_object_get(part, names[i][2]);

		json_object_set_new(r->attributes, names[i][0],
				    value ? json_incref(value) : json_null());
	}
	json_object_set_new(r->attributes, "tags",
			    tags_read(json_object_get(facts, "Tags")));
}

static int read_points(struct stack *s, struct resources *is)
{
	char path[128];
	json_t *list;
	int error;

	if (s->fs_id[0] == '\0')
		return 0;
	snprintf(path, sizeof(path), ACCESS_POINTS "?FileSystemId=%s",
		 s->fs_id);
	error = stack_list(s, path, "AccessPoints", "NextToken", "NextToken",
			   &list);
	if (error < 0)
		error = stack_failed(s, "access points");
	for (size_t i = 0; i < json_array_size(list) && error == 0; i++) {
		json_t *facts = json_array_get(list, i);

		if (strncmp(stack_text(facts, "LifeCycleState"), "delet", 5) !=
		    0)
			read_one(s, facts, is);
	}
	json_decref(list);
	return error;
}

/* ----------------------------------------------------------------- change */

static int create(struct stack *s, struct resource *wanted)
{
	const json_t *a = wanted->attributes;
	json_t *root =
		json_pack("{s:O, s:{s:O, s:O, s:O}}", "Path",
			  json_object_get(a, "path"), "CreationInfo",
			  "OwnerUid", json_object_get(a, "owner_uid"),
			  "OwnerGid", json_object_get(a, "owner_gid"),
			  "Permissions", json_object_get(a, "permissions"));
	json_t *user = json_pack("{s:O, s:O}", "Uid", json_object_get(a, "uid"),
				 "Gid", json_object_get(a, "gid"));
	json_t *answer;
	int error = stack_rest(s, "POST", ACCESS_POINTS,
		json_pack("{s:o, s:s, s:o, s:o, s:o}", "ClientToken",
			  json_sprintf("%s~%s", s->token, wanted->key),
			  "FileSystemId", s->fs_id, "PosixUser", user,
			  "RootDirectory", root, "Tags",
			  tags_write(json_object_get(a, "tags"))),
		&answer);

	if (error < 0)
		return error;
	snprintf(wanted->id, sizeof(wanted->id), "%s",
		 stack_text(answer, "AccessPointId"));
	json_decref(answer);
	return 0;
}

static int remove_point(struct stack *s, const struct resource *is)
{
	char path[128];

	snprintf(path, sizeof(path), ACCESS_POINTS "/%s", is->id);
	return stack_rest(s, "DELETE", path, NULL, NULL);
}

#define FIXED "an access point is fixed at creation"
static const struct attribute attributes[] = {
	{ "path", NULL, FIXED },      { "uid", NULL, FIXED },
	{ "gid", NULL, FIXED },	      { "owner_uid", NULL, FIXED },
	{ "owner_gid", NULL, FIXED }, { "permissions", NULL, FIXED },
	{ "tags", tags_set },	      {},
};

const struct kind access_point_kind = {
	.name = "access_point",
	.stands_on = 1 << 1,
	.attributes = attributes,
	.declare = declare,
	.read = read_points,
	.create = create,
	.remove = remove_point,
	.not_found = "AccessPointNotFound",
	.path = ACCESS_POINTS "?AccessPointId=%s",
	.list = "AccessPoints",
};
