/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations of EFS, what their input looks like, and the statuses of its
 * errors.
 */
#include "api/efs.h"
#include "api/protocol.h"

#define ROOT "/2015-02-01"

/* ----------------------------------------------------------- the words */

#define ARN(what) "arn:aws[-a-z]*:elasticfilesystem:[-0-9a-z:]+:" what
#define HEX	  "[0-9a-f]{8,40}"

/* Of what is looked up, an id that can't be one is none that is there, and the
 * answer says that: so does EFS, whatever its model says. */
static struct api_pattern resource_id = { "^((" ARN(
	"file-system/") ")?fs|(" ARN("access-point/") ")?fsap)-" HEX "$" };
static struct api_pattern subnet_id = { "^subnet-" HEX "$" };
static struct api_pattern group_id = { "^sg-" HEX "$" };
static struct api_pattern ipv4 = {
	"^[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}$"
};
static struct api_pattern ipv6 = { "^[0-9a-fA-F:.]+$" };
static struct api_pattern region = { "^[a-z]{2}(-[a-z]+)+-?[0-9]?$" };
static struct api_pattern permissions = { "^[0-7]{3,4}$" };
/* At most four levels, none of which begins with a dot. */
static struct api_pattern path = {
	"^(/|(/[^].$#<>;`|&?{}^*/\n[][^]$#<>;`|&?{}^*/\n[]*){1,4})$",
	"^(\\/|(\\/(?!\\.)+[^$#<>;`|&?{}^*/\\n]+){1,4})$"
};
/* Letters and digits of any language, spaces, and _.:/=+-@ */
static struct api_pattern tag_text = {
	"^[^]\001-\037!\"#$%&'()*,;<>?[\\\\^`{|}~\177]*$",
	"^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)$"
};
#define UUID "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
static struct api_pattern kms_key = {
	"^(" UUID "|mrk-[0-9a-f]{32}|alias/[a-zA-Z0-9/_-]+|"
	"arn:aws[-a-z]*:kms:[a-z0-9-]+:[0-9]{12}:"
	"(key/(" UUID "|mrk-[0-9a-f]{32})|alias/[a-zA-Z0-9/_-]+))$"
};

/* ------------------------------------------------------------- the fields */

#define FS_ID(needed, where)                                                   \
	{                                                                      \
		"FileSystemId", API_STRING, needed, .min = 1, .max = 128,      \
						    .place = where             \
	}
#define POINT_ID(needed, where)                                                \
	{                                                                      \
		"AccessPointId", API_STRING, needed, .min = 1, .max = 128,     \
						     .place = where            \
	}
#define TARGET_ID(needed, where)                                               \
	{                                                                      \
		"MountTargetId", API_STRING, needed, .min = 1, .max = 45,      \
						     .place = where            \
	}
#define RESOURCE_ID                                                            \
	{                                                                      \
		"ResourceId", API_STRING, true,                                \
			.max = 128, .pattern = &resource_id, .place = API_PATH \
	}
#define SOURCE_ID                                                              \
	{                                                                      \
		"SourceFileSystemId", API_STRING, true, .min = 1, .max = 128,  \
							.place = API_PATH      \
	}
#define COUNT(name)                                                            \
	{                                                                      \
		name, API_INTEGER, .min = 1, .max = 2147483647,                \
				   .place = API_QUERY                          \
	}
#define MARKER(name)                                                           \
	{                                                                      \
		name, API_STRING, .min = 1, .max = 128, .place = API_QUERY     \
	}
#define TOKEN(name, where)                                                     \
	{                                                                      \
		name, API_STRING, where == API_BODY, .min = 1, .max = 64,      \
						     .place = where            \
	}
#define TAGS(needed)                                                           \
	{                                                                      \
		"Tags", API_LIST, needed, .fields = tag_list                   \
	}
#define TAG_KEYS(where)                                                        \
	{                                                                      \
		"TagKeys", API_LIST, true, .min = 1, .max = 50,                \
					   .fields = tag_key, .place = where,  \
					   .wire = "tagKeys"                   \
	}
#define ID_NUMBER(name, needed)                                                \
	{                                                                      \
		name, API_INTEGER, needed, .min = 0, .max = 4294967295.0       \
	}

static const struct api_field tag[] = {
	{ "Key", API_STRING, true, .min = 1, .max = 128, .pattern = &tag_text },
	{ "Value", API_STRING, true, .max = 256, .pattern = &tag_text },
	{},
};
static const struct api_field tag_list[] = { { "Tag", API_OBJECT,
					       .fields = tag } };
