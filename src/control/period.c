/* SPDX-License-Identifier: Apache-2.0 */
/* The metering period: when it ends, on the clock, file systems are looked at,
 * credits written down, and then alarms decided. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "control/internal.h"
#include "reactor/reactor.h"

struct id {
	char text[CONTROL_ID_SIZE];
};

/* malloc'ed; NULL: no memory. */
static struct id *list_ids(const struct control *c, size_t *n)
{
	struct id *list = calloc(c->n_fs + 1, sizeof(*list));
	struct fs *fs;

	*n = 0;
	if (list != NULL)
		list_for_each (fs, &c->fs, link)
			strcpy(list[(*n)++].text, fs->id);
	return list;
}

/* The lock is let go after each, so that whoever wants to change something does
 * not wait for the rows of a thousand. */
static void meter_once(struct control *c, int64_t time, double seconds)
{
	size_t n;
	auto_free struct id *ids = list_ids(c, &n);
	struct fs *fs;

	for (size_t i = 0; ids != NULL && i < n; i++) {
		task_read_lock(&c->lock);
		fs = fs_find(c, ids[i].text);
		if (fs != NULL)
			fs_sample(fs, time, seconds);
		task_read_unlock(&c->lock);
	}
	task_read_lock(&c->lock);
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
