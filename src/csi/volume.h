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
/* 0, or NOT_FOUND: an access point or a file system. */
int volume_exists(struct csi_call *call, const char *id);
/* What is asked is confirmed. */
void volume_confirm(struct csi_call *call,
		    Csi__V1__ValidateVolumeCapabilitiesResponse *out,
		    const Csi__V1__ValidateVolumeCapabilitiesRequest *in);
Csi__V1__Topology *volume_topology(struct csi_call *call, const char *zone);

#endif
