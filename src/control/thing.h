/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Things: resources of which control knows little more than that they are
 * there, as JSON objects by id, kept in the store.  What it knows: a subnet
 * that was created is one that mount targets may be in; the rules of a security
 * group decide who may connect to a mount target.
 *
 *	vpc	CidrBlock
 *	subnet	VpcId, CidrBlock, Zone
 *	group	GroupName, Description, VpcId, Rules: a list of
 *		{IpProtocol, FromPort, ToPort, and CidrIp or GroupId}
 *	key	of KMS; alias: TargetKeyId
 *
 * An object that is there never changes: a change puts another one in its
 * place.  Calls are made from tasks of the control's reactor; those that change
 * something park.
 */
#ifndef CONTROL_THING_H
#define CONTROL_THING_H

#include "control/control.h"

enum thing_kind {
	THING_VPC,
	THING_SUBNET,
	THING_GROUP,
	THING_KEY,
	THING_ALIAS,
	THING_KINDS,
};

enum { THINGS_MAX = 2000 }; /* of a kind */

/* There from the beginning, with all subnets of the configuration in it; its
 * group lets everybody in. */
#define THING_DEFAULT_VPC   "vpc-0a9bd8f7e6c5a4b32"
#define THING_DEFAULT_GROUP "sg-0a9bd8f7e6c5a4b32"
/* The key of what is encrypted without naming one. */
#define THING_DEFAULT_KEY   "0a9bd8f7-e6c5-4a4b-8320-000000000001"
#define THING_DEFAULT_ALIAS "alias/aws/elasticfilesystem"

/* An object of objects by id, or one of them; borrowed until the caller parks.
 * NULL: there is none. */
const json_t *things(const struct control *c, enum thing_kind kind);
const json_t *thing_find(const struct control *c, enum thing_kind kind,
			 const char *id);

/* The VPC of a subnet, whatever the configuration or a call made it. */
const char *thing_vpc_of(const struct control *c, const char *subnet);

/* May it be done?  Asked when nobody else can change a thing until it is done;
 * must not park.  0, or an error that is the call's. */
typedef int thing_check_fn(void *arg, struct control_error *err);

/* Adds one, if check() (NULL: none) says so; the object is taken, and gets
 * "Created".  With a prefix, `id` gets a new one of CONTROL_ID_SIZE behind it.
 */
int thing_create_if(struct control *c, enum thing_kind kind, const char *prefix,
		    char *id, json_t *object, thing_check_fn *check, void *arg,
		    struct control_error *err);
int thing_create(struct control *c, enum thing_kind kind, const char *prefix,
		 char *id, json_t *object, struct control_error *err);
/* -ENOENT without a text: there is none. */
int thing_change(struct control *c, enum thing_kind kind, const char *id,
		 control_change_fn *fn, void *arg, struct control_error *err);
/* A subnet or group that mount targets are in stays, and so does a group that
 * another one's rules name: DependencyViolation. */
int thing_delete_if(struct control *c, enum thing_kind kind, const char *id,
		    thing_check_fn *check, void *arg,
		    struct control_error *err);
int thing_delete(struct control *c, enum thing_kind kind, const char *id,
		 struct control_error *err);

#endif
