/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Abort (NVMe Base 2.3, 5.2.1).  The command may be on another reactor, so a
 * message goes there.  Bit 0 of the result says whether the command was NOT
 * aborted; if it was, its own completion is queued first.
 */
#include "nvme/target/internal.h"

struct order {
	struct message message;
	struct nvmet_queue *q; /* a reference */
	uint16_t cid;
	struct nvmet_cmd *self; /* is not what is meant */
	struct completion done;
};

/* True if its completion is queued now. */
static bool abort_one(struct nvmet_cmd *cmd)
{
	switch (cmd->state) {
	case NVMET_CMD_STARVED:
		list_del(&cmd->link);
		nvmet_cmd_end(cmd, NVME_SC_ABORT_REQUESTED | NVME_SC_DNR);
		return true;
	case NVMET_CMD_R2T: /* its data have to be let come */
	case NVMET_CMD_DATA:
		cmd->aborted = true;
		return false;
	case NVMET_CMD_DEVICE:
		cmd->aborted = true;
		block_cancel(&cmd->io); /* maybe that was its end */
		return false;
	case NVMET_CMD_HELD:
		return nvmet_aer_abort(cmd);
	case NVMET_CMD_REPLY:
	case NVMET_CMD_NEW:
	case NVMET_CMD_FREE:
		return false;
	}
	return false;
}

static void visit(struct message *m)
{
	struct order *o = container_of(m, struct order, message);
	struct nvmet_cmd *cmd;
	bool aborted = false;

	list_for_each (cmd, &o->q->cmds, all) {
		if (cmd->sqe.cid != o->cid || cmd == o->self)
			continue;
		aborted = abort_one(cmd);
		break;
	}
	nvmet_queue_put(o->q);
	completion_done(&o->done, aborted);
}

static struct nvmet_queue *find_queue(struct nvmet_ctrl *ctrl, uint16_t qid)
{
	struct nvmet_queue *q, *found = NULL;

	if (qid == 0)
		return nvmet_queue_ref(ctrl->admin);
	pthread_mutex_lock(&ctrl->t->lock);
	list_for_each (q, &ctrl->queues, in_ctrl)
		if (q->qid == qid)
			found = nvmet_queue_ref(q);
	pthread_mutex_unlock(&ctrl->t->lock);
	return found;
}

static int run(struct nvmet_cmd *cmd)
{
	struct order o = { .message.deliver = visit, .self = cmd };

	o.cid = cmd->sqe.cdw10 >> 16;
	cmd->cqe.dw0 = 1;
	o.q = find_queue(cmd->q->ctrl, cmd->sqe.cdw10 & 0xffff);
	if (o.q == NULL)
		return NVME_SC_INVALID_FIELD | NVME_SC_DNR;
	completion_init(&o.done);
	reactor_post(o.q->cpu->reactor, &o.message);
	if (completion_wait(&o.done))
		cmd->cqe.dw0 = 0;
	return 0;
}

int nvmet_abort(struct nvmet_cmd *cmd)
{
	return nvmet_cmd_in_task(cmd, run);
}
