/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Admin and Fabrics commands as calls that park.  They return 0, a positive
 * NVMe status (with DNR, without phase tag), or a negative errno.
 */
#include "nvme/initiator/internal.h"

struct admin_command {
	struct nvmei_command command;
	struct task *task;
	bool done;
	int error;
};

static void admin_done(struct nvmei_command *c, int error)
{
	struct admin_command *a =
		container_of(c, struct admin_command, command);

	a->done = true;
	a->error = error;
	task_wake(a->task);
}

int queue_do(struct nvmei_queue *q, struct nvmei_command *c, nsec deadline)
{
	struct admin_command a = { .command = *c, .task = task_self() };

	if (q->life->dead)
		return -ECONNABORTED;
	a.command.done = admin_done;
	queue_submit(q, &a.command);
	while (!a.done) {
		if (task_park(deadline) || a.done)
			continue;
		life_fail(q->life, -ETIMEDOUT); /* which ends it, too */
	}
	c->cqe = a.command.cqe;
	/* It may have ended since the answer came, and its controller with it.
	 */
	if (q->life->dead)
		return -ECONNABORTED;
	return a.error < 0 ? a.error : a.command.cqe.status >> 1;
}

int admin_error(int rc)
{
	if (rc <= 0)
		return rc;
	switch (rc & NVME_SC_MASK) {
	case NVME_SC_CONNECT_INVALID_HOST:
	case NVME_SC_AUTH_REQUIRED:
		return -EACCES;
	case NVME_SC_CONNECT_INVALID_PARAM:
		return -ENOENT;
	case NVME_SC_CONNECT_CONTROLLER_BUSY:
		return -EBUSY;
	default:
		return -EIO;
	}
}

/* ----------------------------------------------------------------- Fabrics */

/* What Connect was answered (Fabrics, 3.3). */
static void explain(struct nvmei_life *l, int rc)
{
	if (rc <= 0)
		return;
	switch (rc & NVME_SC_MASK) {
	case NVME_SC_CONNECT_INVALID_PARAM:
		life_reason(l, "there is no such subsystem");
		break;
	case NVME_SC_CONNECT_INVALID_HOST:
		life_reason(l, "the subsystem does not let this host in");
		break;
	case NVME_SC_CONNECT_CONTROLLER_BUSY:
		life_reason(l, "the subsystem has no controller left");
		break;
	}
}

int admin_connect(struct nvmei_queue *q)
{
	struct nvmei_life *l = q->life;
	struct nvme_connect_data data = {};
	struct iovec iov = { &data, sizeof(data) };
	struct nvmei_command c = { .iov = &iov,
				   .niov = 1,
				   .len = sizeof(data),
				   .to_controller = true };
	struct nvme_connect_cmd *cmd = (void *)&c.sqe;
	int rc;

	memcpy(data.hostid, l->host->options.id, sizeof(data.hostid));
	data.cntlid = q->qid == 0 ? NVME_CNTLID_DYNAMIC : l->cntlid;
	strcpy(data.subnqn, l->ctrl->subnqn);
	strcpy(data.hostnqn, l->host->nqn);
	cmd->opc = NVME_OPC_FABRICS;
	cmd->fctype = NVME_FCTYPE_CONNECT;
	cmd->qid = q->qid;
	cmd->sqsize = q->size - 1;
	cmd->kato = q->qid == 0 ? l->host->options.kato_ms : 0;
	q->in_capsule = 8192; /* Connect's data always go in its capsule */
	rc = queue_do(q, &c, NSEC_NEVER);
	q->in_capsule = 0;
	if (q->qid == 0)
		explain(l, rc);
	if (rc != 0)
		return rc;
	if (q->qid == 0)
		l->cntlid = c.cqe.dw0 & 0xffff;
	return queue_authenticate(q, c.cqe.dw0);
}

