/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a policy is compared with: wildcards, and variables in them.
 *
 * A variable, ${aws:username}, stands for the value that the request has; one
 * that it does not have, and for which the policy gives no other ("${key,
 * 'other'}"), makes the whole match nothing.  What it stands for is no
 * wildcard, whatever it looks like, so patterns with variables are written with
 * wildcards that no text has: one that has them matches nothing.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"
#include "control/policy.h"

struct wildcards {
	char many, one;
};
static const struct wildcards as_written = { '*', '?' }, coded = { 1, 2 };

static bool match(const struct wildcards *w, const char *pattern,
		  const char *pattern_end, const char *text, const char *end,
		  bool any_case)
{
	const char *star = NULL, *mark = NULL;

	while (text < end) {
		bool more = pattern < pattern_end;

		if (more && *pattern == w->many) {
			star = ++pattern;
			mark = text;
		} else if (more &&
			   (*pattern == w->one || *pattern == *text ||
			    (any_case && strncasecmp(pattern, text, 1) == 0))) {
			pattern++;
			text++;
		} else if (star != NULL) { /* the star takes one more */
			pattern = star;
			text = ++mark;
		} else {
			return false;
		}
	}
	while (pattern < pattern_end && *pattern == w->many)
		pattern++;
	return pattern == pattern_end;
}

bool policy_matches(const char *pattern, const char *text, bool any_case)
{
	return match(&as_written, pattern, pattern + strlen(pattern), text,
		     text + strlen(text), any_case);
}

/* -------------------------------------------------------------- variables */

/* A text that grows, within what was allocated for it. */
struct out {
	char *text;
	size_t len, size;
};

static bool add(struct out *o, const char *text, size_t len)
{
	char *more;

	if (o->len + len >= o->size) {
		more = realloc(o->text, 2 * (o->len + len) + 64);
		if (more == NULL)
			return false;
		o->text = more;
		o->size = 2 * (o->len + len) + 64;
	}
	memcpy(o->text + o->len, text, len);
	o->len += len;
	o->text[o->len] = '\0';
	return true;
}

static const char *find_value(const struct policy_request *r, const char *name,
			      size_t len)
{
	for (size_t i = 0; i < r->n_keys; i++)
		if (strlen(r->keys[i].name) == len &&
		    strncasecmp(r->keys[i].name, name, len) == 0)
			return r->keys[i].value;
	return NULL;
}

/* What stands between "${" and "}"; false: nothing does. */
static bool add_variable(struct out *o, const struct policy_request *r,
			 const char *inside, size_t len)
{
	size_t name = strcspn(inside, ",}");
	const char *value, *quote, *end;

	if (len == 1 && strchr("*?$", *inside) != NULL)
		return add(o, inside, 1);
	while (name > 0 && inside[name - 1] == ' ')
		name--;
	value = find_value(r, inside, name);
	if (value != NULL) /* of the caller's choice, some of them */
		return strpbrk(value, "\1\2") == NULL &&
		       add(o, value, strlen(value));
	quote = memchr(inside, '\'', len);
	end = quote ? memchr(quote + 1, '\'', inside + len - quote - 1) : NULL;
	return end != NULL && add(o, quote + 1, end - quote - 1);
}

char *policy_expand(const char *pattern, const struct policy_request *r,
		    bool wildcards)
{
	struct out o = {};
	bool ok = add(&o, "", 0);

	for (; *pattern && ok; pattern++) {
		const char *end =
			pattern[0] == '$' && pattern[1] == '{' && r->variables
				? strchr(pattern, '}')
				: NULL;
		char c = *pattern;

		if (end != NULL) {
			ok = add_variable(&o, r, pattern + 2,
					  end - pattern - 2);
			pattern = end;
			continue;
		}
		if (wildcards && c == as_written.many)
			c = coded.many;
		else if (wildcards && c == as_written.one)
			c = coded.one;
		else if (c == coded.many || c == coded.one)
			ok = false; /* no text has these */
		ok = ok && add(&o, &c, 1);
	}
	if (ok)
		return o.text;
	free(o.text);
	return NULL;
}

bool policy_like(const char *pattern, const char *text,
		 const struct policy_request *r)
{
	auto_free char *p = policy_expand(pattern, r, true);

	return p != NULL && match(&coded, p, p + strlen(p), text,
				  text + strlen(text), false);
}

/* ------------------------------------------------------------------- ARNs */

enum { ARN_PARTS = 6 };

/* Where the parts begin; the last goes on to the end, whatever is in it. */
static bool split_arn(const char *arn, const char *parts[ARN_PARTS + 1])
{
	parts[0] = arn;
	for (int i = 1; i < ARN_PARTS; i++) {
		const char *colon = strchr(parts[i - 1], ':');

		if (colon == NULL)
			return false;
		parts[i] = colon + 1;
	}
	parts[ARN_PARTS] = arn + strlen(arn) + 1;
	return true;
}

/* Part by part, so that a wildcard does not reach into the next one. */
static bool match_arn(const char *pattern, const char *arn, int but)
{
	const char *p[ARN_PARTS + 1], *a[ARN_PARTS + 1];

	if (!split_arn(pattern, p) || !split_arn(arn, a))
		return false;
	for (int i = 0; i < ARN_PARTS; i++)
		if (i != but && !match(&coded, p[i], p[i + 1] - 1, a[i],
				       a[i + 1] - 1, false))
			return false;
	return true;
}

bool policy_arn_like(const char *pattern, const char *arn,
		     const struct policy_request *r)
{
	auto_free char *p = policy_expand(pattern, r, true);

	return p != NULL && match_arn(p, arn, -1);
}

enum { ARN_REGION = 3 };

bool policy_is_resource(const char *pattern, const struct policy_request *r)
{
	auto_free char *p = policy_expand(pattern, r, true);
	const char *text = r->resource;

	return p != NULL && (match(&coded, p, p + strlen(p), text,
				   text + strlen(text), false) ||
			     match_arn(p, text, ARN_REGION));
}
