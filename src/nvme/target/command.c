/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command's life.
 *
 *	conn.c: receive ─▶ nvmet_cmd_receive ─▶ judge ─▶ nvmet_io_start
 *	                                                  or execute ─┐
 *	send.c: write ◀─ nvmet_send ◀─ nvmet_cmd_end ◀────────────────┘
 *
 *	NEW ──▶ STARVED ──▶ R2T ──▶ DATA ──▶ DEVICE or HELD ──▶ REPLY ──▶ FREE
 *	 │  too much memory   a write whose     ▲
 *	 │  is held           data come later   │
 *	 └──────────────────────────────────────┘
 *
 * A command in a state before DEVICE has had no effect and can be dropped; one
 * in DEVICE is asked back (block_cancel) and waited for.  nvmet_cmds_drop()
 * does that when the queue ends, and no command begins once ctrl.fenced is set.
 */
#include <errno.h>

#include "base/log.h"
#include "nvme/target/internal.h"

enum { KEEP_CMDS = 4096 }; /* by each reactor */

/* ----------------------------------------------------------------- memory */

struct nvmet_cmd *nvmet_cmd_get(struct nvmet_queue *q)
{
	struct nvmet_cpu *cpu = q->cpu;
	struct nvmet_cmd *cmd;

	if (likely(!list_empty(&cpu->free_cmds))) {
		cmd = list_first(&cpu->free_cmds, struct nvmet_cmd, link);
		list_del(&cmd->link);
		cpu->nfree_cmds--;
	} else {
		cmd = malloc(sizeof(*cmd));
		if (cmd == NULL)
			return NULL;
		list_init(&cmd->link);
		list_init(&cmd->all);
		MAGIC_SET(cmd, NVMET_CMD_MAGIC);
	}
	cmd->state = NVMET_CMD_NEW;
	cmd->q = q;
	cmd->cqe = (struct nvme_cqe){};
	cmd->length = cmd->received = 0;
	cmd->to_host = cmd->to_controller = false;
	cmd->aborted = cmd->preempted = cmd->in_capsule = false;
	cmd->waited = cmd->bad_digest = false;
	cmd->tag = NVMET_NO_TAG;
	cmd->data = NULL;
	cmd->data_size = 0;
	cmd->execute = NULL;
	cmd->ns = NULL;
	list_append(&q->cmds, &cmd->all);
	q->ncmds++;
	return cmd;
}

static void feed(struct nvmet_queue *q);

static void drop_data(struct nvmet_cmd *cmd)
{
	struct nvmet_queue *q = cmd->q;

	if (cmd->data_size == 0)
		return;
	pool_put(cmd->data, cmd->data_size);
	q->bytes -= cmd->data_size;
	q->cpu->bytes -= cmd->data_size;
	cmd->data = NULL;
	cmd->data_size = 0;
	if (unlikely(!list_empty(&q->starved)))
		feed(q);
}

static void drop_tag(struct nvmet_cmd *cmd)
{
	if (cmd->tag == NVMET_NO_TAG)
		return;
	cmd->q->tags[cmd->tag] = NULL;
	cmd->tag = NVMET_NO_TAG;
	nvmet_count(cmd->q->cpu, pending_data, -1);
}

void nvmet_cmd_free(struct nvmet_cmd *cmd)
{
	struct nvmet_queue *q = cmd->q;
	struct nvmet_cpu *cpu = q->cpu;

	MAGIC_CHECK(cmd, NVMET_CMD_MAGIC);
	assert(cmd->ns == NULL && cmd->state != NVMET_CMD_FREE);
	cmd->state = NVMET_CMD_FREE;
	list_del(&cmd->link);
	list_del(&cmd->all);
	drop_tag(cmd);
	drop_data(cmd);
	if (--q->ncmds == 0 && q->drained != NULL)
		task_wake(q->drained);
	if (cpu->nfree_cmds >= KEEP_CMDS) {
		MAGIC_CLEAR(cmd);
		free(cmd);
		return;
	}
	list_prepend(&cpu->free_cmds, &cmd->link);
	cpu->nfree_cmds++;
}

