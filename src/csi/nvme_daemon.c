/* SPDX-License-Identifier: Apache-2.0 */
#include "csi/nvme_daemon.h"

#include <errno.h>
#include <string.h>

#include "rpc/client.h"

enum { ANSWER_S = 30 };

/* 0; 1: there is no such thing; -1: refused. */
int nvme_ask(struct csi_call *call, const char *method, json_t *params,
	     json_t **result)
{
	char text[RPC_CLIENT_TEXT];
	json_t *own = NULL;
	int code, r = rpc_client_call(call->csi->options->rpc, method, params,
				      ANSWER_S, &own, &code, text);

	if (result != NULL)
		*result = own;
	else
		json_decref(own);
	if (r == 0)
		return 0;
	if (r == -EREMOTEIO && (code == -ENOENT || code == -ENODEV))
		return 1;
	return csi_refuse(call,
			  r == -EREMOTEIO ? GRPC_STATUS_INTERNAL
					  : GRPC_STATUS_UNAVAILABLE,
			  "%s: %s", method, text);
}

const char *nvme_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

int64_t nvme_number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static bool is_there(const json_t *volume)
{
	return strcmp(nvme_text(volume, "state"), "available") == 0;
}

/* By id or name, as nvme_ask(); one that is being deleted is none. */
int nvme_get(struct csi_call *call, const char *name, json_t **volume)
{
	json_t *list = NULL;
	int r = nvme_ask(call, "volume_get", json_pack("{s:s}", "name", name),
			 &list);

	*volume = r == 0 ? json_incref(json_array_get(list, 0)) : NULL;
	json_decref(list);
	if (r == 0 && strcmp(nvme_text(*volume, "state"), "deleting") == 0)
		r = 1;
	if (r == 0 && !is_there(*volume))
		r = csi_refuse(call, GRPC_STATUS_INTERNAL, "volume %s: %s",
			       name, nvme_text(*volume, "message"));
	if (r != 0) {
		json_decref(*volume);
		*volume = NULL;
	}
	return r;
}

int nvme_no_volume(struct csi_call *call, const char *id)
{
	return csi_refuse(call, GRPC_STATUS_NOT_FOUND,
			  "Volume not found, ID: %.200s", id);
}

/* A volume that has to be there. */
int nvme_find(struct csi_call *call, const char *volume_id, json_t **volume)
{
	struct nvme_handle h;
	int r;

	if (!call->csi->options->nvme || !nvme_handle_parse(volume_id, &h))
		return nvme_no_volume(call, volume_id);
	r = nvme_get(call, h.id, volume);
	return r == 1 ? nvme_no_volume(call, volume_id) : r;
}
