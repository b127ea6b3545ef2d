/* SPDX-License-Identifier: Apache-2.0 */
/* The Identity service: who this is and what it can do. */
#include "csi/internal.h"

int csi_get_plugin_info(struct csi_call *call)
{
	Csi__V1__GetPluginInfoResponse *out =
		(Csi__V1__GetPluginInfoResponse *)call->response;

	out->name = (char *)call->csi->options->name;
	out->vendor_version = (char *)HAWSER_VERSION;
	return 0;
}

static Csi__V1__PluginCapability *service(
	struct csi_call *call, Csi__V1__PluginCapability__Service__Type type)
{
	Csi__V1__PluginCapability *c =
		csi_message(call, &csi__v1__plugin_capability__descriptor);

	c->type_case = CSI__V1__PLUGIN_CAPABILITY__TYPE_SERVICE;
	c->service = csi_message(
		call, &csi__v1__plugin_capability__service__descriptor);
	c->service->type = type;
	return c;
}

static Csi__V1__PluginCapability *expansion(struct csi_call *call)
{
	Csi__V1__PluginCapability *c =
		csi_message(call, &csi__v1__plugin_capability__descriptor);

	c->type_case = CSI__V1__PLUGIN_CAPABILITY__TYPE_VOLUME_EXPANSION;
	c->volume_expansion = csi_message(
		call,
		&csi__v1__plugin_capability__volume_expansion__descriptor);
	c->volume_expansion->type =
		CSI__V1__PLUGIN_CAPABILITY__VOLUME_EXPANSION__TYPE__ONLINE;
	return c;
}

int csi_get_plugin_capabilities(struct csi_call *call)
{
	Csi__V1__GetPluginCapabilitiesResponse *out =
		(Csi__V1__GetPluginCapabilitiesResponse *)call->response;

	out->n_capabilities = 3;
	out->capabilities = csi_alloc(call, 3 * sizeof(*out->capabilities));
	out->capabilities[0] = service(
		call,
		CSI__V1__PLUGIN_CAPABILITY__SERVICE__TYPE__CONTROLLER_SERVICE);
	out->capabilities[1] = service(
		call,
		CSI__V1__PLUGIN_CAPABILITY__SERVICE__TYPE__VOLUME_ACCESSIBILITY_CONSTRAINTS);
	out->capabilities[2] = expansion(call);
	return 0;
}

/* That it answers is all there is to say: it holds nothing that could be out of
 * order, and that EFS's API can't be reached is no reason to start it again. */
int csi_probe(struct csi_call *call)
{
	return 0;
}
