/* SPDX-License-Identifier: Apache-2.0 */
/* File systems: created, described, updated, deleted. */
#include <errno.h>
#include <string.h>

#include "api/efs.h"
#include "control/thing.h"
#include "reactor/reactor.h"

enum { PROVISIONED_MAX = 3414 }; /* MiB/s, as AWS's largest */

/* ------------------------------------------------------------ description */

/* It is what it is now. */
static json_t *describe_size(uint64_t bytes)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:o}", "Value",
			 (json_int_t)bytes, "ValueInStandard",
			 (json_int_t)bytes, "ValueInIA", (json_int_t)0,
			 "ValueInArchive", (json_int_t)0, "Timestamp",
			 efs_time(reactor_realtime()));
}

static const char *state_name(enum control_state state)
{
	return state == CONTROL_DOWN ? "error" : control_state_name(state);
}

static json_t *describe(const struct api_call *call,
			const struct control_fs *fs)
{
	static const char *const same[] = {
		"CreationToken",
		"PerformanceMode",
		"ThroughputMode",
		"ProvisionedThroughputInMibps",
		"Encrypted",
		"KmsKeyId",
		"AvailabilityZoneName",
		"Tags",
		"FileSystemProtection",
		NULL,
	};
	const char *zone =
		json_string_value(json_object_get(fs->attributes, "Zone"));
	/* Of one that was not created by this API. */
	json_t *out =
		json_pack("{s:s, s:s, s:b, s:[], s:{s:s}}", "PerformanceMode",
			  "generalPurpose", "ThroughputMode", "elastic",
			  "Encrypted", 0, "Tags", "FileSystemProtection",
			  "ReplicationOverwriteProtection", "ENABLED");

	efs_copy(fs->attributes, out, same);
	json_object_set_new(out, "OwnerId", json_string(api_account(call)));
	json_object_set_new(out, "FileSystemId", json_string(fs->id));
	json_object_set_new(out, "FileSystemArn",
			    efs_arn(call, "file-system", fs->id));
	json_object_set_new(out, "CreationTime", efs_time(fs->created));
	json_object_set_new(out, "LifeCycleState",
			    json_string(state_name(fs->state)));
	json_object_set_new(out, "NumberOfMountTargets",
			    json_integer(fs->mount_targets));
	json_object_set_new(out, "SizeInBytes", describe_size(fs->used_bytes));
	json_object_set_new(out, "Name", json_string(fs->name));
	if (zone != NULL)
		json_object_set_new(out, "AvailabilityZoneId",
				    efs_zone_id(call, zone));
	return out;
}

static bool has_token(const struct control_fs *fs, const char *token)
{
	const char *own = json_string_value(
		json_object_get(fs->attributes, "CreationToken"));

	return token == NULL || (own != NULL && strcmp(own, token) == 0);
}

int efs_describe_file_systems(struct api_call *call)
{
	const char *token = api_string(call, "CreationToken");
	const char *id = efs_file_system_id(call);
	struct control_fs *list;
	struct efs_page page;
	json_t *out;
	struct control_fs one;
	int n = efs_page_begin(call, "MaxItems", "Marker", &page);

	if (token != NULL && id != NULL)
		return api_refuse(call, "BadRequest",
				  "Either FileSystemId or CreationToken may be "
				  "given, not both.");
	if (n == 0 && id != NULL)
		n = efs_find_fs(call, id, &one);
	if (n == 0)
		n = control_fs_list(efs_control(call), id, &list, &call->error);
	if (n < 0)
		return n;
	out = json_array();
	for (int i = 0; i < n; i++)
		if (list[i].state != CONTROL_DELETING &&
		    has_token(&list[i], token) &&
		    efs_page_take(&page, list[i].created))
			json_array_append_new(out, describe(call, &list[i]));
	free(list);
	call->output = json_pack("{s:o}", "FileSystems", out);
	if (api_string(call, "Marker") != NULL)
		json_object_set(call->output, "Marker",
				api_value(call, "Marker"));
	efs_page_end(call, "NextMarker", &page);
	return 0;
}

