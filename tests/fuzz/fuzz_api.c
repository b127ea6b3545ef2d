/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The edge of the AWS APIs: whatever a client sends is understood or refused,
 * and what is said to it is JSON or XML.  The first byte chooses what the rest
 * is, as lines: a request of some service, a signature, a policy, a statement,
 * a pattern and a text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "api/cw.h"
#include "api/ec2.h"
#include "api/efs.h"
#include "api/protocol.h"
#include "base/utf8.h"
#include "base/util.h"
#include "control/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool so)
{
	if (!so)
		abort();
}

/* ------------------------------------------------ what is not looked at here
 */

#undef EFS_OP
#undef CW_OP
#undef EC2_OP
#define OPERATION(name)                                                        \
	int name(struct api_call *call)                                        \
	{                                                                      \
		return 0;                                                      \
	}
OPERATION(efs_create_file_system)
OPERATION(efs_delete_file_system)
OPERATION(efs_describe_file_systems)
OPERATION(efs_update_file_system)
OPERATION(efs_update_file_system_protection)
OPERATION(efs_create_mount_target)
OPERATION(efs_delete_mount_target)
OPERATION(efs_describe_mount_target_security_groups)
OPERATION(efs_describe_mount_targets)
OPERATION(efs_modify_mount_target_security_groups)
OPERATION(efs_create_access_point)
OPERATION(efs_delete_access_point)
OPERATION(efs_describe_access_points)
OPERATION(efs_delete_file_system_policy)
OPERATION(efs_describe_account_preferences)
OPERATION(efs_describe_backup_policy)
OPERATION(efs_describe_file_system_policy)
OPERATION(efs_describe_lifecycle_configuration)
OPERATION(efs_put_account_preferences)
OPERATION(efs_put_backup_policy)
OPERATION(efs_put_file_system_policy)
OPERATION(efs_put_lifecycle_configuration)
OPERATION(efs_create_replication_configuration)
OPERATION(efs_delete_replication_configuration)
OPERATION(efs_describe_replication_configurations)
OPERATION(efs_create_tags)
OPERATION(efs_delete_tags)
OPERATION(efs_describe_tags)
OPERATION(efs_list_tags_for_resource)
OPERATION(efs_tag_resource)
OPERATION(efs_untag_resource)
OPERATION(cw_delete_alarms)
OPERATION(cw_describe_alarm_history)
OPERATION(cw_describe_alarms)
OPERATION(cw_describe_alarms_for_metric)
OPERATION(cw_disable_alarm_actions)
OPERATION(cw_enable_alarm_actions)
OPERATION(cw_put_metric_alarm)
OPERATION(cw_set_alarm_state)
OPERATION(cw_tag_resource)
OPERATION(cw_untag_resource)
OPERATION(cw_get_metric_data)
OPERATION(cw_get_metric_statistics)
OPERATION(cw_list_metrics)
OPERATION(cw_list_tags_for_resource)
OPERATION(ec2_describe_availability_zones)
OPERATION(ec2_describe_instances)
OPERATION(ec2_describe_network_interfaces)
OPERATION(ec2_describe_regions)
OPERATION(ec2_describe_security_groups)
OPERATION(ec2_describe_subnets)
OPERATION(ec2_describe_vpcs)
OPERATION(ec2_create_subnet)
OPERATION(ec2_create_tags)
OPERATION(ec2_create_vpc)
OPERATION(ec2_delete_subnet)
OPERATION(ec2_delete_tags)
OPERATION(ec2_delete_vpc)
OPERATION(ec2_authorize_egress)
OPERATION(ec2_authorize_ingress)
OPERATION(ec2_create_security_group)
OPERATION(ec2_delete_security_group)
OPERATION(ec2_revoke_egress)
OPERATION(ec2_revoke_ingress)

const struct api_service api_kms = { .name = "kms" };
const struct api_service api_sts = { .name = "sts" };
extern const struct api_service api_efs, api_cw, api_ec2;