static int property(struct nvmei_life *l, uint8_t type, uint32_t offset,
		    uint64_t *value)
{
	struct nvmei_command c = {};
	struct nvme_property_cmd *cmd = (void *)&c.sqe;
	int rc;

	cmd->opc = NVME_OPC_FABRICS;
	cmd->fctype = type;
	cmd->attrib = offset == NVME_PROP_CAP;
	cmd->ofst = offset;
	if (type == NVME_FCTYPE_PROPERTY_SET)
		cmd->value = *value;
	rc = queue_do(&l->admin, &c, NSEC_NEVER);
	if (rc == 0 && type == NVME_FCTYPE_PROPERTY_GET)
		*value = c.cqe.result;
	return rc;
}

/* Base 3.5.3: what a host does to a controller before it uses it. */
int admin_enable(struct nvmei_life *l)
{
	uint64_t cap, csts = 0;
	uint64_t cc = NVME_CC_EN | NVME_CC_CSS_NVM | 6 << 16 | 4 << 20;
	nsec deadline;
	int rc = property(l, NVME_FCTYPE_PROPERTY_GET, NVME_PROP_CAP, &cap);

	if (rc != 0)
		return rc;
	l->io.size =
		MIN((uint64_t)l->host->options.queue_size, (cap & 0xffff) + 1);
	rc = property(l, NVME_FCTYPE_PROPERTY_SET, NVME_PROP_CC, &cc);
	deadline = reactor_now() + MSEC(500) * (1 + (cap >> 24 & 0xff));
	while (rc == 0) {
		rc = property(l, NVME_FCTYPE_PROPERTY_GET, NVME_PROP_CSTS,
			      &csts);
		if (rc != 0 || (csts & NVME_CSTS_RDY))
			break;
		if ((csts & NVME_CSTS_CFS) || reactor_now() > deadline)
			return -EIO;
		task_sleep(MSEC(10));
	}
	return rc;
}

/* ------------------------------------------------------------------- admin */

int admin_identify(struct nvmei_life *l, uint8_t cns, uint32_t nsid, void *to)
{
	struct iovec iov = { to, NVME_IDENTIFY_SIZE };
	struct nvmei_command c = { .iov = &iov,
				   .niov = 1,
				   .len = NVME_IDENTIFY_SIZE };

	c.sqe.opc = NVME_ADMIN_IDENTIFY;
	c.sqe.nsid = nsid;
	c.sqe.cdw10 = cns;
	return queue_do(&l->admin, &c, NSEC_NEVER);
}

static int get_log(struct nvmei_life *l, uint32_t what, uint64_t offset,
		   void *to, uint32_t len)
{
	struct iovec iov = { to, len };
	struct nvmei_command c = { .iov = &iov, .niov = 1, .len = len };

	c.sqe.opc = NVME_ADMIN_GET_LOG_PAGE;
	c.sqe.nsid = NVME_NSID_ALL;
	c.sqe.cdw10 = (len / 4 - 1) << 16 | what;
	c.sqe.cdw11 = (len / 4 - 1) >> 16;
	c.sqe.cdw12 = (uint32_t)offset;
	c.sqe.cdw13 = (uint32_t)(offset >> 32);
	return queue_do(&l->admin, &c, NSEC_NEVER);
}

int admin_log(struct nvmei_life *l, uint8_t page, uint8_t lsp, void *to,
	      uint32_t len)
{
	return get_log(l, (uint32_t)lsp << 8 | page, 0, to, len);
}

int admin_log_at(struct nvmei_life *l, uint8_t page, uint64_t offset, void *to,
		 uint32_t len)
{
	return get_log(l, page, offset, to, len);
}

int admin_set_feature(struct nvmei_life *l, uint8_t fid, uint32_t cdw11)
{
	struct nvmei_command c = {};

	c.sqe.opc = NVME_ADMIN_SET_FEATURES;
	c.sqe.cdw10 = fid;
	c.sqe.cdw11 = cdw11;
	return queue_do(&l->admin, &c, NSEC_NEVER);
}

int admin_get_feature(struct nvmei_life *l, uint8_t fid, uint32_t *out)
{
	struct nvmei_command c = {};
	int rc;

	c.sqe.opc = NVME_ADMIN_GET_FEATURES;
	c.sqe.cdw10 = fid;
	rc = queue_do(&l->admin, &c, NSEC_NEVER);
	if (rc == 0)
		*out = c.cqe.dw0;
	return rc;
}