static const struct api_field tag_key[] = {
	{ "TagKey", API_STRING, .min = 1, .max = 128, .pattern = &tag_text }
};
static const struct api_field group_list[] = { { "SecurityGroup", API_STRING,
						 .min = 11, .max = 43,
						 .pattern = &group_id } };

static const struct api_field fs_in_path[] = { FS_ID(true, API_PATH), {} };
static const struct api_field target_in_path[] = { TARGET_ID(true, API_PATH),
						   {} };
static const struct api_field point_in_path[] = { POINT_ID(true, API_PATH),
						  {} };
static const struct api_field source_in_path[] = { SOURCE_ID, {} };

static const struct api_field create_file_system[] = {
	TOKEN("CreationToken", API_BODY),
	{ "PerformanceMode", API_STRING, .values = "generalPurpose|maxIO" },
	{ "Encrypted", API_BOOLEAN },
	{ "KmsKeyId", API_STRING, .max = 2048, .pattern = &kms_key },
	{ "ThroughputMode", API_STRING,
	  .values = "bursting|provisioned|elastic" },
	{ "ProvisionedThroughputInMibps", API_NUMBER, .min = 1 },
	{ "AvailabilityZoneName", API_STRING, .min = 1, .max = 64 },
	{ "Backup", API_BOOLEAN },
	TAGS(false),
	{},
};
static const struct api_field describe_file_systems[] = {
	COUNT("MaxItems"),
	MARKER("Marker"),
	TOKEN("CreationToken", API_QUERY),
	FS_ID(false, API_QUERY),
	{},
};
static const struct api_field update_file_system[] = {
	FS_ID(true, API_PATH),
	{ "ThroughputMode", API_STRING,
	  .values = "bursting|provisioned|elastic" },
	{ "ProvisionedThroughputInMibps", API_NUMBER, .min = 1 },
	{},
};
static const struct api_field update_protection[] = {
	FS_ID(true, API_PATH),
	{ "ReplicationOverwriteProtection", API_STRING,
	  .values = "ENABLED|DISABLED" },
	{},
};

static const struct api_field create_mount_target[] = {
	FS_ID(true, API_BODY),
	{ "SubnetId", API_STRING, true, .min = 15, .max = 47,
	  .pattern = &subnet_id },
	{ "IpAddress", API_STRING, .min = 7, .max = 15, .pattern = &ipv4 },
	{ "Ipv6Address", API_STRING, .min = 3, .max = 39, .pattern = &ipv6 },
	{ "IpAddressType", API_STRING,
	  .values = "IPV4_ONLY|IPV6_ONLY|DUAL_STACK" },
	{ "SecurityGroups", API_LIST, .max = 100, .fields = group_list },
	{},
};
static const struct api_field describe_mount_targets[] = {
	COUNT("MaxItems"),	    MARKER("Marker"),
	FS_ID(false, API_QUERY),    TARGET_ID(false, API_QUERY),
	POINT_ID(false, API_QUERY), {},
};
static const struct api_field modify_groups[] = {
	TARGET_ID(true, API_PATH),
	{ "SecurityGroups", API_LIST, .max = 100, .fields = group_list },
	{},
};

static const struct api_field gid_list[] = { ID_NUMBER("Gid", false) };
static const struct api_field posix_user[] = {
	ID_NUMBER("Uid", true),
	ID_NUMBER("Gid", true),
	{ "SecondaryGids", API_LIST, .max = 16, .fields = gid_list },
	{},
};
static const struct api_field creation_info[] = {
	ID_NUMBER("OwnerUid", true),
	ID_NUMBER("OwnerGid", true),
	{ "Permissions", API_STRING, true, .min = 3, .max = 4,
	  .pattern = &permissions },
	{},
};
static const struct api_field root_directory[] = {
	{ "Path", API_STRING, .min = 1, .max = 100, .pattern = &path },
	{ "CreationInfo", API_OBJECT, .fields = creation_info },
	{},
};
static const struct api_field create_access_point[] = {
	TOKEN("ClientToken", API_BODY),
	FS_ID(true, API_BODY),
	TAGS(false),
	{ "PosixUser", API_OBJECT, .fields = posix_user },
	{ "RootDirectory", API_OBJECT, .fields = root_directory },
	{},
};
static const struct api_field describe_access_points[] = {
	COUNT("MaxResults"),
	MARKER("NextToken"),
	POINT_ID(false, API_QUERY),
	FS_ID(false, API_QUERY),
	{},
};

#define DAYS                                                                   \
	"AFTER_7_DAYS|AFTER_14_DAYS|AFTER_30_DAYS|AFTER_60_DAYS|"              \
	"AFTER_90_DAYS|AFTER_1_DAY|AFTER_180_DAYS|AFTER_270_DAYS|"             \
	"AFTER_365_DAYS"
