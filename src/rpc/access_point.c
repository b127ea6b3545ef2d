/* SPDX-License-Identifier: Apache-2.0 */
/* Access points: where they lead, and how much is there. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/internal.h"

/* How many control/ is asked for at a time. */
enum { PAGE = 256 };

static const char *text_in(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static const char *name_of(const json_t *attributes)
{
	const json_t *tags = json_object_get(attributes, "Tags");

	for (size_t i = 0; i < json_array_size(tags); i++)
		if (strcmp(text_in(json_array_get(tags, i), "Key"), "Name") ==
		    0)
			return text_in(json_array_get(tags, i), "Value");
	return "";
}

static json_t *describe(struct rpc_call *call,
			const struct control_access_point *p)
{
	const json_t *root = json_object_get(p->attributes, "RootDirectory");
	struct control_usage u;
	json_t *out = json_pack("{s:s, s:s, s:s, s:s, s:o}", "id", p->id, "fs",
				p->fs, "name", name_of(p->attributes), "path",
				text_in(root, "Path"), "created",
				rpc_describe_time(p->created));

	if (control_access_point_usage(call->env->control, p->id, &u) < 0)
		return out;
	json_object_update_new(out,
			       json_pack("{s:I, s:I, s:I, s:I, s:b}",
					 "quota_bytes", (json_int_t)u.max_bytes,
					 "quota_files", (json_int_t)u.max_files,
					 "used_bytes", (json_int_t)u.used_bytes,
					 "used_files", (json_int_t)u.used_files,
					 "counting", (int)u.counting));
	return out;
}

static int get_one(struct rpc_call *call, const char *id)
{
	struct control_access_point p;
	int r = control_access_point_find(call->env->control, id, &p,
					  &call->error);

	if (r == 0)
		json_array_append_new(call->result, describe(call, &p));
	return r;
}

static int get_all(struct rpc_call *call, const char *fs)
{
	struct control_access_point *page = calloc(PAGE, sizeof(*page));
	nsec after = -1;
	int n;

	if (page == NULL)
		return rpc_refuse(call, RPC_INTERNAL_ERROR, "Out of memory.");
	do {
		n = control_access_point_list(call->env->control, fs, after,
					      page, PAGE, &call->error);
		for (int i = 0; i < n; i++)
			json_array_append_new(call->result,
					      describe(call, &page[i]));
		if (n > 0)
			after = page[n - 1].created;
	} while (n == PAGE);
	free(page);
	return n < 0 ? n : 0;
}

json_t *rpc_points(struct rpc_call *call, int max)
{
	struct control_access_point *list = calloc(max, sizeof(*list));
	json_t *out = json_array();
	int n = 0;

	if (list != NULL)
		n = control_access_point_list(call->env->control, NULL, -1,
					      list, max, &call->error);
	for (int i = 0; i < n; i++)
		json_array_append_new(out, describe(call, &list[i]));
	free(list);
	return out;
}

static int access_point_get(struct rpc_call *call)
{
	const char *id = rpc_string(call, "id");

	call->result = json_array();
	return id ? get_one(call, id) : get_all(call, rpc_string(call, "fs"));
}

static const struct rpc_param access_point_get_params[] = {
	{ "id", RPC_STRING, RPC_OPTIONAL, "only this one" },
	{ "fs", RPC_STRING, RPC_OPTIONAL, "only those of this file system" },
	{},
};

const struct rpc_method rpc_access_point_methods[] = {
	{ "access_point_get", access_point_get,
	  "Lists the access points. Of those with a quota it says what is "
	  "below their root directory: used_bytes, used_files; counting: what "
	  "was there before is still being counted.",
	  access_point_get_params },
	{},
};
