/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may connect to a mount target: its security groups' rules, by address.  A
 * rule that names another group means the addresses that this group says its
 * members have (the tag hawser:members, ranges with commas between).  Without
 * the tag it is all of the group's VPC: who of them is in a group is nobody's
 * to tell here.  Everybody is in the default VPC.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "control/internal.h"
#include "control/thing.h"

static bool in_range(const char *cidr, const struct addr *peer)
{
	struct subnet s;

	return subnet_init(&s, cidr, "x") == 0 && subnet_contains(&s, peer);
}

static bool is_in_vpc(struct control *c, const char *id,
		      const struct addr *peer)
{
	const json_t *vpc = thing_find(c, THING_VPC, id);

	return json_is_true(json_object_get(vpc, "IsDefault")) ||
	       in_range(attribute(vpc, "CidrBlock"), peer);
}

static bool is_member(struct control *c, const char *id,
		      const struct addr *peer)
{
	const json_t *group = thing_find(c, THING_GROUP, id);
	const char *list = attribute_tag(group, "hawser:members");
	char text[257], *save = NULL;

	if (list == NULL)
		return is_in_vpc(c, attribute(group, "VpcId"), peer);
	snprintf(text, sizeof(text), "%s", list);
	for (char *cidr = strtok_r(text, ", ", &save); cidr != NULL;
	     cidr = strtok_r(NULL, ", ", &save))
		if (in_range(cidr, peer))
			return true;
	return false;
}

static bool rule_admits(struct control *c, const json_t *rule, unsigned port,
			const struct addr *peer)
{
	const char *protocol = attribute(rule, "IpProtocol");
	const char *cidr = attribute(rule, "CidrIp");
	const char *group = attribute(rule, "GroupId");

	if (strcmp(protocol, "-1") != 0 && strcmp(protocol, "tcp") != 0)
		return false;
	if (strcmp(protocol, "tcp") == 0 &&
	    (port < json_integer_value(json_object_get(rule, "FromPort")) ||
	     port > json_integer_value(json_object_get(rule, "ToPort"))))
		return false;
	return cidr[0] ? in_range(cidr, peer) : is_member(c, group, peer);
}

static bool group_admits(struct control *c, const char *id, unsigned port,
			 const struct addr *peer)
{
	const json_t *rules =
		json_object_get(thing_find(c, THING_GROUP, id), "Rules");

	for (size_t i = 0; i < json_array_size(rules); i++)
		if (rule_admits(c, json_array_get(rules, i), port, peer))
			return true;
	return false;
}

bool target_admits(void *arg, const struct addr *local, const struct addr *peer)
{
	struct fs *fs = arg;
	const json_t *groups;
	struct mount_target *t;
	char text[ADDR_TEXT_MAX];

	list_for_each (t, &fs->targets, link)
		if (addr_equal(&t->address, local))
			break;
	if (&t->link == &fs->targets)
		return true;
	groups = json_object_get(t->attributes, "SecurityGroups");
	if (groups == NULL) /* made by hand: that of the VPC */
		return group_admits(fs->control, THING_DEFAULT_GROUP,
				    addr_port(local), peer);
	for (size_t i = 0; i < json_array_size(groups); i++)
		if (group_admits(fs->control,
				 json_string_value(json_array_get(groups, i)),
				 addr_port(local), peer))
			return true;
	log_info("%s: %s may not connect: no rule of its security groups "
		 "admits it",
		 t->id, addr_format(peer, text));
	return false;
}
