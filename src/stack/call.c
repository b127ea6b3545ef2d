/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of a stack: whom to ask, what is said of an answer that is missing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/percent.h"
#include "base/util.h"
#include "stack/internal.h"

static const char efs[] = "elasticfilesystem", ec2_version[] = "2016-11-15";

const char *stack_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

char *stack_escape(const char *text)
{
	char *escaped = malloc(3 * strlen(text) + 1);

	if (escaped == NULL)
		abort();
	percent_encode(escaped, text, strlen(text), "");
	return escaped;
}

const char *stack_endpoint(const struct stack *s, char url[AWS_ENDPOINT_SIZE])
{
	aws_endpoint(s->aws, efs, url);
	return url;
}

int stack_failed(const struct stack *s, const char *what)
{
	const struct aws_error *e = &s->error;

	stack_error("%s: %s%s%s%s", what, e->message, e->code[0] ? " (" : "",
		    e->code, e->code[0] ? ")" : "");
	return -EIO;
}

bool stack_failed_with(const struct stack *s, const char *code)
{
	return strcmp(s->error.code, code) == 0;
}

static int finish(int error, json_t *body, json_t *reply, json_t **out)
{
	json_decref(body);
	if (error < 0) {
		json_decref(reply);
		reply = NULL;
	}
	if (out != NULL)
		*out = reply;
	else
		json_decref(reply);
	return error;
}

int stack_rest(struct stack *s, const char *method, const char *path,
	       json_t *body, json_t **out)
{
	json_t *reply;
	int error = aws_rest(s->aws, efs, method, path, body, &reply,
			     &s->error);

	return finish(error, body, reply, out);
}

int stack_json(struct stack *s, const char *service, const char *version,
	       const char *target, json_t *body, json_t **out)
{
	json_t *reply;
	int error = aws_json(s->aws, service, version, target, body, &reply,
			     &s->error);

	return finish(error, body, reply, out);
}

int stack_ec2(struct stack *s, const char *action, json_t *parameters,
	      json_t **out)
{
	json_t *reply;
	int error = aws_query(s->aws, "ec2", ec2_version, action, parameters,
			      &reply, &s->error);

	return finish(error, parameters, reply, out);
}

enum { PAGES_MAX = 2000 }; /* a service that pages for ever */

int stack_list(struct stack *s, const char *path, const char *list,
	       const char *next, const char *token, json_t **out)
{
	char *marker = NULL, *page;
	int error = 0, pages = 0;
	json_t *answer;

	*out = json_array();
	do {
		if (asprintf(&page, "%s%s%s%s%s", path, marker ? "&" : "",
			     marker ? token : "", marker ? "=" : "",
			     marker ? marker : "") < 0)
			abort();
		error = stack_rest(s, "GET", page, NULL, &answer);
		free(page);
		free(marker);
		marker = NULL;
		if (error < 0)
			break;
		json_array_extend(*out, json_object_get(answer, list));
		if (stack_text(answer, next)[0])
			marker = stack_escape(stack_text(answer, next));
		json_decref(answer);
	} while (marker != NULL && ++pages < PAGES_MAX);
	free(marker);
	return error;
}
