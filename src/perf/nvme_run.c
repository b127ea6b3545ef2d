/* SPDX-License-Identifier: Apache-2.0 */
/* A test: a lane for each volume (with -C one on each core), all at a time. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "perf/nvme.h"
#include "reactor/reactor.h"

enum { VOLUMES_MAX = 256 };

static struct nvme_lane *lane_create(struct perf_nvme *p, struct nvme_run *r,
				     const struct nvmei_volume_info *info,
				     int reactor)
{
	struct nvme_lane *lane = calloc(1, sizeof(*lane));

	if (lane == NULL)
		return NULL;
	lane->s = &r->s;
	lane->host = nvmei_set_host(p->hosts, reactor);
	lane->reactor = reactor;
	lane->length = info->blocks * info->block_size;
	snprintf(lane->name, sizeof(lane->name), "%s", info->name);
	return lane;
}

/* With -C each core checks a part of its own. */
static bool add_lanes(struct perf_nvme *p, struct nvme_run *r,
		      const struct nvmei_volume_info *info, int turn)
{
	int n = r->s.every_core ? p->cores : 1;

	for (int i = 0; i < n; i++) {
		struct nvme_lane *lane =
			lane_create(p, r, info, (turn + i) % p->cores);

		if (lane == NULL)
			return false;
		if (r->s.workload->verify) {
			lane->length /= n;
			lane->length -= lane->length % r->s.io_size;
			lane->start = i * lane->length;
		}
		r->lanes[r->count++] = lane;
	}
	return true;
}

/* A mirror, or what has several subsystems: on the first reactor alone. */
static bool add_opened(struct perf_nvme *p, struct nvme_run *r)
{
	struct nvmei_volume *nvme = volume_nvme(p->opened);
	struct nvmei_volume_info info = { .name = "mirror", .block_size = 1 };
	struct nvme_lane *lane;

	if (nvme != NULL)
		nvmei_get_info(nvme, &info);
	else
		info.blocks = volume_size(p->opened);
	lane = lane_create(p, r, &info, 0);
	if (lane == NULL)
		return false;
	lane->volume = nvme;
	lane->mirror = nvme == NULL ? p->opened : NULL;
	r->lanes[r->count++] = lane;
	return true;
}

static int make_lanes(struct perf_nvme *p, struct nvme_run *r)
{
	struct nvmei *h = nvmei_set_first(p->hosts);
	struct nvmei_volume_info info;
	struct nvmei_volume *v = NULL;

	for (int i = 0; (v = nvmei_next(h, v)) != NULL && i < VOLUMES_MAX;) {
		nvmei_get_info(v, &info);
		if (p->volume != NULL && strcmp(p->volume, info.name) != 0)
			continue;
		if (!add_lanes(p, r, &info, i++))
			return -ENOMEM;
	}
	if (p->opened != NULL && p->volume == NULL && !add_opened(p, r))
		return -ENOMEM;
	return r->count > 0 ? 0 : -ENODEV;
}

int nvme_run_create(struct perf_nvme *p, const struct nvme_settings *s,
		    struct nvme_run **out, char text[LANE_TEXT])
{
	struct nvme_run *r = calloc(1, sizeof(*r));
	int rc;

	if (r == NULL)
		return -ENOMEM;
	r->s = *s;
	r->cores = p->cores;
	r->core = p->core;
	r->period = SEC(p->progress);
	waitq_init(&r->changed);
	r->lanes =
		calloc((size_t)VOLUMES_MAX * p->cores + 1, sizeof(*r->lanes));
	rc = r->lanes != NULL ? make_lanes(p, r) : -ENOMEM;
	if (rc == 0) {
		*out = r;
		return 0;
	}
	snprintf(text, LANE_TEXT, "%s",
		 rc == -ENODEV ? "No jobs defined or bdevs created"
			       : strerror(-rc));
	nvme_run_destroy(r);
	return rc;
}

void nvme_run_destroy(struct nvme_run *r)
{
	for (unsigned i = 0; i < r->count; i++)
		free(r->lanes[i]);
	free(r->lanes);
	free(r);
}

/* ----------------------------------------------------------------- running */

static void lane_task(void *arg)
{
	struct nvme_lane *lane = arg;

	completion_done(&lane->ended, nvme_lane_run(lane));
}

static void start(struct perf_nvme *p, struct nvme_lane *lane)
{
	int rc;

	completion_init(&lane->ended);
	rc = reactor_spawn(reactor_set_get(p->reactors, lane->reactor),
			   "perf-lane", lane_task, lane);
	if (rc < 0)
		completion_done(&lane->ended, rc);
}

static void await(struct nvme_lane *lane)
{
	int rc = completion_wait(&lane->ended);

	if (rc == 0)
		return;
	if (lane->text[0] == '\0')
		snprintf(lane->text, sizeof(lane->text), "%s: %s", lane->name,
			 strerror(-rc));
	lane->failed++;
}

static void progress_task(void *arg)
{
	struct nvme_run *r = arg;

	nvme_report_progress(r);
	r->reporting = false;
	waitq_wake_all(&r->changed);
}

void nvme_run_do(struct perf_nvme *p, struct nvme_run *r)
{
	r->begun = reactor_now_precise();
	r->reporting = r->period > 0 &&
		       task_spawn("perf-progress", progress_task, r) == 0;
	for (unsigned i = 0; i < r->count; i++)
		start(p, r->lanes[i]);
	for (unsigned i = 0; i < r->count; i++)
		await(r->lanes[i]);
	r->ended = true;
	waitq_wake_all(&r->changed);
	while (r->reporting)
		waitq_wait(&r->changed, NSEC_NEVER);
}

bool nvme_run_failed(const struct nvme_run *r)
{
	for (unsigned i = 0; i < r->count; i++)
		if (r->lanes[i]->failed > 0)
			return true;
	return false;
}
