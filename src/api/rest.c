/* SPDX-License-Identifier: Apache-2.0 */
/*
 * REST-JSON: the method and the path name the operation; input comes in the
 * path, the query and a JSON body.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/protocol.h"
#include "base/util.h"

/* ------------------------------------------------------------- the path */

/* The next segment of a path, which is moved behind it; NULL: it ends.  A slash
 * at the end counts for nothing. */
static const char *segment(const char **path, size_t *len)
{
	const char *start = *path + (**path == '/');

	if (*start == '\0')
		return NULL;
	*len = strcspn(start, "/");
	*path = start + *len;
	return start;
}

static bool path_fits(const char *template, const char *path)
{
	size_t want_len, len;

	for (;;) {
		const char *want = segment(&template, &want_len);
		const char *is = segment(&path, &len);

		if (want == NULL || is == NULL)
			return want == is;
		if (*want != '{' &&
		    (want_len != len || memcmp(want, is, len) != 0))
			return false;
	}
}

static const struct api_field *find_field(const struct api_field *fields,
					  const char *name, size_t len)
{
	for (; fields->name; fields++)
		if (strlen(fields->name) == len &&
		    memcmp(fields->name, name, len) == 0)
			return fields;
	return NULL;
}

static int take(struct api_call *call, const struct api_field *f,
		const char *raw, size_t len)
{
	bool query = f->place == API_QUERY;
	auto_free char *text = strndup(raw, len);
	const struct api_field *one = f->type == API_LIST ? f->fields : f;
	json_t *value, *list;

	if (text == NULL)
		return api_refuse(call, "ServiceUnavailable", "Out of memory.");
	len = sigv4_unescape(text, query);
	value = api_field_parse(one, text, len);
	if (value == NULL)
		return api_refuse(call, "BadRequest",
				  "1 validation error detected: Value '%.64s' "
				  "at '%s' failed to satisfy constraint: "
				  "Member must be %s",
				  text, f->wire ? f->wire : f->name,
				  one->type == API_STRING ? "UTF-8"
							  : "a number");
	if (f->type != API_LIST) {
		json_object_set_new(call->input, f->name, value);
		return 0;
	}
	list = json_object_get(call->input, f->name);
	if (list == NULL) {
		list = json_array();
		json_object_set_new(call->input, f->name, list);
	}
	json_array_append_new(list, value);
	return 0;
}

static int take_path(struct api_call *call)
{
	const char *template = call->operation->path, *path = call->path;
	const char *want, *is;
	size_t want_len, len = 0;
	int r = 0;

	while (r == 0 && (want = segment(&template, &want_len)) != NULL) {
		is = segment(&path, &len);
		if (*want == '{')
			r = take(call,
				 find_field(call->operation->fields, want + 1,
					    want_len - 2),
				 is, len);
	}
	return r;
}

/* ------------------------------------------------------------ the query */

static const struct api_field *query_field(const struct api_field *fields,
					   const char *name, size_t len)
{
	for (; fields && fields->name; fields++) {
		const char *wire = fields->wire ? fields->wire : fields->name;

		if (fields->place == API_QUERY && strlen(wire) == len &&
		    memcmp(wire, name, len) == 0)
			return fields;
	}
	return NULL;
}

static int take_query(struct api_call *call)
{
	const struct api_field *f;
	size_t len, name_len;
	int r = 0;

	for (const char *p = call->query; *p && r == 0;
	     p += len + (p[len] == '&')) {
		len = strcspn(p, "&");
		name_len = MIN(strcspn(p, "="), len);
		f = query_field(call->operation->fields, p, name_len);
		if (f != NULL)
			r = take(call, f, p + name_len + (name_len < len),
				 len - name_len - (name_len < len));
	}
	return r;
}

/* -------------------------------------------------------------- the whole */

static const struct api_operation *find_operation(const struct api_call *call)
{
	const struct api_operation *o;

	for (o = call->service->operations; o->name; o++)
		if (strcmp(o->method, call->method) == 0 &&
		    path_fits(o->path, call->path))
			return o;
	return NULL;
}

static int parse(struct api_call *call)
{
	const struct api_field *f;
	int r;

	call->operation = find_operation(call);
	if (call->operation == NULL)
		return api_refuse(call, "UnknownOperationException",
				  "There is no operation %s %.128s.",
				  call->method, call->path);
	call->input = api_parse_body(call);
	if (call->input == NULL)
		return -EINVAL;
	for (f = call->operation->fields; f && f->name; f++)
		if (f->place != API_BODY)
			json_object_del(call->input, f->name);
	r = take_path(call);
	return r < 0 ? r : take_query(call);
}

static char *result(const struct api_call *call)
{
	if (call->output == NULL)
		return strdup("");
	return json_dumps(call->output, JSON_COMPACT | JSON_REAL_PRECISION(15));
}

/* EFS's body; the code that clients go by stands in a header, too. */
static char *error(const struct api_call *call)
{
	json_t *body = json_pack("{s:s, s:s, s:s}", "ErrorCode",
				 call->error.code, "Message", call->error.text,
				 "__type", call->error.code);
	char *text;

	if (call->error.resource[0])
		json_object_set_new(body, call->error.resource_is,
				    json_string(call->error.resource));
	text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	return text;
}

static const struct api_auth_error auth_errors[] = {
	[SIGV4_UNSIGNED] = { "MissingAuthenticationTokenException", 403 },
	[SIGV4_INCOMPLETE] = { "IncompleteSignatureException", 403 },
	[SIGV4_UNKNOWN_KEY] = { "UnrecognizedClientException", 403 },
	[SIGV4_EXPIRED] = { "InvalidSignatureException", 403 },
	[SIGV4_MISMATCH] = { "InvalidSignatureException", 403 },
};

const struct api_protocol api_rest_json = {
	.content_type = "application/json",
	.auth_errors = auth_errors,
	.denied = "AccessDeniedException",
	.invalid = "BadRequest",
	.parse = parse,
	.result = result,
	.error = error,
};
