/* SPDX-License-Identifier: Apache-2.0 */
/* How calls and answers are written: REST-JSON, JSON, and EC2's query. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "stack/remote_internal.h"

static int garbled(struct remote *a)
{
	a->error.code[0] = '\0';
	snprintf(a->error.text, sizeof(a->error.text),
		 "%s: the answer is not understood", a->endpoint);
	return -EPROTO;
}

/* A call whose body and answer are JSON. */
static int call_json(struct remote *a, struct request *r, json_t *body,
		     json_t **out)
{
	auto_free char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct answer answer = {};
	json_t *value = NULL;
	int error;

	json_decref(body);
	r->body = text;
	error = remote_call(a, r, &answer);
	if (error == 0 && answer.len > 0) {
		value = json_loadb(answer.text, answer.len, 0, NULL);
		if (value == NULL)
			error = garbled(a);
	}
	free(answer.text);
	if (out != NULL)
		*out = value;
	else
		json_decref(value);
	return error;
}

int remote_rest(struct remote *a, const char *method, const char *path,
		json_t *body, json_t **out)
{
	struct request r = {
		.service = "elasticfilesystem",
		.method = method,
		.path = path,
		.content_type = "application/json",
	};

	return call_json(a, &r, body, out);
}

int remote_json(struct remote *a, const char *service, const char *version,
		const char *target, json_t *body, json_t **out)
{
	char type[64];
	struct request r = {
		.service = service,
		.method = "POST",
		.path = "/",
		.content_type = type,
		.target = target,
	};

	snprintf(type, sizeof(type), "application/x-amz-json-%s", version);
	return call_json(a, &r, body, out);
}

static char *make_form(struct remote *a, const char *action, json_t *parameters)
{
	const char *name;
	char *form = NULL, *escaped;
	json_t *value;
	size_t len;
	FILE *out = open_memstream(&form, &len);

	if (out == NULL)
		return NULL;
	fprintf(out, "Action=%s&Version=2016-11-15", action);
	json_object_foreach(parameters, name, value)
	{
		escaped = curl_easy_escape(a->curl, json_string_value(value),
					   (int)json_string_length(value));
		fprintf(out, "&%s=%s", name, escaped ? escaped : "");
		curl_free(escaped);
	}
	fclose(out);
	return form;
}

int remote_ec2(struct remote *a, const char *action, json_t *parameters,
	       json_t **out)
{
	auto_free char *form = make_form(a, action, parameters);
	struct request r = {
		.service = "ec2",
		.method = "POST",
		.path = "/",
		.content_type = "application/x-www-form-urlencoded",
		.body = form,
	};
	struct answer answer = {};
	json_t *value = NULL;
	int error;

	json_decref(parameters);
	error = remote_call(a, &r, &answer);
	if (error == 0) {
		value = remote_xml_parse(answer.text ?: "", answer.len);
		if (value == NULL)
			error = garbled(a);
	}
	free(answer.text);
	if (out != NULL)
		*out = value;
	else
		json_decref(value);
	return error;
}
