/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer says, in whichever of the shapes that there are. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "aws/internal.h"
#include "base/util.h"

static const char *first_text(const json_t *object, const char *const *names)
{
	const char *text = NULL;

	for (; *names && (text == NULL || text[0] == '\0'); names++)
		text = json_string_value(json_object_get(object, *names));
	return text != NULL ? text : "";
}

/* In XML it stands in Errors/Error (EC2) or Error (the others). */
static const json_t *error_in(const json_t *value)
{
	const json_t *errors = json_object_get(value, "Errors");
	const json_t *error = json_object_get(errors ? errors : value, "Error");

	return error != NULL ? error : value;
}

static int refused(const struct answer *answer, const json_t *value,
		   struct aws_error *e)
{
	static const char *const codes[] = { "ErrorCode", "Code", "code",
					     "__type", NULL };
	static const char *const texts[] = { "Message", "message", NULL };
	const json_t *error = error_in(value);
	const char *code = first_text(error, codes);
	const char *text = first_text(error, texts);

	/* "com.amazonaws.kms#NotFoundException" */
	if (strchr(code, '#') != NULL)
		code = strchr(code, '#') + 1;
	e->status = answer->status;
	snprintf(e->code, sizeof(e->code), "%s", code);
	if (code[0] == '\0' && text[0] == '\0')
		return aws_fail(e, -EREMOTEIO,
				"HTTP status %d, and no error of AWS's: is "
				"this the API's address?",
				answer->status);
	return aws_fail(e, -EREMOTEIO, "%s",
			text[0] ? text : "no reason is given");
}

static json_t *parse(const struct answer *answer)
{
	if (answer->len == 0)
		return json_object();
	if (answer->text[0] == '<')
		return aws_xml_parse(answer->text, answer->len);
	return json_loadb(answer->text, answer->len, 0, NULL);
}

int answer_read(const struct answer *answer, json_t **value,
		struct aws_error *e)
{
	*value = parse(answer);
	if (answer->status < 200 || answer->status > 299)
		return refused(answer, *value, e);
	if (*value != NULL)
		return 0;
	e->status = answer->status;
	return aws_fail(e, -EPROTO, "the answer is not understood");
}
