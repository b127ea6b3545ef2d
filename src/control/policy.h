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

enum { POLICY_KEYS_MAX = 128 };

/* What conditions can ask about: "aws:SourceIp".  Names have no case. */
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
/* '*' and '?'; */
bool policy_matches(const char *pattern, const char *text, bool any_case);

#endif
