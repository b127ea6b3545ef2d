/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes: JSON that control keeps for its faces, and a little of which it
 * reads.  What is in force never changes: a change makes another object. */
#include <errno.h>
#include <string.h>

#include "control/internal.h"

const char *attribute(const json_t *attributes, const char *name)
{
	const char *text = json_string_value(json_object_get(attributes, name));

	return text ? text : "";
}

const char *attribute_tag(const json_t *attributes, const char *key)
{
	const json_t *tags = json_object_get(attributes, "Tags");

	for (size_t i = 0; i < json_array_size(tags); i++) {
		const json_t *tag = json_array_get(tags, i);

		if (strcmp(attribute(tag, "Key"), key) == 0)
			return attribute(tag, "Value");
	}
	return NULL;
}

int attributes_change(const json_t *attributes, control_change_fn *fn,
		      void *arg, json_t **changed, struct control_error *err)
{
	json_t *copy = json_deep_copy(attributes);
	int r;

	if (copy == NULL)
		return refuse(err, -ENOMEM, "InternalServerError",
			      "Out of memory.");
	r = fn(arg, copy, err);
	if (r < 0)
		json_decref(copy);
	else
		*changed = copy;
	return r;
}
