/* SPDX-License-Identifier: Apache-2.0 */
/* Tags of alarms, which nothing here goes by: Terraform's provider asks. */
#include <errno.h>
#include <string.h>

#include "api/cw.h"
#include "control/alarm.h"

static struct control *control(const struct api_call *call)
{
	return call->server->options.control;
}

/* The name in arn:…:alarm:NAME, if there is such an alarm; else refuses. */
static const char *find(struct api_call *call)
{
	const char *arn = api_string(call, "ResourceARN");
	const char *name = strstr(arn, ":alarm:");

	if (name != NULL &&
	    json_object_get(alarms(control(call)), name + 7) != NULL)
		return name + 7;
	api_refuse(call, "ResourceNotFoundException",
		   "There is no alarm with the ARN %.255s.", arn);
	return NULL;
}

static size_t find_tag(const json_t *tags, const json_t *key)
{
	size_t i;

	for (i = 0; i < json_array_size(tags); i++)
		if (json_equal(json_object_get(json_array_get(tags, i), "Key"),
			       (json_t *)key))
			break;
	return i;
}

/* What is given takes the place of what has its key. */
static int tag(void *arg, json_t *alarm, struct control_error *err)
{
	json_t *tags = json_object_get(alarm, "Tags"), *given;
	struct api_call *call = arg;
	size_t i, at;

	if (tags == NULL) {
		tags = json_array();
		json_object_set_new(alarm, "Tags", tags);
	}
	json_array_foreach(api_value(call, "Tags"), i, given)
	{
		at = find_tag(tags, json_object_get(given, "Key"));
		if (at < json_array_size(tags))
			json_array_set(tags, at, given);
		else
			json_array_append(tags, given);
	}
	if (json_array_size(tags) > CONTROL_TAGS_MAX)
		return api_refuse(call, "InvalidParameterValue",
				  "An alarm has up to %d tags.",
				  CONTROL_TAGS_MAX);
	return 0;
}

static int untag(void *arg, json_t *alarm, struct control_error *err)
{
	json_t *tags = json_object_get(alarm, "Tags"), *key;
	struct api_call *call = arg;
	size_t i;

	json_array_foreach(api_value(call, "TagKeys"), i, key)
		json_array_remove(tags, find_tag(tags, key));
	return 0;
}

static int change(struct api_call *call, control_change_fn *fn)
{
	const char *name = find(call);

	return name ? alarm_change(control(call), name, fn, call, &call->error)
		    : -ENOENT;
}

int cw_tag_resource(struct api_call *call)
{
	return change(call, tag);
}

int cw_untag_resource(struct api_call *call)
{
	return change(call, untag);
}

int cw_list_tags_for_resource(struct api_call *call)
{
	const char *name = find(call);
	json_t *tags;

	if (name == NULL)
		return -ENOENT;
	tags = json_object_get(json_object_get(alarms(control(call)), name),
			       "Tags");
	call->output = json_pack("{s:o}", "Tags",
				 tags ? json_incref(tags) : json_array());
	return 0;
}
