/* SPDX-License-Identifier: Apache-2.0 */
#include "control/policy.h"

#include <string.h>
#include <strings.h>

#include "base/json_scan.h"
#include "base/util.h"

/* ------------------------------------------------------------- evaluation */

/* Does fn hold for the string, or for one of a list of them? */
static bool any(const json_t *value,
		bool (*fn)(const char *text, const struct policy_request *r),
		const struct policy_request *r)
{
	if (json_is_string(value))
		return fn(json_string_value(value), r);
	for (size_t i = 0; i < json_array_size(value); i++)
		if (fn(json_string_value(json_array_get(value, i)), r))
			return true;
	return false;
}

static bool is_action(const char *pattern, const struct policy_request *r)
{
	return policy_matches(pattern, r->action, true);
}

/* "*"; an account, by number or as its root; or a user. */
static bool is_principal(const char *who, const struct policy_request *r)
{
	const char *account;

	if (strcmp(who, "*") == 0)
		return true;
	if (r->principal == NULL)
		return false;
	if (strcmp(who, r->principal) == 0 || strcmp(who, r->account) == 0)
		return true;
	account = strstr(who, "::");
	return account != NULL &&
	       strncmp(account + 2, r->account, strlen(r->account)) == 0 &&
	       strcmp(account + 2 + strlen(r->account), ":root") == 0;
}

static bool names_principal(const json_t *value, const struct policy_request *r)
{
	if (json_is_string(value))
		return is_principal(json_string_value(value), r);
	return any(json_object_get(value, "AWS"), is_principal, r);
}

static bool applies(const json_t *s, const struct policy_request *r)
{
	const json_t *v;

	if ((v = json_object_get(s, "Principal")) && !names_principal(v, r))
		return false;
	if ((v = json_object_get(s, "NotPrincipal")) && names_principal(v, r))
		return false;
	if ((v = json_object_get(s, "Action")) && !any(v, is_action, r))
		return false;
	if ((v = json_object_get(s, "NotAction")) && any(v, is_action, r))
		return false;
	if ((v = json_object_get(s, "Resource")) &&
	    !any(v, policy_is_resource, r))
		return false;
	if ((v = json_object_get(s, "NotResource")) &&
	    any(v, policy_is_resource, r))
		return false;
	v = json_object_get(s, "Condition");
	return v == NULL || policy_conditions_hold(v, r);
}

static enum policy_decision effect_of(const json_t *s)
{
	const char *effect = json_string_value(json_object_get(s, "Effect"));

	return effect && strcmp(effect, "Allow") == 0 ? POLICY_ALLOW
						      : POLICY_DENY;
}

/* Only this version has variables. */
static bool has_variables(const json_t *policy)
{
	const char *version =
		json_string_value(json_object_get(policy, "Version"));

	return version != NULL && strcmp(version, "2012-10-17") == 0;
}

enum policy_decision policy_evaluate(const json_t *policy,
				     const struct policy_request *request,
				     struct policy_reason *reason)
{
	const json_t *list = json_object_get(policy, "Statement"), *s;
	struct policy_request r = *request;
	enum policy_decision decision = POLICY_NOTHING;
	size_t n = json_is_array(list) ? json_array_size(list) : 1;
	struct policy_reason why = {};

	r.variables = has_variables(policy);
	for (size_t i = 0; i < n && decision != POLICY_DENY; i++) {
		s = json_is_array(list) ? json_array_get(list, i) : list;
		if (!json_is_object(s) || !applies(s, &r))
			continue;
		if (decision == POLICY_ALLOW && effect_of(s) == POLICY_ALLOW)
			continue;
		decision = effect_of(s);
		why.statement = i + 1;
		why.sid = json_string_value(json_object_get(s, "Sid"));
	}
	if (reason != NULL)
		*reason = why;
	return decision;
}

/* ------------------------------------------------------------------- form */

static bool is_effect(const json_t *value)
{
	const char *text = json_string_value(value);

	return text != NULL &&
	       (strcmp(text, "Allow") == 0 || strcmp(text, "Deny") == 0);
}

static bool is_text(const json_t *value)
{
	return json_is_string(value);
}

/* A string, or a list of some. */
static bool is_texts(const json_t *value)
{
	if (json_is_string(value))
		return true;
	for (size_t i = 0; i < json_array_size(value); i++)
		if (!json_is_string(json_array_get(value, i)))
			return false;
	return json_array_size(value) > 0;
}

