/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ControllerPublishVolume and ControllerUnpublishVolume: which hosts the target
 * lets in.  It is the target that keeps a node out that was put out, whatever
 * that node goes on with.
 */
#include <stdio.h>
#include <string.h>

#include "csi/capability.h"
#include "csi/nvme_daemon.h"
#include "csi/volume.h"

static int refuse(struct csi_call *call, const char *why)
{
	return csi_refuse(call, GRPC_STATUS_INVALID_ARGUMENT, "%s", why);
}

/* Those that may connect, as a list of {nqn}; a new reference. */
int nvme_hosts(struct csi_call *call, const json_t *volume, json_t **hosts)
{
	json_t *list = NULL;
	int r = nvme_ask(call, "nvmf_get_subsystems",
			 json_pack("{s:s}", "nqn", nvme_text(volume, "nqn")),
			 &list);

	*hosts = json_incref(json_object_get(json_array_get(list, 0), "hosts"));
	json_decref(list);
	return r == 1 ? nvme_no_volume(call, nvme_text(volume, "id")) : r;
}

static bool has_host(const json_t *hosts, const char *nqn)
{
	for (size_t i = 0; i < json_array_size(hosts); i++)
		if (strcmp(nvme_text(json_array_get(hosts, i), "nqn"), nqn) ==
		    0)
			return true;
	return false;
}

static int change_host(struct csi_call *call, const char *method,
		       const json_t *volume, const char *nqn)
{
	int r = nvme_ask(call, method,
			 json_pack("{s:s, s:s}", "nqn",
				   nvme_text(volume, "nqn"), "host", nqn),
			 NULL);

	return r == 1 ? nvme_no_volume(call, nvme_text(volume, "id")) : r;
}

/* The part of a node's id that is for the target; NULL: it is no node's. */
static const char *nqn_of_node(const char *node_id)
{
	const char *comma = strchr(node_id, ',');
	char part[5];

	return comma != NULL && strlen(comma + 1) < NVME_NQN_SIZE &&
			       sscanf(comma, ",nqn.%4[0-9]-%2[0-9].%1[a-z]",
				      part, part, part) == 3
		       ? comma + 1
		       : NULL;
}

/* Another driver may have let another node in at the same time.  Both look
 * after they did, so one of them sees the other's; then nobody is in. */
static int confirm_alone(struct csi_call *call, const json_t *volume,
			 const char *nqn)
{
	json_t *hosts = NULL;
	int r = nvme_hosts(call, volume, &hosts);
	bool alone = json_array_size(hosts) < 2;

	json_decref(hosts);
	if (r < 0 || alone)
		return r;
	r = change_host(call, "nvmf_subsystem_remove_host", volume, nqn);
	return r < 0 ? r
		     : csi_refuse(call, GRPC_STATUS_ABORTED,
				  "another node was let in; try again");
}

static int add_host(struct csi_call *call, const json_t *volume,
		    const json_t *hosts, const char *nqn, bool one_node)
{
	int r;

	if (json_array_size(hosts) > 0 && one_node)
		return csi_refuse(call, GRPC_STATUS_FAILED_PRECONDITION,
				  "Volume %s is published to the host %.200s",
				  nvme_text(volume, "id"),
				  nvme_text(json_array_get(hosts, 0), "nqn"));
	r = change_host(call, "nvmf_subsystem_add_host", volume, nqn);
	return r == 0 && one_node ? confirm_alone(call, volume, nqn) : r;
}

static int let_in(struct csi_call *call, const json_t *volume,
		  const Csi__V1__ControllerPublishVolumeRequest *in)
{
	bool one_node = capability_is_one_node(in->volume_capability);
	const char *nqn = nqn_of_node(in->node_id);
	json_t *hosts = NULL;
	int r = nvme_hosts(call, volume, &hosts);

	if (r == 0 && !has_host(hosts, nqn))
		r = add_host(call, volume, hosts, nqn, one_node);
	json_decref(hosts);
	return r;
}

static int check_publish(struct csi_call *call,
			 const Csi__V1__ControllerPublishVolumeRequest *in)
{
	const char *why = NULL;

	if (in->volume_id[0] == '\0')
		return refuse(call, "Volume ID not provided");
	if (in->node_id[0] == '\0')
		return refuse(call, "Node ID not provided");
	if (in->volume_capability == NULL)
		return refuse(call, "Volume capability not provided");
	why = nvme_is_handle(in->volume_id)
		      ? nvme_capability_refuses(in->volume_capability)
		      : capability_refuses(in->volume_capability);
	return why == NULL ? 0 : refuse(call, why);
}

/* File systems are for every node. */
int csi_controller_publish(struct csi_call *call)
{
	const Csi__V1__ControllerPublishVolumeRequest *in =
		(const Csi__V1__ControllerPublishVolumeRequest *)call->request;
	json_t *volume = NULL;
	int r;

	if (!call->csi->options->nvme)
		return csi_refuse(call, GRPC_STATUS_UNIMPLEMENTED, "no --nvme");
	if (check_publish(call, in) < 0)
		return -1;
	if (nqn_of_node(in->node_id) == NULL)
		return csi_refuse(call, GRPC_STATUS_NOT_FOUND,
				  "Node not found, ID: %.200s", in->node_id);
	if (!nvme_is_handle(in->volume_id))
		return volume_exists(call, in->volume_id);
	if (csi_begin(call, "volume", in->volume_id) < 0)
		return -1;
	r = nvme_find(call, in->volume_id, &volume);
	if (r == 0)
		r = let_in(call, volume, in);
	json_decref(volume);
	csi_end(call, in->volume_id);
	return r;
}

/* One node, or all if none is named. */
static int put_out(struct csi_call *call, const json_t *volume,
		   const char *node_id)
{
	const char *only = nqn_of_node(node_id), *nqn;
	json_t *hosts = NULL;
	int r = nvme_hosts(call, volume, &hosts);

	for (size_t i = 0; i < json_array_size(hosts) && r == 0; i++) {
		nqn = nvme_text(json_array_get(hosts, i), "nqn");
		if (node_id[0] == '\0' || (only && strcmp(only, nqn) == 0))
			r = change_host(call, "nvmf_subsystem_remove_host",
					volume, nqn);
	}
	json_decref(hosts);
	return r;
}

int csi_controller_unpublish(struct csi_call *call)
{
	const Csi__V1__ControllerUnpublishVolumeRequest *in =
		(const Csi__V1__ControllerUnpublishVolumeRequest *)
			call->request;
	struct nvme_handle h;
	json_t *volume = NULL;
	int r;

	if (!call->csi->options->nvme)
		return csi_refuse(call, GRPC_STATUS_UNIMPLEMENTED, "no --nvme");
	if (in->volume_id[0] == '\0')
		return refuse(call, "Volume ID not provided");
	if (!nvme_handle_parse(in->volume_id, &h))
		return 0;
	if (csi_begin(call, "volume", in->volume_id) < 0)
		return -1;
	r = nvme_get(call, h.id, &volume);
	if (r == 0)
		r = put_out(call, volume, in->node_id);
	json_decref(volume);
	csi_end(call, in->volume_id);
	return r == 1 ? 0 : r;
}