static const char *target; /* of the request */

const char *api_header(const struct api_call *call, const char *name)
{
	return strcasecmp(name, "X-Amz-Target") == 0 ? target : NULL;
}

/* ------------------------------------------------------------------- input */

struct input {
	char *text; /* NUL-terminated */
	size_t left;
};

/* Up to the end of the line; "" if there is none. */
static char *line(struct input *in)
{
	char *start = in->text, *end = memchr(start, '\n', in->left);

	if (end == NULL)
		end = start + in->left;
	in->left -= end - start;
	in->text = end;
	if (in->left > 0) {
		*in->text++ = '\0';
		in->left--;
	}
	return start;
}

/* ---------------------------------------------------------------- requests */

static void check_xml(const char *body)
{
	int depth = 0;

	for (const char *p = body; *p; p++) {
		require((unsigned char)*p >= ' ' || *p == '\n');
		if (*p == '<')
			depth += p[1] == '/' ? -1 : 1;
		require(depth >= 0);
	}
	require(depth == 0);
}

static void check_utf8(const char *body)
{
	char *copy = strdup(body);

	utf8_repair(copy);
	require(strcmp(copy, body) == 0);
	free(copy);
}

static void check_reply(struct api_call *call)
{
	bool xml = strncmp(call->service->protocol->content_type, "text/xml",
			   8) == 0;
	json_t *parsed;
	char *body;
	unsigned status = api_reply(call, &body);

	require(body != NULL && status >= 200 && status < 600);
	require((status >= 400) == (call->error.code != NULL));
	check_utf8(body);
	if (xml) {
		check_xml(body);
	} else {
		parsed = json_loads(body, 0, NULL);
		require(json_is_object(parsed));
		json_decref(parsed);
	}
	free(body);
}

static void try_request(struct input *in, unsigned kind)
{
	static const char *const methods[] = { "GET", "POST", "PUT", "DELETE" };
	static const struct api_service *const services[] = {
		&api_efs, &api_efs, &api_efs, &api_efs, &api_cw, &api_ec2,
	};
	struct api_call call = { .service = services[kind % 6] };
	const struct api_field *f;
	char *path = line(in);

	strcpy(call.method, methods[kind % 4]);
	call.path = path;
	call.query = line(in);
	target = line(in);
	if (call.service->by_target != NULL && kind & 64)
		call.service = call.service->by_target;
	call.body = in->text;
	call.body_len = in->left;
	if (api_parse(&call) == 0) {
		require(call.operation != NULL && json_is_object(call.input));
		for (f = call.operation->fields; f && f->name; f++)
			require(!f->required ||
				api_value(&call, f->name) != NULL);
		call.output = json_incref(call.input);
	} else {
		require(call.error.code != NULL);
	}
	check_reply(&call);
	json_decref(call.input);
	json_decref(call.output);
}

/* -------------------------------------------------------------- signatures */

static bool find_secret(void *arg, const char *key,
			char secret[SIGV4_SECRET_MAX + 1])
{
	strcpy(secret, "secret");
	return key[0] == 'A';
}

static void try_signature(struct input *in, unsigned kind)
{
	struct sigv4_header headers[8] = {
		{ "Host", "here" }, { "X-Amz-Date", "20150830T123600Z" }
	};
	struct sigv4_request r = {
		.method = "GET",
		.headers = headers,
		.n_headers = 2,
		.now = 1440938160, /* 2015-08-30 12:36:00 */
	};
	struct sigv4_scope scope;
	char text[SIGV4_TEXT], whole[1024];

	r.path = line(in);
	r.query = line(in);
	headers[2].name = "Authorization";
	headers[2].value = whole;
	if (kind & 1)
		snprintf(whole, sizeof(whole), "%s", line(in));
	else
		snprintf(whole, sizeof(whole),
			 "AWS4-HMAC-SHA256 Credential=A/20150830/us-east-1/"
			 "elasticfilesystem/aws4_request, "
			 "SignedHeaders=host;x-amz-date;%.256s, Signature=%s",
			 line(in), line(in));
	r.n_headers = kind & 2 ? 2 : 3;
	while (in->left > 0 && r.n_headers < 8) {
		headers[r.n_headers].name = line(in);
		headers[r.n_headers++].value = line(in);
	}
	memset(text, 'x', sizeof(text));
	SHA256((const uint8_t *)"", 0, r.body);
	if (sigv4_check(&r, find_secret, NULL, &scope, text) != SIGV4_VALID)
		require(memchr(text, '\0', sizeof(text)) != NULL);
	check_utf8(scope.region);
	check_utf8(scope.service);
}

