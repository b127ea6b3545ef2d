/* SPDX-License-Identifier: Apache-2.0 */
/* STS: who is calling. */
#include "api/protocol.h"

static int get_caller_identity(struct api_call *call)
{
	call->output = json_pack("{s:o, s:s, s:s}", "Arn",
				 json_sprintf("arn:aws:iam::%s:user/%s",
					      api_account(call), call->user),
				 "UserId", call->scope.key, "Account",
				 api_account(call));
	return 0;
}

static const struct api_operation operations[] = {
	{ "GetCallerIdentity", get_caller_identity },
	{},
};

const struct api_service api_sts = {
	.name = "sts",
	.protocol = &api_query,
	.operations = operations,
	.xmlns = "https://sts.amazonaws.com/doc/2011-06-15/",
};
