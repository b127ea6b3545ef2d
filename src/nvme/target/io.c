/* SPDX-License-Identifier: Apache-2.0 */
/*
 * I/O commands of the NVM Command Set: Read, Write, Flush, Compare, Write
 * Zeroes, Dataset Management.
 *
 * A command is judged when it arrives; if it then had to wait, for data or for
 * memory, once more before it goes to the device, as the namespace may have
 * gone or changed its access state meanwhile.
 */
#include <errno.h>

#include "nvme/target/internal.h"

/* ----------------------------------------------------------------- status */

static uint16_t no_space(const struct nvmet_cmd *cmd)
{
	const struct block_device *d = cmd->ns->device;
	uint64_t end = cmd->io.offset + cmd->io.length;

	if (end > block_count(d) << cmd->ns->shift)
		return NVME_SC_LBA_OUT_OF_RANGE | NVME_SC_DNR;
	return NVME_SC_CAPACITY_EXCEEDED | NVME_SC_DNR;
}

uint16_t nvmet_io_status(const struct nvmet_cmd *cmd, int error)
{
	switch (-error) {
	case 0:
		return NVME_SC_SUCCESS;
	case ECANCELED:
		return cmd->preempted ? NVME_SC_ABORT_PREEMPT
				      : NVME_SC_ABORT_REQUESTED;
	case EILSEQ:
		return NVME_SC_COMPARE_FAILED | NVME_SC_DNR;
	case ENOSPC:
		return no_space(cmd);
	case EROFS:
		return NVME_SC_NS_WRITE_PROTECTED | NVME_SC_DNR;
	case EOPNOTSUPP:
		return NVME_SC_INVALID_OPCODE | NVME_SC_DNR;
	case EINVAL:
		return NVME_SC_INVALID_FIELD | NVME_SC_DNR;
	case EIO:
		return cmd->io.op == BLOCK_READ || cmd->io.op == BLOCK_COMPARE
			       ? NVME_SC_READ_ERROR
			       : NVME_SC_WRITE_FAULT;
	default:
		return NVME_SC_INTERNAL_ERROR;
	}
}

static uint16_t ana_status(enum nvmet_ana state)
{
	switch (state) {
	case NVMET_ANA_OPTIMIZED:
	case NVMET_ANA_NON_OPTIMIZED:
		return 0;
	case NVMET_ANA_INACCESSIBLE:
		return NVME_SC_ANA_INACCESSIBLE;
	case NVMET_ANA_PERSISTENT_LOSS:
		return NVME_SC_ANA_PERSISTENT_LOSS;
	case NVMET_ANA_CHANGE:
		return NVME_SC_ANA_TRANSITION;
	}
	return NVME_SC_INTERNAL_PATH_ERROR;
}

/* ---------------------------------------------------------------- judging */

static bool writes(uint8_t opc)
{
	return opc == NVME_IO_WRITE || opc == NVME_IO_WRITE_ZEROES ||
	       opc == NVME_IO_DSM;
}

/* Whether the controller may do this to the namespace now; finds it. */
static uint16_t check_access(struct nvmet_cmd *cmd, struct nvmet_ns **out)
{
	const struct nvmet_ctrl *ctrl = cmd->q->ctrl;
	struct nvmet_ns *ns = nvmet_ns_of(ctrl, cmd->sqe.nsid);
	uint16_t status;

	if (ns == NULL)
		return NVME_SC_INVALID_NS | NVME_SC_DNR;
	*out = ns;
	status = ana_status(nvmet_ana_of(ctrl, ns));
	if (unlikely(status != 0))
		return status;
	if (unlikely(atomic_load_explicit(&ns->reservation,
					  memory_order_acquire) != NULL)) {
		status = nvmet_reservation_check(cmd, ns);
		if (status != 0)
			return status;
	}
	if (writes(cmd->sqe.opc) && block_read_only(ns->device))
		return NVME_SC_NS_WRITE_PROTECTED | NVME_SC_DNR;
	return 0;
}

/* The host has turned the write cache off. */
static bool writes_through(const struct nvmet_cmd *cmd)
{
	return atomic_load_explicit(&cmd->q->ctrl->write_through,
				    memory_order_relaxed);
}