/* ------------------------------------------------------------- throughput */

static bool is(const json_t *attributes, const char *name, const char *value)
{
	const char *text = json_string_value(json_object_get(attributes, name));

	return text != NULL && strcmp(text, value) == 0;
}

/* Of attributes as they are to be. */
static int check_throughput(struct api_call *call, const json_t *a)
{
	const json_t *mibps =
		json_object_get(a, "ProvisionedThroughputInMibps");

	if (is(a, "ThroughputMode", "provisioned") != (mibps != NULL))
		return api_refuse(
			call, "BadRequest",
			mibps ? "ProvisionedThroughputInMibps goes with "
				"ThroughputMode provisioned only."
			      : "ThroughputMode provisioned needs "
				"ProvisionedThroughputInMibps.");
	if (mibps != NULL && json_number_value(mibps) > PROVISIONED_MAX)
		return api_refuse(call, "ThroughputLimitExceeded",
				  "Throughput can be provisioned up to %d "
				  "MiB/s.",
				  PROVISIONED_MAX);
	if (is(a, "PerformanceMode", "maxIO") &&
	    is(a, "ThroughputMode", "elastic"))
		return api_refuse(call, "BadRequest",
				  "Performance mode maxIO does not go with "
				  "throughput mode elastic.");
	return 0;
}

/* ----------------------------------------------------------------- create */

/* "us-east-1b", or "b", is zone "b": the service is in whichever region it is
 * asked for. */
static int set_zone(struct api_call *call, json_t *attributes)
{
	const char *name = api_string(call, "AvailabilityZoneName");
	const struct subnet *subnets;
	size_t n = control_subnets(efs_control(call), &subnets);
	size_t len, zone_len;

	if (name == NULL)
		return 0;
	if (is(attributes, "PerformanceMode", "maxIO"))
		return api_refuse(call, "BadRequest",
				  "Performance mode maxIO is not for One Zone "
				  "file systems.");
	len = strlen(name);
	for (size_t i = 0; i < n; i++) {
		zone_len = strlen(subnets[i].zone);
		if (strcmp(subnets[i].zone, name) != 0 &&
		    !(zone_len == 1 && len > 1 &&
		      name[len - 1] == subnets[i].zone[0] &&
		      name[len - 2] >= '0' && name[len - 2] <= '9'))
			continue;
		json_object_set_new(attributes, "Zone",
				    json_string(subnets[i].zone));
		return 0;
	}
	return api_refuse(call, "UnsupportedAvailabilityZone",
			  "The requested Availability Zone '%s' is not "
			  "supported.",
			  name);
}

/* The key that an alias of this service's KMS stands for; else the name. */
static const char *key_of_alias(const struct api_call *call, const char *name)
{
	const char *alias = strstr(name, "alias/");
	const char *key = json_string_value(json_object_get(
		alias ? thing_find(efs_control(call), THING_ALIAS, alias)
		      : NULL,
		"TargetKeyId"));

	return key ? key : name;
}

/* A key by whatever name, as the ARN that is told. */
static int set_key(struct api_call *call, json_t *attributes)
{
	const char *key = api_string(call, "KmsKeyId");
	bool encrypted = json_is_true(api_value(call, "Encrypted"));

	if (key != NULL && !encrypted)
		return api_refuse(call, "BadRequest",
				  "KmsKeyId needs Encrypted to be true.");
	if (!encrypted)
		return 0;
	if (key == NULL)
		key = THING_DEFAULT_ALIAS;
	key = key_of_alias(call, key);
	if (strncmp(key, "arn:", 4) == 0)
		json_object_set_new(attributes, "KmsKeyId", json_string(key));
	else
		json_object_set_new(
			attributes, "KmsKeyId",
			json_sprintf("arn:aws:kms:%s:%s:%s%s", api_region(call),
				     api_account(call),
				     strncmp(key, "alias/", 6) ? "key/" : "",
				     key));
	return 0;
}

