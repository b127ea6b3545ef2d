/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rights: what a file system's policy lets an NFS client do, and why.  Without
 * a policy everybody may do everything.  A client is nobody that IAM knows
 * (AUTH_SYS), so only statements for everybody ("*") are about him, unless his
 * certificate has proved which key he has (struct control_client): then the
 * key's own policy, if it has one, decides, too.
 */
#ifndef CONTROL_RIGHTS_H
#define CONTROL_RIGHTS_H

#include "control/control.h"
#include "control/policy.h"

#define CONTROL_ACCOUNT "000000000000"
#define CONTROL_REGION	"us-east-1" /* where nobody says another one */

enum { RIGHTS_ARN_SIZE = 128 };

/* Asked as a client would be, of one action. */
struct rights_question {
	const char *fs;
	const char *action;	  /* "elasticfilesystem:ClientWrite" */
	const char *access_point; /* fsap-…, or NULL */
	const char *source_ip;	  /* or NULL */
	const char *user;	  /* of an API call; NULL: a client */
};
struct rights_answer {
	bool has_policy;
	enum policy_decision decision; /* of the policy, if there is one */
	size_t statement;
	char sid[256];
};
/* The reactor of the control. */
int control_explain(struct control *c, const struct rights_question *q,
		    struct rights_answer *out, struct control_error *err);

/* Keys or their policies have changed: clients are judged anew. */
void control_rights_changed(struct control *c);

/* The policy of a file system; borrowed until the caller parks; NULL: none. */
const json_t *control_fs_policy(struct control *c, const char *fs);

#endif