/* Everybody, an account, or somebody of one: a wildcard would be nobody. */
static bool is_somebody(const char *who, const struct policy_request *unused)
{
	bool arn = strncmp(who, "arn:aws", 7) == 0 &&
		   (strstr(who, ":iam::") || strstr(who, ":sts::"));

	return strcmp(who, "*") == 0 ||
	       (strlen(who) == 12 && strspn(who, "0123456789") == 12) ||
	       (arn && strpbrk(who, "*?") == NULL);
}

static bool is_nobody(const char *who, const struct policy_request *unused)
{
	return !is_somebody(who, unused);
}

static bool is_who(const json_t *value)
{
	const char *kind;
	json_t *who;

	if (json_is_string(value))
		return strcmp(json_string_value(value), "*") == 0;
	json_object_foreach((json_t *)value, kind, who)
	{
		if (!is_texts(who) ||
		    !is_one_of(kind, "AWS|Service|Federated|CanonicalUser"))
			return false;
		if (strcmp(kind, "AWS") == 0 && any(who, is_nobody, NULL))
			return false;
	}
	return json_object_size(value) > 0;
}

static bool are_wants(const json_t *value)
{
	if (!json_is_array(value))
		return !json_is_object(value) && !json_is_null(value);
	for (size_t i = 0; i < json_array_size(value); i++)
		if (json_is_array(json_array_get(value, i)) ||
		    !are_wants(json_array_get(value, i)))
			return false;
	return true;
}

static bool is_condition(const json_t *value)
{
	const char *name, *key;
	json_t *keys, *wants;

	json_object_foreach((json_t *)value, name, keys)
	{
		if (!policy_is_operator(name) || !json_is_object(keys))
			return false;
		json_object_foreach(keys, key,
				    wants) if (!are_wants(wants)) return false;
	}
	return json_is_object(value);
}

/* The members of a statement; of a pair one has to be there, and not both. */
static const struct member {
	const char *name, *or_else;
	bool (*fits)(const json_t *value);
	bool needed;
} members[] = {
	{ "Effect", NULL, is_effect, true },
	{ "Principal", "NotPrincipal", is_who, false },
	{ "Action", "NotAction", is_texts, true },
	{ "Resource", "NotResource", is_texts, false },
	{ "Condition", NULL, is_condition, false },
	{ "Sid", NULL, is_text, false },
};

static bool is_foreign(const char *action, const struct policy_request *r)
{
	return strcmp(action, "*") != 0 &&
	       strncasecmp(action, r->action, strlen(r->action)) != 0;
}

static const char *statement_fault(const json_t *s, const char *service)
{
	struct policy_request own = { .action = service };
	size_t known = 0;

	if (!json_is_object(s))
		return "Statement";
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const struct member *m = &members[i];
		json_t *value = json_object_get(s, m->name);
		json_t *other =
			m->or_else ? json_object_get(s, m->or_else) : NULL;

		if ((value && other) || (m->needed && !value && !other))
			return m->name;
		value = value ? value : other;
		if (value != NULL && !m->fits(value))
			return m->name;
		known += value != NULL;
	}
	if (service != NULL &&
	    (any(json_object_get(s, "Action"), is_foreign, &own) ||
	     any(json_object_get(s, "NotAction"), is_foreign, &own)))
		return "Action";
	return known == json_object_size(s) ? NULL : "Statement";
}

static bool has_principal(const json_t *s)
{
	return json_object_get(s, "Principal") ||
	       json_object_get(s, "NotPrincipal");
}

const char *policy_fault(const json_t *policy, const char *service,
			 bool principal)
{
	const json_t *version = json_object_get(policy, "Version");
	const json_t *list = json_object_get(policy, "Statement"), *s;
	const char *text = json_string_value(version), *fault = NULL;
	size_t n = json_is_array(list) ? json_array_size(list) : list != NULL;
	size_t known;

	known = (version != NULL) + (list != NULL) +
		(json_object_get(policy, "Id") != NULL);
	if (known != json_object_size(policy))
		return "element";
	if (version != NULL &&
	    (text == NULL || (strcmp(text, "2012-10-17") != 0 &&
			      strcmp(text, "2008-10-17") != 0)))
		return "Version";
	for (size_t i = 0; i < n && fault == NULL; i++) {
		s = json_is_array(list) ? json_array_get(list, i) : list;
		fault = statement_fault(s, service);
		if (fault == NULL && has_principal(s) != principal)
			fault = "Principal";
	}
	return n > 0 ? fault : "Statement";
}

json_t *policy_parse(const char *text)
{
	struct json_scan scan = {};
	json_t *policy = NULL;

	if (json_scan(&scan, text, strlen(text)) > 0)
		policy = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(policy))
		return policy;
	json_decref(policy);
	return NULL;
}
