/* SPDX-License-Identifier: Apache-2.0 */
/* The Node service, but for mounts: what the node is, what it can do, and how
 * full a volume is. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "csi/internal.h"
#include "csi/nvme_device.h"
#include "csi/volume.h"

int csi_node_capabilities(struct csi_call *call)
{
#define TYPE(name) CSI__V1__NODE_SERVICE_CAPABILITY__RPC__TYPE__##name
	static const Csi__V1__NodeServiceCapability__RPC__Type types[] = {
		TYPE(GET_VOLUME_STATS), TYPE(SINGLE_NODE_MULTI_WRITER),
		/* The one is without NVMe, the others are with it. */
		TYPE(VOLUME_MOUNT_GROUP), TYPE(STAGE_UNSTAGE_VOLUME),
		TYPE(EXPAND_VOLUME)
	};
	bool nvme = call->csi->options->nvme;
	size_t n = nvme ? 5 : 3;
	Csi__V1__NodeGetCapabilitiesResponse *out =
		(Csi__V1__NodeGetCapabilitiesResponse *)call->response;

	out->capabilities =
		csi_alloc(call, ARRAY_SIZE(types) * sizeof(*out->capabilities));
	for (size_t i = 0; i < n; i++) {
		Csi__V1__NodeServiceCapability *c = csi_message(
			call, &csi__v1__node_service_capability__descriptor);

		c->type_case = CSI__V1__NODE_SERVICE_CAPABILITY__TYPE_RPC;
		c->rpc = csi_message(
			call,
			&csi__v1__node_service_capability__rpc__descriptor);
		c->rpc->type = types[i];
		out->capabilities[out->n_capabilities++] = c;
	}
	return 0;
}

int csi_node_info(struct csi_call *call)
{
	Csi__V1__NodeGetInfoResponse *out =
		(Csi__V1__NodeGetInfoResponse *)call->response;
	const struct csi_options *o = call->csi->options;

	const char *id = o->node_id;

	if (o->nvme && nvme_node_id(call, &id) < 0)
		return -1;
	out->node_id = (char *)id;
	if (o->zone[0])
		out->accessible_topology = volume_topology(call, o->zone);
	return 0;
}

/* -------------------------------------------------------------------- stats */

static void add_usage(struct csi_call *call,
		      Csi__V1__NodeGetVolumeStatsResponse *out,
		      Csi__V1__VolumeUsage__Unit unit, int64_t total,
		      int64_t free, int64_t available)
{
	Csi__V1__VolumeUsage *u =
		csi_message(call, &csi__v1__volume_usage__descriptor);

	u->unit = unit;
	u->total = total;
	u->used = total - free;
	u->available = available;
	out->usage[out->n_usage++] = u;
}

/* What the server counts: of an access point with a quota, that. */
static int stats(struct csi_call *call, const char *path)
{
	Csi__V1__NodeGetVolumeStatsResponse *out =
		(Csi__V1__NodeGetVolumeStatsResponse *)call->response;
	struct usage u;
	int r = mounter_usage(path, &u);

	if (r < 0)
		return csi_refuse(call, GRPC_STATUS_INTERNAL,
				  "Volume path %.200s: %s", path, strerror(-r));
	out->usage = csi_alloc(call, 2 * sizeof(*out->usage));
	add_usage(call, out, CSI__V1__VOLUME_USAGE__UNIT__BYTES, u.bytes,
		  u.bytes_free, u.bytes_available);
	add_usage(call, out, CSI__V1__VOLUME_USAGE__UNIT__INODES, u.files,
		  u.files_free, u.files_free);
	return 0;
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int csi_node_stats(struct csi_call *call)
{
	const Csi__V1__NodeGetVolumeStatsRequest *in =
		(const Csi__V1__NodeGetVolumeStatsRequest *)call->request;
	struct mounted mounted;
	int r;

	if (in->volume_id[0] == '\0')
		return csi_refuse(call, GRPC_STATUS_INVALID_ARGUMENT,
				  "Volume ID not provided");
	if (in->volume_path[0] == '\0')
		return csi_refuse(call, GRPC_STATUS_INVALID_ARGUMENT,
				  "Volume path not provided");
	r = mounter_look(in->volume_path, &mounted);
	if (r < 0)
		return csi_refuse(call, GRPC_STATUS_INTERNAL, "%s",
				  strerror(-r));
	if (r > 0 && nvme_is_handle(in->volume_id) &&
	    device_may_be_at(in->volume_path, &mounted))
		return is_directory(in->volume_path)
			       ? stats(call, in->volume_path)
			       : nvme_node_stats(call);
	if (r == 0 || !mounted.ours)
		return csi_refuse(call, GRPC_STATUS_NOT_FOUND,
				  "Volume Path %.200s does not exist: no "
				  "volume is published there",
				  in->volume_path);
	return stats(call, in->volume_path);
}
