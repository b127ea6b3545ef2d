/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions: {operator: {key: value or values}}.  A key's values are
 * alternatives; keys and operators have to hold all.  Of a key that a request
 * does not have, a positive operator does not hold, a negative one does, and
 * one that ends in IfExists always.  Of a key of which a request has several
 * values, ForAnyValue wants one that fits, of which there has to be one, and
 * ForAllValues that none does not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/util.h"
#include "control/policy.h"
#include "control/subnet.h"

/* ------------------------------------------------------------- operators */

static bool equals(const char *have, const char *want,
		   const struct policy_request *r)
{
	auto_free char *text = policy_expand(want, r, false);

	return text != NULL && strcmp(have, text) == 0;
}

static bool equals_any_case(const char *have, const char *want,
			    const struct policy_request *r)
{
	auto_free char *text = policy_expand(want, r, false);

	return text != NULL && strcasecmp(have, text) == 0;
}

static bool like(const char *have, const char *want,
		 const struct policy_request *r)
{
	return policy_like(want, have, r);
}

static bool arn_like(const char *have, const char *want,
		     const struct policy_request *r)
{
	return policy_arn_like(want, have, r);
}

static bool parse_number(const char *text, double *out)
{
	char *end;

	*out = strtod(text, &end);
	return end != text && *end == '\0';
}

/* "2026-01-31T12:00:00Z", "2026-01-31", or seconds since 1970. */
static bool parse_date(const char *text, double *out)
{
	struct tm tm = {};
	int n = sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d", &tm.tm_year, &tm.tm_mon,
		       &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec);

	if (n < 3)
		return parse_number(text, out);
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*out = timegm(&tm);
	return true;
}

/* What is no number compares with nothing. */
#define COMPARES(kind, name, how)                                              \
	static bool kind##_##name(const char *have, const char *want,          \
				  const struct policy_request *r)              \
	{                                                                      \
		double a, b;                                                   \
                                                                               \
		return parse_##kind(have, &a) && parse_##kind(want, &b) &&     \
		       a how b;                                                \
	}
#define COMPARES_ALL(kind)                                                     \
	COMPARES(kind, equals, ==)                                             \
	COMPARES(kind, below, <)                                               \
	COMPARES(kind, at_most, <=)                                            \
	COMPARES(kind, above, >)                                               \
	COMPARES(kind, at_least, >=)
COMPARES_ALL(number)
COMPARES_ALL(date)

/* 10.1.2.3/16 is all of 10.1.0.0/16. */
static bool in_range(const char *have, const char *want,
		     const struct policy_request *r)
{
	struct subnet s;
	struct addr a;

	return addr_parse(&a, have, 0) == 0 && subnet_around(&s, want) == 0 &&
	       subnet_contains(&s, &a);
}

static const struct operator
{
	const char *name;
	bool (*holds)(const char *have, const char *want,
		      const struct policy_request *r);
	bool negative;
}
operators[] = {
	{ "StringEquals", equals },
	{ "StringNotEquals", equals, true },
	{ "StringEqualsIgnoreCase", equals_any_case },
	{ "StringNotEqualsIgnoreCase", equals_any_case, true },
	{ "StringLike", like },
	{ "StringNotLike", like, true },
	{ "ArnEquals", arn_like },
	{ "ArnLike", arn_like },
	{ "ArnNotEquals", arn_like, true },
	{ "ArnNotLike", arn_like, true },
	{ "Bool", equals_any_case },
	{ "NumericEquals", number_equals },
	{ "NumericNotEquals", number_equals, true },
	{ "NumericLessThan", number_below },
	{ "NumericGreaterThanEquals", number_at_least },
	{ "NumericGreaterThan", number_above },
	{ "NumericLessThanEquals", number_at_most },
	{ "DateEquals", date_equals },
	{ "DateNotEquals", date_equals, true },
	{ "DateLessThan", date_below },
	{ "DateGreaterThanEquals", date_at_least },
	{ "DateGreaterThan", date_above },
	{ "DateLessThanEquals", date_at_most },
	{ "IpAddress", in_range },
	{ "NotIpAddress", in_range, true },
	{ "Null", NULL },
};

/* An operator as it is written: "ForAnyValue:StringLikeIfExists". */
struct test {
	const struct operator* operator;
	enum { ONE, ANY, ALL } of;
	bool if_exists;
};

static bool parse(const char *name, struct test *t)
{
	size_t len, tail = strlen("IfExists");

	*t = (struct test){};
	if (strncmp(name, "ForAnyValue:", 12) == 0)
		t->of = ANY;
	else if (strncmp(name, "ForAllValues:", 13) == 0)
		t->of = ALL;
	name += t->of == ANY ? 12 : t->of == ALL ? 13 : 0;
	len = strlen(name);
	t->if_exists = len > tail && strcmp(name + len - tail, "IfExists") == 0;
	if (t->if_exists)
		len -= tail;
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
		if (strlen(operators[i].name) == len &&
		    strncmp(operators[i].name, name, len) == 0)
			t->operator= & operators[i];
	/* Whether there is one has nothing to do with which. */
	return t->operator!= NULL &&(t->operator->holds !=
				     NULL ||(t->of == ONE && !t->if_exists));
}

bool policy_is_operator(const char *name)
{
	struct test t;

	return parse(name, &t);
}

/* ------------------------------------------------------------ conditions */

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

static bool one_holds(const struct operator* o, const char *have,
		      const json_t *want, const struct policy_request *r)
{
	char buf[32];

	if (o->holds == NULL) /* Null */
		return strcasecmp(text_of(want, buf),
				  have ? "false" : "true") == 0;
	return o->holds(have, text_of(want, buf), r);
}

/* For one value of the request: some of those of the policy. */
static bool value_holds(const struct operator* o, const char *have,
			const json_t *wants, const struct policy_request *r)
{
	bool any = false;

	if (!json_is_array(wants))
		any = one_holds(o, have, wants, r);
	for (size_t i = 0; i < json_array_size(wants) && !any; i++)
		any = one_holds(o, have, json_array_get(wants, i), r);
	return any != o->negative;
}

/* For a key, of which a request may have several values. */
static bool test_holds(const struct test *t, const char *key,
		       const json_t *wants, const struct policy_request *r)
{
	const struct operator* o = t->operator;
	size_t n = 0, good = 0;

	for (size_t i = 0; i < r->n_keys; i++) {
		if (strcasecmp(r->keys[i].name, key) != 0)
			continue;
		n++;
		good += value_holds(o, r->keys[i].value, wants, r);
	}
	if (n == 0 && o->holds == NULL)
		return value_holds(o, NULL, wants, r);
	if (t->of == ALL)
		return good == n;
	if (n == 0)
		return t->if_exists || (t->of == ONE && o->negative);
	return t->of == ANY || !o->negative ? good > 0 : good == n;
}

bool policy_conditions_hold(const json_t *conditions,
			    const struct policy_request *r)
{
	const char *name, *key;
	json_t *keys, *wants;
	struct test t;

	json_object_foreach((json_t *)conditions, name, keys)
	{
		if (!parse(name, &t))
			return false;
		json_object_foreach(keys, key,
				    wants) if (!test_holds(&t, key, wants,
							   r)) return false;
	}
	return true;
}
