/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network: what a client of AWS's APIs sees around a mount target.  There is
 * one VPC, which all subnets of the configuration belong to, and its default
 * security group, which lets everybody in.
 */
#ifndef CONTROL_NETWORK_H
#define CONTROL_NETWORK_H

#include <stdbool.h>

const char *network_vpc_id(void);
const char *network_default_group(void);
bool network_has_group(const char *id);

#endif