bool nvmet_cmd_get_data(struct nvmet_cmd *cmd)
{
	cmd->data = pool_get(cmd->length, &cmd->data_size);
	if (cmd->data == NULL) {
		cmd->data_size = 0;
		return false;
	}
	cmd->q->bytes += cmd->data_size;
	cmd->q->cpu->bytes += cmd->data_size;
	return true;
}

/* -------------------------------------------------------------- execution */

/* Everything is there that it needs. */
static void run(struct nvmet_cmd *cmd)
{
	int rc;

	if (cmd->bad_digest || cmd->aborted) {
		nvmet_cmd_end(cmd, cmd->aborted ? NVME_SC_ABORT_REQUESTED
						: NVME_SC_TRANSIENT_TRANSPORT);
		return;
	}
	if (cmd->execute == NULL) {
		nvmet_io_start(cmd);
		return;
	}
	cmd->state = NVMET_CMD_HELD;
	rc = cmd->execute(cmd);
	if (rc != NVMET_LATER)
		nvmet_cmd_end(cmd, rc);
}

static bool take_tag(struct nvmet_cmd *cmd)
{
	struct nvmet_queue *q = cmd->q;

	for (unsigned i = 0; i < q->ntags; i++) {
		unsigned tag = q->next_tag;

		q->next_tag = tag + 1 < q->ntags ? tag + 1 : 0;
		if (q->tags[tag] != NULL)
			continue;
		q->tags[tag] = cmd;
		cmd->tag = tag;
		nvmet_count(q->cpu, pending_data, 1);
		return true;
	}
	return false;
}

struct nvmet_cmd *nvmet_cmd_by_tag(struct nvmet_queue *q, uint16_t tag)
{
	struct nvmet_cmd *cmd = tag < q->ntags ? q->tags[tag] : NULL;

	return cmd != NULL && cmd->state == NVMET_CMD_DATA ? cmd : NULL;
}

void nvmet_cmd_data_complete(struct nvmet_cmd *cmd)
{
	drop_tag(cmd);
	run(cmd);
}

/* It has memory for its data: to be had from the host first, or to be made. */
static void go_on(struct nvmet_cmd *cmd)
{
	if (!nvmet_cmd_get_data(cmd)) {
		nvmet_cmd_end(cmd, NVME_SC_INTERNAL_ERROR);
		return;
	}
	if (!cmd->to_controller) {
		if (cmd->execute != NULL)
			memset(cmd->data, 0, cmd->length);
		run(cmd);
		return;
	}
	if (!take_tag(cmd)) { /* more commands than entries: conn.c */
		nvmet_cmd_end(cmd, NVME_SC_INTERNAL_ERROR);
		return;
	}
	cmd->waited = true;
	cmd->state = NVMET_CMD_R2T;
	nvmet_send(cmd);
}

/* Hosts that stop reading keep what they have.  When they have taken a lot, all
 * go on with less, and nobody stands still. */
static bool has_room(const struct nvmet_queue *q, uint32_t length)
{
	size_t most = q->cpu->bytes < NVMET_CPU_BYTES ? NVMET_QUEUE_BYTES
						      : NVMET_QUEUE_LOW;

	return q->bytes == 0 || q->bytes + length <= most;
}

/* Memory has been given back. */
static void feed(struct nvmet_queue *q)
{
	struct nvmet_cmd *cmd;

	while (!q->ending && !list_empty(&q->starved)) {
		cmd = list_first(&q->starved, struct nvmet_cmd, link);
		if (!has_room(q, cmd->length))
			return;
		list_del(&cmd->link);
		go_on(cmd);
	}
}

/* ---------------------------------------------------------------- judging */

/* The descriptor gives what the command needs; data in the capsule are there.
 */
static uint16_t check_sgl(struct nvmet_cmd *cmd, uint32_t capsule_len)
{
	const struct nvme_sgl *sgl = &cmd->sqe.sgl1;

	if (cmd->length == 0)
		return 0;
	if (sgl->len < cmd->length)
		return NVME_SC_SGL_LENGTH_INVALID | NVME_SC_DNR;
	if (sgl->type == NVME_SGL_TRANSPORT)
		return 0;
	if (sgl->type != NVME_SGL_DATA_OFFSET || !cmd->to_controller)
		return NVME_SC_SGL_TYPE_INVALID | NVME_SC_DNR;
	if (sgl->addr > capsule_len)
		return NVME_SC_SGL_OFFSET_INVALID | NVME_SC_DNR;
	if (sgl->len > capsule_len - sgl->addr)
		return NVME_SC_SGL_LENGTH_INVALID | NVME_SC_DNR;
	cmd->in_capsule = true;
	return 0;
}

