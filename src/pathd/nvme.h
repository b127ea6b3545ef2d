/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's NVMe controllers, as /sys/class/nvme shows them.  Any thread;
 * for offload().
 */
#ifndef PATHD_NVME_H
#define PATHD_NVME_H

#include "pathd/ctrl.h"

struct nvme_list {
	struct ctrl_seen *seen;
	unsigned n, size;
};

/* All I/O controllers over TCP below `dir`.  0 or -errno; nvme_list_fini() also
 * after an error. */
int nvme_list(const char *dir, struct nvme_list *list);
void nvme_list_fini(struct nvme_list *list);

#endif