static const struct api_field lifecycle_policy[] = {
	{ "TransitionToIA", API_STRING, .values = DAYS },
	{ "TransitionToPrimaryStorageClass", API_STRING,
	  .values = "AFTER_1_ACCESS" },
	{ "TransitionToArchive", API_STRING, .values = DAYS },
	{},
};
static const struct api_field lifecycle_list[] = {
	{ "LifecyclePolicy", API_OBJECT, .fields = lifecycle_policy }
};
static const struct api_field put_lifecycle[] = {
	FS_ID(true, API_PATH),
	{ "LifecyclePolicies", API_LIST, true, .max = 3,
	  .fields = lifecycle_list },
	{},
};
static const struct api_field backup_policy[] = {
	{ "Status", API_STRING, true,
	  .values = "ENABLED|ENABLING|DISABLED|DISABLING" },
	{},
};
static const struct api_field put_backup_policy[] = {
	FS_ID(true, API_PATH),
	{ "BackupPolicy", API_OBJECT, true, .fields = backup_policy },
	{},
};
static const struct api_field put_file_system_policy[] = {
	FS_ID(true, API_PATH),
	{ "Policy", API_STRING, true, .min = 1, .max = 20000 },
	{ "BypassPolicyLockoutSafetyCheck", API_BOOLEAN },
	{},
};

static const struct api_field destination[] = {
	{ "Region", API_STRING, .min = 1, .max = 64, .pattern = &region },
	{ "AvailabilityZoneName", API_STRING, .min = 1, .max = 64 },
	{ "KmsKeyId", API_STRING, .max = 2048, .pattern = &kms_key },
	{ "FileSystemId", API_STRING, .min = 1, .max = 128 },
	{},
};
static const struct api_field destination_list[] = {
	{ "Destination", API_OBJECT, .fields = destination }
};
static const struct api_field create_replication[] = {
	SOURCE_ID,
	{ "Destinations", API_LIST, true, .min = 1, .max = 1,
	  .fields = destination_list },
	{},
};
static const struct api_field describe_replications[] = {
	FS_ID(false, API_QUERY),
	COUNT("MaxResults"),
	MARKER("NextToken"),
	{},
};

static const struct api_field put_preferences[] = {
	{ "ResourceIdType", API_STRING, true, .values = "LONG_ID|SHORT_ID" },
	{},
};

static const struct api_field describe_preferences[] = {
	{ "NextToken", API_STRING, .min = 1, .max = 128 },
	{ "MaxResults", API_INTEGER, .min = 1, .max = 2147483647 },
	{},
};

static const struct api_field create_tags[] = { FS_ID(true, API_PATH),
						TAGS(true),
						{} };
static const struct api_field delete_tags[] = { FS_ID(true, API_PATH),
						TAG_KEYS(API_BODY),
						{} };
static const struct api_field describe_tags[] = {
	FS_ID(true, API_PATH), COUNT("MaxItems"), MARKER("Marker"), {}
};
static const struct api_field tag_resource[] = { RESOURCE_ID, TAGS(true), {} };
static const struct api_field untag_resource[] = { RESOURCE_ID,
						   TAG_KEYS(API_QUERY),
						   {} };
static const struct api_field list_tags[] = {
	RESOURCE_ID, COUNT("MaxResults"), MARKER("NextToken"), {}
};

/* ---------------------------------------------------------- the operations */

#define FS	    ROOT "/file-systems"
#define THE_FS	    FS "/{FileSystemId}"
#define MT	    ROOT "/mount-targets"
#define THE_MT	    MT "/{MountTargetId}"
#define AP	    ROOT "/access-points"
#define REPLICATION FS "/{SourceFileSystemId}/replication-configuration"

