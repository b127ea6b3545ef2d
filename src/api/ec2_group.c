/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Security groups.  A permission that names several ranges and groups is taken
 * apart into rules of one each, which is also what is compared.
 */
#include <errno.h>
#include <string.h>

#include "api/ec2.h"

enum { RULES_MAX = 200 };

static int no_group(struct api_call *call, const char *id)
{
	return api_refuse(call, "InvalidGroup.NotFound",
			  "The security group '%.64s' does not exist", id);
}

/* ------------------------------------------------------- create and delete */

static const char *vpc_of(const struct api_call *call)
{
	return api_string(call, "VpcId") ?: THING_DEFAULT_VPC;
}

static bool name_is_taken(const struct api_call *call, const char *vpc,
			  const char *name)
{
	const json_t *groups = things(ec2_control(call), THING_GROUP);
	const char *id;
	json_t *group;

	json_object_foreach((json_t *)groups, id,
			    group) if (strcmp(ec2_text(group, "VpcId"), vpc) ==
					       0 &&
				       strcmp(ec2_text(group, "GroupName"),
					      name) == 0) return true;
	return false;
}

/* thing_check_fn */
static int check_new(void *arg, struct control_error *err)
{
	struct api_call *call = arg;
	const char *vpc = vpc_of(call), *name = api_string(call, "GroupName");

	if (thing_find(ec2_control(call), THING_VPC, vpc) == NULL)
		return api_refuse(call, "InvalidVpcID.NotFound",
				  "The vpc ID '%.64s' does not exist", vpc);
	if (name_is_taken(call, vpc, name))
		return api_refuse(
			call, "InvalidGroup.Duplicate",
			"The security group '%.64s' already exists for "
			"VPC '%s'",
			name, vpc);
	return 0;
}

int ec2_create_security_group(struct api_call *call)
{
	char id[CONTROL_ID_SIZE];
	int r = ec2_dry_run(call);

	if (r == 0)
		r = ec2_check_tags(call);
	if (r < 0)
		return r;
	r = thing_create_if(
		ec2_control(call), THING_GROUP, "sg-", id,
		json_pack("{s:s, s:s, s:s, s:[], s:o}", "GroupName",
			  api_string(call, "GroupName"), "Description",
			  api_string(call, "GroupDescription"), "VpcId",
			  vpc_of(call), "Rules", "Tags", ec2_given_tags(call)),
		check_new, call, &call->error);
	if (r == 0)
		call->output =
			json_pack("{s:b, s:s}", "return", 1, "groupId", id);
	return r;
}

/* It stays as long as its VPC does. */
static bool is_default(const struct api_call *call, const char *id)
{
	const json_t *group = thing_find(ec2_control(call), THING_GROUP, id);

	return strcmp(ec2_text(group, "GroupName"), "default") == 0 &&
	       thing_find(ec2_control(call), THING_VPC,
			  ec2_text(group, "VpcId")) != NULL;
}

int ec2_delete_security_group(struct api_call *call)
{
	const char *id = api_string(call, "GroupId");
	int r = ec2_dry_run(call);

	if (r < 0)
		return r;
	if (id == NULL)
		return api_refuse(call, "MissingParameter",
				  "The request must contain the parameter "
				  "GroupId");
	if (is_default(call, id))
		return api_refuse(call, "CannotDelete",
				  "the specified group: \"%s\" name: "
				  "\"default\" cannot be deleted by a user",
				  id);
	r = thing_delete(ec2_control(call), THING_GROUP, id, &call->error);
	return r == -ENOENT ? no_group(call, id) : r;
}

/* ------------------------------------------------------------------- rules */

static int add_rule(struct api_call *call, json_t *rules, const json_t *p,
		    const char *cidr, const char *group)
{
	const char *protocol = ec2_text(p, "IpProtocol");
	json_t *rule;
	struct subnet s;

	if (strcmp(protocol, "6") == 0)
		protocol = "tcp";
	if (cidr != NULL && subnet_init(&s, cidr, "x") < 0)
		return api_refuse(call, "InvalidParameterValue",
				  "CIDR block %.64s is malformed", cidr);
	if (group != NULL &&
	    thing_find(ec2_control(call), THING_GROUP, group) == NULL)
		return no_group(call, group);
	rule = json_pack("{s:s, s:s}", "IpProtocol", protocol,
			 cidr ? "CidrIp" : "GroupId", cidr ? cidr : group);
	if (strcmp(protocol, "-1") != 0) {
		const json_t *from = json_object_get(p, "FromPort");
		const json_t *to = json_object_get(p, "ToPort");

		json_object_set_new(rule, "FromPort",
				    json_integer(json_integer_value(from)));
		json_object_set_new(
			rule, "ToPort",
			json_integer(to ? json_integer_value(to)
					: json_integer_value(from)));
	}
	json_array_append_new(rules, rule);
	return 0;
}

