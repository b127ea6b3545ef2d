/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions: {operator: {key: value or values}}.  A key's values are
 * alternatives; keys and operators have to hold all.  Of a key that a request
 * does not have, a positive operator does not hold, a negative one does, and
 * one that ends in IfExists always.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/util.h"
#include "control/policy.h"
#include "control/subnet.h"

bool policy_matches(const char *pattern, const char *text, bool any_case)
{
	const char *star = NULL, *mark = NULL;

	while (*text) {
		bool same = any_case ? strncasecmp(pattern, text, 1) == 0
				     : *pattern == *text;

		if (*pattern == '*') {
			star = ++pattern;
			mark = text;
		} else if (*pattern && (*pattern == '?' || same)) {
			pattern++;
			text++;
		} else if (star != NULL) { /* the star takes one more */
			pattern = star;
			text = ++mark;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

/* ------------------------------------------------------------- operators */

static bool equals(const char *have, const char *want)
{
	return strcmp(have, want) == 0;
}

static bool equals_any_case(const char *have, const char *want)
{
	return strcasecmp(have, want) == 0;
}

static bool like(const char *have, const char *want)
{
	return policy_matches(want, have, false);
}

static int compare(double a, double b)
{
	return (a > b) - (a < b);
}

static int number(const char *have, const char *want)
{
	return compare(strtod(have, NULL), strtod(want, NULL));
}

/* "2026-01-31T12:00:00Z", "2026-01-31", or seconds since 1970. */
static double moment(const char *text)
{
	struct tm tm = {};
	int n = sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d", &tm.tm_year, &tm.tm_mon,
		       &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec);

	if (n < 3)
		return strtod(text, NULL);
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return timegm(&tm);
}

static int date(const char *have, const char *want)
{
	return compare(moment(have), moment(want));
}

#define COMPARES(kind)                                                         \
	static bool kind##_equals(const char *h, const char *w)                \
	{                                                                      \
		return kind(h, w) == 0;                                        \
	}                                                                      \
	static bool kind##_below(const char *h, const char *w)                 \
	{                                                                      \
		return kind(h, w) < 0;                                         \
	}                                                                      \
	static bool kind##_above(const char *h, const char *w)                 \
	{                                                                      \
		return kind(h, w) > 0;                                         \
	}
COMPARES(number)
COMPARES(date)

static bool in_range(const char *have, const char *want)
{
	char range[SUBNET_CIDR_SIZE];
	struct subnet s;
	struct addr a;

	if (addr_parse(&a, have, 0) < 0)
		return false;
	snprintf(range, sizeof(range), "%s%s", want,
		 strchr(want, '/')   ? ""
		 : strchr(want, ':') ? "/128"
				     : "/32");
	return subnet_init(&s, range, "x") == 0 && subnet_contains(&s, &a);
}

static const struct operator
{
	const char *name;
	bool (*holds)(const char *have, const char *want);
	bool negative;
}
operators[] = {
	{ "StringEquals", equals },
	{ "StringNotEquals", equals, true },
	{ "StringEqualsIgnoreCase", equals_any_case },
	{ "StringNotEqualsIgnoreCase", equals_any_case, true },
	{ "StringLike", like },
	{ "StringNotLike", like, true },
	{ "ArnEquals", like },
	{ "ArnLike", like },
	{ "ArnNotEquals", like, true },
	{ "ArnNotLike", like, true },
	{ "Bool", equals_any_case },
	{ "NumericEquals", number_equals },
	{ "NumericNotEquals", number_equals, true },
	{ "NumericLessThan", number_below },
	{ "NumericGreaterThanEquals", number_below, true },
	{ "NumericGreaterThan", number_above },
	{ "NumericLessThanEquals", number_above, true },
	{ "DateEquals", date_equals },
	{ "DateNotEquals", date_equals, true },
	{ "DateLessThan", date_below },
	{ "DateGreaterThanEquals", date_below, true },
	{ "DateGreaterThan", date_above },
	{ "DateLessThanEquals", date_above, true },
	{ "IpAddress", in_range },
	{ "NotIpAddress", in_range, true },
	{ "Null", NULL },
};

static const struct operator * find(const char *name, bool *if_exists)
{
	size_t len = strlen(name), tail = strlen("IfExists");

	*if_exists = len > tail && strcmp(name + len - tail, "IfExists") == 0;
	if (*if_exists)
		len -= tail;
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
		if (strlen(operators[i].name) == len &&
		    strncmp(operators[i].name, name, len) == 0)
			return &operators[i];
	return NULL;
}

bool policy_is_operator(const char *name)
{
	bool if_exists;

	return find(name, &if_exists) != NULL;
}

/* ------------------------------------------------------------ conditions */

static const char *key_of(const struct policy_request *r, const char *name)
{
	for (size_t i = 0; i < r->n_keys; i++)
		if (strcasecmp(r->keys[i].name, name) == 0)
			return r->keys[i].value;
	return NULL;
}

/* A policy may also say true, or 5. */
static const char *text_of(const json_t *value, char buf[32])
{
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_boolean(value))
		return json_is_true(value) ? "true" : "false";
	snprintf(buf, 32, "%.15g", json_number_value(value));
	return buf;
}

static bool one_holds(const struct operator * o, const char *have,
		      const json_t *want)
{
	char buf[32];

	if (o->holds == NULL) /* Null */
		return strcasecmp(text_of(want, buf),
				  have ? "false" : "true") == 0;
	return o->holds(have, text_of(want, buf));
}

static bool any_holds(const struct operator * o, const char *have,
		      const json_t *wants)
{
	if (!json_is_array(wants))
		return one_holds(o, have, wants);
	for (size_t i = 0; i < json_array_size(wants); i++)
		if (one_holds(o, have, json_array_get(wants, i)))
			return true;
	return false;
}

static bool holds(const struct operator * o, bool if_exists, const char *have,
		  const json_t *wants)
{
	/* What less than is negated to is greater or equal: only of a value. */
	bool ordered = o->holds == number_below || o->holds == number_above ||
		       o->holds == date_below || o->holds == date_above;

	if (have == NULL && o->holds != NULL)
		return if_exists || (o->negative && !ordered);
	return any_holds(o, have, wants) != o->negative;
}

bool policy_conditions_hold(const json_t *conditions,
			    const struct policy_request *r)
{
	const char *name, *key;
	json_t *keys, *wants;
	const struct operator * o;
	bool if_exists;

	json_object_foreach((json_t *)conditions, name, keys)
	{
		o = find(name, &if_exists);
		if (o == NULL)
			return false;
		json_object_foreach(keys, key,
				    wants) if (!holds(o, if_exists,
						      key_of(r, key),
						      wants)) return false;
	}
	return true;
}
