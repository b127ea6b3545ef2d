/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What there is.  Each kind is described as a list of JSON objects, in EC2's
 * words; ids, filters and pages then pick from it by the kind's row.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/ec2.h"
#include "api/efs.h"
#include "base/util.h"
#include "control/policy.h"

enum { PAGE_MAX = 1000 };

struct filter {
	const char *name, *member; /* name NULL ends a list */
};

struct kind {
	const char *set;     /* the result's member */
	const char *ids;     /* the input's member that names some; NULL */
	const char *id;	     /* the member by which they do */
	const char *missing; /* the code if there is none */
	const char *said;    /* "subnet ID" */
	struct filter filters[8];
};

struct control *ec2_control(const struct api_call *call)
{
	return call->server->options.control;
}

const char *ec2_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

int ec2_dry_run(struct api_call *call)
{
	if (!json_is_true(api_value(call, "DryRun")))
		return 0;
	call->status = 412;
	return api_refuse(call, "DryRunOperation",
			  "Request would have succeeded, but DryRun flag is "
			  "set.");
}

/* --------------------------------------------------------------- picking */

static bool has_value(const json_t *list, const char *value)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (policy_matches(json_string_value(json_array_get(list, i)),
				   value, false))
			return true;
	return false;
}

static bool has_tag(const json_t *object, const char *key, const json_t *values)
{
	const json_t *tags = json_object_get(object, "tagSet");

	for (size_t i = 0; i < json_array_size(tags); i++) {
		const json_t *tag = json_array_get(tags, i);

		if (strcmp(ec2_text(tag, "key"), key) == 0 &&
		    has_value(values, ec2_text(tag, "value")))
			return true;
	}
	return false;
}

static const char *filter_member(const struct kind *k, const char *name)
{
	for (const struct filter *f = k->filters; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f->member;
	return NULL;
}

/* 1: it passes all filters; 0: it does not; or refuses. */
static int passes(struct api_call *call, const struct kind *k,
		  const json_t *object)
{
	const json_t *filters = api_value(call, "Filters");

	for (size_t i = 0; i < json_array_size(filters); i++) {
		const json_t *f = json_array_get(filters, i);
		const char *name = ec2_text(f, "Name"), *member;
		const json_t *values = json_object_get(f, "Values"), *value;
		char text[32];

		if (strncmp(name, "tag:", 4) == 0) {
			if (!has_tag(object, name + 4, values))
				return 0;
			continue;
		}
		member = filter_member(k, name);
		if (member == NULL)
			return api_refuse(call, "InvalidParameterValue",
					  "The filter '%.64s' is invalid",
					  name);
		value = json_object_get(object, member);
		snprintf(text, sizeof(text), "%s",
			 json_is_true(value) ? "true" : "false");
		if (!has_value(values, json_is_boolean(value)
					       ? text
					       : ec2_text(object, member)))
			return 0;
	}
	return 1;
}

static bool is_among(const json_t *list, const struct kind *k, const char *id)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(ec2_text(json_array_get(list, i), k->id), id) == 0)
			return true;
	return false;
}

static int check_ids(struct api_call *call, const struct kind *k,
		     const json_t *all)
{
	const json_t *ids = k->ids ? api_value(call, k->ids) : NULL;

	for (size_t i = 0; i < json_array_size(ids); i++) {
		const char *id = json_string_value(json_array_get(ids, i));

		if (!is_among(all, k, id))
			return api_refuse(call, k->missing,
					  "The %s '%.64s' does not exist",
					  k->said, id);
	}
	return 0;
}

static bool is_asked_for(const json_t *ids, const char *id)
{
	if (ids == NULL)
		return true;
	for (size_t i = 0; i < json_array_size(ids); i++)
		if (strcmp(json_string_value(json_array_get(ids, i)), id) == 0)
			return true;
	return false;
}

