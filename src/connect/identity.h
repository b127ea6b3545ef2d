/* SPDX-License-Identifier: Apache-2.0 */
/* Who this host is to NVMe targets. */
#ifndef CONNECT_IDENTITY_H
#define CONNECT_IDENTITY_H

#include "connect/host.h"

/* Of /etc/nvme/hostnqn and hostid.  Files that are not there are made, if that
 * is possible: of the machine's UUID, or of a random one. */
void identity_host(struct connect_host *h, char hostnqn[CONNECT_NQN_SIZE],
		   char hostid[40]);

#endif
