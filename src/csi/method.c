/* SPDX-License-Identifier: Apache-2.0 */
/* The methods of CSI that are answered; whatever is not here is
 * UNIMPLEMENTED. */
#include <string.h>

#include "csi/internal.h"

#define METHOD(service, name, message, handler)                                \
	{                                                                      \
		"/csi.v1." #service "/" #name,                                 \
			&csi__v1__##message##_request__descriptor,             \
			&csi__v1__##message##_response__descriptor, handler    \
	}

static const struct csi_method methods[] = {
	METHOD(Identity, GetPluginInfo, get_plugin_info, csi_get_plugin_info),
	METHOD(Identity, GetPluginCapabilities, get_plugin_capabilities,
	       csi_get_plugin_capabilities),
	METHOD(Identity, Probe, probe, csi_probe),

	METHOD(Controller, CreateVolume, create_volume, csi_create_volume),
	METHOD(Controller, DeleteVolume, delete_volume, csi_delete_volume),
	METHOD(Controller, ValidateVolumeCapabilities,
	       validate_volume_capabilities, csi_validate_capabilities),
	METHOD(Controller, ListVolumes, list_volumes, csi_list_volumes),
	METHOD(Controller, ControllerGetCapabilities,
	       controller_get_capabilities, csi_controller_capabilities),
	METHOD(Controller, ControllerExpandVolume, controller_expand_volume,
	       csi_expand_volume),
	METHOD(Controller, ControllerGetVolume, controller_get_volume,
	       csi_get_volume),
	METHOD(Controller, ControllerPublishVolume, controller_publish_volume,
	       csi_controller_publish),
	METHOD(Controller, ControllerUnpublishVolume,
	       controller_unpublish_volume, csi_controller_unpublish),

	METHOD(Node, NodeStageVolume, node_stage_volume, csi_node_stage),
	METHOD(Node, NodeUnstageVolume, node_unstage_volume, csi_node_unstage),
	METHOD(Node, NodeExpandVolume, node_expand_volume, csi_node_expand),
	METHOD(Node, NodePublishVolume, node_publish_volume, csi_node_publish),
	METHOD(Node, NodeUnpublishVolume, node_unpublish_volume,
	       csi_node_unpublish),
	METHOD(Node, NodeGetVolumeStats, node_get_volume_stats, csi_node_stats),
	METHOD(Node, NodeGetCapabilities, node_get_capabilities,
	       csi_node_capabilities),
	METHOD(Node, NodeGetInfo, node_get_info, csi_node_info),
};

const struct csi_method *csi_method_find(const char *path, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (strlen(methods[i].path) == len &&
		    memcmp(methods[i].path, path, len) == 0)
			return &methods[i];
	return NULL;
}
