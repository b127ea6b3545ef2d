/* SPDX-License-Identifier: Apache-2.0 */
/* REST with JSON, as EFS speaks it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/internal.h"
#include "base/util.h"

static int refused(const struct answer *answer, const json_t *reply,
		   struct aws_error *e)
{
	const char *code = "", *type = NULL, *message = NULL, *lower = NULL;

	json_unpack((json_t *)reply, "{s?s, s?s, s?s, s?s}", "ErrorCode", &code,
		    "__type", &type, "Message", &message, "message", &lower);
	if (code[0] == '\0' && type != NULL)
		code = strrchr(type, '#') ? strrchr(type, '#') + 1 : type;
	if (message == NULL)
		message = lower != NULL ? lower : "no reason is given";
	e->status = answer->status;
	snprintf(e->code, sizeof(e->code), "%s", code);
	return aws_fail(e, -EREMOTEIO, "%s", message);
}

static int parse(const struct answer *answer, json_t **reply,
		 struct aws_error *e)
{
	json_error_t where;
	bool ok = answer->status >= 200 && answer->status < 300;
	json_t *value = json_object();

	if (answer->len > 0) {
		json_decref(value);
		value = json_loadb(answer->text, answer->len, 0, &where);
	}
	if (!ok) {
		*reply = value;
		return refused(answer, value, e);
	}
	if (value == NULL) {
		e->status = answer->status;
		return aws_fail(e, -EPROTO, "the answer is not JSON: %s",
				where.text);
	}
	*reply = value;
	return 0;
}

int aws_rest(struct aws_client *client, const char *service,
	     const char *method, const char *path, const json_t *body,
	     json_t **reply, struct aws_error *e)
{
	auto_free char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct request request = {
		.service = service,
		.method = method,
		.path = path,
		.content_type = "application/json",
		.body = text,
	};
	struct answer answer;
	int r;

	*reply = NULL;
	if (body != NULL && text == NULL)
		return aws_fail(e, -ENOMEM, "no memory");
	r = exchange(client, &request, &answer, e);
	if (r < 0)
		return r;
	r = parse(&answer, reply, e);
	free(answer.text);
	return r;
}
