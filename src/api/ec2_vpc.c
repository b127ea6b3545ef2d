/* SPDX-License-Identifier: Apache-2.0 */
/* VPCs and subnets that come and go, and the tags of all. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/ec2.h"

json_t *ec2_given_tags(const struct api_call *call)
{
	const json_t *specs = api_value(call, "TagSpecifications");
	json_t *tags = json_array();

	for (size_t i = 0; i < json_array_size(specs); i++)
		json_array_extend(tags,
				  json_object_get(json_array_get(specs, i),
						  "Tags"));
	return tags;
}

static int too_many_tags(struct api_call *call)
{
	return api_refuse(call, "TagLimitExceeded",
			  "A resource has up to %d tags.", CONTROL_TAGS_MAX);
}

int ec2_check_tags(struct api_call *call)
{
	json_t *tags = ec2_given_tags(call);
	size_t n = json_array_size(tags);

	json_decref(tags);
	return n <= CONTROL_TAGS_MAX ? 0 : too_many_tags(call);
}

/* -------------------------------------------------------------------- VPC */

static int parse_cidr(struct api_call *call, const char *cidr, struct subnet *s)
{
	if (subnet_init(s, cidr, "x") == 0 &&
	    s->network.sa.sa_family == AF_INET && s->prefix >= 8 &&
	    s->prefix <= 28)
		return 0;
	return api_refuse(call, "InvalidParameterValue",
			  "Value (%.64s) for parameter cidrBlock is invalid. "
			  "This is not a valid CIDR block.",
			  cidr);
}

int ec2_create_vpc(struct api_call *call)
{
	const char *cidr = api_string(call, "CidrBlock");
	char id[CONTROL_ID_SIZE], group[CONTROL_ID_SIZE];
	struct subnet s;
	int r = ec2_dry_run(call);

	if (r == 0)
		r = ec2_check_tags(call);
	if (r == 0)
		r = parse_cidr(call, cidr, &s);
	if (r == 0)
		r = thing_create(ec2_control(call), THING_VPC, "vpc-", id,
				 json_pack("{s:s, s:o}", "CidrBlock", cidr,
					   "Tags", ec2_given_tags(call)),
				 &call->error);
	/* As on AWS, its own default group lets in nobody but itself. */
	if (r == 0)
		r = thing_create(
			ec2_control(call), THING_GROUP, "sg-", group,
			json_pack("{s:s, s:s, s:s, s:[{s:s, s:s}]}",
				  "GroupName", "default", "Description",
				  "default VPC security group", "VpcId", id,
				  "Rules", "IpProtocol", "-1", "CidrIp", cidr),
			&call->error);
	if (r < 0)
		return r;
	call->output = json_pack(
		"{s:o}", "vpc",
		ec2_vpc(call, id,
			thing_find(ec2_control(call), THING_VPC, id)));
	return 0;
}

static int no_vpc(struct api_call *call, const char *id)
{
	return api_refuse(call, "InvalidVpcID.NotFound",
			  "The vpc ID '%.64s' does not exist", id);
}

/* What is in a VPC keeps it, but for its default group, which goes with it. */
static const char *first_in(const json_t *list, const char *vpc,
			    const char *but_name)
{
	const char *id;
	json_t *object;

	json_object_foreach(
		(json_t *)list, id,
		object) if (strcmp(ec2_text(object, "VpcId"), vpc) == 0 &&
			    (but_name == NULL ||
			     strcmp(ec2_text(object, "GroupName"), but_name) !=
				     0)) return id;
	return NULL;
}

/* thing_check_fn */
static int check_is_empty(void *arg, struct control_error *err)
{
	struct api_call *call = arg;
	const char *vpc = api_string(call, "VpcId");
	struct control *c = ec2_control(call);

	if (thing_find(c, THING_VPC, vpc) == NULL)
		return no_vpc(call, vpc);
	if (strcmp(vpc, THING_DEFAULT_VPC) == 0 ||
	    first_in(things(c, THING_SUBNET), vpc, NULL) ||
	    first_in(things(c, THING_GROUP), vpc, "default"))
		return api_refuse(call, "DependencyViolation",
				  "The vpc '%s' has dependencies and cannot be "
				  "deleted.",
				  vpc);
	return 0;
}

/* Without its VPC the default group is of no use, and can be deleted. */
int ec2_delete_vpc(struct api_call *call)
{
	const char *vpc = api_string(call, "VpcId");
	struct control *c = ec2_control(call);
	const char *group;
	char id[CONTROL_ID_SIZE];
	int r = ec2_dry_run(call);

	if (r == 0)
		r = thing_delete_if(c, THING_VPC, vpc, check_is_empty, call,
				    &call->error);
	if (r < 0)
		return r;
	group = first_in(things(c, THING_GROUP), vpc, NULL);
	if (group == NULL)
		return 0;
	snprintf(id, sizeof(id), "%s", group);
	return thing_delete(c, THING_GROUP, id, &call->error);
}

/* ----------------------------------------------------------------- subnets */

struct new_subnet {
	struct api_call *call;
	const char *vpc, *zone;
	struct subnet range;
};

