/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connect (NVMe Base 2.3, 6.3): makes a connection the queue of a controller;
 * for queue 0, a new one.
 */
#include "base/log.h"
#include "nvme/target/internal.h"

#define OF_COMMAND(member) offsetof(struct nvme_connect_cmd, member)
#define OF_DATA(member)                                                        \
	(offsetof(struct nvme_connect_data, member) | NVME_CONNECT_IATTR_DATA)

/* Where the invalid parameter is. */
static int invalid(struct nvmet_cmd *cmd, uint32_t where)
{
	cmd->cqe.dw0 = where;
	return NVME_SC_CONNECT_INVALID_PARAM | NVME_SC_DNR;
}

static bool is_text(const char field[NVME_NQN_SIZE])
{
	return strnlen(field, NVME_NQN_SIZE) <= NVMET_NQN_MAX;
}

/* Room for `entries` commands and their transfers. */
static bool resize(struct nvmet_queue *q, unsigned entries)
{
	struct nvmet_cmd **tags = calloc(2u * entries, sizeof(*tags));

	if (tags == NULL)
		return false;
	free(q->tags); /* only the Connect command had one, until now */
	q->tags = tags;
	q->ntags = 2u * entries;
	q->next_tag = 0;
	q->size = entries;
	q->sqhd = 1 % entries;
	q->told_sqhd = q->sqhd;
	return true;
}

uint32_t nvmet_round_kato(const struct nvmet *t, uint32_t kato)
{
	uint32_t step = t->conf.kas * 100;

	if (kato == 0)
		return 0;
	kato = MIN(MAX(kato, t->conf.min_kato), 24u * 3600 * 1000);
	return (kato + step - 1) / step * step;
}

static struct nvmet_way *find_way(struct nvmet_subsystem *s,
				  const struct nvmet_port *port)
{
	struct nvmet_way *way;

	list_for_each (way, &s->listeners, link)
		if (way->port == port)
			return way;
	return NULL;
}

/* ------------------------------------------------------------------ queues */

static int connect_admin(struct nvmet_cmd *cmd, struct nvmet_subsystem *s,
			 struct nvmet_way *way,
			 const struct nvme_connect_data *data)
{
	const struct nvme_connect_cmd *c = (void *)&cmd->sqe;
	struct nvmet_queue *q = cmd->q;
	struct nvmet_ctrl *ctrl;

	if (data->cntlid != NVME_CNTLID_DYNAMIC)
		return invalid(cmd, OF_DATA(cntlid));
	if (c->sqsize + 1u > q->t->conf.max_aq_depth)
		return invalid(cmd, OF_COMMAND(sqsize));
	ctrl = nvmet_ctrl_create_locked(q, s, way);
	if (ctrl == NULL)
		return NVME_SC_CONNECT_CONTROLLER_BUSY;
	memcpy(ctrl->host_nqn, data->hostnqn, NVMET_NQN_MAX + 1);
	memcpy(ctrl->host_id, data->hostid, sizeof(ctrl->host_id));
	nvmet_ns_show_all_locked(ctrl);
	atomic_store(&ctrl->kato_ms, nvmet_round_kato(q->t, c->kato));
	q->ctrl = ctrl;
	q->qid = 0;
	atomic_fetch_sub(&q->cpu->load, 1);
	nvmet_count(q->cpu, admin_queues, 1);
	nvmet_count(q->cpu, admin_queues_ever, 1);
	return 0;
}

static bool has_queue(const struct nvmet_ctrl *ctrl, uint16_t qid)
{
	const struct nvmet_queue *q;

	list_for_each (q, &ctrl->queues, in_ctrl)
		if (q->qid == qid)
			return true;
	return false;
}

static int connect_io(struct nvmet_cmd *cmd, struct nvmet_subsystem *s,
		      struct nvmet_way *way,
		      const struct nvme_connect_data *data)
{
	const struct nvme_connect_cmd *c = (void *)&cmd->sqe;
	struct nvmet_queue *q = cmd->q;
	struct nvmet_ctrl *ctrl = nvmet_ctrl_find_locked(s, data->cntlid);

	if (ctrl == NULL || ctrl->way != way || s->is_discovery)
		return invalid(cmd, OF_DATA(cntlid));
	if (strcmp(ctrl->host_nqn, data->hostnqn) != 0)
		return invalid(cmd, OF_DATA(hostnqn));
	if (memcmp(ctrl->host_id, data->hostid, sizeof(ctrl->host_id)) != 0)
		return invalid(cmd, OF_DATA(hostid));
	if (c->qid > q->t->conf.max_io_qpairs_per_ctrlr ||
	    has_queue(ctrl, c->qid))
		return invalid(cmd, OF_COMMAND(qid));
	if (c->sqsize + 1u > q->t->conf.max_queue_depth)
		return invalid(cmd, OF_COMMAND(sqsize));
	if (atomic_load(&ctrl->fenced)) /* not enabled, or on its way out */
		return NVME_SC_CONNECT_CONTROLLER_BUSY;
	q->ctrl = nvmet_ctrl_ref(ctrl);
	q->qid = c->qid;
	q->rules.max_in_capsule = q->t->conf.in_capsule_data_size;
	list_append(&ctrl->queues, &q->in_ctrl);
	nvmet_count(q->cpu, io_queues, 1);
	nvmet_count(q->cpu, io_queues_ever, 1);
	return 0;
}

