/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reservations.  NEEDSWORK: there are none yet.
 */
#include "nvme/target/internal.h"

uint16_t nvmet_reservation_check(const struct nvmet_cmd *cmd)
{
	return 0;
}

uint16_t nvmet_reservation_prepare(struct nvmet_cmd *cmd)
{
	return NVME_SC_INVALID_OPCODE | NVME_SC_DNR;
}

void nvmet_reservation_forget(struct nvmet_ns *ns) {}
