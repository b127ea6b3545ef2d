/* SPDX-License-Identifier: Apache-2.0 */
/*
 * May the caller do what he asks for?  The policy of his key and that of the
 * file system that is meant decide together: neither may deny it, and one has
 * to allow it.  A key without a policy may do everything.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/efs.h"
#include "api/protocol.h"
#include "control/policy.h"
#include "reactor/reactor.h"

enum { ARN_SIZE = 256, TAG_KEY_SIZE = 160 };

/* What is asked, and all that it points to. */
struct question {
	struct policy_request r;
	struct policy_key keys[POLICY_KEYS_MAX];
	char tags[POLICY_KEYS_MAX][TAG_KEY_SIZE];
	char action[128], resource[ARN_SIZE], principal[ARN_SIZE];
	char time[32], epoch[24];
	char fs[CONTROL_ID_SIZE]; /* "" if none is meant */
};

static void add_key(struct question *q, const char *name, const char *value)
{
	if (q->r.n_keys < POLICY_KEYS_MAX && value != NULL)
		q->keys[q->r.n_keys++] = (struct policy_key){ name, value };
}

/* "aws:RequestTag/a" and the like. */
static void add_tags(struct question *q, const char *prefix, const json_t *tags)
{
	for (size_t i = 0; i < json_array_size(tags); i++) {
		const json_t *tag = json_array_get(tags, i);
		size_t n = q->r.n_keys;

		if (n == POLICY_KEYS_MAX)
			return;
		snprintf(q->tags[n], TAG_KEY_SIZE, "%s/%s", prefix,
			 json_string_value(json_object_get(tag, "Key")) ?: "");
		add_key(q, q->tags[n],
			json_string_value(json_object_get(tag, "Value")));
	}
}

/* aws:TagKeys, a key of several values: of tags that are given or taken. */
static void add_tag_keys(struct api_call *call, struct question *q)
{
	const json_t *tags = api_value(call, "Tags");
	const json_t *keys = api_value(call, "TagKeys");

	for (size_t i = 0; i < json_array_size(tags); i++)
		add_key(q, "aws:TagKeys",
			json_string_value(json_object_get(
				json_array_get(tags, i), "Key")));
	for (size_t i = 0; i < json_array_size(keys); i++)
		add_key(q, "aws:TagKeys",
			json_string_value(json_array_get(keys, i)));
}

/* ----------------------------------------------------------- the resource */

static void set_resource(const struct api_call *call, struct question *q,
			 const char *kind, const char *id)
{
	snprintf(q->resource, sizeof(q->resource),
		 "arn:aws:elasticfilesystem:%s:%s:%s/%s", api_region(call),
		 api_account(call), kind, id);
}

static void about_fs(struct api_call *call, struct question *q, const char *id)
{
	struct control_error none = {};
	struct control_fs *list;

	set_resource(call, q, "file-system", id);
	if (control_fs_list(efs_control(call), id, &list, &none) <= 0)
		return;
	snprintf(q->fs, sizeof(q->fs), "%s", list[0].id);
	add_tags(q, "aws:ResourceTag",
		 json_object_get(list[0].attributes, "Tags"));
	free(list);
}

static void about_point(struct api_call *call, struct question *q,
			const char *id)
{
	struct control_error none = {};
	struct control_access_point p;

	set_resource(call, q, "access-point", id);
	if (control_access_point_find(efs_control(call), id, &p, &none) < 0)
		return;
	strcpy(q->fs, p.fs);
	add_tags(q, "aws:ResourceTag", json_object_get(p.attributes, "Tags"));
}

static void about_target(struct api_call *call, struct question *q,
			 const char *id)
{
	struct control_mount_target *list;
	struct control_error none = {};

	if (control_mount_target_list(efs_control(call), id, NULL, &list,
				      &none) <= 0)
		return;
	about_fs(call, q, list[0].fs);
	free(list);
}

