/* SPDX-License-Identifier: Apache-2.0 */
/* Why something is allowed, or not. */
#include "control/rights.h"
#include "rpc/internal.h"

static const char *decision_name(const struct rights_answer *a)
{
	if (!a->has_policy)
		return "allowed";
	switch (a->decision) {
	case POLICY_ALLOW:
		return "allowed";
	case POLICY_DENY:
		return "denied";
	case POLICY_NOTHING:
		break;
	}
	return "implicitly denied";
}

static int policy_explain(struct rpc_call *call)
{
	const struct rights_question q = {
		.fs = rpc_string(call, "fs"),
		.action = rpc_string(call, "action"),
		.access_point = rpc_string(call, "access_point"),
		.source_ip = rpc_string(call, "source_ip"),
		.user = rpc_string(call, "user"),
	};
	struct rights_answer a;
	int r = control_explain(call->env->control, &q, &a, &call->error);

	if (r < 0)
		return r;
	call->result = json_pack("{s:s, s:s, s:i, s:s}", "decision",
				 decision_name(&a), "because",
				 !a.has_policy ? "the file system has no policy"
				 : a.statement == 0
					 ? "no statement of the policy applies"
					 : "a statement of the policy says so",
				 "statement", (int)a.statement, "sid", a.sid);
	return 0;
}

static const struct rpc_param explain_params[] = {
	{ "fs", RPC_STRING, RPC_REQUIRED, "id of the file system" },
	{ "action", RPC_STRING, RPC_REQUIRED,
	  "like elasticfilesystem:ClientWrite" },
	{ "access_point", RPC_STRING, RPC_OPTIONAL, "through which it is" },
	{ "source_ip", RPC_STRING, RPC_OPTIONAL, "of the client" },
	{ "user", RPC_STRING, RPC_OPTIONAL,
	  "of an API call; default: an NFS client, who is nobody" },
	{},
};

const struct rpc_method rpc_policy_methods[] = {
	{ "policy_explain", policy_explain,
	  "Says what a file system's policy decides, and by which statement.",
	  explain_params },
	{},
};
