/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of admin commands, and that of Fabrics commands.
 */
#include "nvme/target/internal.h"

static int keep_alive(struct nvmet_cmd *cmd)
{
	return 0; /* any command is a sign of life: nvmet_ctrl_expires() */
}

static const struct nvmet_admin_op admin_ops[256] = {
	[NVME_ADMIN_ABORT] = { nvmet_abort, .discovery = true,
			       .effects = NVME_CSE_CSUPP },
	[NVME_ADMIN_KEEP_ALIVE] = { keep_alive, .discovery = true,
				    .effects = NVME_CSE_CSUPP },
	[NVME_ADMIN_CROSS_CONTROLLER_RESET] = { nvmet_ccr,
						.effects = NVME_CSE_CSUPP },
};

const struct nvmet_admin_op *nvmet_admin_find(uint8_t opcode)
{
	return admin_ops[opcode].execute != NULL ? &admin_ops[opcode] : NULL;
}

static uint32_t connect_length(const struct nvme_sqe *sqe)
{
	return sizeof(struct nvme_connect_data);
}

const struct nvmet_admin_op *nvmet_fabrics_find(const struct nvme_sqe *sqe)
{
	static const struct nvmet_admin_op connect = { nvmet_connect,
						       connect_length },
					   get = { nvmet_property_get },
					   set = { nvmet_property_set };

	switch (nvme_fctype(sqe)) {
	case NVME_FCTYPE_CONNECT:
		return &connect;
	case NVME_FCTYPE_PROPERTY_GET:
		return &get;
	case NVME_FCTYPE_PROPERTY_SET:
		return &set;
	default:
		return NULL;
	}
}