static const struct api_operation operations[] = {
	{ "CreateAccessPoint", efs_create_access_point, create_access_point,
	  "POST", AP, 200 },
	{ "CreateFileSystem", efs_create_file_system, create_file_system,
	  "POST", FS, 201 },
	{ "CreateMountTarget", efs_create_mount_target, create_mount_target,
	  "POST", MT, 200 },
	{ "CreateReplicationConfiguration",
	  efs_create_replication_configuration, create_replication, "POST",
	  REPLICATION, 200 },
	{ "CreateTags", efs_create_tags, create_tags, "POST",
	  ROOT "/create-tags/{FileSystemId}", 204 },
	{ "DeleteAccessPoint", efs_delete_access_point, point_in_path, "DELETE",
	  AP "/{AccessPointId}", 204 },
	{ "DeleteFileSystem", efs_delete_file_system, fs_in_path, "DELETE",
	  THE_FS, 204 },
	{ "DeleteFileSystemPolicy", efs_delete_file_system_policy, fs_in_path,
	  "DELETE", THE_FS "/policy", 200 },
	{ "DeleteMountTarget", efs_delete_mount_target, target_in_path,
	  "DELETE", THE_MT, 204 },
	{ "DeleteReplicationConfiguration",
	  efs_delete_replication_configuration, source_in_path, "DELETE",
	  REPLICATION, 204 },
	{ "DeleteTags", efs_delete_tags, delete_tags, "POST",
	  ROOT "/delete-tags/{FileSystemId}", 204 },
	{ "DescribeAccessPoints", efs_describe_access_points,
	  describe_access_points, "GET", AP, 200 },
	{ "DescribeAccountPreferences", efs_describe_account_preferences,
	  describe_preferences, "GET", ROOT "/account-preferences", 200 },
	{ "DescribeBackupPolicy", efs_describe_backup_policy, fs_in_path, "GET",
	  THE_FS "/backup-policy", 200 },
	{ "DescribeFileSystemPolicy", efs_describe_file_system_policy,
	  fs_in_path, "GET", THE_FS "/policy", 200 },
	{ "DescribeFileSystems", efs_describe_file_systems,
	  describe_file_systems, "GET", FS, 200 },
	{ "DescribeLifecycleConfiguration",
	  efs_describe_lifecycle_configuration, fs_in_path, "GET",
	  THE_FS "/lifecycle-configuration", 200 },
	{ "DescribeMountTargetSecurityGroups",
	  efs_describe_mount_target_security_groups, target_in_path, "GET",
	  THE_MT "/security-groups", 200 },
	{ "DescribeMountTargets", efs_describe_mount_targets,
	  describe_mount_targets, "GET", MT, 200 },
	{ "DescribeReplicationConfigurations",
	  efs_describe_replication_configurations, describe_replications, "GET",
	  FS "/replication-configurations", 200 },
	{ "DescribeTags", efs_describe_tags, describe_tags, "GET",
	  ROOT "/tags/{FileSystemId}/", 200 },
	{ "ListTagsForResource", efs_list_tags_for_resource, list_tags, "GET",
	  ROOT "/resource-tags/{ResourceId}", 200 },
	{ "ModifyMountTargetSecurityGroups",
	  efs_modify_mount_target_security_groups, modify_groups, "PUT",
	  THE_MT "/security-groups", 204 },
	{ "PutAccountPreferences", efs_put_account_preferences, put_preferences,
	  "PUT", ROOT "/account-preferences", 200 },
	{ "PutBackupPolicy", efs_put_backup_policy, put_backup_policy, "PUT",
	  THE_FS "/backup-policy", 200 },
	{ "PutFileSystemPolicy", efs_put_file_system_policy,
	  put_file_system_policy, "PUT", THE_FS "/policy", 200 },
	{ "PutLifecycleConfiguration", efs_put_lifecycle_configuration,
	  put_lifecycle, "PUT", THE_FS "/lifecycle-configuration", 200 },
	{ "TagResource", efs_tag_resource, tag_resource, "POST",
	  ROOT "/resource-tags/{ResourceId}", 200 },
	{ "UntagResource", efs_untag_resource, untag_resource, "DELETE",
	  ROOT "/resource-tags/{ResourceId}", 200 },
	{ "UpdateFileSystem", efs_update_file_system, update_file_system, "PUT",
	  THE_FS, 202 },
	{ "UpdateFileSystemProtection", efs_update_file_system_protection,
	  update_protection, "PUT", THE_FS "/protection", 200 },
	{},
};

static const struct api_error errors[] = {
	{ "AccessPointAlreadyExists", 409 },
	{ "AccessPointLimitExceeded", 403 },
	{ "AccessPointNotFound", 404 },
	{ "ConflictException", 409 },
	{ "FileSystemAlreadyExists", 409 },
	{ "FileSystemInUse", 409 },
	{ "FileSystemLimitExceeded", 403 },
	{ "FileSystemNotFound", 404 },
	{ "IncorrectFileSystemLifeCycleState", 409 },
	{ "IncorrectMountTargetState", 409 },
	{ "IpAddressInUse", 409 },
	{ "MountTargetConflict", 409 },
	{ "MountTargetNotFound", 404 },
	{ "NetworkInterfaceLimitExceeded", 409 },
	{ "NoFreeAddressesInSubnet", 409 },
	{ "PolicyNotFound", 404 },
	{ "ReplicationAlreadyExists", 409 },
	{ "ReplicationNotFound", 404 },
	{},
};

const struct api_service api_efs = {
	.name = "elasticfilesystem",
	.protocol = &api_rest_json,
	.operations = operations,
	.errors = errors,
};
