/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of EC2's API, version 2016-11-15, that stands around mount targets:
 * zones, VPCs, subnets, security groups, network interfaces.
 */
#ifndef API_EC2_H
#define API_EC2_H

#include "api/internal.h"
#include "control/thing.h"

#define EC2_OP(name) int ec2_##name(struct api_call *call)
/* ec2_describe.c */
EC2_OP(describe_availability_zones);
EC2_OP(describe_instances);
EC2_OP(describe_network_interfaces);
EC2_OP(describe_regions);
EC2_OP(describe_security_groups);
EC2_OP(describe_subnets);
EC2_OP(describe_vpcs);
/* ec2_vpc.c */
EC2_OP(create_subnet);
EC2_OP(create_tags);
EC2_OP(create_vpc);
EC2_OP(delete_subnet);
EC2_OP(delete_tags);
EC2_OP(delete_vpc);
/* ec2_group.c */
EC2_OP(authorize_egress);
EC2_OP(authorize_ingress);
EC2_OP(create_security_group);
EC2_OP(delete_security_group);
EC2_OP(revoke_egress);
EC2_OP(revoke_ingress);

struct control *ec2_control(const struct api_call *call);
/* A member of an object; "" if it is not there. */
const char *ec2_text(const json_t *object, const char *name);
/* Refuses, if only that was asked for: every call may be made. */
int ec2_dry_run(struct api_call *call);

/* Descriptions; new references. */
json_t *ec2_vpc(const struct api_call *call, const char *id, const json_t *vpc);
json_t *ec2_subnet(const struct api_call *call, const struct subnet *s);
json_t *ec2_group(const struct api_call *call, const char *id,
		  const json_t *group);
/* What leaves: kept, and of no effect.  One lets everything out, as long as
 * nothing else was said. */
json_t *ec2_egress(const json_t *group);
/* The tags that a call gives what it creates. */
json_t *ec2_given_tags(const struct api_call *call);
/* Not too many of them? */
int ec2_check_tags(struct api_call *call);

#endif