/* What the input names, and what that is. */
static void find_resource(struct api_call *call, struct question *q)
{
	static const char *const members[] = { "FileSystemId",
					       "SourceFileSystemId",
					       "AccessPointId", "ResourceId",
					       "MountTargetId" };
	const char *id = NULL;

	for (size_t i = 0; i < 5 && id == NULL; i++)
		id = efs_id(api_string(call, members[i]));
	if (id == NULL)
		return;
	if (strncmp(id, "fsap-", 5) == 0)
		about_point(call, q, id);
	else if (strncmp(id, "fsmt-", 5) == 0)
		about_target(call, q, id);
	else
		about_fs(call, q, id);
}

/* ----------------------------------------------------------- the decision */

static void ask(struct api_call *call, struct question *q)
{
	struct timespec now = nsec_to_timespec(reactor_realtime());
	struct tm tm;

	q->r = (struct policy_request){ .action = q->action,
					.resource = q->resource,
					.principal = q->principal,
					.account = api_account(call),
					.keys = q->keys };
	snprintf(q->action, sizeof(q->action), "%s:%s",
		 call->service->prefix ? call->service->prefix
				       : call->service->name,
		 call->operation->name);
	strcpy(q->resource, "*");
	snprintf(q->principal, sizeof(q->principal), "arn:aws:iam::%s:user/%s",
		 api_account(call), call->user);
	gmtime_r(&now.tv_sec, &tm);
	strftime(q->time, sizeof(q->time), "%Y-%m-%dT%H:%M:%SZ", &tm);
	snprintf(q->epoch, sizeof(q->epoch), "%lld", (long long)now.tv_sec);
	add_key(q, "aws:CurrentTime", q->time);
	add_key(q, "aws:EpochTime", q->epoch);
	add_key(q, "aws:username", call->user);
	add_key(q, "aws:PrincipalArn", q->principal);
	add_key(q, "aws:PrincipalAccount", api_account(call));
	add_key(q, "aws:PrincipalType", "User");
	add_key(q, "aws:UserAgent", api_header(call, "User-Agent"));
	add_key(q, "aws:SourceIp", call->peer);
	add_key(q, "aws:SecureTransport", call->secure ? "true" : "false");
	add_key(q, "aws:RequestedRegion", api_region(call));
	if (strcmp(call->operation->name, "CreateFileSystem") == 0)
		add_key(q, "elasticfilesystem:Encrypted",
			json_is_true(api_value(call, "Encrypted")) ? "true"
								   : "false");
	add_tags(q, "aws:RequestTag", api_value(call, "Tags"));
	add_tag_keys(call, q);
	if (strcmp(call->service->name, "elasticfilesystem") == 0)
		find_resource(call, q);
}

static enum policy_decision decide(struct api_call *call, struct question *q)
{
	enum policy_decision own = POLICY_ALLOW, fs = POLICY_NOTHING;
	const json_t *policy =
		q->fs[0] ? control_fs_policy(efs_control(call), q->fs) : NULL;

	if (call->policy != NULL)
		own = policy_evaluate(call->policy, &q->r, NULL);
	if (policy != NULL)
		fs = policy_evaluate(policy, &q->r, NULL);
	if (own == POLICY_DENY || fs == POLICY_DENY)
		return POLICY_DENY;
	return own == POLICY_ALLOW ? own : fs;
}

int api_authorize(struct api_call *call)
{
	enum policy_decision decision;
	struct question *q;

	/* Everybody may ask who he is. */
	if (strcmp(call->operation->name, "GetCallerIdentity") == 0)
		return 0;
	q = calloc(1, sizeof(*q));
	if (q == NULL)
		return api_refuse(call, "InternalServerError",
				  "Out of memory.");
	ask(call, q);
	decision = decide(call, q);
	if (decision != POLICY_ALLOW)
		api_refuse(call, call->service->protocol->denied,
			   "User: %s is not authorized to perform: %s on "
			   "resource: %s %s",
			   q->principal, q->action, q->resource,
			   decision == POLICY_DENY
				   ? "with an explicit deny"
				   : "because no policy allows the action");
	free(q);
	return decision == POLICY_ALLOW ? 0 : -EACCES;
}
