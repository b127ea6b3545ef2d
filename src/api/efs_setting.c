/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a file system is set to: lifecycle policies, backup policy, resource
 * policy; and the preferences of the account.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/efs.h"

/* -------------------------------------------------------------- lifecycle */

static const char *const transitions[] = { "TransitionToIA",
					   "TransitionToPrimaryStorageClass",
					   "TransitionToArchive", NULL };

/* Days of "AFTER_30_DAYS"; 0: there is no such transition. */
static int days(const json_t *policies, const char *transition)
{
	for (size_t i = 0; i < json_array_size(policies); i++) {
		const char *text = json_string_value(json_object_get(
			json_array_get(policies, i), transition));

		if (text != NULL)
			return atoi(text + strlen("AFTER_"));
	}
	return 0;
}

/* One transition in each object, none twice. */
static int check_lifecycle(struct api_call *call, const json_t *policies)
{
	unsigned seen = 0, in_this, n;
	int ia, archive;

	for (size_t i = 0; i < json_array_size(policies); i++) {
		const json_t *p = json_array_get(policies, i);

		in_this = n = 0;
		for (int t = 0; transitions[t]; t++) {
			if (json_is_string(
				    json_object_get(p, transitions[t]))) {
				in_this |= 1u << t;
				n++;
			}
		}
		if (n != 1 || (in_this & seen))
			return api_refuse(call, "BadRequest",
					  "One or more LifecyclePolicy objects "
					  "specified are malformed.");
		seen |= in_this;
	}
	ia = days(policies, "TransitionToIA");
	archive = days(policies, "TransitionToArchive");
	if (ia && archive && archive <= ia)
		return api_refuse(call, "BadRequest",
				  "TransitionToArchive has to come after "
				  "TransitionToIA.");
	return 0;
}

static int set_lifecycle(void *arg, json_t *attributes,
			 struct control_error *err)
{
	struct api_call *call = arg;

	json_object_set(attributes, "LifecyclePolicies",
			api_value(call, "LifecyclePolicies"));
	return 0;
}

static int show_lifecycle(struct api_call *call, const struct control_fs *fs)
{
	json_t *policies = json_object_get(fs->attributes, "LifecyclePolicies");

	call->output =
		json_pack("{s:o}", "LifecyclePolicies",
			  policies ? json_incref(policies) : json_array());
	return 0;
}

int efs_put_lifecycle_configuration(struct api_call *call)
{
	struct control_fs fs;
	int r = check_lifecycle(call, api_value(call, "LifecyclePolicies"));

	if (r == 0)
		r = efs_change_fs(call, set_lifecycle, &fs);
	return r < 0 ? r : show_lifecycle(call, &fs);
}

int efs_describe_lifecycle_configuration(struct api_call *call)
{
	struct control_fs fs;
	int r = efs_find_fs(call, efs_file_system_id(call), &fs);

	return r < 0 ? r : show_lifecycle(call, &fs);
}

/* ----------------------------------------------------------------- backup */

/* What is asked for is so at once: ENABLING is never seen. */
static int set_backup(void *arg, json_t *attributes, struct control_error *err)
{
	const char *status = json_string_value(
		json_object_get(api_value(arg, "BackupPolicy"), "Status"));
	bool on = strncmp(status, "ENABL", 5) == 0;

	json_object_set_new(attributes, "BackupPolicy",
			    json_pack("{s:s}", "Status",
				      on ? "ENABLED" : "DISABLED"));
	return 0;
}

static int show_backup(struct api_call *call, const struct control_fs *fs)
{
	json_t *policy = json_object_get(fs->attributes, "BackupPolicy");

	if (policy == NULL)
		return api_refuse(call, "PolicyNotFound",
				  "File system '%s' has no backup policy.",
				  fs->id);
	call->output = json_pack("{s:O}", "BackupPolicy", policy);
	return 0;
}

int efs_put_backup_policy(struct api_call *call)
{
	struct control_fs fs;
	int r = efs_change_fs(call, set_backup, &fs);

	return r < 0 ? r : show_backup(call, &fs);
}

int efs_describe_backup_policy(struct api_call *call)
{
	struct control_fs fs;
	int r = efs_find_fs(call, efs_file_system_id(call), &fs);

	return r < 0 ? r : show_backup(call, &fs);
}

/* --------------------------------------------------------- resource policy */

static int show_policy(struct api_call *call, const struct control_fs *fs)
{
	json_t *policy = json_object_get(fs->attributes, "Policy");

	if (policy == NULL)
		return api_refuse(call, "PolicyNotFound",
				  "File system '%s' has no policy.", fs->id);
	call->output = json_pack("{s:s, s:O}", "FileSystemId", fs->id, "Policy",
				 policy);
	return 0;
}

static int set_policy(void *arg, json_t *attributes, struct control_error *err)
{
	json_object_set(attributes, "Policy", api_value(arg, "Policy"));
	return 0;
}

static int drop_policy(void *arg, json_t *attributes, struct control_error *err)
{
	json_object_del(attributes, "Policy");
	return 0;
}

int efs_put_file_system_policy(struct api_call *call)
{
	struct control_fs fs;
	int r = efs_check_policy(call, api_string(call, "Policy"));

	if (r == 0)
		r = efs_change_fs(call, set_policy, &fs);
	return r < 0 ? r : show_policy(call, &fs);
}

int efs_describe_file_system_policy(struct api_call *call)
{
	struct control_fs fs;
	int r = efs_find_fs(call, efs_file_system_id(call), &fs);

	return r < 0 ? r : show_policy(call, &fs);
}

int efs_delete_file_system_policy(struct api_call *call)
{
	struct control_fs fs;

	return efs_change_fs(call, drop_policy, &fs);
}

/* ---------------------------------------------------------------- account */

static int show_preferences(struct api_call *call)
{
	call->output = json_pack("{s:{s:s, s:[s, s]}}", "ResourceIdPreference",
				 "ResourceIdType", "LONG_ID", "Resources",
				 "FILE_SYSTEM", "MOUNT_TARGET");
	return 0;
}

/* All ids are long, here as on AWS. */
int efs_put_account_preferences(struct api_call *call)
{
	if (strcmp(api_string(call, "ResourceIdType"), "LONG_ID") != 0)
		return api_refuse(call, "BadRequest",
				  "Short resource IDs are not available.");
	return show_preferences(call);
}

int efs_describe_account_preferences(struct api_call *call)
{
	return show_preferences(call);
}