static int add_all(struct api_call *call, json_t *rules, const json_t *p,
		   const char *list, const char *member, bool groups)
{
	const json_t *values = json_object_get(p, list);
	const char *text;
	int r = 0;

	for (size_t i = 0; i < json_array_size(values) && r == 0; i++) {
		text = ec2_text(json_array_get(values, i), member);
		if (text[0])
			r = add_rule(call, rules, p, groups ? NULL : text,
				     groups ? text : NULL);
	}
	return r;
}

static int add_permission(struct api_call *call, json_t *rules, const json_t *p)
{
	const char *cidr = json_string_value(json_object_get(p, "CidrIp"));
	int r = cidr ? add_rule(call, rules, p, cidr, NULL) : 0;

	if (r == 0)
		r = add_all(call, rules, p, "IpRanges", "CidrIp", false);
	if (r == 0)
		r = add_all(call, rules, p, "Ipv6Ranges", "CidrIpv6", false);
	if (r == 0)
		r = add_all(call, rules, p, "Groups", "GroupId", true);
	return r;
}

/* Those that the call names; a new reference in *rules. */
static int rules_of(struct api_call *call, json_t **rules)
{
	const json_t *list = api_value(call, "IpPermissions");
	int r = 0;

	*rules = json_array();
	if (api_value(call, "IpProtocol") != NULL)
		r = add_permission(call, *rules, call->input);
	for (size_t i = 0; i < json_array_size(list) && r == 0; i++)
		r = add_permission(call, *rules, json_array_get(list, i));
	if (r == 0 && json_array_size(*rules) == 0)
		r = api_refuse(call, "MissingParameter",
			       "The request names no permission.");
	return r;
}

struct change {
	struct api_call *call;
	json_t *rules;
	bool egress;
};

json_t *ec2_egress(const json_t *group)
{
	json_t *rules = json_object_get(group, "Egress");

	return rules ? json_incref(rules)
		     : json_pack("[{s:s, s:s}]", "IpProtocol", "-1", "CidrIp",
				 "0.0.0.0/0");
}

/* The rules of the group that are changed. */
static json_t *own_rules(const struct change *c, json_t *group)
{
	if (!c->egress)
		return json_object_get(group, "Rules");
	json_object_set_new(group, "Egress", ec2_egress(group));
	return json_object_get(group, "Egress");
}

static size_t find_rule(const json_t *list, const json_t *rule)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		if (json_equal(json_array_get(list, i), (json_t *)rule))
			break;
	return i;
}

static int give_rules(void *arg, json_t *group, struct control_error *err)
{
	struct change *c = arg;
	json_t *own = own_rules(c, group), *rule;
	size_t i;

	json_array_foreach(c->rules, i, rule)
	{
		if (find_rule(own, rule) < json_array_size(own))
			return api_refuse(c->call,
					  "InvalidPermission.Duplicate",
					  "the specified rule already exists");
		json_array_append(own, rule);
	}
	if (json_array_size(own) > RULES_MAX)
		return api_refuse(c->call, "RulesPerSecurityGroupLimitExceeded",
				  "A security group has up to %d rules.",
				  RULES_MAX);
	return 0;
}

static int take_rules(void *arg, json_t *group, struct control_error *err)
{
	struct change *c = arg;
	json_t *own = own_rules(c, group), *rule;
	size_t i, at;

	json_array_foreach(c->rules, i, rule)
	{
		at = find_rule(own, rule);
		if (at == json_array_size(own))
			return api_refuse(c->call, "InvalidPermission.NotFound",
					  "The specified rule does not exist "
					  "in this security group.");
		json_array_remove(own, at);
	}
	return 0;
}

static int change_rules(struct api_call *call, control_change_fn *fn,
			bool egress)
{
	const char *id = api_string(call, "GroupId");
	struct change c = { .call = call, .egress = egress };
	int r = ec2_dry_run(call);

	if (r == 0 && id == NULL)
		r = api_refuse(call, "MissingParameter",
			       "The request must contain the parameter "
			       "GroupId");
	if (r == 0)
		r = rules_of(call, &c.rules);
	if (r == 0)
		r = thing_change(ec2_control(call), THING_GROUP, id, fn, &c,
				 &call->error);
	json_decref(c.rules);
	if (r == -ENOENT)
		return no_group(call, id);
	if (r == 0)
		call->output = json_pack("{s:b}", "return", 1);
	return r;
}

int ec2_authorize_ingress(struct api_call *call)
{
	return change_rules(call, give_rules, false);
}

int ec2_revoke_ingress(struct api_call *call)
{
	return change_rules(call, take_rules, false);
}

int ec2_authorize_egress(struct api_call *call)
{
	return change_rules(call, give_rules, true);
}

int ec2_revoke_egress(struct api_call *call)
{
	return change_rules(call, take_rules, true);
}
