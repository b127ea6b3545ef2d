/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket of a mount (status.h). */
#include <string.h>

#include "base/log.h"
#include "fuse/internal.h"
#include "fuse/mountpoint.h"
#include "fuse/report.h"

static json_t *report_mount(void *arg)
{
	return report(arg);
}

void control_start(struct mount *m)
{
	char path[PATH_MAX];
	int r;

	mountpoint_socket(m->options->mountpoint, path);
	r = status_start(path, report_mount, m, &m->status);
	if (r < 0)
		log_warn("%s: no control socket: %s", m->options->mountpoint,
			 strerror(-r));
}

void control_stop(struct mount *m)
{
	status_stop(m->status);
}

void control_end(struct mount *m)
{
	status_end(m->status);
	m->status = NULL;
}
