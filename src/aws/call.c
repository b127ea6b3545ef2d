/* SPDX-License-Identifier: Apache-2.0 */
/* How calls are written: REST and AWS JSON, and the query protocol. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/internal.h"
#include "base/percent.h"
#include "base/util.h"

static int ask(struct aws_client *client, const struct request *request,
	       json_t **reply, struct aws_error *e)
{
	struct answer answer;
	int r = exchange(client, request, &answer, e);

	if (r < 0)
		return r;
	r = answer_read(&answer, reply, e);
	free(answer.text);
	return r;
}

static int ask_json(struct aws_client *client, struct request *request,
		    const json_t *body, json_t **reply, struct aws_error *e)
{
	auto_free char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	*reply = NULL;
	if (body != NULL && text == NULL)
		return aws_fail(e, -ENOMEM, "no memory");
	request->body = text;
	return ask(client, request, reply, e);
}

int aws_rest(struct aws_client *client, const char *service,
	     const char *method, const char *path, const json_t *body,
	     json_t **reply, struct aws_error *e)
{
	struct request request = {
		.service = service,
		.method = method,
		.path = path,
		.content_type = "application/json",
	};

	return ask_json(client, &request, body, reply, e);
}

int aws_json(struct aws_client *client, const char *service,
	     const char *version, const char *target, const json_t *body,
	     json_t **reply, struct aws_error *e)
{
	char type[64];
	struct request request = {
		.service = service,
		.method = "POST",
		.path = "/",
		.content_type = type,
		.target = target,
	};

	snprintf(type, sizeof(type), "application/x-amz-json-%s", version);
	return ask_json(client, &request, body, reply, e);
}

static void put_value(FILE *out, const char *text)
{
	char *encoded = malloc(3 * strlen(text) + 1);

	if (encoded == NULL)
		abort();
	percent_encode(encoded, text, strlen(text), "");
	fputs(encoded, out);
	free(encoded);
}

static char *make_form(const char *version, const char *action,
		       const json_t *parameters)
{
	char *form = NULL;
	const char *name;
	json_t *value;
	size_t len;
	FILE *out = open_memstream(&form, &len);

	if (out == NULL)
		return NULL;
	fprintf(out, "Action=%s&Version=%s", action, version);
	json_object_foreach((json_t *)parameters, name, value)
	{
		fprintf(out, "&%s=", name);
		put_value(out, json_string_value(value));
	}
	fclose(out);
	return form;
}

int aws_query(struct aws_client *client, const char *service,
	      const char *version, const char *action, const json_t *parameters,
	      json_t **reply, struct aws_error *e)
{
	auto_free char *form = make_form(version, action, parameters);
	const struct request request = {
		.service = service,
		.method = "POST",
		.path = "/",
		.content_type = "application/x-www-form-urlencoded",
		.body = form,
		.once = true,
	};

	*reply = NULL;
	if (form == NULL)
		return aws_fail(e, -ENOMEM, "no memory");
	return ask(client, &request, reply, e);
}
