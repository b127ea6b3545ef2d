/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of admin and Fabrics commands: who runs them, what data they have,
 * and what they change; and what I/O commands change.
 */
#include "nvme/target/internal.h"

static int keep_alive(struct nvmet_cmd *cmd)
{
	return 0; /* any command is a sign of life: nvmet_ctrl_expires() */
}

static uint32_t identify_length(const struct nvme_sqe *sqe)
{
	return NVME_IDENTIFY_SIZE;
}

static const struct nvmet_admin_op admin_ops[256] = {
	[NVME_ADMIN_GET_LOG_PAGE] = { nvmet_get_log_page, nvmet_log_length,
				      true, NVME_CSE_CSUPP },
	[NVME_ADMIN_IDENTIFY] = { nvmet_identify, identify_length, true,
				  NVME_CSE_CSUPP },
	[NVME_ADMIN_ABORT] = { nvmet_abort, NULL, true, NVME_CSE_CSUPP },
	[NVME_ADMIN_SET_FEATURES] = { nvmet_set_features, nvmet_feature_length,
				      true, NVME_CSE_CSUPP | NVME_CSE_CCC },
	[NVME_ADMIN_GET_FEATURES] = { nvmet_get_features, nvmet_feature_length,
				      true, NVME_CSE_CSUPP },
	[NVME_ADMIN_ASYNC_EVENT] = { nvmet_aer, NULL, true, NVME_CSE_CSUPP },
	[NVME_ADMIN_KEEP_ALIVE] = { keep_alive, NULL, true, NVME_CSE_CSUPP },
	[NVME_ADMIN_CROSS_CONTROLLER_RESET] = { nvmet_ccr, NULL, false,
						NVME_CSE_CSUPP },
};

const struct nvmet_admin_op *nvmet_admin_find(uint8_t opcode)
{
	return admin_ops[opcode].execute != NULL ? &admin_ops[opcode] : NULL;
}

uint32_t nvmet_admin_effects(const struct nvmet_ctrl *ctrl, uint8_t opcode)
{
	const struct nvmet_admin_op *op = &admin_ops[opcode];

	return ctrl->s->is_discovery && !op->discovery ? 0 : op->effects;
}

uint32_t nvmet_io_effects(const struct nvmet_ctrl *ctrl, uint8_t opcode)
{
	if (ctrl->s->is_discovery)
		return 0;
	switch (opcode) {
	case NVME_IO_FLUSH:
	case NVME_IO_READ:
	case NVME_IO_COMPARE:
	case NVME_IO_RESV_REGISTER:
	case NVME_IO_RESV_REPORT:
	case NVME_IO_RESV_ACQUIRE:
	case NVME_IO_RESV_RELEASE:
		return NVME_CSE_CSUPP;
	case NVME_IO_WRITE:
	case NVME_IO_WRITE_ZEROES:
	case NVME_IO_DSM:
		return NVME_CSE_CSUPP | NVME_CSE_LBCC;
	default:
		return 0;
	}
}

/* ----------------------------------------------------------------- Fabrics */

static uint32_t connect_length(const struct nvme_sqe *sqe)
{
	return sizeof(struct nvme_connect_data);
}

const struct nvmet_admin_op *nvmet_fabrics_find(const struct nvme_sqe *sqe)
{
	static const struct nvmet_admin_op connect = { nvmet_connect,
						       connect_length },
					   send = { nvmet_auth_send,
						    nvmet_auth_length },
					   receive = { nvmet_auth_receive,
						       nvmet_auth_length },
					   get = { nvmet_property_get },
					   set = { nvmet_property_set };

	switch (nvme_fctype(sqe)) {
	case NVME_FCTYPE_CONNECT:
		return &connect;
	case NVME_FCTYPE_PROPERTY_GET:
		return &get;
	case NVME_FCTYPE_PROPERTY_SET:
		return &set;
	case NVME_FCTYPE_AUTH_SEND:
		return &send;
	case NVME_FCTYPE_AUTH_RECEIVE:
		return &receive;
	default:
		return NULL;
	}
}

/* --------------------------------------------------------------- lifetime */

int nvmet_admin_init(struct nvmet_ctrl *ctrl)
{
	nvmet_features_reset(ctrl);
	return -pthread_mutex_init(&ctrl->errors.lock, NULL);
}

void nvmet_admin_fini(struct nvmet_ctrl *ctrl)
{
	pthread_mutex_destroy(&ctrl->errors.lock);
}

void nvmet_admin_reset(struct nvmet_ctrl *ctrl)
{
	nvmet_aer_drop(ctrl);
	nvmet_features_reset(ctrl);
	nvmet_reservation_reset(ctrl);
}
