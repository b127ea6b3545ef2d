/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of EC2, and what their input looks like. */
#include "api/ec2.h"
#include "api/protocol.h"

#define DRY_RUN                                                                \
	{                                                                      \
		"DryRun", API_BOOLEAN                                          \
	}
#define PAGES                                                                  \
	{ "MaxResults", API_INTEGER, .min = 1, .max = 1000 },                  \
	{                                                                      \
		"NextToken", API_STRING, .max = 64                             \
	}

static const struct api_field text[] = { { "Item", API_STRING, .max = 255 } };

#define IDS(name, on_the_wire)                                                 \
	{                                                                      \
		name, API_LIST, .max = 1000, .fields = text,                   \
				.wire = on_the_wire                            \
	}

static const struct api_field filter[] = {
	{ "Name", API_STRING, true, .max = 128 },
	{ "Values", API_LIST, true, .max = 200, .fields = text,
	  .wire = "Value" },
	{},
};
static const struct api_field filter_list[] = { { "Filter", API_OBJECT,
						  .fields = filter } };
#define FILTERS                                                                \
	{                                                                      \
		"Filters", API_LIST, .max = 200, .fields = filter_list,        \
				     .wire = "Filter"                          \
	}

static const struct api_field tag[] = {
	{ "Key", API_STRING, true, .min = 1, .max = 128 },
	{ "Value", API_STRING, .max = 256 },
	{},
};
static const struct api_field tag_list[] = { { "Tag", API_OBJECT,
					       .fields = tag } };
static const struct api_field tag_spec[] = {
	{ "ResourceType", API_STRING },
	{ "Tags", API_LIST, .max = 50, .fields = tag_list, .wire = "Tag" },
	{},
};
static const struct api_field tag_spec_list[] = { { "Spec", API_OBJECT,
						    .fields = tag_spec } };
#define TAG_SPECS                                                              \
	{                                                                      \
		"TagSpecifications", API_LIST, .fields = tag_spec_list,        \
					       .wire = "TagSpecification"      \
	}

static const struct api_field zones[] = {
	DRY_RUN, FILTERS, IDS("ZoneNames", "ZoneName"), {}
};
static const struct api_field regions[] = {
	DRY_RUN, FILTERS, IDS("RegionNames", "RegionName"), {}
};
static const struct api_field vpcs[] = {
	DRY_RUN, FILTERS, PAGES, IDS("VpcIds", "VpcId"), {}
};
static const struct api_field subnets[] = {
	DRY_RUN, FILTERS, PAGES, IDS("SubnetIds", "SubnetId"), {}
};
static const struct api_field groups[] = { DRY_RUN,
					   FILTERS,
					   PAGES,
					   IDS("GroupIds", "GroupId"),
					   IDS("GroupNames", "GroupName"),
					   {} };
static const struct api_field interfaces[] = { DRY_RUN,
					       FILTERS,
					       PAGES,
					       IDS("NetworkInterfaceIds",
						   "NetworkInterfaceId"),
					       {} };
static const struct api_field instances[] = {
	DRY_RUN, FILTERS, PAGES, IDS("InstanceIds", "InstanceId"), {}
};

static const struct api_field create_vpc[] = {
	DRY_RUN, TAG_SPECS, { "CidrBlock", API_STRING, true, .max = 43 }, {}
};
static const struct api_field the_vpc[] = {
	DRY_RUN, { "VpcId", API_STRING, true, .max = 64 }, {}
};
static const struct api_field create_subnet[] = {
	DRY_RUN,
	TAG_SPECS,
	{ "VpcId", API_STRING, true, .max = 64 },
	{ "CidrBlock", API_STRING, true, .max = 43 },
	{ "AvailabilityZone", API_STRING, .max = 64 },
	{},
};
static const struct api_field the_subnet[] = {
	DRY_RUN, { "SubnetId", API_STRING, true, .max = 64 }, {}
};
static const struct api_field change_tags[] = {
	DRY_RUN,
	{ "Resources", API_LIST, true, .max = 1000, .fields = text,
	  .wire = "ResourceId" },
	{ "Tags", API_LIST, .max = 50, .fields = tag_list, .wire = "Tag" },
	{},
};

