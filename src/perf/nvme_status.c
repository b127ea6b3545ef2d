/* SPDX-License-Identifier: Apache-2.0 */
/* What `hawser paths` hears of the volumes that are loaded: as the first
 * reactor's host sees their paths. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "perf/nvme.h"
#include "volume/volume.h"

static json_t *report(void *arg)
{
	const struct perf_nvme *p = arg;
	struct nvmei *h = nvmei_set_first(p->hosts);
	struct nvmei_volume *v = NULL;
	json_t *list = json_array();
	char where[32];

	snprintf(where, sizeof(where), "perf %d", (int)getpid());
	while ((v = nvmei_next(h, v)))
		json_array_append_new(list, volume_report_nvme(v, where));
	if (p->opened != NULL)
		json_array_append_new(list, volume_report(p->opened, where));
	return list;
}

void nvme_status_start(struct perf_nvme *p)
{
	char path[PATH_MAX];
	int rc;

	status_path("perf", path);
	rc = status_start(path, report, p, &p->status_socket);
	if (rc < 0)
		log_info("no status socket: %s", strerror(-rc));
}