static int pick(struct api_call *call, const struct kind *k, const json_t *all,
		json_t *out)
{
	const json_t *ids = k->ids ? api_value(call, k->ids) : NULL;
	size_t max = api_integer(call, "MaxResults", PAGE_MAX);
	size_t at = strtoul(api_string(call, "NextToken") ?: "0", NULL, 10);
	int r;

	for (; at < json_array_size(all); at++) {
		json_t *object = json_array_get(all, at);

		if (!is_asked_for(ids, ec2_text(object, k->id)))
			continue;
		r = passes(call, k, object);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		if (json_array_size(out) == max) {
			json_object_set_new(call->output, "nextToken",
					    json_sprintf("%zu", at));
			return 0;
		}
		json_array_append(out, object);
	}
	return 0;
}

/* Takes `all`. */
static int answer(struct api_call *call, const struct kind *k, json_t *all)
{
	json_t *out = json_array();
	int r = ec2_dry_run(call);

	call->output = json_pack("{s:o}", k->set, out);
	if (r == 0)
		r = check_ids(call, k, all);
	if (r == 0)
		r = pick(call, k, all, out);
	json_decref(all);
	return r;
}

/* ---------------------------------------------------- zones and regions */

int ec2_describe_availability_zones(struct api_call *call)
{
	static const struct kind kind = { "availabilityZoneInfo",
					  "ZoneNames",
					  "zoneName",
					  "InvalidParameterValue",
					  "zone",
					  { { "zone-name", "zoneName" },
					    { "zone-id", "zoneId" },
					    { "region-name", "regionName" },
					    { "state", "zoneState" } } };
	const struct subnet *subnets;
	size_t n = control_subnets(ec2_control(call), &subnets);
	json_t *all = json_array(), *seen = json_object();

	for (size_t i = 0; i < n; i++) {
		if (json_object_get(seen, subnets[i].zone) != NULL)
			continue;
		json_object_set_new(seen, subnets[i].zone, json_true());
		json_array_append_new(
			all,
			json_pack("{s:o, s:o, s:s, s:s, s:s, s:s}", "zoneName",
				  efs_zone_name(call, subnets[i].zone),
				  "zoneId", efs_zone_id(call, subnets[i].zone),
				  "zoneState", "available", "regionName",
				  api_region(call), "optInStatus",
				  "opt-in-not-required", "zoneType",
				  "availability-zone"));
	}
	json_decref(seen);
	return answer(call, &kind, all);
}

int ec2_describe_regions(struct api_call *call)
{
	static const struct kind kind = {
		"regionInfo", "RegionNames",
		"regionName", "InvalidParameterValue",
		"region",     { { "region-name", "regionName" } }
	};

	return answer(call, &kind,
		      json_pack("[{s:s, s:s, s:s}]", "regionName",
				api_region(call), "regionEndpoint",
				api_header(call, "Host") ?: "", "optInStatus",
				"opt-in-not-required"));
}

/* ------------------------------------------------------ VPCs and subnets */

static json_t *tags_of(const json_t *object)
{
	const json_t *tags = json_object_get(object, "Tags");
	json_t *out = json_array();

	for (size_t i = 0; i < json_array_size(tags); i++) {
		const json_t *tag = json_array_get(tags, i);

		json_array_append_new(out,
				      json_pack("{s:s, s:s}", "key",
						ec2_text(tag, "Key"), "value",
						ec2_text(tag, "Value")));
	}
	return out;
}

/* That of the default VPC is a /16 around its first subnet. */
static json_t *cidr_of(const struct api_call *call, const json_t *vpc)
{
	const struct subnet *subnets;
	size_t n = control_subnets(ec2_control(call), &subnets);
	struct in_addr a;
	char text[INET_ADDRSTRLEN];

	if (!json_is_true(json_object_get(vpc, "IsDefault")) || n == 0 ||
	    subnets[0].network.sa.sa_family != AF_INET)
		return json_string(ec2_text(vpc, "CidrBlock"));
	a.s_addr = subnets[0].network.in.sin_addr.s_addr & htonl(0xffff0000);
	inet_ntop(AF_INET, &a, text, sizeof(text));
	return json_sprintf("%s/16", text);
}

json_t *ec2_vpc(const struct api_call *call, const char *id, const json_t *vpc)
{
	return json_pack("{s:s, s:s, s:o, s:s, s:b, s:s, s:s, s:o}", "vpcId",
			 id, "state", "available", "cidrBlock",
			 cidr_of(call, vpc), "ownerId", api_account(call),
			 "isDefault",
			 json_is_true(json_object_get(vpc, "IsDefault")),
			 "instanceTenancy", "default", "dhcpOptionsId",
			 "default", "tagSet", tags_of(vpc));
}

