/* SPDX-License-Identifier: Apache-2.0 */
#include "pathd/fence.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "base/util.h"
#include "nvme/pdu/identify.h"
#include "nvme/pdu/log.h"

/* A command without an answer makes the kernel recover the controller that it
 * was sent to, so this has to be longer than any answer takes. */
enum { TIMEOUT_MS = 10000, POLL_MS = 10, POLLS = 200 };

/* A status of NVMe, or -errno. */
static int submit(const char *ctrl, struct nvme_admin_cmd *cmd)
{
	char path[64];
	auto_close int fd = -1;
	int r;

	snprintf(path, sizeof(path), "/dev/%s", ctrl);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	cmd->timeout_ms = TIMEOUT_MS;
	r = ioctl(fd, NVME_IOCTL_ADMIN_CMD, cmd);
	return r < 0 ? -errno : r & NVME_SC_MASK;
}

int fence_identify(const char *ctrl, struct fence_identity *out)
{
	struct nvme_id_ctrl *id = calloc(1, sizeof(*id));
	struct nvme_admin_cmd cmd = { .opcode = NVME_ADMIN_IDENTIFY,
				      .addr = (uintptr_t)id,
				      .data_len = sizeof(*id),
				      .cdw10 = NVME_CNS_CONTROLLER };
	int r;

	if (id == NULL)
		return -ENOMEM;
	r = submit(ctrl, &cmd);
	if (r == 0)
		*out = (struct fence_identity){
			.cntlid = le16toh(id->cntlid),
			.ciu = id->ciu,
			.ccrl = id->ccrl,
			.cirn = le64toh(id->cirn),
		};
	free(id);
	return r > 0 ? -EIO : r;
}

/* What the log page says of that reset; -ENOENT: nothing. */
static int read_state(const char *by, const struct fence_identity *lost,
		      struct nvme_ccr_log *log)
{
	struct nvme_admin_cmd cmd = {
		.opcode = NVME_ADMIN_GET_LOG_PAGE,
		.addr = (uintptr_t)log,
		.data_len = sizeof(*log),
		.cdw10 = (sizeof(*log) / 4 - 1) << 16 | NVME_LOG_CCR,
	};
	int r = submit(by, &cmd), state = -ENOENT;

	if (r != 0)
		return r > 0 ? -EIO : r;
	for (int i = 0; i < MIN(le16toh(log->ne), NVME_CCR_ENTRIES_MAX); i++)
		if (le16toh(log->entries[i].icid) == lost->cntlid &&
		    log->entries[i].ciu == lost->ciu)
			state = log->entries[i].ccrs;
	return state;
}

static int await_log(const char *by, const struct fence_identity *lost)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	struct nvme_ccr_log *log = malloc(sizeof(*log));
	int state = NVME_CCRS_IN_PROGRESS;

	if (log == NULL)
		return -ENOMEM;
	for (int i = 0; i < POLLS && state == NVME_CCRS_IN_PROGRESS; i++) {
		nanosleep(&pause, NULL);
		state = read_state(by, lost, log);
	}
	free(log);
	if (state < 0)
		return state;
	return state == NVME_CCRS_SUCCESS	? 0
	       : state == NVME_CCRS_IN_PROGRESS ? -ETIMEDOUT
						: -EIO;
}

int fence_reset(const char *by, const struct fence_identity *lost)
{
	struct nvme_admin_cmd cmd = {
		.opcode = NVME_ADMIN_CROSS_CONTROLLER_RESET,
		.cdw10 = (uint32_t)lost->ciu << 16 | lost->cntlid,
		.cdw12 = (uint32_t)lost->cirn,
		.cdw13 = (uint32_t)(lost->cirn >> 32),
	};
	int r;

	if (lost->ccrl == 0)
		return -EOPNOTSUPP;
	r = submit(by, &cmd);
	if (r < 0)
		return r;
	if (r == NVME_SC_SUCCESS && cmd.result & NVME_CCR_IRS)
		return 0;
	if (r == NVME_SC_SUCCESS || r == NVME_SC_CCR_IN_PROGRESS)
		return await_log(by, lost);
	return -EIO;
}