static int connect_locked(struct nvmet_cmd *cmd,
			  const struct nvme_connect_data *data)
{
	const struct nvme_connect_cmd *c = (void *)&cmd->sqe;
	struct nvmet_queue *q = cmd->q;
	struct nvmet_subsystem *s = nvmet_find_locked(q->t, data->subnqn);
	struct nvmet_way *way;
	uint16_t status;

	if (s == NULL || s->ending || q->port->ending)
		return invalid(cmd, OF_DATA(subnqn));
	way = find_way(s, q->port);
	if (way == NULL && !s->is_discovery)
		return invalid(cmd, OF_DATA(subnqn));
	if (!s->is_discovery && !nvmet_host_allowed_locked(s, data->hostnqn))
		return NVME_SC_CONNECT_INVALID_HOST | NVME_SC_DNR;
	status = nvmet_secure_check(q, way, data);
	if (status != 0)
		return status;
	if (!resize(q, c->sqsize + 1u))
		return NVME_SC_CONNECT_CONTROLLER_BUSY;
	if (c->qid == 0)
		return connect_admin(cmd, s, way, data);
	return connect_io(cmd, s, way, data);
}

/* ----------------------------------------------------------------- command */

static void tell(const struct nvmet_cmd *cmd,
		 const struct nvme_connect_data *data, int status)
{
	const struct nvmet_queue *q = cmd->q;
	char text[ADDR_TEXT_MAX];

	addr_format(&q->peer, text);
	if (status != 0)
		log_warn("nvme host %.223s at %s: no connection to %.223s: "
			 "status %#x, parameter %#x",
			 data->hostnqn, text, data->subnqn,
			 status & NVME_SC_MASK, cmd->cqe.dw0);
	else if (q->qid == 0)
		log_info("nvme %s: controller %u for %s at %s", q->ctrl->s->nqn,
			 q->ctrl->cntlid, q->ctrl->host_nqn, text);
}

/* What does not depend on what there is. */
static int check(struct nvmet_cmd *cmd, const struct nvme_connect_data *data)
{
	const struct nvme_connect_cmd *c = (void *)&cmd->sqe;

	if (c->recfmt != 0)
		return NVME_SC_CONNECT_INCOMPATIBLE_FORMAT | NVME_SC_DNR;
	if (c->sqsize == 0 || c->sqsize > 4095)
		return invalid(cmd, OF_COMMAND(sqsize));
	if (!is_text(data->subnqn))
		return invalid(cmd, OF_DATA(subnqn));
	/* It may be empty, as SPDK's perf has it: a host that no list names. */
	if (!is_text(data->hostnqn))
		return invalid(cmd, OF_DATA(hostnqn));
	return 0;
}

int nvmet_connect(struct nvmet_cmd *cmd)
{
	const struct nvme_connect_data *data = (void *)cmd->data;
	const struct nvme_connect_cmd *c = (void *)&cmd->sqe;
	struct nvmet_queue *q = cmd->q;
	int status;

	if (q->ctrl != NULL || q->ncmds > 1)
		return NVME_SC_COMMAND_SEQUENCE | NVME_SC_DNR;
	status = check(cmd, data);
	if (status != 0)
		goto out;
	q->sq_flow = !(c->cattr & NVME_CATTR_NO_SQ_FLOW);
	pthread_mutex_lock(&q->t->lock);
	status = connect_locked(cmd, data);
	if (status == 0)
		q->must_auth =
			nvmet_auth_wanted_locked(q->ctrl->s, data->hostnqn);
	pthread_mutex_unlock(&q->t->lock);
	if (status == 0)
		cmd->cqe.dw0 =
			q->ctrl->cntlid | (q->must_auth ? NVME_CONNECT_ATR : 0);
out:
	tell(cmd, data, status);
	return status;
}
