/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mount targets, one in each subnet.  They have neither tokens nor tags: those
 * of the stack's file system are the stack's.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "stack/input.h"
#include "stack/internal.h"

#define MOUNT_TARGETS "/2015-02-01/mount-targets"

/* ---------------------------------------------------------------- declare */

static const json_t *find_subnet(const json_t *subnets, const char *id)
{
	for (size_t i = 0; i < json_array_size(subnets); i++)
		if (strcmp(stack_text(json_array_get(subnets, i), "subnetId"),
			   id) == 0)
			return json_array_get(subnets, i);
	return NULL;
}

/* They are in the VPC, and no two in one zone. */
static int check_subnets(const struct stack *s, const json_t *ids,
			 const json_t *subnets)
{
	const char *vpc = input_text(s->inputs, "vpc_id"), *id, *zone;
	const json_t *subnet, *other;

	for (size_t i = 0; i < json_array_size(ids); i++) {
		id = json_string_value(json_array_get(ids, i));
		subnet = find_subnet(subnets, id);
		zone = stack_text(subnet, "availabilityZone");
		if (strcmp(stack_text(subnet, "vpcId"), vpc) != 0) {
			stack_error("private_subnet_ids: %s is in %s, not in "
				    "%s",
				    id, stack_text(subnet, "vpcId"), vpc);
			return -EINVAL;
		}
		for (size_t k = 0; k < i; k++) {
			other = find_subnet(
				subnets,
				json_string_value(json_array_get(ids, k)));
			if (strcmp(stack_text(other, "availabilityZone"),
				   zone))
				continue;
			stack_error("private_subnet_ids: %s and %s are both in "
				    "zone %s: a file system has one mount "
				    "target in each zone",
				    stack_text(other, "subnetId"), id, zone);
			return -EINVAL;
		}
	}
	return 0;
}

static int find_subnets(struct stack *s, const json_t *ids)
{
	json_t *parameters = json_object(), *answer;
	char name[32];
	int error;

	for (size_t i = 0; i < json_array_size(ids); i++) {
		snprintf(name, sizeof(name), "SubnetId.%zu", i + 1);
		json_object_set(parameters, name, json_array_get(ids, i));
	}
	error = stack_ec2(s, "DescribeSubnets", parameters, &answer);
	if (error < 0)
		return stack_failed(s, "private_subnet_ids");
	error = check_subnets(s, ids, json_object_get(answer, "subnetSet"));
	json_decref(answer);
	return error;
}

static int declare(struct stack *s, struct resources *wanted)
{
	const json_t *ids = json_object_get(s->inputs, "private_subnet_ids");
	struct resource *r;
	int error = find_subnets(s, ids);

	if (error < 0)
		return error;
	for (size_t i = 0; i < json_array_size(ids); i++) {
		const char *id = json_string_value(json_array_get(ids, i));

		r = resource_add(wanted, id);
		json_object_set_new(r->attributes, "subnet_id",
				    json_string(id));
		json_object_set_new(r->attributes, "security_groups",
				    json_pack("[s]", s->group_id[0]
							     ? s->group_id
							     : STACK_UNKNOWN));
	}
	return 0;
}

/* ------------------------------------------------------------------- read */

static int read_one(struct stack *s, json_t *facts, struct resources *is)
{
	struct resource *r = resource_add(is, stack_text(facts, "SubnetId"));
	char path[128];
	json_t *answer;
	int error;

	snprintf(r->id, sizeof(r->id), "%s",
		 stack_text(facts, "MountTargetId"));
	r->facts = json_incref(facts);
	json_object_set(r->attributes, "subnet_id",
			json_object_get(facts, "SubnetId"));
	snprintf(path, sizeof(path), MOUNT_TARGETS "/%s/security-groups",
		 r->id);
	error = stack_rest(s, "GET", path, NULL, &answer);
	if (error < 0)
		return stack_failed(s, r->id);
	json_object_set(r->attributes, "security_groups",
			json_object_get(answer, "SecurityGroups"));
	json_decref(answer);
	return 0;
}

static int read_targets(struct stack *s, struct resources *is)
{
	char path[128];
	json_t *list;
	int error;

	if (s->fs_id[0] == '\0')
		return 0;
	snprintf(path, sizeof(path), MOUNT_TARGETS "?FileSystemId=%s",
		 s->fs_id);
	error = stack_list(s, path, "MountTargets", "NextMarker", "Marker",
			   &list);
	if (error < 0)
		error = stack_failed(s, "mount targets");
	for (size_t i = 0; i < json_array_size(list) && error == 0; i++) {
		json_t *facts = json_array_get(list, i);

		if (strncmp(stack_text(facts, "LifeCycleState"), "delet", 5) !=
		    0)
			error = read_one(s, facts, is);
	}
	json_decref(list);
	return error;
}

/* ----------------------------------------------------------------- change */

static int set_groups(struct stack *s, const struct resource *is,
		      const struct resource *wanted)
{
	char path[128];

	snprintf(path, sizeof(path), MOUNT_TARGETS "/%s/security-groups",
		 is->id);
	return stack_rest(s, "PUT", path,
			   json_pack("{s:[s]}", "SecurityGroups", s->group_id),
			   NULL);
}

static int create(struct stack *s, struct resource *wanted)
{
	json_t *answer;
	int error = stack_rest(s, "POST", MOUNT_TARGETS,
				json_pack("{s:s, s:s, s:[s]}", "FileSystemId",
					  s->fs_id, "SubnetId", wanted->key,
					  "SecurityGroups", s->group_id),
				&answer);

	if (error < 0)
		return error;
	snprintf(wanted->id, sizeof(wanted->id), "%s",
		 stack_text(answer, "MountTargetId"));
	json_decref(answer);
	return 0;
}

static int remove_target(struct stack *s, const struct resource *is)
{
	char path[128];

	snprintf(path, sizeof(path), MOUNT_TARGETS "/%s", is->id);
	return stack_rest(s, "DELETE", path, NULL, NULL);
}

static const struct attribute attributes[] = {
	{ "subnet_id", NULL, "a mount target stays in its subnet" },
	{ "security_groups", set_groups },
	{},
};

const struct kind mount_target_kind = {
	.name = "mount_target",
	.stands_on = 1 << 0 | 1 << 1,
	.attributes = attributes,
	.declare = declare,
	.read = read_targets,
	.create = create,
	.remove = remove_target,
	.not_found = "MountTargetNotFound",
	.path = MOUNT_TARGETS "?MountTargetId=%s",
	.list = "MountTargets",
};
