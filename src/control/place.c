/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a mount target is to be: what a request says of subnet, address and
 * port, checked against the configuration and against what is there.
 */
#include <errno.h>
#include <string.h>

#include "control/internal.h"

bool place_host_in_use(struct control *c, const struct addr *a)
{
	struct mount_target *t;
	struct fs *fs;

	list_for_each (fs, &c->fs, link)
		list_for_each (t, &fs->targets, link)
			if (addr_same_host(&t->address, a))
				return true;
	return false;
}

/* Whether it is up or down. */
static const struct mount_target *target_at(struct control *c,
					    const struct addr *a)
{
	struct mount_target *t;
	struct fs *fs;

	list_for_each (fs, &c->fs, link)
		list_for_each (t, &fs->targets, link)
			if (addr_equal(&t->address, a))
				return t;
	return NULL;
}

bool place_pick(struct control *c, const struct place *place, struct addr *out)
{
	const struct subnet *s = place->subnet;
	uint32_t base, n;

	if (s->network.sa.sa_family != AF_INET || s->prefix > 28)
		return false;
	base = ntohl(s->network.in.sin_addr.s_addr);
	n = 1u << (32 - s->prefix);
	*out = s->network;
	addr_set_port(out, place->port);
	for (uint32_t i = 4; i < n - 1; i++) {
		out->in.sin_addr.s_addr = htonl(base + i);
		if (!place_host_in_use(c, out))
			return true;
	}
	return false;
}

static const struct subnet *subnet_by_id(struct control *c, const char *id)
{
	for (size_t i = 0; i < c->n_subnets; i++)
		if (strcmp(c->subnets[i].id, id) == 0)
			return &c->subnets[i];
	return NULL;
}

static const struct subnet *subnet_of(struct control *c, const struct addr *a)
{
	for (size_t i = 0; i < c->n_subnets; i++)
		if (subnet_contains(&c->subnets[i], a))
			return &c->subnets[i];
	return NULL;
}

static unsigned targets_in(const struct fs *fs, const struct subnet *s)
{
	struct mount_target *t;
	unsigned n = 0;

	list_for_each (t, &fs->targets, link)
		n += strcmp(t->subnet, s->id) == 0;
	return n;
}

/* The one that adds most to the ways that lead to the file system. */
static const struct subnet *subnet_with_fewest(const struct fs *fs)
{
	const char *zone = attribute(fs->attributes, "Zone");
	const struct control *c = fs->control;
	const struct subnet *best = NULL;

	for (size_t i = 0; i < c->n_subnets; i++)
		if (zone[0] && strcmp(c->subnets[i].zone, zone) != 0)
			continue;
		else if (best == NULL ||
			 targets_in(fs, &c->subnets[i]) < targets_in(fs, best))
			best = &c->subnets[i];
	return best;
}

static int place_address(struct control *c, const char *text,
			 struct place *place, struct control_error *err)
{
	const struct mount_target *t;
	const struct subnet *s;

	if (addr_parse(&place->address, text, 0) < 0 ||
	    place->address.sa.sa_family == AF_UNIX ||
	    addr_port(&place->address) != 0)
		return refuse(err, -EINVAL, "BadRequest",
			      "'%.64s' is not an IP address.", text);
	s = place->subnet ? place->subnet : subnet_of(c, &place->address);
	if (s == NULL || !subnet_contains(s, &place->address))
		return refuse(err, -EINVAL, "BadRequest",
			      "Address %.64s is not in %s.", text,
			      s ? s->cidr : "any subnet");
	place->subnet = s;
	addr_set_port(&place->address, place->port);
	t = target_at(c, &place->address);
	if (t != NULL)
		return refuse(err, -EADDRINUSE, "IpAddressInUse",
			      "Address %.64s, port %d, is that of mount target "
			      "%s.",
			      text, place->port, t->id);
	return 0;
}

static int find(struct fs *fs, const struct control_mount_target_spec *spec,
		struct place *place, struct control_error *err)
{
	struct control *c = fs->control;

	memset(place, 0, sizeof(*place));
	if (spec->port < 0 || spec->port > UINT16_MAX)
		return refuse(err, -EINVAL, "BadRequest",
			      "Port %d is not in 1..65535.", spec->port);
	place->port = spec->port ? spec->port : CONTROL_PORT;
	place->may_wait = spec->may_wait;
	if (spec->subnet != NULL) {
		place->subnet = subnet_by_id(c, spec->subnet);
		if (place->subnet == NULL)
			return refuse(err, -ENOENT, "SubnetNotFound",
				      "Subnet '%.64s' does not exist.",
				      spec->subnet);
	}
	if (spec->address != NULL)
		return place_address(c, spec->address, place, err);
	if (place->subnet == NULL)
		place->subnet = subnet_with_fewest(fs);
	if (place->subnet == NULL)
		return refuse(err, -ENOENT, "SubnetNotFound",
			      "The configuration names no subnet.");
	return 0;
}

/* As EFS has it: all in one VPC, one in a zone. */
static int check_others(const struct fs *fs, const struct subnet *s,
			struct control_error *err)
{
	const char *vpc = thing_vpc_of(fs->control, s->id);
	struct mount_target *t;

	list_for_each (t, &fs->targets, link)
		if (strcmp(thing_vpc_of(fs->control, t->subnet), vpc) != 0)
			return refuse(err, -EEXIST, "MountTargetConflict",
				      "requested subnet for new mount target "
				      "is not in the same VPC as existing "
				      "mount targets");
	list_for_each (t, &fs->targets, link)
		if (strcmp(t->zone, s->zone) == 0)
			return refuse(err, -EEXIST, "MountTargetConflict",
				      "mount target already exists in this AZ");
	return 0;
}

static int check_zone(const struct fs *fs, const char *zone,
		      struct control_error *err)
{
	const char *own = attribute(fs->attributes, "Zone");

	if (own[0] && strcmp(own, zone) != 0)
		return refuse(err, -EINVAL, "AvailabilityZonesMismatch",
			      "File system '%s' is in zone %s only, and the "
			      "subnet in %s.",
			      fs->id, own, zone);
	return 0;
}

int place_find(struct fs *fs, const struct control_mount_target_spec *spec,
	       struct place *place, struct control_error *err)
{
	int r = find(fs, spec, place, err);

	if (r == 0)
		r = check_zone(fs, place->subnet->zone, err);
	if (r == 0 && spec->one_per_zone)
		r = check_others(fs, place->subnet, err);
	return r;
}
