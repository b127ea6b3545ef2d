/* SPDX-License-Identifier: Apache-2.0 */
/* Is a text a policy, in the grammar of IAM's JSON? */
#include <string.h>

#include "api/efs.h"
#include "base/json_scan.h"
#include "base/util.h"

static bool is_effect(const json_t *value)
{
	const char *text = json_string_value(value);

	return text != NULL &&
	       (strcmp(text, "Allow") == 0 || strcmp(text, "Deny") == 0);
}

/* A string, or a list of some. */
static bool is_strings(const json_t *value)
{
	if (json_is_string(value))
		return true;
	for (size_t i = 0; i < json_array_size(value); i++)
		if (!json_is_string(json_array_get(value, i)))
			return false;
	return json_array_size(value) > 0;
}

static bool is_text(const json_t *value)
{
	return json_is_string(value);
}

static bool is_principal(const json_t *value)
{
	const char *kind;
	json_t *who;

	if (json_is_string(value))
		return strcmp(json_string_value(value), "*") == 0;
	json_object_foreach((json_t *)value, kind,
			    who) if (!is_strings(who)) return false;
	return json_object_size(value) > 0;
}

/* {"StringEquals": {"aws:…": "…"}} */
static bool is_condition(const json_t *value)
{
	const char *operator;
	json_t *keys;

	json_object_foreach((json_t *)value, operator,
			    keys) if (!json_is_object(keys)) return false;
	return json_is_object(value);
}

static bool is_actions(const json_t *value)
{
	const char *text;

	if (!is_strings(value))
		return false;
	for (size_t i = 0; i < json_array_size(value) || i == 0; i++) {
		text = json_string_value(json_is_string(value)
						 ? value
						 : json_array_get(value, i));
		if (strcmp(text, "*") != 0 &&
		    strncmp(text, "elasticfilesystem:", 18) != 0)
			return false;
	}
	return true;
}

/* The members of a statement; of a pair one has to be there, and not both. */
static const struct {
	const char *name, *or_else;
	bool (*fits)(const json_t *value);
	bool needed;
} members[] = {
	{ "Effect", NULL, is_effect, true },
	{ "Principal", "NotPrincipal", is_principal, true },
	{ "Action", "NotAction", is_actions, true },
	{ "Resource", "NotResource", is_strings, false },
	{ "Condition", NULL, is_condition, false },
	{ "Sid", NULL, is_text, false },
};

static const char *fault_of(const json_t *statement)
{
	size_t known = 0;

	if (!json_is_object(statement))
		return "Statement";
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		json_t *value = json_object_get(statement, members[i].name);
		json_t *other =
			members[i].or_else
				? json_object_get(statement, members[i].or_else)
				: NULL;

		if ((value && other) || (members[i].needed && !value && !other))
			return members[i].name;
		value = value ? value : other;
		if (value != NULL && !members[i].fits(value))
			return members[i].name;
		known += value != NULL;
	}
	return known == json_object_size(statement) ? NULL : "Statement";
}

static const char *fault_of_policy(const json_t *policy)
{
	const char *version =
		json_string_value(json_object_get(policy, "Version"));
	const json_t *statements = json_object_get(policy, "Statement");
	const char *fault = NULL;

	if (json_object_get(policy, "Version") != NULL &&
	    (version == NULL || (strcmp(version, "2012-10-17") != 0 &&
				 strcmp(version, "2008-10-17") != 0)))
		return "Version";
	if (json_is_object(statements))
		return fault_of(statements);
	for (size_t i = 0; i < json_array_size(statements) && !fault; i++)
		fault = fault_of(json_array_get(statements, i));
	return json_array_size(statements) > 0 ? fault : "Statement";
}

int efs_check_policy(struct api_call *call, const char *text)
{
	struct json_scan scan = {};
	const char *fault;
	json_t *policy = NULL;

	if (json_scan(&scan, text, strlen(text)) > 0)
		policy = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(policy)) {
		json_decref(policy);
		return api_refuse(call, "InvalidPolicyException",
				  "The policy is not a JSON object.");
	}
	fault = fault_of_policy(policy);
	json_decref(policy);
	if (fault == NULL)
		return 0;
	return api_refuse(call, "InvalidPolicyException",
			  "The policy has an invalid or missing %s.", fault);
}
