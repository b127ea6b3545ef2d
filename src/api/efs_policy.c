/* SPDX-License-Identifier: Apache-2.0 */
/* Is a text a policy that a file system may have? */
#include <stdio.h>

#include "api/efs.h"
#include "control/policy.h"

/* May the caller still change the policy when this one is in force? */
static bool locks_out(const struct api_call *call, const json_t *policy)
{
	char principal[128], resource[160];
	const struct policy_request r = {
		.action = "elasticfilesystem:PutFileSystemPolicy",
		.resource = resource,
		.principal = principal,
		.account = api_account(call),
	};

	snprintf(principal, sizeof(principal), "arn:aws:iam::%s:user/%s",
		 api_account(call), call->user);
	snprintf(resource, sizeof(resource),
		 "arn:aws:elasticfilesystem:%s:%s:file-system/%s",
		 api_region(call), api_account(call), efs_file_system_id(call));
	return policy_evaluate(policy, &r, NULL) == POLICY_DENY;
}

int efs_check_policy(struct api_call *call, const char *text)
{
	json_t *policy = policy_parse(text);
	const char *fault;
	int r = 0;

	if (policy == NULL)
		return api_refuse(call, "InvalidPolicyException",
				  "The policy is not a JSON object.");
	fault = policy_fault(policy, "elasticfilesystem:", true);
	if (fault != NULL)
		r = api_refuse(call, "InvalidPolicyException",
			       "The policy has an invalid or missing %s.",
			       fault);
	else if (!json_is_true(
			 api_value(call, "BypassPolicyLockoutSafetyCheck")) &&
		 locks_out(call, policy))
		r = api_refuse(call, "InvalidPolicyException",
			       "The policy would keep you from changing it "
			       "again; BypassPolicyLockoutSafetyCheck allows "
			       "that.");
	json_decref(policy);
	return r;
}
