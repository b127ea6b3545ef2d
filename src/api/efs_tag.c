/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tags, by the old operations (of file systems) and the new ones (of whatever
 * an id or ARN names).  All are an array in the resource's attributes; setting
 * one that is there replaces its value.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/efs.h"
#include "base/util.h"

static const char *key_of(const json_t *tag)
{
	return json_string_value(json_object_get(tag, "Key"));
}

static size_t find(const json_t *tags, const char *key)
{
	size_t i;

	for (i = 0; i < json_array_size(tags); i++)
		if (strcmp(key_of(json_array_get(tags, i)), key) == 0)
			break;
	return i;
}

/* Tags that mean something here have to be understood. */
static int check_own(struct api_call *call, const json_t *tag)
{
	const char *key = key_of(tag);
	const char *value = json_string_value(json_object_get(tag, "Value"));
	size_t len = strlen(value);

	if (strncmp(key, "hawser:", 7) != 0)
		return 0;
	/* What hawser apply knows its own by. */
	if (is_one_of(key, "hawser:stack|hawser:stack-protected"))
		return 0;
	if (strcmp(key, CONTROL_QUOTA_BYTES) != 0 &&
	    strcmp(key, CONTROL_QUOTA_FILES) != 0)
		return api_refuse(call, "BadRequest",
				  "Tag key '%s': of those that begin with "
				  "hawser: there are " CONTROL_QUOTA_BYTES
				  " and " CONTROL_QUOTA_FILES ".",
				  key);
	if (len == 0 || len > 18 || strspn(value, "0123456789") != len)
		return api_refuse(call, "BadRequest",
				  "Tag key '%s': the value is a number, not "
				  "'%s'.",
				  key, value);
	return 0;
}

int efs_check_tags(struct api_call *call, const json_t *tags)
{
	int r;

	if (json_array_size(tags) > CONTROL_TAGS_MAX)
		return api_refuse(call, "BadRequest",
				  "A resource has up to %d tags.",
				  CONTROL_TAGS_MAX);
	for (size_t i = 0; i < json_array_size(tags); i++) {
		const char *key = key_of(json_array_get(tags, i));

		if (strncasecmp(key, "aws:", 4) == 0)
			return api_refuse(call, "BadRequest",
					  "Tag key '%s': keys that begin with "
					  "aws: are reserved.",
					  key);
		if (find(tags, key) != i)
			return api_refuse(call, "BadRequest",
					  "Tag key '%s' is given twice.", key);
		r = check_own(call, json_array_get(tags, i));
		if (r < 0)
			return r;
	}
	return 0;
}

/* -------------------------------------------------------------- changes */

static json_t *tags_of(json_t *attributes)
{
	json_t *tags = json_object_get(attributes, "Tags");

	if (tags == NULL) {
		tags = json_array();
		json_object_set_new(attributes, "Tags", tags);
	}
	return tags;
}

static int add_tags(void *arg, json_t *attributes, struct control_error *err)
{
	json_t *tags = tags_of(attributes);
	struct api_call *call = arg;
	json_t *tag;
	size_t i;

	json_array_foreach(api_value(call, "Tags"), i, tag)
	{
		size_t at = find(tags, key_of(tag));

		if (at < json_array_size(tags))
			json_array_set(tags, at, tag);
		else
			json_array_append(tags, tag);
	}
	return efs_check_tags(call, tags);
}

static int remove_tags(void *arg, json_t *attributes, struct control_error *err)
{
	json_t *tags = tags_of(attributes), *key;
	size_t i;

	json_array_foreach(api_value(arg, "TagKeys"), i, key)
		json_array_remove(tags, find(tags, json_string_value(key)));
	return 0;
}

static bool is_point(const char *id)
{
	return strncmp(id, "fsap-", 5) == 0;
}

static int change(struct api_call *call, const char *id, control_change_fn *fn)
{
	struct control_access_point p;
	struct control_fs fs;

	if (is_point(id))
		return control_access_point_change(efs_control(call), id, fn,
						   call, &p, &call->error);
	return control_fs_change(efs_control(call), id, fn, call, &fs,
				 &call->error);
}

int efs_tag_resource(struct api_call *call)
{
	int r = efs_check_tags(call, api_value(call, "Tags"));

	return r < 0 ? r
		     : change(call, efs_id(api_string(call, "ResourceId")),
			      add_tags);
}

int efs_create_tags(struct api_call *call)
{
	int r = efs_check_tags(call, api_value(call, "Tags"));

	return r < 0 ? r : change(call, efs_file_system_id(call), add_tags);
}

int efs_untag_resource(struct api_call *call)
{
	return change(call, efs_id(api_string(call, "ResourceId")),
		      remove_tags);
}

int efs_delete_tags(struct api_call *call)
{
	return change(call, efs_file_system_id(call), remove_tags);
}

/* ----------------------------------------------------------------- lists */

static int tags_to_list(struct api_call *call, const char *id,
			const json_t **tags)
{
	struct control_access_point p;
	struct control_fs fs;
	int r;

	if (is_point(id)) {
		r = control_access_point_find(efs_control(call), id, &p,
					      &call->error);
		if (r == 0)
			*tags = json_object_get(p.attributes, "Tags");
		return r;
	}
	r = efs_find_fs(call, id, &fs);
	if (r == 0)
		*tags = json_object_get(fs.attributes, "Tags");
	return r;
}

/* A page of them: tags keep their order, and the marker is an index. */
static int list_tags(struct api_call *call, const char *id, const char *limit,
		     const char *marker, const char *next)
{
	const char *text = api_string(call, marker);
	size_t max = api_integer(call, limit, EFS_PAGE_DEFAULT);
	const json_t *tags = NULL;
	unsigned at = 0;
	int end = -1, r;
	json_t *out;

	if (text != NULL &&
	    (sscanf(text, "t%u%n", &at, &end) != 1 || text[end] != '\0'))
		return api_refuse(call, "BadRequest",
				  "'%.64s' is not a %s that was given out.",
				  text, marker);
	r = tags_to_list(call, id, &tags);
	if (r < 0)
		return r;
	out = json_array();
	for (; at < json_array_size(tags) && json_array_size(out) < max; at++)
		json_array_append(out, json_array_get(tags, at));
	call->output = json_pack("{s:o}", "Tags", out);
	if (at < json_array_size(tags))
		json_object_set_new(call->output, next,
				    json_sprintf("t%u", at));
	return 0;
}

int efs_list_tags_for_resource(struct api_call *call)
{
	return list_tags(call, efs_id(api_string(call, "ResourceId")),
			 "MaxResults", "NextToken", "NextToken");
}

int efs_describe_tags(struct api_call *call)
{
	int r = list_tags(call, efs_file_system_id(call), "MaxItems", "Marker",
			  "NextMarker");

	if (r == 0 && api_value(call, "Marker") != NULL)
		json_object_set(call->output, "Marker",
				api_value(call, "Marker"));
	return r;
}
