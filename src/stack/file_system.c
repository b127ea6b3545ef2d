/* SPDX-License-Identifier: Apache-2.0 */
/* The file system: found by its creation token. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "stack/input.h"
#include "stack/internal.h"

#define FILE_SYSTEMS "/2015-02-01/file-systems"

enum { PATH_SIZE = 192 };

struct names {
	const char *name, *efs; /* ours, and that of EFS */
};

static const struct names same[] = {
	{ "encrypted", "Encrypted" },
	{ "kms_key_id", "KmsKeyId" },
	{ "performance_mode", "PerformanceMode" },
	{ "throughput_mode", "ThroughputMode" },
	{ "provisioned_throughput_in_mibps", "ProvisionedThroughputInMibps" },
};

static const struct names transitions[] = {
	{ "transition_to_ia", "TransitionToIA" },
	{ "transition_to_primary_storage_class",
	  "TransitionToPrimaryStorageClass" },
};

static void set(json_t *object, const char *name, json_t *value)
{
	json_object_set_new(object, name,
			    value ? json_incref(value) : json_null());
}

/* ---------------------------------------------------------------- declare */

/* The ARN that the file system will tell.  One that KMS does not know may be
 * another account's. */
static int resolve_key(struct stack *s, const char *key, json_t **arn)
{
	json_t *answer = NULL;
	int error =
		stack_json(s, "kms", "1.1", "TrentService.DescribeKey",
			    json_pack("{s:s}", "KeyId", key), &answer);

	*arn = json_object_get(json_object_get(answer, "KeyMetadata"), "Arn");
	if (error == 0 && *arn != NULL)
		json_incref(*arn);
	else if (strncmp(key, "arn:", 4) == 0)
		*arn = json_string(key);
	json_decref(answer);
	return *arn ? 0 : stack_failed(s, "kms_key_id");
}

static int declare(struct stack *s, struct resources *wanted)
{
	static const char *const given[] = {
		"performance_mode", "throughput_mode", "transition_to_ia",
		"transition_to_primary_storage_class"
	};
	struct resource *r = resource_add(wanted, "efs");
	const char *mode = input_text(s->inputs, "throughput_mode");
	const char *key = input_text(s->inputs, "kms_key_id");
	json_t *a = r->attributes, *tags = tags_declare(s, "efs"), *arn;

	json_object_set_new(a, "tags", tags);
	json_object_set(a, "encrypted",
			json_object_get(s->inputs, "enable_encryption"));
	/* Without one it is whatever the service takes. */
	if (key != NULL) {
		if (resolve_key(s, key, &arn) < 0)
			return -EINVAL;
		json_object_set_new(a, "kms_key_id", arn);
	}
	for (size_t i = 0; i < ARRAY_SIZE(given); i++)
		set(a, given[i], json_object_get(s->inputs, given[i]));
	set(a, "provisioned_throughput_in_mibps",
	    strcmp(mode, "provisioned")
		    ? NULL
		    : json_object_get(s->inputs,
				      "provisioned_throughput_in_mibps"));
	json_object_set(a, "automatic_backups",
			json_object_get(s->inputs, "enable_automatic_backups"));
	if (input_flag(s->inputs, "prevent_destroy"))
		json_object_set_new(tags, STACK_TAG_PROTECTED,
				    json_string("true"));
	return 0;
}

/* ------------------------------------------------------------------- read */

static int read_lifecycle(struct stack *s, struct resource *r)
{
	const json_t *policies;
	char path[PATH_SIZE];
	json_t *answer;
	int error;

	snprintf(path, sizeof(path), FILE_SYSTEMS "/%s/lifecycle-configuration",
		 r->id);
	error = stack_rest(s, "GET", path, NULL, &answer);
	if (error < 0)
		return error;
	policies = json_object_get(answer, "LifecyclePolicies");
	for (size_t t = 0; t < ARRAY_SIZE(transitions); t++) {
		json_t *value = NULL;

		for (size_t i = 0; i < json_array_size(policies); i++)
			value = json_object_get(json_array_get(policies, i),
						transitions[t].efs)
					?: value;
		set(r->attributes, transitions[t].name, value);
	}
	json_decref(answer);
	return 0;
}

static int read_backup(struct stack *s, struct resource *r)
{
	char path[PATH_SIZE];
	json_t *answer;
	bool on;
	int error;

	snprintf(path, sizeof(path), FILE_SYSTEMS "/%s/backup-policy", r->id);
	error = stack_rest(s, "GET", path, NULL, &answer);
	if (error < 0 && !stack_failed_with(s, "PolicyNotFound"))
		return error;
	on = strncmp(stack_text(json_object_get(answer, "BackupPolicy"),
				 "Status"),
		     "ENABL", 5) == 0;
	json_object_set_new(r->attributes, "automatic_backups",
			    json_boolean(on));
	json_decref(answer);
	return 0;
}

