/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asynchronous events.  NEEDSWORK: they are not told yet.
 */
#include "nvme/target/internal.h"

void nvmet_event(struct nvmet_ctrl *ctrl, enum nvmet_event event, uint32_t nsid)
{
}

void nvmet_aer_drop(struct nvmet_ctrl *ctrl) {}

void nvmet_event_ns_changed_locked(struct nvmet_subsystem *s, uint32_t nsid)
{
	struct nvmet_ctrl *ctrl;

	list_for_each (ctrl, &s->ctrls, link)
		nvmet_event(ctrl, NVMET_EVENT_NS_CHANGED, nsid);
}

void nvmet_event_ana_changed_locked(struct nvmet_way *way)
{
	struct nvmet_ctrl *ctrl;

	list_for_each (ctrl, &way->s->ctrls, link)
		if (ctrl->way == way)
			nvmet_event(ctrl, NVMET_EVENT_ANA_CHANGED, 0);
}

void nvmet_event_discovery_changed_locked(struct nvmet *t)
{
	struct nvmet_ctrl *ctrl;

	t->discovery_genctr++;
	list_for_each (ctrl, &t->discovery->ctrls, link)
		nvmet_event(ctrl, NVMET_EVENT_DISCOVERY_CHANGED, 0);
}