/* An admin or Fabrics command: who runs it, with what data. */
static uint16_t prepare_table(struct nvmet_cmd *cmd,
			      const struct nvmet_admin_op *op)
{
	if (op == NULL)
		return NVME_SC_INVALID_OPCODE | NVME_SC_DNR;
	cmd->execute = op->execute;
	cmd->length = op->length != NULL ? op->length(&cmd->sqe) : 0;
	if (cmd->length > MAX(cmd->q->t->conf.max_io_size, 8192u))
		return NVME_SC_INVALID_FIELD | NVME_SC_DNR;
	cmd->to_controller = cmd->sqe.opc & NVME_OPC_TO_CONTROLLER;
	if (cmd->sqe.opc == NVME_OPC_FABRICS)
		cmd->to_controller = nvme_fctype(&cmd->sqe) & 1;
	cmd->to_host = cmd->length > 0 && !cmd->to_controller;
	return 0;
}

static uint16_t prepare_admin(struct nvmet_cmd *cmd)
{
	const struct nvmet_admin_op *op = nvmet_admin_find(cmd->sqe.opc);
	struct nvmet_ctrl *ctrl = cmd->q->ctrl;

	nvmet_count(cmd->q->cpu, admin_commands, 1);
	if (!(ctrl->csts & NVME_CSTS_RDY))
		return NVME_SC_COMMAND_SEQUENCE | NVME_SC_DNR;
	if (op != NULL && ctrl->s->is_discovery && !op->discovery)
		op = NULL;
	return prepare_table(cmd, op);
}

static bool is_auth(const struct nvme_sqe *sqe)
{
	return sqe->opc == NVME_OPC_FABRICS &&
	       (nvme_fctype(sqe) == NVME_FCTYPE_AUTH_SEND ||
		nvme_fctype(sqe) == NVME_FCTYPE_AUTH_RECEIVE);
}

static uint16_t prepare(struct nvmet_cmd *cmd)
{
	const struct nvme_sqe *sqe = &cmd->sqe;
	struct nvmet_queue *q = cmd->q;

	if ((sqe->flags & NVME_SQE_PSDT) != NVME_SQE_PSDT_SGL ||
	    (sqe->flags & NVME_SQE_FUSE) != 0)
		return NVME_SC_INVALID_FIELD | NVME_SC_DNR;
	if (unlikely(q->must_auth) && !is_auth(sqe))
		return NVME_SC_AUTH_REQUIRED | NVME_SC_DNR;
	if (sqe->opc == NVME_OPC_FABRICS)
		return prepare_table(cmd, nvmet_fabrics_find(sqe));
	if (q->ctrl == NULL)
		return NVME_SC_COMMAND_SEQUENCE | NVME_SC_DNR;
	if (q->qid == 0)
		return prepare_admin(cmd);
	return nvmet_io_prepare(cmd);
}

/* Data that came with the command.  What a device can take at once is given to
 * it where it is; else it is copied, as the capsule goes away. */
static void run_in_capsule(struct nvmet_cmd *cmd, uint8_t *data)
{
	data += cmd->sqe.sgl1.addr;
	if (cmd->execute == NULL && !cmd->bad_digest) {
		cmd->data = data;
		run(cmd);
		return;
	}
	if (!nvmet_cmd_get_data(cmd)) {
		nvmet_cmd_end(cmd, NVME_SC_INTERNAL_ERROR);
		return;
	}
	memcpy(cmd->data, data, cmd->length);
	cmd->in_capsule = false;
	run(cmd);
}