int ec2_describe_vpcs(struct api_call *call)
{
	static const struct kind kind = { "vpcSet",
					  "VpcIds",
					  "vpcId",
					  "InvalidVpcID.NotFound",
					  "vpc ID",
					  { { "vpc-id", "vpcId" },
					    { "cidr", "cidrBlock" },
					    { "cidr-block", "cidrBlock" },
					    { "is-default", "isDefault" },
					    { "isDefault", "isDefault" },
					    { "state", "state" } } };
	const json_t *vpcs = things(ec2_control(call), THING_VPC);
	json_t *all = json_array(), *vpc;
	const char *id;

	json_object_foreach((json_t *)vpcs, id, vpc)
		json_array_append_new(all, ec2_vpc(call, id, vpc));
	return answer(call, &kind, all);
}

json_t *ec2_subnet(const struct api_call *call, const struct subnet *s)
{
	const json_t *thing =
		thing_find(ec2_control(call), THING_SUBNET, s->id);
	unsigned host_bits =
		s->network.sa.sa_family == AF_INET ? 32 - s->prefix : 16;

	return json_pack(
		"{s:s, s:o, s:s, s:s, s:s, s:o, s:o, s:s, s:I, s:b, s:b, s:o}",
		"subnetId", s->id, "subnetArn",
		json_sprintf("arn:aws:ec2:%s:%s:subnet/%s", api_region(call),
			     api_account(call), s->id),
		"state", "available", "vpcId",
		thing_vpc_of(ec2_control(call), s->id), "cidrBlock", s->cidr,
		"availabilityZone", efs_zone_name(call, s->zone),
		"availabilityZoneId", efs_zone_id(call, s->zone), "ownerId",
		api_account(call), "availableIpAddressCount",
		(json_int_t)(host_bits > 3 ? (1u << host_bits) - 5 : 0),
		"defaultForAz", thing == NULL, "mapPublicIpOnLaunch", 0,
		"tagSet", tags_of(thing));
}

int ec2_describe_subnets(struct api_call *call)
{
	static const struct kind kind = {
		"subnetSet",
		"SubnetIds",
		"subnetId",
		"InvalidSubnetID.NotFound",
		"subnet ID",
		{ { "subnet-id", "subnetId" },
		  { "vpc-id", "vpcId" },
		  { "availability-zone", "availabilityZone" },
		  { "availability-zone-id", "availabilityZoneId" },
		  { "cidr-block", "cidrBlock" },
		  { "default-for-az", "defaultForAz" },
		  { "state", "state" } }
	};
	const struct subnet *subnets;
	size_t n = control_subnets(ec2_control(call), &subnets);
	json_t *all = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(all, ec2_subnet(call, &subnets[i]));
	return answer(call, &kind, all);
}

/* ----------------------------------------------- groups and interfaces */

/* A rule as one of the IpPermissions. */
static json_t *describe_rule(const struct api_call *call, const json_t *rule)
{
	const char *cidr = ec2_text(rule, "CidrIp");
	const char *group = ec2_text(rule, "GroupId");
	bool v6 = strchr(cidr, ':') != NULL;
	json_t *out = json_pack("{s:s, s:[], s:[], s:[]}", "ipProtocol",
				ec2_text(rule, "IpProtocol"), "groups",
				"ipRanges", "ipv6Ranges");

	if (strcmp(ec2_text(rule, "IpProtocol"), "-1") != 0) {
		json_object_set(out, "fromPort",
				json_object_get(rule, "FromPort"));
		json_object_set(out, "toPort", json_object_get(rule, "ToPort"));
	}
	if (cidr[0])
		json_array_append_new(
			json_object_get(out, v6 ? "ipv6Ranges" : "ipRanges"),
			json_pack("{s:s}", v6 ? "cidrIpv6" : "cidrIp", cidr));
	else
		json_array_append_new(json_object_get(out, "groups"),
				      json_pack("{s:s, s:s}", "groupId", group,
						"userId", api_account(call)));
	return out;
}

