/* SPDX-License-Identifier: Apache-2.0 */
#include "api/protocol.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json_scan.h"
#include "base/utf8.h"
#include "base/util.h"

extern const struct api_service api_cw, api_ec2, api_efs, api_kms, api_sts;

/* A new service is a row. */
static const struct api_service *const services[] = {
	&api_efs, &api_cw, &api_ec2, &api_kms, &api_sts,
};

const struct api_service *api_service_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(services); i++)
		if (strcmp(services[i]->name, name) == 0)
			return services[i];
	return NULL;
}

int api_refuse(struct api_call *call, const char *code, const char *format, ...)
{
	va_list args;

	call->error.code = code;
	call->error.resource[0] = '\0';
	va_start(args, format);
	vsnprintf(call->error.text, sizeof(call->error.text), format, args);
	va_end(args);
	return -EINVAL;
}

/* The depth is looked at first: parsers recurse. */
json_t *api_parse_body(struct api_call *call)
{
	struct json_scan scan = {};
	json_t *body = NULL;
	ssize_t n;

	if (call->body_len == 0)
		return json_object();
	n = json_scan(&scan, call->body, call->body_len);
	if (n > 0)
		body = json_loadb(call->body, call->body_len,
				  JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(body))
		return body;
	json_decref(body);
	api_refuse(call, "SerializationException",
		   n == -E2BIG ? "The JSON is deeper than %d levels."
			       : "The body is not a JSON object.",
		   JSON_DEPTH_MAX);
	return NULL;
}

int api_parse(struct api_call *call)
{
	int r = call->service->protocol->parse(call);

	return r < 0 ? r
		     : api_check_fields(call, call->operation->fields,
					call->input);
}

/* Of those that every service may answer with. */
static const struct api_error common_errors[] = {
	{ "AccessDenied", 403 },
	{ "AccessDeniedException", 403 },
	{ "UnauthorizedOperation", 403 },
	{ "InternalServerError", 500 },
	{ "RequestEntityTooLarge", 413 },
	{ "ServiceUnavailable", 503 },
	{ "UnknownOperationException", 404 },
	{},
};

static unsigned find_status(const struct api_error *errors, const char *code)
{
	for (; errors && errors->code; errors++)
		if (strcmp(errors->code, code) == 0)
			return errors->status;
	return 0;
}

static unsigned error_status(const struct api_call *call)
{
	unsigned status = call->status;

	if (status == 0)
		status = find_status(call->service->errors, call->error.code);
	if (status == 0)
		status = find_status(common_errors, call->error.code);
	return status ? status : 400;
}

unsigned api_reply(struct api_call *call, char **body)
{
	const struct api_protocol *p = call->service->protocol;

	if (call->error.code != NULL) {
		/* It quotes what was sent, and may have cut it. */
		utf8_repair(call->error.text);
		*body = p->error(call);
		return error_status(call);
	}
	*body = p->result(call);
	return call->operation->status ? call->operation->status : 200;
}

char *api_text_result(const struct api_call *call)
{
	return strdup(json_string_value(call->output));
}

char *api_text_error(const struct api_call *call)
{
	char text[sizeof(call->error.text) + 2];

	snprintf(text, sizeof(text), "%s\n", call->error.text);
	return strdup(text);
}
