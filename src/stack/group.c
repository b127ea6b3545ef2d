/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The security group of the mount targets: NFS from the nodes' group and from
 * ranges.  A rule is told as one text: "tcp 2049 sg-…".
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "stack/input.h"
#include "stack/internal.h"

static const char description[] = "NFS to the file system of the stack";

/* ---------------------------------------------------------------- declare */

/* What the file names has to be there. */
static int check_exists(struct stack *s, const char *input, const char *action,
			const char *parameter)
{
	json_t *answer = NULL;
	int error = stack_ec2(s, action,
			       json_pack("{s:O}", parameter,
					 json_object_get(s->inputs, input)),
			       &answer);

	json_decref(answer);
	return error < 0 ? stack_failed(s, input) : 0;
}

static json_t *declare_rules(const struct stack *s)
{
	const json_t *ranges =
		json_object_get(s->inputs, "allowed_cidr_blocks");
	json_t *rules = json_array();

	json_array_append_new(
		rules, json_sprintf("tcp 2049 %s",
				    input_text(s->inputs,
					       "eks_node_security_group_id")));
	for (size_t i = 0; i < json_array_size(ranges); i++)
		json_array_append_new(
			rules, json_sprintf("tcp 2049 %s",
					    json_string_value(json_array_get(
						    ranges, i))));
	return rules;
}

static int declare(struct stack *s, struct resources *wanted)
{
	struct resource *r;

	if (check_exists(s, "vpc_id", "DescribeVpcs", "VpcId.1") < 0 ||
	    check_exists(s, "eks_node_security_group_id",
			 "DescribeSecurityGroups", "GroupId.1") < 0)
		return -EINVAL;
	r = resource_add(wanted, "efs");
	json_object_set_new(r->attributes, "name",
			    json_sprintf("%s-efs", s->prefix));
	json_object_set_new(r->attributes, "description",
			    json_string(description));
	json_object_set(r->attributes, "vpc_id",
			json_object_get(s->inputs, "vpc_id"));
	json_object_set_new(r->attributes, "ingress", declare_rules(s));
	json_object_set_new(r->attributes, "tags", tags_declare(s, "efs"));
	return 0;
}

/* ------------------------------------------------------------------- read */

static void add_sources(json_t *rules, const json_t *permission,
			const char *list, const char *member)
{
	const json_t *sources = json_object_get(permission, list);
	const char *from = stack_text(permission, "fromPort");
	const char *to = stack_text(permission, "toPort");
	char ports[32] = "all";

	if (from[0] && strcmp(from, to) == 0)
		snprintf(ports, sizeof(ports), "%s", from);
	else if (from[0])
		snprintf(ports, sizeof(ports), "%s-%s", from, to);
	for (size_t i = 0; i < json_array_size(sources); i++)
		json_array_append_new(
			rules,
			json_sprintf("%s %s %s",
				     stack_text(permission, "ipProtocol"),
				     ports,
				     stack_text(json_array_get(sources, i),
						 member)));
}

static bool has(const json_t *list, const json_t *value)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_equal(json_array_get(list, i), (json_t *)value))
			return true;
	return false;
}

static json_t *minus(const json_t *list, const json_t *others)
{
	json_t *left = json_array();

	for (size_t i = 0; i < json_array_size(list); i++)
		if (!has(others, json_array_get(list, i)))
			json_array_append(left, json_array_get(list, i));
	return left;
}

/* In the order of the file, as far as they are there: an order of rules there
 * is not. */
static json_t *read_rules(const struct stack *s, const json_t *permissions)
{
	json_t *rules = json_array(), *declared = declare_rules(s);
	json_t *missing, *others, *ordered;

	for (size_t i = 0; i < json_array_size(permissions); i++) {
		const json_t *p = json_array_get(permissions, i);

		add_sources(rules, p, "groups", "groupId");
		add_sources(rules, p, "ipRanges", "cidrIp");
		add_sources(rules, p, "ipv6Ranges", "cidrIpv6");
	}
	missing = minus(declared, rules);
	ordered = minus(declared, missing);
	others = minus(rules, declared);
	json_array_extend(ordered, others);
	json_decref(rules);
	json_decref(declared);
	json_decref(missing);
	json_decref(others);
	return ordered;
}

static void describe(struct stack *s, const json_t *group, struct resource *r)
{
	static const char *const same[][2] = { { "name", "groupName" },
					       { "description",
						 "groupDescription" },
					       { "vpc_id", "vpcId" } };

	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		json_object_set(r->attributes, same[i][0],
				json_object_get(group, same[i][1]));
	json_object_set_new(
		r->attributes, "ingress",
		read_rules(s, json_object_get(group, "ipPermissions")));
	json_object_set_new(r->attributes, "tags",
			    tags_read(json_object_get(group, "tagSet")));
	snprintf(r->id, sizeof(r->id), "%s", stack_text(group, "groupId"));
	r->facts = json_incref((json_t *)group);
}

static int read_group(struct stack *s, struct resources *is)
{
	const json_t *list;
	json_t *answer;
	int error = stack_ec2(s, "DescribeSecurityGroups",
			       json_pack("{s:s, s:s}", "Filter.1.Name",
					 "tag:" STACK_TAG, "Filter.1.Value.1",
					 s->name),
			       &answer);

	if (error < 0)
		return stack_failed(s, "security groups");
	list = json_object_get(answer, "securityGroupInfo");
	if (json_array_size(list) > 1) {
		stack_error("%zu security groups have the tag " STACK_TAG
			    " '%s': take it from all but one",
			    json_array_size(list), s->name);
		json_decref(answer);
		return -EEXIST;
	}
	if (json_array_size(list) == 1)
		describe(s, json_array_get(list, 0), resource_add(is, "efs"));
	json_decref(answer);
	return 0;
}

