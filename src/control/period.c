/* SPDX-License-Identifier: Apache-2.0 */
/* The metering period: when it ends, on the clock, file systems are looked at,
 * credits written down, and then alarms decided. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/log.h"
#include "control/internal.h"
#include "reactor/reactor.h"

static void meter_once(struct control *c, int64_t time, double seconds)
{
	struct fs *fs;

	task_read_lock(&c->lock);
	list_for_each (fs, &c->fs, link)
		fs_sample(fs, time, seconds);
	credits_save(c);
	task_read_unlock(&c->lock);
}

/* The next end of a period. */
static void wait_for_end(struct control *c)
{
	nsec left = c->period - reactor_realtime() % c->period;
	nsec deadline = nsec_after(reactor_now(), left);

	while (!c->stopping && reactor_now() < deadline)
		waitq_wait(&c->background_changed, deadline);
}

static void meter_task(void *arg)
{
	struct control *c = arg;
	nsec before = reactor_realtime(), now;
	int64_t begun;

	while (!c->stopping) {
		wait_for_end(c);
		now = reactor_realtime();
		/* A timer may be early. */
		begun = (now - c->period / 2) / c->period * c->period / SEC(1);
		meter_once(c, begun, (double)(now - before) / 1e9);
		if (!c->stopping)
			alarms_evaluate(c, before / SEC(1),
					begun + c->period / SEC(1));
		before = now;
	}
	background_end(c);
}

static int make_directory(void *path)
{
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int metering_start(struct control *c)
{
	char path[FS_PATH_SIZE];
	int r;

	snprintf(path, sizeof(path), "%s/metrics", c->directory);
	r = offload(make_directory, path);
	if (r < 0)
		log_error("%s: %s", path, strerror(-r));
	return r < 0 ? r : background_start(c, "meter", meter_task, c);
}
