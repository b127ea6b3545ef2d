/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Property Get and Set (NVMe Base 2.3, 6.5 and 6.6): the registers of a
 * controller.  What CC asks for shows in CSTS when it is done:
 *
 *	EN 1      CSTS.RDY 1, at once
 *	EN 0      CSTS.RDY 0, when all I/O queues have gone
 *	SHN       CSTS.SHST complete, likewise
 */
#include "nvme/target/internal.h"

static uint64_t cap(const struct nvmet *t)
{
	return NVME_CAP_MQES(t->conf.max_queue_depth - 1) | NVME_CAP_CQR |
	       NVME_CAP_TO(30) | NVME_CAP_CSS_NVM;
}

static int get(const struct nvmet_ctrl *ctrl, uint32_t offset, bool wide,
	       uint64_t *value)
{
	if (wide != (offset == NVME_PROP_CAP))
		return NVME_SC_INVALID_FIELD | NVME_SC_DNR;
	switch (offset) {
	case NVME_PROP_CAP:
		*value = cap(ctrl->t);
		return 0;
	case NVME_PROP_VS:
		*value = NVMET_VERSION;
		return 0;
	case NVME_PROP_CC:
		*value = ctrl->cc;
		return 0;
	case NVME_PROP_CSTS:
		*value = ctrl->csts;
		return 0;
	default:
		return NVME_SC_INVALID_FIELD | NVME_SC_DNR;
	}
}

int nvmet_property_get(struct nvmet_cmd *cmd)
{
	const struct nvme_property_cmd *c = (void *)&cmd->sqe;
	uint64_t value = 0;
	int status;

	if (cmd->q->ctrl == NULL)
		return NVME_SC_COMMAND_SEQUENCE | NVME_SC_DNR;
	if (cmd->q->qid != 0 || c->attrib > 1)
		return NVME_SC_INVALID_FIELD | NVME_SC_DNR;
	status = get(cmd->q->ctrl, c->ofst, c->attrib == 1, &value);
	cmd->cqe.result = value;
	return status;
}

/* --------------------------------------------------------------------- set */

static uint32_t shst(const struct nvmet_ctrl *ctrl)
{
	return ctrl->csts & NVME_CSTS_SHST;
}

/* Whether cc wants something of csts that it is not. */
static bool wants_stop(const struct nvmet_ctrl *ctrl)
{
	if (!(ctrl->cc & NVME_CC_EN) && (ctrl->csts & NVME_CSTS_RDY))
		return true;
	return (ctrl->cc & NVME_CC_SHN) &&
	       shst(ctrl) != NVME_CSTS_SHST_COMPLETE;
}

static void stopped(struct nvmet_ctrl *ctrl)
{
	nvmet_admin_reset(ctrl);
	if (ctrl->cc & NVME_CC_SHN)
		ctrl->csts = (ctrl->csts & ~NVME_CSTS_SHST) |
			     NVME_CSTS_SHST_COMPLETE;
	else
		ctrl->csts &= ~NVME_CSTS_SHST;
	if (!(ctrl->cc & NVME_CC_EN))
		ctrl->csts &= ~NVME_CSTS_RDY;
}

static bool is_valid(uint32_t cc)
{
	uint32_t css = cc & NVME_CC_CSS;

	return (cc & (NVME_CC_MPS | NVME_CC_AMS)) == 0 &&
	       (css == NVME_CC_CSS_NVM || css == NVME_CC_CSS_IOCS);
}

static void start(struct nvmet_ctrl *ctrl)
{
	if (!(ctrl->cc & NVME_CC_EN) || (ctrl->csts & NVME_CSTS_RDY))
		return;
	if (!is_valid(ctrl->cc)) {
		ctrl->csts |= NVME_CSTS_CFS;
		return;
	}
	ctrl->csts = NVME_CSTS_RDY;
	if (!(ctrl->cc & NVME_CC_SHN))
		nvmet_ctrl_enable(ctrl);
}

static void stop_task(void *arg)
{
	struct nvmet_ctrl *ctrl = arg;

	while (wants_stop(ctrl)) {
		nvmet_ctrl_quiesce(ctrl);
		stopped(ctrl);
	}
	ctrl->changing = false;
	start(ctrl);
	nvmet_ctrl_put(ctrl);
}

static int set_cc(struct nvmet_ctrl *ctrl, uint32_t cc)
{
	ctrl->cc = cc;
	if (ctrl->changing)
		return 0; /* the task sees to it */
	if (!wants_stop(ctrl)) {
		start(ctrl);
		return 0;
	}
	if (cc & NVME_CC_SHN)
		ctrl->csts |= NVME_CSTS_SHST_OCCURRING;
	ctrl->changing = true;
	if (task_spawn("nvmet-stop", stop_task, nvmet_ctrl_ref(ctrl)) == 0)
		return 0;
	ctrl->changing = false;
	nvmet_ctrl_put(ctrl);
	return NVME_SC_INTERNAL_ERROR;
}

int nvmet_property_set(struct nvmet_cmd *cmd)
{
	const struct nvme_property_cmd *c = (void *)&cmd->sqe;

	if (cmd->q->ctrl == NULL)
		return NVME_SC_COMMAND_SEQUENCE | NVME_SC_DNR;
	if (cmd->q->qid != 0 || c->attrib != 0 || c->ofst != NVME_PROP_CC)
		return NVME_SC_INVALID_FIELD | NVME_SC_DNR;
	return set_cc(cmd->q->ctrl, c->value);
}
