/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asynchronous events (NVMe Base 2.3, 5.2.2).  Of each kind a controller has
 * two bits:
 *
 *	                 nvmet_event()               a request is there
 *	    ─────────── events = 1 ──────────────────▶ told, masked = 1
 *	 ▲  any thread                its reactor           │
 *	 └──────────────── log page read without RAE ◀──────┘
 *
 * What happens while the kind is masked, or no request is outstanding, leaves
 * `events` set, and is told later.  The log page clears both bits before its
 * data are made; so what happens while the host reads is told again, and no
 * event is lost.
 */
#include "nvme/target/internal.h"

enum { NVMET_AER_SMART_WARNINGS = 0x3f }; /* bits that may be set */

static const struct {
	uint8_t type, info, page;
	uint32_t config; /* bit of the configuration; 0: always told */
} kinds[] = {
	[NVMET_EVENT_NS_CHANGED] = { NVME_AER_NOTICE, NVME_AER_NS_CHANGED,
				     NVME_LOG_CHANGED_NS, NVME_OAES_NSAN },
	[NVMET_EVENT_ANA_CHANGED] = { NVME_AER_NOTICE, NVME_AER_ANA_CHANGED,
				      NVME_LOG_ANA, NVME_OAES_ANACN },
	[NVMET_EVENT_DISCOVERY_CHANGED] = { NVME_AER_NOTICE,
					    NVME_AER_DISCOVERY_CHANGED,
					    NVME_LOG_DISCOVERY,
					    NVME_OAES_DLPCN },
	[NVMET_EVENT_CCR_COMPLETED] = { NVME_AER_NOTICE, NVME_AER_CCR_COMPLETED,
					NVME_LOG_CCR, NVME_OAES_CCRCN },
	[NVMET_EVENT_RESERVATION] = { NVME_AER_IO_SPECIFIC,
				      NVME_AER_RESV_LOG_AVAILABLE,
				      NVME_LOG_RESERVATION, 0 },
	[NVMET_EVENT_ERROR] = { NVME_AER_ERROR, NVME_AER_TRANSIENT_ERROR,
				NVME_LOG_ERROR, 0 },
};

/* ----------------------------------------------------------- configuration */

uint32_t nvmet_aer_supported(const struct nvmet_ctrl *ctrl)
{
	if (ctrl->s->is_discovery)
		return NVME_OAES_DLPCN;
	return NVME_OAES_NSAN | NVME_OAES_CCRCN |
	       (ctrl->s->ana_reporting ? NVME_OAES_ANACN : 0);
}

static bool is_enabled(const struct nvmet_ctrl *ctrl, unsigned event)
{
	uint32_t bit = kinds[event].config;

	return bit == 0 || (ctrl->async_config & bit) != 0;
}

int nvmet_aer_configure(struct nvmet_ctrl *ctrl, uint32_t config)
{
	uint32_t allowed = nvmet_aer_supported(ctrl) | NVMET_AER_SMART_WARNINGS;

	if (config & ~allowed)
		return NVME_SC_INVALID_FIELD | NVME_SC_DNR;
	/* What happened before is no news to the host. */
	for (unsigned e = 0; e < ARRAY_SIZE(kinds); e++)
		if (!is_enabled(ctrl, e))
			atomic_fetch_and(&ctrl->events, ~(1u << e));
	ctrl->async_config = config;
	return 0;
}

/* ----------------------------------------------------------------- telling */

/* The oldest request is answered. */
static void answer(struct nvmet_ctrl *ctrl, unsigned event)
{
	struct nvmet_cmd *cmd = ctrl->aer[0];

	ctrl->naer--;
	memmove(&ctrl->aer[0], &ctrl->aer[1],
		ctrl->naer * sizeof(ctrl->aer[0]));
	cmd->cqe.dw0 = nvme_aer_result(kinds[event].type, kinds[event].info,
				       kinds[event].page);
	nvmet_cmd_end(cmd, 0);
}

static void tell(struct nvmet_ctrl *ctrl)
{
	unsigned event;
	uint32_t news;

	while (ctrl->naer > 0) {
		news = atomic_load(&ctrl->events) & ~ctrl->events_masked;
		if (news == 0)
			return;
		event = __builtin_ctz(news);
		atomic_fetch_and(&ctrl->events, ~(1u << event));
		if (!is_enabled(ctrl, event))
			continue;
		ctrl->events_masked |= 1u << event;
		answer(ctrl, event);
	}
}

static void tell_news(struct message *m)
{
	struct nvmet_ctrl *ctrl = container_of(m, struct nvmet_ctrl, news);

	atomic_store(&ctrl->news_posted, false); /* then look */
	tell(ctrl);
	nvmet_ctrl_put(ctrl);
}

void nvmet_event(struct nvmet_ctrl *ctrl, enum nvmet_event event, uint32_t nsid)
{
	if (event == NVMET_EVENT_NS_CHANGED)
		atomic_fetch_or(&ctrl->changed_ns[nsid / 64],
				1ull << nsid % 64);
	if (atomic_fetch_or(&ctrl->events, 1u << event) & 1u << event)
		return; /* who set it saw to it that it is told */
	if (atomic_exchange(&ctrl->news_posted, true))
		return;
	nvmet_ctrl_ref(ctrl);
	ctrl->news.deliver = tell_news;
	reactor_post(ctrl->cpu->reactor, &ctrl->news);
}

void nvmet_aer_seen(struct nvmet_ctrl *ctrl, uint8_t page)
{
	for (unsigned e = 0; e < ARRAY_SIZE(kinds); e++) {
		if (kinds[e].page != page)
			continue;
		ctrl->events_masked &= ~(1u << e);
		atomic_fetch_and(&ctrl->events, ~(1u << e));
	}
}

/* ---------------------------------------------------------------- requests */

int nvmet_aer(struct nvmet_cmd *cmd)
{
	struct nvmet_ctrl *ctrl = cmd->q->ctrl;

	if (ctrl->naer >= NVMET_AER_MAX)
		return NVME_SC_ASYNC_LIMIT | NVME_SC_DNR;
	ctrl->aer[ctrl->naer++] = cmd;
	tell(ctrl);
	return NVMET_LATER;
}

bool nvmet_aer_abort(struct nvmet_cmd *cmd)
{
	struct nvmet_ctrl *ctrl = cmd->q->ctrl;

	if (cmd->q->qid != 0)
		return false;
	for (unsigned i = 0; i < ctrl->naer; i++) {
		if (ctrl->aer[i] != cmd)
			continue;
		ctrl->naer--;
		memmove(&ctrl->aer[i], &ctrl->aer[i + 1],
			(ctrl->naer - i) * sizeof(ctrl->aer[0]));
		nvmet_cmd_end(cmd, NVME_SC_ABORT_REQUESTED);
		return true;
	}
	return false;
}

void nvmet_aer_drop(struct nvmet_ctrl *ctrl)
{
	while (ctrl->naer > 0)
		nvmet_cmd_free(ctrl->aer[--ctrl->naer]);
	ctrl->events_masked = 0;
	ctrl->async_config = 0;
}

/* ------------------------------------------------------------- who is told */

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
