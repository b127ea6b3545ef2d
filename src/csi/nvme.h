/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes over NVMe (`protocol: nvme`), beside file systems; if the driver was
 * started with --nvme.
 *
 *	controller   hawserd's JSON-RPC makes a volume, which at first no
 *	             host may connect to; ControllerPublishVolume lets a
 *	             node's in, and ControllerUnpublishVolume puts it out
 *	             again, so that the target itself keeps nodes apart
 *	node         `hawser connect` makes it a block device, or, where the
 *	             kernel has no NVMe over fabrics, a file, on which a loop
 *	             device is put; then it is formatted, if nothing is on
 *	             it, and mounted, or given as the device that it is
 *
 * A volume's id is nvme:vol-ID:UUID: by the first part hawserd knows it, by the
 * second the connector.  So a node keeps nothing, either.
 */
#ifndef CSI_NVME_H
#define CSI_NVME_H

#include "base/uuid.h"
#include "csi/internal.h"

#define NVME_PREFIX "nvme:"

enum { NVME_ID_SIZE = 32, NVME_NQN_SIZE = 224 };

struct nvme_handle {
	char id[NVME_ID_SIZE];	   /* vol-… */
	char uuid[UUID_TEXT_SIZE]; /* also its name on a host */
};

/* By its first letters: whether the rest of this file is about it. */
bool nvme_is_handle(const char *volume_id);
bool nvme_handle_parse(const char *volume_id, struct nvme_handle *out);

/* A node's id is its name, ',' and its host's NQN. */
int nvme_node_id(struct csi_call *call, const char **out);

/* Adds those of this driver from number `from` on, `room` of them at most: 0,
 * *more: there are others behind them; or refused. */
typedef void nvme_list_fn(void *arg, Csi__V1__Volume *v);
int nvme_list_volumes(struct csi_call *call, size_t from, size_t room,
	      nvme_list_fn *add, void *arg, bool *more);

/* NULL: fine; else why not. */
const char *nvme_capability_refuses(const Csi__V1__VolumeCapability *c);
bool nvme_is_block(const Csi__V1__VolumeCapability *c);

/* Handlers of calls for such a volume, or that are there for it alone. */
csi_handler nvme_create_volume, nvme_delete_volume, nvme_validate,
	nvme_expand_volume, nvme_get_volume, nvme_node_publish,
	nvme_node_unpublish, nvme_node_stats;

#endif