/* SLBA and NLB as bytes of the device. */
static uint16_t set_range(struct nvmet_cmd *cmd, const struct nvmet_ns *ns)
{
	uint64_t slba = nvme_slba(&cmd->sqe);
	uint64_t blocks = (cmd->sqe.cdw12 & NVME_RW_NLB) + 1;
	uint64_t count = block_count(ns->device);

	if (slba > count || blocks > count - slba)
		return NVME_SC_LBA_OUT_OF_RANGE | NVME_SC_DNR;
	cmd->io.offset = slba << ns->shift;
	cmd->io.length = blocks << ns->shift;
	cmd->io.flags = cmd->sqe.cdw12 & NVME_RW_FUA || writes_through(cmd)
				? BLOCK_FUA
				: 0;
	return 0;
}

static uint16_t prepare_rw(struct nvmet_cmd *cmd, const struct nvmet_ns *ns,
			   enum block_op op)
{
	uint16_t status = set_range(cmd, ns);

	if (status != 0)
		return status;
	if (cmd->io.length > cmd->q->t->conf.max_io_size)
		return NVME_SC_INVALID_FIELD | NVME_SC_DNR;
	cmd->io.op = op;
	cmd->length = cmd->io.length;
	cmd->to_host = op == BLOCK_READ;
	cmd->to_controller = op != BLOCK_READ;
	return 0;
}

static uint16_t prepare_write_zeroes(struct nvmet_cmd *cmd,
				     const struct nvmet_ns *ns)
{
	uint16_t status = set_range(cmd, ns);

	cmd->io.op = BLOCK_WRITE_ZEROES;
	if (cmd->sqe.cdw12 & NVME_RW_DEAC)
		cmd->io.flags |= BLOCK_UNMAP;
	return status;
}

static uint16_t prepare_dsm(struct nvmet_cmd *cmd)
{
	uint32_t ranges = (cmd->sqe.cdw10 & 0xff) + 1;

	cmd->io.op = BLOCK_DEALLOCATE;
	cmd->length = ranges * sizeof(struct nvme_dsm_range);
	cmd->to_controller = true;
	return 0;
}

uint16_t nvmet_io_prepare(struct nvmet_cmd *cmd)
{
	struct nvmet_ns *ns = NULL;
	uint16_t status;

	nvmet_count(cmd->q->cpu, io_commands, 1);
	status = check_access(cmd, &ns);
	if (unlikely(status != 0))
		return status;
	switch (cmd->sqe.opc) {
	case NVME_IO_READ:
		return prepare_rw(cmd, ns, BLOCK_READ);
	case NVME_IO_WRITE:
		return prepare_rw(cmd, ns, BLOCK_WRITE);
	case NVME_IO_COMPARE:
		return prepare_rw(cmd, ns, BLOCK_COMPARE);
	case NVME_IO_WRITE_ZEROES:
		return prepare_write_zeroes(cmd, ns);
	case NVME_IO_DSM:
		return prepare_dsm(cmd);
	case NVME_IO_FLUSH:
		cmd->io.op = BLOCK_FLUSH;
		cmd->io.offset = cmd->io.length = 0;
		cmd->io.flags = 0;
		return 0;
	case NVME_IO_RESV_REGISTER:
	case NVME_IO_RESV_REPORT:
	case NVME_IO_RESV_ACQUIRE:
	case NVME_IO_RESV_RELEASE:
		return nvmet_reservation_prepare(cmd);
	default:
		return NVME_SC_INVALID_OPCODE | NVME_SC_DNR;
	}
}

/* ------------------------------------------------------------------- done */

static void count_bytes(const struct nvmet_cmd *cmd)
{
	if (cmd->io.op == BLOCK_READ)
		nvmet_count(cmd->q->cpu, bytes_read, cmd->length);
	else if (cmd->io.op == BLOCK_WRITE)
		nvmet_count(cmd->q->cpu, bytes_written, cmd->length);
}

static void done(struct block_request *r, int error)
{
	struct nvmet_cmd *cmd = container_of(r, struct nvmet_cmd, io);

	if (likely(error == 0)) {
		count_bytes(cmd);
		nvmet_cmd_end(cmd, 0);
	} else {
		nvmet_cmd_end(cmd, nvmet_io_status(cmd, error));
	}
}

/* ------------------------------------------------------ dataset management */

