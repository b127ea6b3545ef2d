/* SPDX-License-Identifier: Apache-2.0 */
/* JSON 1.1 and 1.0: the header X-Amz-Target names the operation, the body is
 * its input. */
#include <errno.h>
#include <string.h>

#include "api/protocol.h"

static const struct api_operation *find_operation(const struct api_call *call)
{
	const char *target = api_header(call, "X-Amz-Target");
	size_t len = strlen(call->service->target);
	const struct api_operation *o;

	if (target == NULL || strncmp(target, call->service->target, len) != 0)
		return NULL;
	for (o = call->service->operations; o->name; o++)
		if (strcmp(o->name, target + len) == 0)
			return o;
	return NULL;
}

static int parse(struct api_call *call)
{
	call->operation = find_operation(call);
	if (call->operation == NULL)
		return api_refuse(call, "UnknownOperationException",
				  "X-Amz-Target names no operation of this "
				  "service.");
	call->input = api_parse_body(call);
	return call->input ? 0 : -EINVAL;
}

static char *result(const struct api_call *call)
{
	if (call->output == NULL)
		return strdup("{}");
	return json_dumps(call->output, JSON_COMPACT | JSON_REAL_PRECISION(15));
}

static char *error(const struct api_call *call)
{
	json_t *body = json_pack("{s:s, s:s}", "__type", call->error.code,
				 "message", call->error.text);
	char *text = json_dumps(body, JSON_COMPACT);

	json_decref(body);
	return text;
}

static const struct api_auth_error auth_errors[] = {
	[SIGV4_UNSIGNED] = { "MissingAuthenticationTokenException", 400 },
	[SIGV4_INCOMPLETE] = { "IncompleteSignatureException", 400 },
	[SIGV4_UNKNOWN_KEY] = { "UnrecognizedClientException", 400 },
	[SIGV4_EXPIRED] = { "InvalidSignatureException", 400 },
	[SIGV4_MISMATCH] = { "InvalidSignatureException", 400 },
};

const struct api_protocol api_json = {
	.content_type = "application/x-amz-json-1.1",
	.auth_errors = auth_errors,
	.denied = "AccessDeniedException",
	.invalid = "ValidationException",
	.parse = parse,
	.result = result,
	.error = error,
};

/* Of a service that was one of the query protocol: with its codes. */
const struct api_protocol api_json_10 = {
	.content_type = "application/x-amz-json-1.0",
	.auth_errors = auth_errors,
	.invalid = "ValidationError",
	.denied = "AccessDenied",
	.parse = parse,
	.result = result,
	.error = error,
};