static int read_one(struct stack *s, json_t *facts, struct resources *is)
{
	struct resource *r = resource_add(is, "efs");
	int error;

	snprintf(r->id, sizeof(r->id), "%s",
		 stack_text(facts, "FileSystemId"));
	r->facts = json_incref(facts);
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		set(r->attributes, same[i].name,
		    json_object_get(facts, same[i].efs));
	json_object_set_new(r->attributes, "tags",
			    tags_read(json_object_get(facts, "Tags")));
	error = read_lifecycle(s, r);
	if (error == 0)
		error = read_backup(s, r);
	return error < 0 ? stack_failed(s, r->id) : 0;
}

/* One that is going is gone: its token is free again once it has gone. */
static int read_file_system(struct stack *s, struct resources *is)
{
	char path[PATH_SIZE];
	json_t *answer, *facts;
	int error;

	snprintf(path, sizeof(path), FILE_SYSTEMS "?CreationToken=%s",
		 s->token);
	error = stack_rest(s, "GET", path, NULL, &answer);
	if (error < 0)
		return stack_failed(s, "file systems");
	facts = json_array_get(json_object_get(answer, "FileSystems"), 0);
	if (facts != NULL &&
	    strncmp(stack_text(facts, "LifeCycleState"), "delet", 5) != 0)
		error = read_one(s, facts, is);
	json_decref(answer);
	return error;
}

/* ----------------------------------------------------------------- change */

static int put(struct stack *s, const char *id, const char *what, json_t *body)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), FILE_SYSTEMS "/%s%s", id, what);
	return stack_rest(s, "PUT", path, body, NULL);
}

static void add_throughput(json_t *body, const struct resource *wanted)
{
	const json_t *mibps = json_object_get(
		wanted->attributes, "provisioned_throughput_in_mibps");

	json_object_set(body, "ThroughputMode",
			json_object_get(wanted->attributes, "throughput_mode"));
	if (json_is_number(mibps))
		json_object_set(body, "ProvisionedThroughputInMibps",
				(json_t *)mibps);
}

static int set_throughput(struct stack *s, const struct resource *is,
			  const struct resource *wanted)
{
	json_t *body = json_object();

	add_throughput(body, wanted);
	return put(s, is->id, "", body);
}

static int set_lifecycle(struct stack *s, const struct resource *is,
			 const struct resource *wanted)
{
	json_t *policies = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(transitions); i++) {
		json_t *value = json_object_get(wanted->attributes,
						transitions[i].name);

		if (json_is_string(value))
			json_array_append_new(
				policies,
				json_pack("{s:O}", transitions[i].efs, value));
	}
	return put(s, is->id, "/lifecycle-configuration",
		   json_pack("{s:o}", "LifecyclePolicies", policies));
}

static int set_backups(struct stack *s, const struct resource *is,
		       const struct resource *wanted)
{
	bool on = json_is_true(
		json_object_get(wanted->attributes, "automatic_backups"));

	return put(s, is->id, "/backup-policy",
		   json_pack("{s:{s:s}}", "BackupPolicy", "Status",
			     on ? "ENABLED" : "DISABLED"));
}

static int create(struct stack *s, struct resource *wanted)
{
	const json_t *a = wanted->attributes;
	json_t *key = json_object_get(a, "kms_key_id"), *answer;
	json_t *body =
		json_pack("{s:s, s:O, s:O, s:o}", "CreationToken", s->token,
			  "Encrypted", json_object_get(a, "encrypted"),
			  "PerformanceMode",
			  json_object_get(a, "performance_mode"), "Tags",
			  tags_write(json_object_get(a, "tags")));
	int error;

	add_throughput(body, wanted);
	if (key != NULL)
		json_object_set(body, "KmsKeyId", key);
	error = stack_rest(s, "POST", FILE_SYSTEMS, body, &answer);
	if (error < 0)
		return error;
	snprintf(wanted->id, sizeof(wanted->id), "%s",
		 stack_text(answer, "FileSystemId"));
	json_decref(answer);
	return 0;
}

static int remove_file_system(struct stack *s, const struct resource *is)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), FILE_SYSTEMS "/%s", is->id);
	return stack_rest(s, "DELETE", path, NULL, NULL);
}

static const struct attribute attributes[] = {
	{ "encrypted", NULL, "encryption is fixed at creation" },
	{ "kms_key_id", NULL, "the key is fixed at creation" },
	{ "performance_mode", NULL,
	  "the performance mode is fixed at "
	  "creation" },
	{ "throughput_mode", set_throughput },
	{ "provisioned_throughput_in_mibps", set_throughput },
	{ "transition_to_ia", set_lifecycle, .apart = true },
	{ "transition_to_primary_storage_class", set_lifecycle, .apart = true },
	{ "automatic_backups", set_backups, .apart = true },
	{ "tags", tags_set },
	{},
};

const struct kind file_system_kind = {
	.name = "file_system",
	.attributes = attributes,
	.declare = declare,
	.read = read_file_system,
	.create = create,
	.remove = remove_file_system,
	.not_found = "FileSystemNotFound",
	.path = FILE_SYSTEMS "?FileSystemId=%s",
	.list = "FileSystems",
	.id_offset = offsetof(struct stack, fs_id),
};