/* `received` counts the ranges that have been dealt with. */
static bool next_range(struct nvmet_cmd *cmd)
{
	const struct nvme_dsm_range *ranges = (void *)cmd->data;
	uint32_t n = cmd->length / sizeof(*ranges);
	uint64_t count = block_count(cmd->ns->device);

	while (cmd->received < n) {
		struct nvme_dsm_range r = ranges[cmd->received++];

		if (r.nlb == 0)
			continue;
		/* Checked before anything was done: it may have shrunk. */
		if (r.slba > count || r.nlb > count - r.slba)
			continue;
		cmd->io.offset = r.slba << cmd->ns->shift;
		cmd->io.length = (uint64_t)r.nlb << cmd->ns->shift;
		cmd->io.flags = 0;
		return true;
	}
	return false;
}

static void dsm_done(struct block_request *r, int error)
{
	struct nvmet_cmd *cmd = container_of(r, struct nvmet_cmd, io);

	if (error != 0)
		nvmet_cmd_end(cmd, nvmet_io_status(cmd, error));
	else if (cmd->aborted || cmd->q->ending)
		nvmet_cmd_end(cmd, NVME_SC_ABORT_REQUESTED);
	else if (next_range(cmd))
		block_submit(cmd->ns->device, &cmd->io);
	else
		nvmet_cmd_end(cmd, 0);
}

static void start_dsm(struct nvmet_cmd *cmd)
{
	const struct nvme_dsm_range *ranges = (void *)cmd->data;
	uint64_t count = block_count(cmd->ns->device);

	for (size_t i = 0; i < cmd->length / sizeof(*ranges); i++)
		if (ranges[i].slba > count ||
		    ranges[i].nlb > count - ranges[i].slba) {
			nvmet_cmd_end(cmd,
				      NVME_SC_LBA_OUT_OF_RANGE | NVME_SC_DNR);
			return;
		}
	cmd->received = 0;
	if (!(cmd->sqe.cdw11 & NVME_DSM_AD) || !next_range(cmd)) {
		nvmet_cmd_end(cmd, 0); /* hints */
		return;
	}
	cmd->io.done = dsm_done;
	block_submit(cmd->ns->device, &cmd->io);
}

/* ------------------------------------------------------------------ start */

static bool copy_from_capsule(struct nvmet_cmd *cmd)
{
	const uint8_t *from = cmd->data;

	if (!nvmet_cmd_get_data(cmd))
		return false;
	memcpy(cmd->data, from, cmd->length);
	cmd->in_capsule = false;
	return true;
}

static void submit(struct nvmet_cmd *cmd)
{
	struct block_device *d = cmd->ns->device;

	cmd->iov = (struct iovec){ cmd->data, cmd->length };
	cmd->io.iov = &cmd->iov;
	cmd->io.niov = cmd->length > 0 ? 1 : 0;
	cmd->io.done = done;
	if (!cmd->in_capsule) {
		block_submit(d, &cmd->io);
		return;
	}
	if (block_submit_now(d, &cmd->io) == 0)
		return;
	if (!copy_from_capsule(cmd)) {
		nvmet_cmd_end(cmd, NVME_SC_INTERNAL_ERROR);
		return;
	}
	cmd->iov.iov_base = cmd->data;
	block_submit(d, &cmd->io);
}

void nvmet_io_start(struct nvmet_cmd *cmd)
{
	struct nvmet_queue *q = cmd->q;
	struct nvmet_ns *ns = NULL;
	uint16_t status = check_access(cmd, &ns);

	if (unlikely(status != 0)) {
		nvmet_cmd_end(cmd, status);
		return;
	}
	nvmet_ns_hold(ns, q->cpu);
	cmd->ns = ns;
	/* Counted, and then not fenced: whoever fences sees it, or it does. */
	if (unlikely(atomic_load(&q->ctrl->fenced))) {
		nvmet_queue_end(q, "controller is fenced");
		nvmet_cmd_end(cmd, NVME_SC_ABORT_SQ_DELETION);
		return;
	}
	cmd->state = NVMET_CMD_DEVICE;
	if (cmd->io.op != BLOCK_DEALLOCATE) {
		submit(cmd);
		return;
	}
	if (cmd->in_capsule && !copy_from_capsule(cmd)) {
		nvmet_cmd_end(cmd, NVME_SC_INTERNAL_ERROR);
		return;
	}
	start_dsm(cmd);
}
