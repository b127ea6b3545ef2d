/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes in answers. */
#ifndef CSI_VOLUME_H
#define CSI_VOLUME_H

#include "csi/internal.h"

#define VOLUME_CAPACITY_MAX  999999999999999999LL /* 18 digits: the tag */
#define VOLUME_TOPOLOGY_ZONE "topology.kubernetes.io/zone"

/* Memory is the call's. */
Csi__V1__Volume *volume_describe(struct csi_call *call,
				 const struct efs_point *p);
Csi__V1__Topology *volume_topology(struct csi_call *call, const char *zone);

#endif