/* One Zone file systems are backed up unless told otherwise. */
static void set_backup(struct api_call *call, json_t *attributes)
{
	const json_t *backup = api_value(call, "Backup");
	bool one_zone = json_object_get(attributes, "Zone") != NULL;

	if (backup ? json_is_true(backup) : one_zone)
		json_object_set_new(attributes, "BackupPolicy",
				    json_pack("{s:s}", "Status", "ENABLED"));
}

static int make_attributes(struct api_call *call, json_t *a)
{
	static const char *const same[] = {
		"CreationToken",  "PerformanceMode",
		"ThroughputMode", "ProvisionedThroughputInMibps",
		"Encrypted",	  "AvailabilityZoneName",
		"Tags",		  NULL,
	};
	int r;

	efs_copy(call->input, a, same);
	/* In which clients sign when they mount. */
	json_object_set_new(a, "Region", json_string(api_region(call)));
	r = efs_check_tags(call, json_object_get(a, "Tags"));
	if (r == 0)
		r = check_throughput(call, a);
	if (r == 0)
		r = set_zone(call, a);
	if (r == 0)
		r = set_key(call, a);
	if (r == 0)
		set_backup(call, a);
	return r;
}

int efs_create_file_system(struct api_call *call)
{
	json_t *attributes =
		json_pack("{s:s, s:s, s:b, s:[]}", "PerformanceMode",
			  "generalPurpose", "ThroughputMode", "bursting",
			  "Encrypted", 0, "Tags");
	struct control_fs fs;
	int r = make_attributes(call, attributes);

	if (r == 0)
		r = control_fs_create_as(efs_control(call), attributes, &fs,
					 &call->error);
	if (r == 0)
		call->output = describe(call, &fs);
	json_decref(attributes);
	return r;
}

/* ----------------------------------------------------------------- update */

static int set_throughput(void *arg, json_t *attributes,
			  struct control_error *err)
{
	static const char *const names[] = { "ThroughputMode",
					     "ProvisionedThroughputInMibps",
					     NULL };
	struct api_call *call = arg;
	const char *mode = api_string(call, "ThroughputMode");

	if (mode != NULL && strcmp(mode, "provisioned") != 0)
		json_object_del(attributes, "ProvisionedThroughputInMibps");
	efs_copy(call->input, attributes, names);
	return check_throughput(call, attributes);
}

int efs_update_file_system(struct api_call *call)
{
	struct control_fs fs;
	int r;

	if (api_value(call, "ThroughputMode") == NULL &&
	    api_value(call, "ProvisionedThroughputInMibps") == NULL)
		return api_refuse(call, "BadRequest",
				  "One of ThroughputMode and "
				  "ProvisionedThroughputInMibps is needed.");
	r = efs_change_fs(call, set_throughput, &fs);
	if (r == 0)
		call->output = describe(call, &fs);
	return r;
}

static int set_protection(void *arg, json_t *attributes,
			  struct control_error *err)
{
	struct api_call *call = arg;
	json_t *value = api_value(call, "ReplicationOverwriteProtection");

	if (value != NULL)
		json_object_set_new(attributes, "FileSystemProtection",
				    json_pack("{s:O}",
					      "ReplicationOverwriteProtection",
					      value));
	return 0;
}

int efs_update_file_system_protection(struct api_call *call)
{
	struct control_fs fs;
	json_t *protection;
	int r = efs_change_fs(call, set_protection, &fs);

	if (r < 0)
		return r;
	protection = json_object_get(fs.attributes, "FileSystemProtection");
	call->output = protection ? json_incref(protection)
				  : json_pack("{s:s}",
					      "ReplicationOverwriteProtection",
					      "ENABLED");
	return 0;
}

int efs_delete_file_system(struct api_call *call)
{
	const char *id = efs_file_system_id(call);
	struct control_fs fs;
	int r = efs_find_fs(call, id, &fs);

	return r < 0 ? r
		     : control_fs_delete(efs_control(call), id, &call->error);
}