/* ---------------------------------------------------------------- policies */

static void try_policy(json_t *policy)
{
	static const struct policy_key keys[] = {
		{ "aws:username", "joe" },
		{ "aws:SourceIp", "10.1.2.3" },
		{ "aws:CurrentTime", "2026-06-01T00:00:00Z" },
		{ "aws:TagKeys", "a" },
		{ "aws:TagKeys", "b" },
		{ "n", "10" },
		{ "arn", "arn:aws:iam::000000000000:user/joe" },
	};
	const struct policy_request r = {
		.action = "elasticfilesystem:ClientWrite",
		.resource = "arn:aws:elasticfilesystem:us-east-1:000000000000:"
			    "file-system/fs-1",
		.principal = "arn:aws:iam::000000000000:user/joe",
		.account = "000000000000",
		.keys = keys,
		.n_keys = ARRAY_SIZE(keys),
	};
	struct policy_reason why;
	enum policy_decision d;

	if (policy == NULL || policy_fault(policy, NULL, true) != NULL)
		return;
	policy_fault(policy, "elasticfilesystem:", false);
	d = policy_evaluate(policy, &r, &why);
	require((d == POLICY_NOTHING) == (why.statement == 0));
}

static void try_statement(struct input *in)
{
	char *action = line(in), *resource = line(in), *operator= line(in);
	char *key = line(in), *value = line(in);
	json_t *policy =
		json_pack("{s:s, s:[{s:s, s:s, s:s, s:s, s:{s:{s:[s, s]}}}]}",
			  "Version", "2012-10-17", "Statement", "Effect",
			  "Deny", "Principal", "*", "Action", action,
			  "Resource", resource, "Condition", operator, key,
			  value, line(in));

	try_policy(policy);
	json_decref(policy);
}

/* As the words say it, and slow. */
static bool slowly(const char *pattern, const char *text)
{
	if (*pattern == '\0')
		return *text == '\0';
	if (*pattern == '*')
		return slowly(pattern + 1, text) ||
		       (*text && slowly(pattern, text + 1));
	return *text && (*pattern == '?' || *pattern == *text) &&
	       slowly(pattern + 1, text + 1);
}

static void try_pattern(struct input *in)
{
	const struct policy_request r = {};
	char *pattern = line(in), *text = line(in);

	if (strlen(pattern) > 12 || strlen(text) > 16 ||
	    strpbrk(pattern, "\001\002"))
		return;
	require(policy_matches(pattern, text, false) == slowly(pattern, text));
	require(policy_like(pattern, text, &r) == slowly(pattern, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy;
	struct input in;
	json_t *policy;

	if (size < 2)
		return 0;
	copy = calloc(1, size);
	memcpy(copy, data + 1, size - 1);
	in = (struct input){ copy, size - 1 };
	switch (data[0] % 8) {
	case 0:
		try_signature(&in, data[0] / 8);
		break;
	case 1:
		policy = policy_parse(copy);
		try_policy(policy);
		json_decref(policy);
		break;
	case 2:
		try_statement(&in);
		break;
	case 3:
		try_pattern(&in);
		break;
	default:
		try_request(&in, data[0] / 8 + data[0] % 8);
	}
	free(copy);
	return 0;
}
