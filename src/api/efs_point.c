/* SPDX-License-Identifier: Apache-2.0 */
/* Access points: created, described, deleted. */
#include <errno.h>
#include <string.h>

#include "api/efs.h"

static const char *name_of(const json_t *tags)
{
	for (size_t i = 0; i < json_array_size(tags); i++) {
		const json_t *tag = json_array_get(tags, i);
		const char *key =
			json_string_value(json_object_get(tag, "Key"));

		if (strcmp(key, "Name") == 0)
			return json_string_value(json_object_get(tag, "Value"));
	}
	return NULL;
}

static json_t *describe(const struct api_call *call,
			const struct control_access_point *p)
{
	json_t *out = json_copy((json_t *)p->attributes);
	const char *name = name_of(json_object_get(out, "Tags"));

	json_object_del(out, "Region");
	json_object_set_new(out, "AccessPointId", json_string(p->id));
	json_object_set_new(out, "AccessPointArn",
			    efs_arn(call, "access-point", p->id));
	json_object_set_new(out, "FileSystemId", json_string(p->fs));
	json_object_set_new(out, "OwnerId", json_string(api_account(call)));
	json_object_set_new(out, "LifeCycleState", json_string("available"));
	if (name != NULL)
		json_object_set_new(out, "Name", json_string(name));
	return out;
}

int efs_create_access_point(struct api_call *call)
{
	static const char *const same[] = { "ClientToken", "Tags", "PosixUser",
					    "RootDirectory", NULL };
	json_t *attributes, *root;
	struct control_access_point p;
	int r = efs_check_tags(call, api_value(call, "Tags"));

	if (r < 0)
		return r;
	attributes = json_pack("{s:[], s:{s:s}}", "Tags", "RootDirectory",
			       "Path", "/");
	efs_copy(call->input, attributes, same);
	/* By that ARN policies know it. */
	json_object_set_new(attributes, "Region",
			    json_string(api_region(call)));
	root = json_object_get(attributes, "RootDirectory");
	if (json_object_get(root, "Path") == NULL)
		json_object_set_new(root, "Path", json_string("/"));
	r = control_access_point_create(efs_control(call),
					efs_file_system_id(call), attributes,
					&p, &call->error);
	json_decref(attributes);
	if (r == 0)
		call->output = describe(call, &p);
	return r;
}

int efs_delete_access_point(struct api_call *call)
{
	return control_access_point_delete(
		efs_control(call), efs_id(api_string(call, "AccessPointId")),
		&call->error);
}

static int describe_one(struct api_call *call, const char *id)
{
	struct control_access_point p;
	int r = control_access_point_find(efs_control(call), id, &p,
					  &call->error);

	if (r == 0)
		call->output = json_pack("{s:[o]}", "AccessPoints",
					 describe(call, &p));
	return r;
}

static int describe_page(struct api_call *call, const char *fs,
			 struct efs_page *page)
{
	struct control_access_point *list =
		calloc(page->size + 1, sizeof(*list));
	json_t *out;
	int n;

	if (list == NULL)
		return api_refuse(call, "InternalServerError",
				  "Out of memory.");
	n = control_access_point_list(efs_control(call), fs, page->after, list,
				      page->size + 1, &call->error);
	out = json_array();
	for (int i = 0; i < n; i++)
		if (efs_page_take(page, list[i].created))
			json_array_append_new(out, describe(call, &list[i]));
	free(list);
	call->output = json_pack("{s:o}", "AccessPoints", out);
	efs_page_end(call, "NextToken", page);
	return n < 0 ? n : 0;
}

int efs_describe_access_points(struct api_call *call)
{
	const char *id = efs_id(api_string(call, "AccessPointId"));
	const char *fs = efs_file_system_id(call);
	struct efs_page page;
	int r;

	if (id != NULL && fs != NULL)
		return api_refuse(call, "BadRequest",
				  "Either FileSystemId or AccessPointId may be "
				  "given, not both.");
	if (id != NULL)
		return describe_one(call, id);
	r = efs_page_begin(call, "MaxResults", "NextToken", &page);
	return r < 0 ? r : describe_page(call, fs, &page);
}
