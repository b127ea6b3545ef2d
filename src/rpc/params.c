/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters: what a call brings is held against the method's table before the
 * method runs, so that methods take values as they are.  Unknown members are
 * refused: a word that is spelled wrong would go unnoticed.
 */
#include <limits.h>
#include <string.h>

#include "base/util.h"
#include "rpc/internal.h"

static const char *type_name(enum rpc_type type)
{
	static const char *const names[] = {
		[RPC_STRING] = "string",
		[RPC_INTEGER] = "integer",
		[RPC_BOOLEAN] = "boolean",
		[RPC_UINT64] = "integer",
		[RPC_NUMBER] = "number",
		[RPC_OBJECT] = "object",
		[RPC_STRINGS] = "array of strings",
		[RPC_OBJECTS] = "array of objects",
	};

	return names[type];
}

/* ------------------------------------------------------------- values --- */

const char *rpc_string(const struct rpc_call *call, const char *name)
{
	return json_string_value(json_object_get(call->params, name));
}

int rpc_integer(const struct rpc_call *call, const char *name, int absent)
{
	json_t *value = json_object_get(call->params, name);

	return value ? (int)json_integer_value(value) : absent;
}

bool rpc_boolean(const struct rpc_call *call, const char *name, bool absent)
{
	json_t *value = json_object_get(call->params, name);

	return value ? json_is_true(value) : absent;
}

uint64_t rpc_uint64(const struct rpc_call *call, const char *name,
		    uint64_t absent)
{
	json_t *value = json_object_get(call->params, name);

	return value ? (uint64_t)json_integer_value(value) : absent;
}

json_t *rpc_object(const struct rpc_call *call, const char *name)
{
	return json_object_get(call->params, name);
}

/* ------------------------------------------------------------- checks --- */

/* A string that C can hold. */
static bool is_text(const json_t *value)
{
	return json_is_string(value) &&
	       strlen(json_string_value(value)) == json_string_length(value);
}

static bool all_are(const json_t *array, bool (*is)(const json_t *value))
{
	size_t i;

	if (!json_is_array(array))
		return false;
	for (i = 0; i < json_array_size(array); i++)
		if (!is(json_array_get(array, i)))
			return false;
	return true;
}

static bool is_object(const json_t *value)
{
	return json_is_object(value);
}

static bool fits(const json_t *value, enum rpc_type type)
{
	switch (type) {
	case RPC_STRING:
		return is_text(value);
	case RPC_INTEGER:
		return json_is_integer(value) &&
		       json_integer_value(value) >= INT_MIN &&
		       json_integer_value(value) <= INT_MAX;
	case RPC_UINT64:
		return json_is_integer(value) && json_integer_value(value) >= 0;
	case RPC_NUMBER:
		return json_is_number(value);
	case RPC_BOOLEAN:
		return json_is_boolean(value);
	case RPC_OBJECT:
		return is_object(value);
	case RPC_STRINGS:
		return all_are(value, is_text);
	case RPC_OBJECTS:
		return all_are(value, is_object);
	}
	return false;
}

/* Asks for nothing. */
static bool is_neutral(const json_t *value)
{
	json_int_t n = json_integer_value(value);

	return json_is_false(value) ||
	       (json_is_integer(value) && (n == 0 || n == -1)) ||
	       (json_is_string(value) && json_string_length(value) == 0) ||
	       (json_is_array(value) && json_array_size(value) == 0);
}

static const struct rpc_param *find(const struct rpc_param *params,
				    const char *name)
{
	for (const struct rpc_param *p = params; p && p->name; p++)
		if (strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

static int check_members(struct rpc_call *call, const char *where,
			 const struct rpc_param *params, const json_t *object);

static int check_fields(struct rpc_call *call, const struct rpc_param *p,
			const json_t *value)
{
	int r = 0;

	if (p->type == RPC_OBJECT)
		return check_members(call, p->name, p->fields, value);
	for (size_t i = 0; i < json_array_size(value) && r == 0; i++)
		r = check_members(call, p->name, p->fields,
				  json_array_get(value, i));
	return r;
}

static int check_value(struct rpc_call *call, const char *where,
		       const struct rpc_param *p, const json_t *value)
{
	if (p->rule == RPC_IGNORED)
		return 0;
	if (p->rule == RPC_REFUSED && !is_neutral(value))
		return rpc_refuse(call, RPC_INVALID_PARAMS,
				  "%s: %s is not supported", where, p->name);
	if (p->rule == RPC_REFUSED)
		return 0;
	if (!fits(value, p->type))
		return rpc_refuse(call, RPC_INVALID_PARAMS,
				  "%s: parameter %s must be of type %s", where,
				  p->name, type_name(p->type));
	if (p->values != NULL &&
	    !is_one_of(json_string_value(value), p->values))
		return rpc_refuse(call, RPC_INVALID_PARAMS,
				  "%s: %s is one of %s, not '%.64s'", where,
				  p->name, p->values, json_string_value(value));
	return p->fields != NULL ? check_fields(call, p, value) : 0;
}

static int check_members(struct rpc_call *call, const char *where,
			 const struct rpc_param *params, const json_t *object)
{
	const struct rpc_param *p;
	const char *name;
	json_t *value;
	int r;

	json_object_foreach((json_t *)object, name, value)
	{
		p = find(params, name);
		if (p == NULL)
			return rpc_refuse(call, RPC_INVALID_PARAMS,
					  "%s has no parameter '%.64s'", where,
					  name);
		r = check_value(call, where, p, value);
		if (r != 0)
			return r;
	}
	for (p = params; p && p->name; p++)
		if (p->rule == RPC_REQUIRED &&
		    !json_object_get(object, p->name))
			return rpc_refuse(call, RPC_INVALID_PARAMS,
					  "%s: parameter %s is missing", where,
					  p->name);
	return 0;
}

int rpc_check_params(struct rpc_call *call, const struct rpc_method *m)
{
	if (call->params != NULL && m->params == NULL)
		return rpc_refuse(call, RPC_INVALID_PARAMS,
				  "%s method requires no parameters", m->name);
	if (call->params != NULL && !json_is_object(call->params))
		return rpc_refuse(call, RPC_INVALID_PARAMS,
				  "%s: parameters must be an object", m->name);
	return check_members(call, m->name, m->params, call->params);
}

/* -------------------------------------------------------- description --- */

static json_t *describe_params(const struct rpc_param *params);

static json_t *describe_param(const struct rpc_param *p)
{
	json_t *out =
		json_pack("{s:s, s:s, s:b, s:s}", "name", p->name, "type",
			  type_name(p->type), "required",
			  (int)(p->rule == RPC_REQUIRED), "help", p->help);

	if (p->rule == RPC_IGNORED)
		json_object_set_new(out, "ignored", json_true());
	if (p->rule == RPC_REFUSED)
		json_object_set_new(out, "refused", json_true());
	if (p->cli != NULL)
		json_object_set_new(out, "cli", json_string(p->cli));
	if (p->values != NULL)
		json_object_set_new(out, "values", json_string(p->values));
	if (p->fields != NULL)
		json_object_set_new(out, "fields", describe_params(p->fields));
	return out;
}

static json_t *describe_params(const struct rpc_param *params)
{
	json_t *list = json_array();

	for (const struct rpc_param *p = params; p && p->name; p++)
		json_array_append_new(list, describe_param(p));
	return list;
}

json_t *rpc_describe_method(const struct rpc_method *m)
{
	return json_pack("{s:s, s:s, s:o}", "name", m->name, "help", m->help,
			 "params", describe_params(m->params));
}
