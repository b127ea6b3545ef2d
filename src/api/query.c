/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The query protocols: a form, by POST or in the URL, names the action and
 * gives its input flat, and the answer is XML.
 *
 *	Query	Tags.member.1.Key=a	lists are <member>s
 *	EC2	Tag.1.Key=a		lists are <item>s; names of its own
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/protocol.h"
#include "api/xml.h"
#include "base/util.h"

enum { PARAMS_MAX = 1000, NAME_MAX_ = 256 };

struct param {
	char *name, *value;
	size_t len; /* of the value */
};

struct form {
	struct param params[PARAMS_MAX];
	size_t n;
	bool ec2;
};

/* ---------------------------------------------------------------- the form */

/* Of "a=b&c=d"; the text is taken apart in place. */
static bool add_params(struct form *f, char *text)
{
	char *save = NULL, *value;

	for (char *p = strtok_r(text, "&", &save); p != NULL;
	     p = strtok_r(NULL, "&", &save)) {
		if (f->n == PARAMS_MAX)
			return false;
		value = strchr(p, '=');
		if (value != NULL)
			*value++ = '\0';
		else
			value = p + strlen(p);
		sigv4_unescape(p, true);
		f->params[f->n++] =
			(struct param){ p, value, sigv4_unescape(value, true) };
	}
	return true;
}

static const struct param *find(const struct form *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->params[i].name, name) == 0)
			return &f->params[i];
	return NULL;
}

/* Is there "name" or "name.…"? */
static bool has_below(const struct form *f, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < f->n; i++)
		if (strncmp(f->params[i].name, name, len) == 0 &&
		    (f->params[i].name[len] == '\0' ||
		     f->params[i].name[len] == '.'))
			return true;
	return false;
}

static json_t *read_value(struct api_call *call, const struct form *f,
			  const struct api_field *field, const char *name);

static json_t *read_object(struct api_call *call, const struct form *f,
			   const struct api_field *fields, const char *prefix)
{
	json_t *object = json_object(), *value;
	char name[NAME_MAX_];

	for (; fields && fields->name; fields++) {
		snprintf(name, sizeof(name), "%s%s%s", prefix,
			 prefix[0] ? "." : "",
			 fields->wire ? fields->wire : fields->name);
		value = read_value(call, f, fields, name);
		if (value != NULL)
			json_object_set_new(object, fields->name, value);
	}
	return object;
}

static json_t *read_list(struct api_call *call, const struct form *f,
			 const struct api_field *field, const char *name)
{
	json_t *list = NULL, *value;
	char item[NAME_MAX_];

	for (size_t i = 1; i <= f->n; i++) {
		snprintf(item, sizeof(item), "%s%s.%zu", name,
			 f->ec2 ? "" : ".member", i);
		if (!has_below(f, item))
			break;
		value = read_value(call, f, &field->fields[0], item);
		if (list == NULL)
			list = json_array();
		json_array_append_new(list, value ? value : json_null());
	}
	return list;
}

static json_t *read_value(struct api_call *call, const struct form *f,
			  const struct api_field *field, const char *name)
{
	const struct param *p;
	json_t *value;

	if (field->type == API_LIST)
		return read_list(call, f, field, name);
	if (field->type == API_OBJECT)
		return has_below(f, name)
			       ? read_object(call, f, field->fields, name)
			       : NULL;
	p = find(f, name);
	if (p == NULL)
		return NULL;
	value = api_field_parse(field, p->value, p->len);
	/* What it is not stays a text, and the check says so. */
	return value ? value : json_stringn_nocheck("?", 1);
}

static int read_form(struct api_call *call, struct form *f)
{
	const struct api_operation *o = call->service->operations;
	const struct param *action = find(f, "Action");

	if (action == NULL)
		return api_refuse(call, "MissingAction",
				  "The request has no Action.");
	while (o->name && strcmp(o->name, action->value) != 0)
		o++;
	if (o->name == NULL)
		return api_refuse(call, "InvalidAction",
				  "The action %.64s is not valid for this web "
				  "service.",
				  action->value);
	call->operation = o;
	call->input = read_object(call, f, o->fields, "");
	return 0;
}

