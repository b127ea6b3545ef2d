/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asymmetric Namespace Access (Base 8.1.1): which controller is good for which
 * namespace, by the log page.  It is read when a controller comes up, on its
 * event, and as long as a group is in the state Change, or a request was
 * answered with a state that the log page had not told yet.
 */
#include "nvme/initiator/internal.h"

#define AGAIN MSEC(50)

/* An unknown state is as good as none. */
static enum path_access access_of(uint8_t ana_state)
{
	switch (ana_state & 0xf) {
	case 1:
		return PATH_OPTIMIZED;
	case 2:
		return PATH_NON_OPTIMIZED;
	case 3:
		return PATH_INACCESSIBLE;
	case 4:
		return PATH_PERSISTENT_LOSS;
	default:
		return PATH_CHANGE;
	}
}

static void apply_group(struct nvmei_life *l, const struct nvme_ana_group *g)
{
	struct nvmei_way *w;

	list_for_each (w, &l->ctrl->ways, link)
		if (w->anagrpid == g->agid)
			path_set_access(w->path, access_of(g->ana_state),
					reactor_now());
}

static int apply(struct nvmei_life *l, const uint8_t *log, size_t size)
{
	const struct nvme_ana_log *head = (const void *)log;
	const struct nvme_ana_group *g;
	size_t at = sizeof(*head), len;

	if (head->chgcnt < l->ana_chgcnt)
		return 0; /* overtaken */
	l->ana_chgcnt = head->chgcnt;
	for (unsigned i = 0; i < head->nagd; i++) {
		if (size - at < sizeof(*g))
			return -EPROTO;
		g = (const void *)(log + at);
		len = sizeof(*g) + 4 * (size_t)g->nnv;
		if (len > size - at)
			return -EPROTO;
		apply_group(l, g);
		at += len;
	}
	return 0;
}

static bool is_settled(const struct nvmei_life *l)
{
	struct path_info info;
	struct nvmei_way *w;

	list_for_each (w, &l->ctrl->ways, link) {
		path_get_info(w->path, &info);
		if (info.access == PATH_CHANGE)
			return false;
	}
	return true;
}

static void doubt(struct nvmei_life *l);

int ana_read(struct nvmei_life *l)
{
	size_t size = sizeof(struct nvme_ana_log) +
		      (size_t)l->nanagrpid * sizeof(struct nvme_ana_group) +
		      4 * (size_t)l->nn;
	uint8_t *log;
	int rc;

	if (!l->ana)
		return 0;
	size = MIN(size, (size_t)l->max_transfer);
	log = calloc(1, size);
	if (log == NULL)
		return -ENOMEM;
	rc = admin_log(l, NVME_LOG_ANA, 0, log, size);
	if (rc == 0)
		rc = apply(l, log, size);
	free(log);
	if (rc == 0 && !is_settled(l))
		doubt(l);
	if (rc == 0 && l->up)
		life_drain(l);
	return rc;
}

/* -------------------------------------------------------------------- doubts
 */

/* As long as it is not settled; a change that takes longer than the controller
 * said it may take is as good as a lost path. */
static void reader(void *arg)
{
	struct nvmei_life *l = arg;
	nsec deadline = nsec_after(reactor_now(), l->ana_patience);
	int rc = 0;

	do {
		task_sleep(AGAIN);
		if (!l->dead)
			rc = ana_read(l);
		if (rc == 0 && !l->dead && reactor_now() > deadline &&
		    !is_settled(l))
			rc = -ETIMEDOUT;
	} while (!l->dead && rc == 0 && !is_settled(l));
	l->ana_doubted = false;
	if (rc != 0)
		life_fail(l, admin_error(rc));
	life_task_ended(l);
}

static void doubt(struct nvmei_life *l)
{
	if (!l->ana_doubted)
		l->ana_doubted = life_spawn(l, "nvmei-ana", reader, l) == 0;
}

void ana_doubt(struct nvmei_way *w, enum path_access access)
{
	struct nvmei_life *l = w->ctrl->life;

	path_set_access(w->path, access, reactor_now());
	if (l != NULL)
		doubt(l);
}
