/* SPDX-License-Identifier: Apache-2.0 */
#include "api/efs.h"

#include "api/protocol.h"

#define ROOT "/2015-02-01"

static struct api_pattern fs_id = {
	.text = "^(arn:aws[-a-z]*:elasticfilesystem:[-0-9a-z:]+:file-system/)?"
		"fs-[0-9a-f]{8,40}$",
};

static const struct api_field describe_file_systems[] = {
	{ "MaxItems", API_INTEGER, .min = 1, .max = 2147483647,
	  .place = API_QUERY },
	{ "Marker", API_STRING, .min = 1, .max = 128, .place = API_QUERY },
	{ "CreationToken", API_STRING, .min = 1, .max = 64,
	  .place = API_QUERY },
	{ "FileSystemId", API_STRING, .max = 128, .pattern = &fs_id,
	  .place = API_QUERY },
	{},
};

static const struct api_field only_file_system[] = {
	{ "FileSystemId", API_STRING, true, .max = 128, .pattern = &fs_id,
	  .place = API_PATH },
	{},
};

static const struct api_operation operations[] = {
	{ "DeleteFileSystem", efs_delete_file_system, only_file_system,
	  "DELETE", ROOT "/file-systems/{FileSystemId}", 204 },
	{ "DescribeFileSystems", efs_describe_file_systems,
	  describe_file_systems, "GET", ROOT "/file-systems", 200 },
	{},
};

static const struct api_error errors[] = {
	{ "FileSystemInUse", 409 },
	{ "FileSystemNotFound", 404 },
	{ "IncorrectFileSystemLifeCycleState", 409 },
	{},
};

const struct api_service api_efs = {
	.name = "elasticfilesystem",
	.protocol = &api_rest_json,
	.operations = operations,
	.errors = errors,
};
