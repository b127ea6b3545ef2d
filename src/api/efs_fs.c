/* SPDX-License-Identifier: Apache-2.0 */
#include "api/efs.h"

static json_t *describe(const struct api_call *call,
			const struct control_fs *fs)
{
	return json_pack("{s:s, s:s, s:o, s:s, s:i, s:{s:I}}", "OwnerId",
			 api_account(call), "FileSystemId", fs->id,
			 "CreationTime", efs_time(fs->created),
			 "LifeCycleState", control_state_name(fs->state),
			 "NumberOfMountTargets", (int)fs->mount_targets,
			 "SizeInBytes", "Value", (json_int_t)fs->used_bytes);
}

int efs_describe_file_systems(struct api_call *call)
{
	const char *id = efs_id(api_string(call, "FileSystemId"));
	struct control_fs *list;
	struct efs_page page;
	json_t *out;
	int n = efs_page_begin(call, "MaxItems", "Marker", &page);

	if (n == 0)
		n = control_fs_list(call->server->options.control, id, &list,
				    &call->error);
	if (n < 0)
		return n;
	out = json_array();
	for (int i = 0; i < n; i++)
		if (efs_page_take(&page, list[i].created))
			json_array_append_new(out, describe(call, &list[i]));
	free(list);
	call->output = json_pack("{s:o}", "FileSystems", out);
	efs_page_end(call, "NextMarker", &page);
	return 0;
}

int efs_delete_file_system(struct api_call *call)
{
	return control_fs_delete(call->server->options.control,
				 efs_id(api_string(call, "FileSystemId")),
				 &call->error);
}
