/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between discovery.c and discovery_log.c.
 */
#ifndef NVME_INITIATOR_DISCOVERY_H
#define NVME_INITIATOR_DISCOVERY_H

#include "nvme/initiator/internal.h"

/* What is listed: a way to a subsystem, or a referral to another service. */
struct found {
	struct list link; /* discovery.found */
	struct addr addr;
	char subnqn[NVME_NQN_SIZE];
	char name[NVMEI_NAME_MAX + 1]; /* what it is attached as */
	bool referral;
	bool secure, listed, attached;
	bool others; /* it was attached already, by somebody else */
	bool busy;   /* the worker parks with it in its hands */
	bool told;   /* that it can't be attached */
	struct nvmei_discovery *service; /* of a referral that is followed */
};

/* All services of a host, each before those that it refers to; NULL: the first,
 * or there are no more. */
struct nvmei_discovery *discovery_next(const struct nvmei *h,
				       const struct nvmei_discovery *d);
/* The one that a user asked for. */
struct nvmei_discovery *discovery_root(struct nvmei_discovery *d);

#endif