static const struct api_field create_group[] = {
	DRY_RUN,
	TAG_SPECS,
	{ "GroupName", API_STRING, true, .min = 1, .max = 255 },
	{ "GroupDescription", API_STRING, true, .max = 255 },
	{ "VpcId", API_STRING, .max = 64 },
	{},
};
static const struct api_field the_group[] = {
	DRY_RUN,
	{ "GroupId", API_STRING, .max = 64 },
	{ "GroupName", API_STRING, .max = 255 },
	{},
};
static const struct api_field range[] = {
	{ "CidrIp", API_STRING, .max = 43 },
	{ "Description", API_STRING, .max = 255 },
	{},
};
static const struct api_field range_list[] = { { "Range", API_OBJECT,
						 .fields = range } };
static const struct api_field range6[] = {
	{ "CidrIpv6", API_STRING, .max = 64 },
	{ "Description", API_STRING, .max = 255 },
	{},
};
static const struct api_field range6_list[] = { { "Range", API_OBJECT,
						  .fields = range6 } };
static const struct api_field pair[] = {
	{ "GroupId", API_STRING, .max = 64 },
	{ "UserId", API_STRING, .max = 64 },
	{},
};
static const struct api_field pair_list[] = { { "Pair", API_OBJECT,
						.fields = pair } };
#define PROTOCOL                                                               \
	{ "IpProtocol", API_STRING, .values = "tcp|udp|icmp|-1|6|17|1" },      \
		{ "FromPort", API_INTEGER, .min = -1, .max = 65535 },          \
	{                                                                      \
		"ToPort", API_INTEGER, .min = -1, .max = 65535                 \
	}
static const struct api_field permission[] = {
	PROTOCOL,
	{ "IpRanges", API_LIST, .max = 200, .fields = range_list },
	{ "Ipv6Ranges", API_LIST, .max = 200, .fields = range6_list },
	{ "Groups", API_LIST, .max = 200, .fields = pair_list },
	{},
};
static const struct api_field permission_list[] = { { "Permission", API_OBJECT,
						      .fields = permission } };
static const struct api_field change_rules[] = {
	DRY_RUN,
	PROTOCOL,
	{ "GroupId", API_STRING, .max = 64 },
	{ "CidrIp", API_STRING, .max = 43 },
	{ "IpPermissions", API_LIST, .max = 200, .fields = permission_list },
	{},
};

static const struct api_operation operations[] = {
	{ "AuthorizeSecurityGroupEgress", ec2_authorize_egress, change_rules },
	{ "AuthorizeSecurityGroupIngress", ec2_authorize_ingress,
	  change_rules },
	{ "CreateSecurityGroup", ec2_create_security_group, create_group },
	{ "CreateSubnet", ec2_create_subnet, create_subnet },
	{ "CreateTags", ec2_create_tags, change_tags },
	{ "CreateVpc", ec2_create_vpc, create_vpc },
	{ "DeleteSecurityGroup", ec2_delete_security_group, the_group },
	{ "DeleteSubnet", ec2_delete_subnet, the_subnet },
	{ "DeleteTags", ec2_delete_tags, change_tags },
	{ "DeleteVpc", ec2_delete_vpc, the_vpc },
	{ "DescribeAvailabilityZones", ec2_describe_availability_zones, zones },
	{ "DescribeInstances", ec2_describe_instances, instances },
	{ "DescribeNetworkInterfaces", ec2_describe_network_interfaces,
	  interfaces },
	{ "DescribeRegions", ec2_describe_regions, regions },
	{ "DescribeSecurityGroups", ec2_describe_security_groups, groups },
	{ "DescribeSubnets", ec2_describe_subnets, subnets },
	{ "DescribeVpcs", ec2_describe_vpcs, vpcs },
	{ "RevokeSecurityGroupEgress", ec2_revoke_egress, change_rules },
	{ "RevokeSecurityGroupIngress", ec2_revoke_ingress, change_rules },
	{},
};

const struct api_service api_ec2 = {
	.name = "ec2",
	.protocol = &api_ec2_query,
	.operations = operations,
	.xmlns = "http://ec2.amazonaws.com/doc/2016-11-15/",
};
