/* SPDX-License-Identifier: Apache-2.0 */
#include "control/network.h"

#include <string.h>

/* The same everywhere and for ever. */
static const char vpc[] = "vpc-0a9bd8f7e6c5a4b32";
static const char default_group[] = "sg-0a9bd8f7e6c5a4b32";

const char *network_vpc_id(void)
{
	return vpc;
}

const char *network_default_group(void)
{
	return default_group;
}

bool network_has_group(const char *id)
{
	return strcmp(id, default_group) == 0;
}
