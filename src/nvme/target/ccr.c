/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cross-Controller Reset (NVMe Base 2.3, 5.4.3 and 8.3.3): a host that has lost
 * one controller has it reset by another, and learns when none of its commands
 * can have an effect any more; only then may it send them again.
 *
 *	command ─▶ the controller is ended (controller.c)
 *	        ─▶ gone within CCR_PATIENCE: the reply says so at once (IRS)
 *	        ─▶ else an entry in the log page, IN_PROGRESS; when it has gone,
 *	           SUCCESS, and an event
 *
 * The host names the instance, by CIU and CIRN as it read them in Identify
 * Controller.  An instance that does not exist is reset already, but for one
 * whose identifier this target never gives: that is another target's with the
 * same subsystem, of which nothing is known here.  A host can reset its own
 * controllers only.
 *
 * The entries belong to the reactor of the controller that got the command.
 */
#include "base/log.h"
#include "nvme/target/internal.h"

#define CCR_PATIENCE MSEC(20)

struct ccr {
	struct list link;		      /* acting->ccrs */
	struct nvmet_ctrl *acting, *impacted; /* references while it runs */
	struct nvme_ccr_entry entry;
};

static unsigned count(const struct nvmet_ctrl *ctrl, bool running)
{
	const struct ccr *c;
	unsigned n = 0;

	list_for_each (c, &ctrl->ccrs, link)
		n += !running || c->entry.ccrs == NVME_CCRS_IN_PROGRESS;
	return n;
}

static bool is_running(const struct nvmet_ctrl *ctrl,
		       const struct nvmet_ctrl *impacted)
{
	const struct ccr *c;

	list_for_each (c, &ctrl->ccrs, link)
		if (c->impacted == impacted)
			return true;
	return false;
}

/* The instance that the command names, with a reference. */
static struct nvmet_ctrl *find_impacted(const struct nvmet_cmd *cmd)
{
	const struct nvmet_ctrl *acting = cmd->q->ctrl;
	struct nvmet_ctrl *ctrl;

	pthread_mutex_lock(&acting->t->lock);
	ctrl = nvmet_ctrl_find_locked(acting->s, nvme_ccr_icid(&cmd->sqe));
	if (ctrl != NULL && ctrl->ciu == nvme_ccr_ciu(&cmd->sqe) &&
	    ctrl->cirn == nvme_ccr_cirn(&cmd->sqe) &&
	    strcmp(ctrl->host_nqn, acting->host_nqn) == 0)
		nvmet_ctrl_ref(ctrl);
	else
		ctrl = NULL;
	pthread_mutex_unlock(&acting->t->lock);
	return ctrl;
}

/* The limits of a subsystem's identifiers don't change. */
static bool is_known(const struct nvmet_cmd *cmd)
{
	const struct nvmet_subsystem *s = cmd->q->ctrl->s;
	uint16_t icid = nvme_ccr_icid(&cmd->sqe);

	return icid >= s->min_cntlid && icid <= s->max_cntlid;
}

static uint16_t check(const struct nvmet_ctrl *acting,
		      const struct nvmet_ctrl *impacted)
{
	if (is_running(acting, impacted))
		return NVME_SC_CCR_IN_PROGRESS | NVME_SC_DNR;
	if (count(acting, true) >= NVMET_CCR_MAX)
		return NVME_SC_CCR_LIMIT_EXCEEDED;
	if (count(acting, false) >= NVME_CCR_ENTRIES_MAX)
		return NVME_SC_CCR_LOG_FULL;
	return 0;
}

static struct ccr *create(struct nvmet_ctrl *acting,
			  struct nvmet_ctrl *impacted)
{
	struct ccr *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->acting = nvmet_ctrl_ref(acting);
	c->impacted = impacted;
	c->entry.icid = impacted->cntlid;
	c->entry.ciu = impacted->ciu;
	c->entry.acid = acting->cntlid;
	c->entry.ccrs = NVME_CCRS_IN_PROGRESS;
	c->entry.ccrf = NVME_CCRF_VALIDATED | NVME_CCRF_INITIATED;
	list_append(&acting->ccrs, &c->link);
	return c;
}

static void completed(struct ccr *c)
{
	struct nvmet_ctrl *acting = c->acting;

	nvmet_ctrl_put(c->impacted);
	c->acting = c->impacted = NULL;
	c->entry.ccrs = NVME_CCRS_SUCCESS;
	nvmet_event(acting, NVMET_EVENT_CCR_COMPLETED, 0);
	nvmet_ctrl_put(acting); /* maybe the last one, and *c with it */
}

/* The task ends the command, and then stays until the controller has gone. */
static int run(struct nvmet_cmd *cmd)
{
	struct nvmet_ctrl *impacted = find_impacted(cmd);
	struct ccr *c;
	uint16_t status;

	cmd->cqe.dw0 = NVME_CCR_IRS;
	if (impacted == NULL)
		return 0;
	status = check(cmd->q->ctrl, impacted);
	c = status == 0 ? create(cmd->q->ctrl, impacted) : NULL;
	if (c == NULL) {
		nvmet_ctrl_put(impacted);
		cmd->cqe.dw0 = 0;
		return status != 0 ? status : NVME_SC_INTERNAL_ERROR;
	}
	log_info("nvme %s: controller %u is reset by %u", impacted->s->nqn,
		 impacted->cntlid, c->acting->cntlid);
	nvmet_ctrl_end(impacted);
	if (nvmet_ctrl_wait_gone(impacted, reactor_now() + CCR_PATIENCE)) {
		nvmet_cmd_end(cmd, 0);
		nvmet_ctrl_put(impacted);
		list_del(&c->link);
		nvmet_ctrl_put(c->acting);
		free(c);
		return NVMET_LATER;
	}
	cmd->cqe.dw0 = 0;
	nvmet_cmd_end(cmd, 0);
	nvmet_ctrl_wait_gone(impacted, NSEC_NEVER);
	completed(c);
	return NVMET_LATER;
}

int nvmet_ccr(struct nvmet_cmd *cmd)
{
	if (nvme_ccr_icid(&cmd->sqe) == cmd->q->ctrl->cntlid || !is_known(cmd))
		return NVME_SC_INVALID_FIELD | NVME_SC_DNR;
	return nvmet_cmd_in_task(cmd, run);
}

void nvmet_ccr_log(struct nvmet_ctrl *ctrl, bool remove,
		   struct nvme_ccr_log *out)
{
	struct ccr *c, *tmp;

	*out = (struct nvme_ccr_log){};
	list_for_each_safe (c, tmp, &ctrl->ccrs, link) {
		out->entries[out->ne++] = c->entry;
		if (!remove || c->entry.ccrs == NVME_CCRS_IN_PROGRESS)
			continue;
		list_del(&c->link);
		free(c);
	}
}

void nvmet_ccr_free(struct nvmet_ctrl *ctrl)
{
	struct ccr *c, *tmp;

	list_for_each_safe (c, tmp, &ctrl->ccrs, link)
		free(c);
}