/* ----------------------------------------------------------------- change */

/* One of IpPermissions.N, of "tcp 2049-2050 10.0.0.0/8". */
static void add_permission(json_t *parameters, size_t n, const char *rule)
{
	char protocol[16], ports[32], source[64], name[64];
	const char *list = "IpRanges", *member = "CidrIp";
	unsigned from, to;
	int numbers;

	if (sscanf(rule, "%15s %31s %63s", protocol, ports, source) != 3)
		return;
#define SET(field, value)                                                      \
	snprintf(name, sizeof(name), "IpPermissions.%zu." field, n),           \
		json_object_set_new(parameters, name, value)
	SET("IpProtocol", json_string(protocol));
	numbers = sscanf(ports, "%u-%u", &from, &to);
	if (numbers > 0) {
		SET("FromPort", json_sprintf("%u", from));
		SET("ToPort", json_sprintf("%u", numbers == 2 ? to : from));
	}
#undef SET
	if (strncmp(source, "sg-", 3) == 0) {
		list = "Groups";
		member = "GroupId";
	} else if (strchr(source, ':') != NULL) {
		list = "Ipv6Ranges";
		member = "CidrIpv6";
	}
	snprintf(name, sizeof(name), "IpPermissions.%zu.%s.1.%s", n, list,
		 member);
	json_object_set_new(parameters, name, json_string(source));
}

static int change_rules(struct stack *s, const char *action, const char *id,
			const json_t *rules)
{
	json_t *parameters;

	if (json_array_size(rules) == 0)
		return 0;
	parameters = json_pack("{s:s}", "GroupId", id);
	for (size_t i = 0; i < json_array_size(rules); i++)
		add_permission(parameters, i + 1,
			       json_string_value(json_array_get(rules, i)));
	return stack_ec2(s, action, parameters, NULL);
}

static int set_ingress(struct stack *s, const struct resource *is,
		       const struct resource *wanted)
{
	const json_t *before = json_object_get(is->attributes, "ingress");
	const json_t *after = json_object_get(wanted->attributes, "ingress");
	json_t *more = minus(after, before), *less = minus(before, after);
	int error;

	error = change_rules(s, "AuthorizeSecurityGroupIngress", is->id, more);
	if (error == 0)
		error = change_rules(s, "RevokeSecurityGroupIngress", is->id,
				     less);
	json_decref(more);
	json_decref(less);
	return error;
}

static int change_tags(struct stack *s, const char *action, const char *id,
		       json_t *tags)
{
	json_t *parameters = json_pack("{s:s}", "ResourceId.1", id);
	int error = 0;

	tags_add(parameters, "Tag", tags);
	if (json_object_size(tags) > 0)
		error = stack_ec2(s, action, json_incref(parameters),
				   NULL);
	json_decref(parameters);
	json_decref(tags);
	return error;
}

static int set_tags(struct stack *s, const struct resource *is,
		    const struct resource *wanted)
{
	const json_t *before = json_object_get(is->attributes, "tags");
	const json_t *after = json_object_get(wanted->attributes, "tags");
	json_t *gone = tags_minus(before, after);
	const char *key;
	json_t *value;
	void *tmp;
	int error;

	/* What gets another value does not have to go first. */
	json_object_foreach_safe(gone, tmp, key, value)
	{
		if (json_object_get(after, key) != NULL)
			json_object_del(gone, key);
	}
	error = change_tags(s, "CreateTags", is->id, tags_minus(after, before));
	if (error == 0)
		return change_tags(s, "DeleteTags", is->id, gone);
	json_decref(gone);
	return error;
}

static int create(struct stack *s, struct resource *wanted)
{
	const json_t *a = wanted->attributes;
	json_t *answer,
		*parameters = json_pack("{s:O, s:O, s:O, s:s}", "GroupName",
					json_object_get(a, "name"),
					"GroupDescription",
					json_object_get(a, "description"),
					"VpcId", json_object_get(a, "vpc_id"),
					"TagSpecification.1.ResourceType",
					"security-group");
	int error;

	tags_add(parameters, "TagSpecification.1.Tag",
		 json_object_get(a, "tags"));
	error = stack_ec2(s, "CreateSecurityGroup", parameters,
			   &answer);
	if (error < 0)
		return error;
	snprintf(wanted->id, sizeof(wanted->id), "%s",
		 stack_text(answer, "groupId"));
	json_decref(answer);
	return 0;
}

static int remove_group(struct stack *s, const struct resource *is)
{
	return stack_ec2(s, "DeleteSecurityGroup",
			  json_pack("{s:s}", "GroupId", is->id), NULL);
}

static const struct attribute attributes[] = {
	{ "name", NULL, "a security group keeps its name" },
	{ "description", NULL, "a security group keeps its description" },
	{ "vpc_id", NULL, "a security group stays in its VPC" },
	{ "ingress", set_ingress, .apart = true },
	{ "tags", set_tags },
	{},
};

const struct kind group_kind = {
	.name = "security_group",
	.attributes = attributes,
	.declare = declare,
	.read = read_group,
	.create = create,
	.remove = remove_group,
	.not_found = "InvalidGroup.NotFound",
	.id_offset = offsetof(struct stack, group_id),
};
