/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies in IAM's JSON, evaluated as IAM does: what some statement denies is
 * denied, else what some statement allows is allowed, else it is not.  ("Policy
 * evaluation logic" and "IAM JSON policy elements" in the IAM User Guide.)
 *
 * Pure: any thread.  A policy that is evaluated never changes meanwhile.
 */
#ifndef CONTROL_POLICY_H
#define CONTROL_POLICY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { POLICY_KEYS_MAX = 192 };

/* What conditions can ask about: "aws:SourceIp".  Names have no case.  A key of
 * several values is there several times. */
struct policy_key {
	const char *name, *value;
};

struct policy_request {
	const char *action;   /* "elasticfilesystem:ClientMount" */
	const char *resource; /* an ARN, or "*" */
	const char
		*principal; /* the ARN of a user; NULL: nobody that is known */
	const char *account;
	const struct policy_key *keys;
	size_t n_keys;
	bool variables; /* of the policy's version; policy_evaluate() sets it */
};

enum policy_decision {
	POLICY_NOTHING, /* no statement says anything: implicitly denied */
	POLICY_ALLOW,
	POLICY_DENY,
};

/* Which statement decided: from 1; 0: none. */
struct policy_reason {
	size_t statement;
	const char *sid; /* borrowed from the policy; NULL: it has none */
};

/* `reason` may be NULL.  A policy of an identity has no Principal, which then
 * is everybody. */
enum policy_decision policy_evaluate(const json_t *policy,
				     const struct policy_request *r,
				     struct policy_reason *reason);

/* What is wrong with a policy's form: the name of the element, or NULL.
 * `service`: what actions begin with ("elasticfilesystem:"), or NULL: anything.
 * `principal`: statements have one, or must not. */
const char *policy_fault(const json_t *policy, const char *service,
			 bool principal);

/* The text as JSON, if it is an object and not too deep; a new reference, or
 * NULL. */
json_t *policy_parse(const char *text);

/* condition.c: do all conditions hold? */
bool policy_conditions_hold(const json_t *conditions,
			    const struct policy_request *r);
bool policy_is_operator(const char *name);

/* pattern.c: '*' and '?'. */
bool policy_matches(const char *pattern, const char *text, bool any_case);
/* With variables, too. */
bool policy_like(const char *pattern, const char *text,
		 const struct policy_request *r);
bool policy_arn_like(const char *pattern, const char *arn,
		     const struct policy_request *r);
/* The resource of the request, in whichever region: the service is in all. */
bool policy_is_resource(const char *pattern, const struct policy_request *r);
/* Its variables replaced, malloc'ed; with `wildcards`, '*' and '?' as
 * characters of pattern.c's own.  NULL: one of them is not known. */
char *policy_expand(const char *pattern, const struct policy_request *r,
		    bool wildcards);

#endif