void nvmet_cmd_receive(struct nvmet_queue *q, const struct nvme_sqe *sqe,
		       uint8_t *data, uint32_t len, bool digest_ok)
{
	struct nvmet_cmd *cmd = nvmet_cmd_get(q);
	uint16_t status;

	if (cmd == NULL) {
		nvmet_queue_end(q, "out of memory");
		return;
	}
	cmd->sqe = *sqe;
	cmd->bad_digest = !digest_ok;
	q->sqhd = q->sqhd + 1 < q->size ? q->sqhd + 1 : 0;
	status = prepare(cmd);
	if (status == 0)
		status = check_sgl(cmd, len);
	if (unlikely(status != 0)) {
		nvmet_cmd_end(cmd, status);
	} else if (cmd->in_capsule) {
		run_in_capsule(cmd, data);
	} else if (cmd->length == 0) {
		run(cmd);
	} else if (likely(has_room(q, cmd->length))) {
		go_on(cmd);
	} else {
		cmd->state = NVMET_CMD_STARVED;
		cmd->waited = true;
		list_append(&q->starved, &cmd->link);
	}
}

/* -------------------------------------------------------------------- end */

void nvmet_cmd_end(struct nvmet_cmd *cmd, uint16_t status)
{
	struct nvmet_queue *q = cmd->q;

	MAGIC_CHECK(cmd, NVMET_CMD_MAGIC);
	if (cmd->ns != NULL) {
		nvmet_ns_drop(cmd->ns, q->cpu);
		cmd->ns = NULL;
	}
	if (q->ending) {
		nvmet_cmd_free(cmd);
		return;
	}
	if (unlikely(status != 0) && q->ctrl != NULL)
		nvmet_log_error(cmd, status);
	cmd->cqe.status = status << 1;
	cmd->cqe.cid = cmd->sqe.cid;
	cmd->state = NVMET_CMD_REPLY;
	if (!cmd->to_host || status != 0) {
		cmd->to_host = false;
		drop_data(cmd);
	}
	nvmet_send(cmd);
}

/* What has not begun is gone, what a device has is asked back. */
static void drop(struct nvmet_cmd *cmd)
{
	switch (cmd->state) {
	case NVMET_CMD_STARVED:
	case NVMET_CMD_R2T:
	case NVMET_CMD_DATA:
		nvmet_cmd_free(cmd);
		break;
	case NVMET_CMD_DEVICE:
		block_cancel(&cmd->io);
		break;
	case NVMET_CMD_REPLY: /* send.c's */
	case NVMET_CMD_HELD:  /* ended by who holds it */
	case NVMET_CMD_NEW:
	case NVMET_CMD_FREE:
		break;
	}
}

void nvmet_cmds_drop(struct nvmet_queue *q)
{
	struct list rest = LIST_INIT(rest);
	struct nvmet_cmd *cmd;

	assert(q->ending);
	while (!list_empty(&q->cmds)) {
		cmd = list_first(&q->cmds, struct nvmet_cmd, all);
		list_del(&cmd->all);
		list_append(&rest, &cmd->all);
		drop(cmd);
	}
	list_splice(&q->cmds, &rest);
}

void nvmet_cmds_wait(struct nvmet_queue *q)
{
	q->drained = task_self();
	while (q->ncmds > 0)
		task_park(NSEC_NEVER);
	q->drained = NULL;
}

/* -------------------------------------------------------------- for admin */

void nvmet_cmd_put(struct nvmet_cmd *cmd, uint64_t from, uint64_t at,
		   const void *src, size_t len)
{
	uint64_t begin = MAX(from, at);
	uint64_t end = MIN(from + cmd->length, at + len);

	if (begin < end)
		memcpy(cmd->data + (begin - from),
		       (const char *)src + (begin - at), end - begin);
}

static void cmd_task(void *arg)
{
	struct nvmet_cmd *cmd = arg;
	int rc = cmd->execute(cmd);

	if (rc != NVMET_LATER)
		nvmet_cmd_end(cmd, rc);
}

int nvmet_cmd_in_task(struct nvmet_cmd *cmd, int (*fn)(struct nvmet_cmd *cmd))
{
	cmd->execute = fn;
	if (task_spawn("nvmet-admin", cmd_task, cmd) < 0)
		return NVME_SC_INTERNAL_ERROR;
	return NVMET_LATER;
}