/* thing_check_fn */
static int check_range(void *arg, struct control_error *err)
{
	const struct new_subnet *new = arg;
	struct api_call *call = new->call;
	const struct subnet *s = &new->range, *list;
	const char *vpc = new->vpc, *cidr;
	struct control *c = ec2_control(call);
	size_t n = control_subnets(c, &list);
	struct subnet whole;

	if (thing_find(c, THING_VPC, vpc) == NULL)
		return no_vpc(call, vpc);
	cidr = ec2_text(thing_find(c, THING_VPC, vpc), "CidrBlock");
	if (subnet_init(&whole, cidr, "x") < 0 || whole.prefix > s->prefix ||
	    !subnet_contains(&whole, &s->network))
		return api_refuse(call, "InvalidSubnet.Range",
				  "The CIDR '%s' is invalid.", s->cidr);
	for (size_t i = 0; i < n; i++)
		if (strcmp(thing_vpc_of(c, list[i].id), vpc) == 0 &&
		    subnet_overlaps(&list[i], s))
			return api_refuse(
				call, "InvalidSubnet.Conflict",
				"The CIDR '%s' conflicts with another "
				"subnet",
				s->cidr);
	return 0;
}

/* "us-east-1b" or "use1-az2"; else the zone of the first subnet. */
static int find_zone(struct api_call *call, const char **zone)
{
	const char *name = api_string(call, "AvailabilityZone");
	const struct subnet *list;
	size_t n = control_subnets(ec2_control(call), &list), len;

	if (name == NULL && n > 0) {
		*zone = list[0].zone;
		return 0;
	}
	len = name ? strlen(name) : 0;
	for (size_t i = 0; i < n; i++) {
		*zone = list[i].zone;
		if (strcmp(*zone, name) == 0 ||
		    (strlen(*zone) == 1 && len > 1 && name[len - 1] == **zone &&
		     name[len - 2] >= '0' && name[len - 2] <= '9'))
			return 0;
	}
	return api_refuse(call, "InvalidParameterValue",
			  "Value (%.64s) for parameter availabilityZone is "
			  "invalid.",
			  name ? name : "");
}

static int make_subnet(struct new_subnet *new)
{
	struct api_call *call = new->call;
	struct control *c = ec2_control(call);
	char id[CONTROL_ID_SIZE];
	const struct subnet *list;
	size_t n;
	int r = thing_create_if(
		c, THING_SUBNET, "subnet-", id,
		json_pack("{s:s, s:s, s:s, s:o}", "VpcId", new->vpc,
			  "CidrBlock", new->range.cidr, "Zone", new->zone,
			  "Tags", ec2_given_tags(call)),
		check_range, new, &call->error);

	if (r < 0)
		return r;
	n = control_subnets(c, &list);
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].id, id) == 0)
			call->output = json_pack("{s:o}", "subnet",
						 ec2_subnet(call, &list[i]));
	return 0;
}

int ec2_create_subnet(struct api_call *call)
{
	struct new_subnet new = { call, api_string(call, "VpcId") };
	int r = ec2_dry_run(call);

	if (r < 0)
		return r;
	if (thing_find(ec2_control(call), THING_VPC, new.vpc) == NULL)
		return no_vpc(call, new.vpc);
	r = ec2_check_tags(call);
	if (r == 0)
		r = parse_cidr(call, api_string(call, "CidrBlock"), &new.range);
	if (r == 0)
		r = find_zone(call, &new.zone);
	return r < 0 ? r : make_subnet(&new);
}

int ec2_delete_subnet(struct api_call *call)
{
	const char *id = api_string(call, "SubnetId");
	int r = ec2_dry_run(call);

	if (r == 0)
		r = thing_delete(ec2_control(call), THING_SUBNET, id,
				 &call->error);
	if (r == -ENOENT)
		return api_refuse(call, "InvalidSubnetID.NotFound",
				  "The subnet ID '%.64s' does not exist, or is "
				  "one of the configuration",
				  id);
	return r;
}

/* -------------------------------------------------------------------- tags */

static const struct {
	const char *prefix;
	enum thing_kind kind;
} tagged[] = {
	{ "vpc-", THING_VPC },
	{ "subnet-", THING_SUBNET },
	{ "sg-", THING_GROUP },
};

static int remove_tags(void *arg, json_t *attributes, struct control_error *err)
{
	const json_t *unwanted = api_value(arg, "Tags");
	json_t *tags = json_object_get(attributes, "Tags");

	for (size_t i = json_array_size(tags); i-- > 0;)
		for (size_t k = 0; k < json_array_size(unwanted); k++)
			if (strcmp(ec2_text(json_array_get(tags, i), "Key"),
				   ec2_text(json_array_get(unwanted, k),
					    "Key")) == 0) {
				json_array_remove(tags, i);
				break;
			}
	return 0;
}

static int add_tags(void *arg, json_t *attributes, struct control_error *err)
{
	json_t *tags;

	remove_tags(arg, attributes, err);
	tags = json_object_get(attributes, "Tags");
	if (tags == NULL) {
		tags = json_array();
		json_object_set_new(attributes, "Tags", tags);
	}
	json_array_extend(tags, api_value(arg, "Tags"));
	return json_array_size(tags) > CONTROL_TAGS_MAX ? too_many_tags(arg)
							: 0;
}

static int change_tags(struct api_call *call, control_change_fn *fn)
{
	const json_t *ids = api_value(call, "Resources");
	int r = ec2_dry_run(call);

	for (size_t i = 0; i < json_array_size(ids) && r == 0; i++) {
		const char *id = json_string_value(json_array_get(ids, i));

		r = -ENOENT;
		for (size_t k = 0; k < 3 && r == -ENOENT; k++)
			if (strncmp(id, tagged[k].prefix,
				    strlen(tagged[k].prefix)) == 0)
				r = thing_change(ec2_control(call),
						 tagged[k].kind, id, fn, call,
						 &call->error);
		if (r == -ENOENT)
			return api_refuse(call, "InvalidID",
					  "The ID '%.64s' is not valid", id);
	}
	return r;
}

int ec2_create_tags(struct api_call *call)
{
	return change_tags(call, add_tags);
}

int ec2_delete_tags(struct api_call *call)
{
	return change_tags(call, remove_tags);
}
