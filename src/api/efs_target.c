/* SPDX-License-Identifier: Apache-2.0 */
/* Mount targets and their security groups. */
#include <errno.h>
#include <string.h>

#include "api/efs.h"
#include "control/thing.h"

/* ------------------------------------------------------------ description */

/* A mount target listens on an address of the host's, which may be yet to come;
 * all that a client can tell is whether it should be there. */
static const char *state_name(enum control_state state)
{
	switch (state) {
	case CONTROL_DELETING:
		return "deleting";
	case CONTROL_DOWN:
		return "error";
	default:
		return "available";
	}
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static json_t *describe(const struct api_call *call,
			const struct control_mount_target *t)
{
	char host[ADDR_TEXT_MAX];
	bool v6 = t->address.sa.sa_family == AF_INET6;

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:o, s:o}",
			 "OwnerId", api_account(call), "MountTargetId", t->id,
			 "FileSystemId", t->fs, "SubnetId", t->subnet,
			 "LifeCycleState", state_name(t->state),
			 v6 ? "Ipv6Address" : "IpAddress",
			 addr_format_host(&t->address, host),
			 "NetworkInterfaceId",
			 json_sprintf("eni-%s", strchr(t->id, '-') + 1),
			 "VpcId", thing_vpc_of(efs_control(call), t->subnet),
			 "AvailabilityZoneName", efs_zone_name(call, t->zone),
			 "AvailabilityZoneId", efs_zone_id(call, t->zone));
}

/* Which file system's, if the input says it by an access point. */
static int find_scope(struct api_call *call, const char **fs,
		      struct control_access_point *point)
{
	const char *id = efs_id(api_string(call, "AccessPointId"));
	int given = (api_value(call, "FileSystemId") != NULL) +
		    (api_value(call, "MountTargetId") != NULL) + (id != NULL);
	int r;

	if (given != 1)
		return api_refuse(call, "BadRequest",
				  "Exactly one of FileSystemId, MountTargetId "
				  "and AccessPointId is needed.");
	*fs = efs_file_system_id(call);
	if (id == NULL)
		return 0;
	r = control_access_point_find(efs_control(call), id, point,
				      &call->error);
	*fs = point->fs;
	return r;
}

int efs_describe_mount_targets(struct api_call *call)
{
	struct control_access_point point;
	struct control_mount_target *list;
	struct efs_page page;
	const char *fs = NULL;
	json_t *out;
	int n = efs_page_begin(call, "MaxItems", "Marker", &page);

	if (n == 0)
		n = find_scope(call, &fs, &point);
	if (n == 0)
		n = control_mount_target_list(efs_control(call),
					      api_string(call, "MountTargetId"),
					      fs, &list, &call->error);
	if (n < 0)
		return n;
	out = json_array();
	for (int i = 0; i < n; i++)
		if (efs_page_take(&page, list[i].created))
			json_array_append_new(out, describe(call, &list[i]));
	free(list);
	call->output = json_pack("{s:o}", "MountTargets", out);
	if (api_value(call, "Marker") != NULL)
		json_object_set(call->output, "Marker",
				api_value(call, "Marker"));
	efs_page_end(call, "NextMarker", &page);
	return 0;
}

/* -------------------------------------------------------- security groups */

/* NULL: those by default.  A group of another VPC is none. */
static int check_groups(struct api_call *call, const char *subnet)
{
	const char *vpc = thing_vpc_of(efs_control(call), subnet), *id;
	const json_t *groups = api_value(call, "SecurityGroups");

	if (json_array_size(groups) > CONTROL_GROUPS_MAX)
		return api_refuse(call, "SecurityGroupLimitExceeded",
				  "A mount target has up to %d security "
				  "groups.",
				  CONTROL_GROUPS_MAX);
	for (size_t i = 0; i < json_array_size(groups); i++) {
		id = json_string_value(json_array_get(groups, i));
		if (strcmp(text_of(thing_find(efs_control(call), THING_GROUP,
					      id),
				   "VpcId"),
			   vpc) != 0)
			return api_refuse(call, "SecurityGroupNotFound",
					  "The SecurityGroup '%s' does not "
					  "exist.",
					  id);
	}
	return 0;
}

/* That of the VPC. */
static json_t *default_groups(const struct api_call *call, const char *subnet)
{
	const json_t *groups = things(efs_control(call), THING_GROUP);
	const char *vpc = thing_vpc_of(efs_control(call), subnet);
	const char *id;
	json_t *group;

	json_object_foreach(
		(json_t *)groups, id,
		group) if (strcmp(text_of(group, "VpcId"), vpc) == 0 &&
			   strcmp(text_of(group, "GroupName"), "default") ==
				   0) return json_pack("[s]", id);
	return json_array();
}

static json_t *groups_for(const struct api_call *call, const char *subnet)
{
	json_t *groups = api_value(call, "SecurityGroups");

	return json_array_size(groups) > 0 ? json_incref(groups)
					   : default_groups(call, subnet);
}

static int find_target(struct api_call *call, struct control_mount_target *out)
{
	struct control_mount_target *list;
	int n = control_mount_target_list(efs_control(call),
					  api_string(call, "MountTargetId"),
					  NULL, &list, &call->error);

	if (n < 0)
		return n;
	*out = list[0];
	free(list);
	return 0;
}

static int set_groups(void *arg, json_t *attributes, struct control_error *err)
{
	return json_object_set(attributes, "SecurityGroups", arg);
}

int efs_modify_mount_target_security_groups(struct api_call *call)
{
	struct control_mount_target t;
	json_t *groups;
	int r = find_target(call, &t);

	if (r == 0)
		r = check_groups(call, t.subnet);
	if (r < 0)
		return r;
	groups = groups_for(call, t.subnet);
	r = control_mount_target_change(efs_control(call), t.id, set_groups,
					groups, &t, &call->error);
	json_decref(groups);
	return r;
}

int efs_describe_mount_target_security_groups(struct api_call *call)
{
	struct control_mount_target t;
	json_t *groups;
	int r = find_target(call, &t);

	if (r < 0)
		return r;
	groups = json_object_get(t.attributes, "SecurityGroups");
	call->output = json_pack("{s:o}", "SecurityGroups",
				 groups ? json_incref(groups)
					: default_groups(call, t.subnet));
	return 0;
}

/* ------------------------------------------------------ create and delete */

int efs_create_mount_target(struct api_call *call)
{
	struct control_mount_target_spec spec = {
		.fs = efs_file_system_id(call),
		.subnet = api_string(call, "SubnetId"),
		.address = api_string(call, "IpAddress")
				   ?: api_string(call, "Ipv6Address"),
		.one_per_zone = true,
		.may_wait = true,
	};
	struct control_mount_target t;
	json_t *attributes;
	int r = check_groups(call, spec.subnet);

	if (r < 0)
		return r;
	attributes = json_pack("{s:o}", "SecurityGroups",
			       groups_for(call, spec.subnet));
	spec.attributes = attributes;
	r = control_mount_target_create(efs_control(call), &spec, &t,
					&call->error);
	if (r == 0)
		call->output = describe(call, &t);
	json_decref(attributes);
	return r;
}

int efs_delete_mount_target(struct api_call *call)
{
	return control_mount_target_delete(efs_control(call),
					   api_string(call, "MountTargetId"),
					   &call->error);
}
