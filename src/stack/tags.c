/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tags.  A thing has exactly those that are declared: others are taken away,
 * but for AWS's own (aws:…).
 */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "stack/input.h"
#include "stack/internal.h"

json_t *tags_declare(const struct stack *s, const char *name)
{
	json_t *tags = json_object();

	json_object_set_new(tags, "Name",
			    json_sprintf("%s-%s", s->prefix, name));
	json_object_set(tags, "Project",
			json_object_get(s->inputs, "project_name"));
	json_object_set(tags, "Environment",
			json_object_get(s->inputs, "environment"));
	json_object_update(tags, json_object_get(s->inputs, "tags"));
	json_object_set_new(tags, STACK_TAG, json_string(s->name));
	return tags;
}

json_t *tags_read(const json_t *list)
{
	json_t *tags = json_object();

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *tag = json_array_get(list, i);
		const char *key = stack_text(tag, "Key");
		const char *value = stack_text(tag, "Value");

		if (key[0] == '\0') {
			key = stack_text(tag, "key");
			value = stack_text(tag, "value");
		}
		if (strncmp(key, "aws:", 4) != 0)
			json_object_set_new(tags, key, json_string(value));
	}
	return tags;
}

json_t *tags_write(const json_t *tags)
{
	json_t *list = json_array(), *value;
	const char *key;

	json_object_foreach((json_t *)tags, key, value) json_array_append_new(
		list, json_pack("{s:s, s:O}", "Key", key, "Value", value));
	return list;
}

void tags_add(json_t *parameters, const char *prefix, const json_t *tags)
{
	const char *key;
	json_t *value;
	char name[64];
	int n = 0;

	json_object_foreach((json_t *)tags, key, value)
	{
		snprintf(name, sizeof(name), "%s.%d.Key", prefix, ++n);
		json_object_set_new(parameters, name, json_string(key));
		snprintf(name, sizeof(name), "%s.%d.Value", prefix, n);
		json_object_set(parameters, name, value);
	}
}

json_t *tags_minus(const json_t *tags, const json_t *others)
{
	json_t *left = json_object(), *value;
	const char *key;

	json_object_foreach(
		(json_t *)tags, key,
		value) if (!json_equal(value, json_object_get(others, key)))
		json_object_set(left, key, value);
	return left;
}

static int untag(struct stack *s, const char *id, const char *key)
{
	auto_free char *escaped = stack_escape(key);
	auto_free char *path = NULL;

	if (asprintf(&path, "/2015-02-01/resource-tags/%s?tagKeys=%s", id,
		     escaped) < 0)
		abort();
	return stack_rest(s, "DELETE", path, NULL, NULL);
}

int tags_set(struct stack *s, const struct resource *is,
	     const struct resource *wanted)
{
	const json_t *before = json_object_get(is->attributes, "tags");
	const json_t *after = json_object_get(wanted->attributes, "tags");
	json_t *more = tags_minus(after, before), *value;
	const char *key;
	char path[128];
	int error = 0;

	snprintf(path, sizeof(path), "/2015-02-01/resource-tags/%s", is->id);
	if (json_object_size(more) > 0)
		error = stack_rest(s, "POST", path,
			json_pack("{s:o}", "Tags", tags_write(more)), NULL);
	json_decref(more);
	json_object_foreach((json_t *)before, key, value)
	{
		if (error == 0 && json_object_get(after, key) == NULL)
			error = untag(s, is->id, key);
	}
	return error;
}
