/* SPDX-License-Identifier: Apache-2.0 */
/* Query: parameters of a form, and XML. */
#include <errno.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/internal.h"
#include "base/percent.h"
#include "base/util.h"

char *aws_encode(const char *text)
{
	size_t len = strlen(text);
	char *out = malloc(3 * len + 1);

	if (out != NULL)
		percent_encode(out, text, len, "");
	return out;
}

static char *form(const char *version, const char *action, json_t *parameters)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	const char *name;
	json_t *value;

	if (out == NULL)
		return NULL;
	fprintf(out, "Action=%s&Version=%s", action, version);
	json_object_foreach(parameters, name, value) {
		auto_free char *encoded =
			aws_encode(json_string_value(value) ?: "");

		fprintf(out, "&%s=%s", name, encoded ?: "");
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* The text of the first element `name` below `node`, in document order. */
static const char *find_text(const xmlNode *node, const char *name)
{
	for (; node != NULL; node = node->next) {
		const char *found;

		if (node->type != XML_ELEMENT_NODE)
			continue;
		if (strcmp((const char *)node->name, name) == 0 &&
		    node->children != NULL &&
		    node->children->type == XML_TEXT_NODE)
			return (const char *)node->children->content;
		found = find_text(node->children, name);
		if (found != NULL)
			return found;
	}
	return NULL;
}

static int refused(const struct answer *answer, xmlDoc *doc,
		   struct aws_error *e)
{
	const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
	const char *code = find_text(root, "Code");
	const char *message = find_text(root, "Message");

	e->status = answer->status;
	snprintf(e->code, sizeof(e->code), "%s", code ?: "");
	return aws_fail(e, -EREMOTEIO, "%s", message ?: "no reason is given");
}

static int parse(const struct answer *answer, xmlDoc **reply,
		 struct aws_error *e)
{
	xmlDoc *doc = xmlReadMemory(answer->text, (int)answer->len, NULL, NULL,
				    XML_PARSE_NONET | XML_PARSE_NOERROR |
					    XML_PARSE_NOWARNING);

	if (answer->status < 200 || answer->status >= 300) {
		int r = refused(answer, doc, e);

		xmlFreeDoc(doc);
		return r;
	}
	if (doc == NULL) {
		e->status = answer->status;
		return aws_fail(e, -EPROTO, "the answer is not XML");
	}
	*reply = doc;
	return 0;
}

int aws_query(struct aws_client *client, const char *service,
	      const char *version, const char *action, json_t *parameters,
	      xmlDoc **reply, struct aws_error *e)
{
	auto_free char *text = form(version, action, parameters);
	struct request request = {
		.service = service,
		.method = "POST",
		.path = "/",
		.content_type = "application/x-www-form-urlencoded; "
				"charset=utf-8",
		.body = text,
	};
	struct answer answer;
	int r;

	if (text == NULL)
		return aws_fail(e, -ENOMEM, "no memory");
	r = exchange(client, &request, &answer, e);
	if (r < 0)
		return r;
	r = parse(&answer, reply, e);
	free(answer.text);
	return r;
}