static json_t *describe_rules(const struct api_call *call, const json_t *rules)
{
	json_t *out = json_array();

	for (size_t i = 0; i < json_array_size(rules); i++)
		json_array_append_new(
			out, describe_rule(call, json_array_get(rules, i)));
	return out;
}

json_t *ec2_group(const struct api_call *call, const char *id,
		  const json_t *group)
{
	const json_t *ingress = json_object_get(group, "Rules");
	json_t *egress = ec2_egress(group);
	json_t *out =
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "ownerId",
			  api_account(call), "groupId", id, "groupName",
			  ec2_text(group, "GroupName"), "groupDescription",
			  ec2_text(group, "Description"), "vpcId",
			  ec2_text(group, "VpcId"), "ipPermissions",
			  describe_rules(call, ingress), "ipPermissionsEgress",
			  describe_rules(call, egress), "tagSet",
			  tags_of(group));

	json_decref(egress);
	return out;
}

int ec2_describe_security_groups(struct api_call *call)
{
	static const struct kind kind = { "securityGroupInfo",
					  "GroupIds",
					  "groupId",
					  "InvalidGroup.NotFound",
					  "security group",
					  { { "group-id", "groupId" },
					    { "group-name", "groupName" },
					    { "vpc-id", "vpcId" },
					    { "description",
					      "groupDescription" } } };
	const json_t *groups = things(ec2_control(call), THING_GROUP);
	const json_t *names = api_value(call, "GroupNames");
	json_t *all = json_array(), *group;
	const char *id;

	json_object_foreach(
		(json_t *)groups, id,
		group) if (names == NULL ||
			   is_asked_for(names, ec2_text(group, "GroupName")))
		json_array_append_new(all, ec2_group(call, id, group));
	return answer(call, &kind, all);
}

static json_t *interface_of(const struct api_call *call,
			    const struct control_mount_target *t)
{
	const json_t *ids = json_object_get(t->attributes, "SecurityGroups");
	json_t *groups = json_array();
	char host[ADDR_TEXT_MAX];

	for (size_t i = 0; i < json_array_size(ids); i++)
		json_array_append_new(groups,
				      json_pack("{s:O}", "groupId",
						json_array_get(ids, i)));
	addr_format_host(&t->address, host);
	return json_pack(
		"{s:o, s:s, s:s, s:o, s:o, s:s, s:s, s:s, s:s, s:b, s:o}",
		"networkInterfaceId",
		json_sprintf("eni-%s", strchr(t->id, '-') + 1), "subnetId",
		t->subnet, "vpcId", thing_vpc_of(ec2_control(call), t->subnet),
		"availabilityZone", efs_zone_name(call, t->zone), "description",
		json_sprintf("EFS mount target for %s (%s)", t->fs, t->id),
		"ownerId", api_account(call), "status", "in-use",
		"interfaceType", "efs", "privateIpAddress", host,
		"requesterManaged", 1, "groupSet", groups);
}

int ec2_describe_network_interfaces(struct api_call *call)
{
	static const struct kind kind = {
		"networkInterfaceSet",
		"NetworkInterfaceIds",
		"networkInterfaceId",
		"InvalidNetworkInterfaceID.NotFound",
		"networkInterface ID",
		{ { "network-interface-id", "networkInterfaceId" },
		  { "subnet-id", "subnetId" },
		  { "vpc-id", "vpcId" },
		  { "private-ip-address", "privateIpAddress" },
		  { "description", "description" },
		  { "availability-zone", "availabilityZone" },
		  { "status", "status" } }
	};
	struct control_mount_target *list;
	json_t *all = json_array();
	int n = control_mount_target_list(ec2_control(call), NULL, NULL, &list,
					  &call->error);

	for (int i = 0; i < n; i++)
		json_array_append_new(all, interface_of(call, &list[i]));
	if (n >= 0)
		free(list);
	return answer(call, &kind, all);
}

/* There are none. */
int ec2_describe_instances(struct api_call *call)
{
	static const struct kind kind = {
		"reservationSet", "InstanceIds",
		"instanceId",	  "InvalidInstanceID.NotFound",
		"instance ID",	  {}
	};

	return answer(call, &kind, json_array());
}