static int parse(struct api_call *call, bool ec2)
{
	auto_free struct form *f = calloc(1, sizeof(*f));
	auto_free char *query = strdup(call->query);
	auto_free char *body = strdup(call->body ? call->body : "");

	if (f == NULL || query == NULL || body == NULL)
		return api_refuse(call, "ServiceUnavailable", "Out of memory.");
	f->ec2 = ec2;
	if (!add_params(f, query) || !add_params(f, body))
		return api_refuse(call, "MalformedQueryString",
				  "The request has more than %d parameters.",
				  PARAMS_MAX);
	return read_form(call, f);
}

static int parse_query(struct api_call *call)
{
	return parse(call, false);
}

static int parse_ec2(struct api_call *call)
{
	return parse(call, true);
}

/* -------------------------------------------------------------- the answer */

static char *query_result(const struct api_call *call)
{
	const char *name = call->operation->name;
	struct text t = {};

	text_format(&t, "<%sResponse xmlns=\"%s\"><%sResult>", name,
		    call->service->xmlns, name);
	xml_members(&t, call->output, "member");
	text_format(&t,
		    "</%sResult><ResponseMetadata><RequestId>%s</RequestId>"
		    "</ResponseMetadata></%sResponse>\n",
		    name, call->id, name);
	return text_take(&t);
}

static json_t *error_of(const struct api_call *call, bool with_type)
{
	json_t *error = json_pack("{s:s, s:s}", "Code", call->error.code,
				  "Message", call->error.text);

	if (with_type)
		json_object_set_new(error, "Type", json_string("Sender"));
	return error;
}

static char *query_error(const struct api_call *call)
{
	json_t *error = error_of(call, true);
	struct text t = {};

	text_format(&t, "<ErrorResponse xmlns=\"%s\"><Error>",
		    call->service->xmlns);
	xml_members(&t, error, "member");
	text_format(&t, "</Error><RequestId>%s</RequestId></ErrorResponse>\n",
		    call->id);
	json_decref(error);
	return text_take(&t);
}

static char *ec2_result(const struct api_call *call)
{
	const char *name = call->operation->name;
	struct text t = {};

	text_format(&t, "<%sResponse xmlns=\"%s\"><requestId>%s</requestId>",
		    name, call->service->xmlns, call->id);
	if (call->output != NULL)
		xml_members(&t, call->output, "item");
	else
		text_add(&t, "<return>true</return>");
	text_format(&t, "</%sResponse>\n", name);
	return text_take(&t);
}

static char *ec2_error(const struct api_call *call)
{
	json_t *error = error_of(call, false);
	struct text t = {};

	text_add(&t, "<Response><Errors><Error>");
	xml_members(&t, error, "item");
	text_format(&t,
		    "</Error></Errors><RequestID>%s</RequestID></Response>\n",
		    call->id);
	json_decref(error);
	return text_take(&t);
}

static const struct api_auth_error query_auth_errors[] = {
	[SIGV4_UNSIGNED] = { "MissingAuthenticationToken", 403 },
	[SIGV4_INCOMPLETE] = { "IncompleteSignature", 400 },
	[SIGV4_UNKNOWN_KEY] = { "InvalidClientTokenId", 403 },
	[SIGV4_EXPIRED] = { "SignatureDoesNotMatch", 403 },
	[SIGV4_MISMATCH] = { "SignatureDoesNotMatch", 403 },
};

const struct api_protocol api_query = {
	.content_type = "text/xml",
	.auth_errors = query_auth_errors,
	.denied = "AccessDenied",
	.invalid = "ValidationError",
	.parse = parse_query,
	.result = query_result,
	.error = query_error,
};

static const struct api_auth_error ec2_auth_errors[] = {
	[SIGV4_UNSIGNED] = { "MissingAuthenticationToken", 403 },
	[SIGV4_INCOMPLETE] = { "IncompleteSignature", 400 },
	[SIGV4_UNKNOWN_KEY] = { "AuthFailure", 401 },
	[SIGV4_EXPIRED] = { "RequestExpired", 400 },
	[SIGV4_MISMATCH] = { "SignatureDoesNotMatch", 403 },
};

const struct api_protocol api_ec2_query = {
	.content_type = "text/xml;charset=UTF-8",
	.auth_errors = ec2_auth_errors,
	.denied = "UnauthorizedOperation",
	.invalid = "InvalidParameterValue",
	.parse = parse_ec2,
	.result = ec2_result,
	.error = ec2_error,
};
