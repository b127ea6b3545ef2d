/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes on at a controller beside requests: it is told that we are there,
 * and tells us what has changed.  Two tasks of a life, on its admin queue.
 *
 * One Asynchronous Event Request is outstanding; what it says is read from the
 * log page it names, which makes room for the next event (Base 5.2.2).
 */
#include "nvme/initiator/internal.h"

/* Of a controller that is alive, and has forgotten what it was asked for. */
static bool is_stuck(const struct nvmei_life *l)
{
	nsec timeout = MSEC(l->host->options.timeout_ms);

	return queue_is_stuck(&l->admin, timeout) ||
	       (l->io.slots != NULL && queue_is_stuck(&l->io, timeout));
}

static void keep_alive(void *arg)
{
	struct nvmei_life *l = arg;
	nsec kato = MSEC(l->host->options.kato_ms), next;
	struct nvmei_command c;
	int rc = 0;

	while (!l->dead && rc >= 0) {
		next = reactor_now() + kato / 3;
		while (!l->dead && reactor_now() < next)
			waitq_wait(&l->end, next);
		if (!l->dead && is_stuck(l)) {
			life_reason(l, "a command is not answered");
			life_fail(l, -ETIMEDOUT);
		}
		if (l->dead)
			break;
		c = (struct nvmei_command){};
		c.sqe.opc = NVME_ADMIN_KEEP_ALIVE;
		rc = queue_do(&l->admin, &c, reactor_now() + kato / 2);
		if (rc != 0)
			life_fail(l, rc < 0 ? rc : -EIO);
	}
	life_task_ended(l);
}

/* -------------------------------------------------------------------- events
 */

static int changed_namespaces(struct nvmei_life *l)
{
	uint32_t *list = malloc(4 * NVME_CHANGED_NS_MAX);
	int rc;

	if (list == NULL)
		return -ENOMEM;
	rc = admin_log(l, NVME_LOG_CHANGED_NS, 0, list,
		       4 * NVME_CHANGED_NS_MAX);
	free(list);
	if (rc == 0)
		rc = namespaces_read(l);
	return rc == 0 ? ana_read(l) : rc;
}

static int handle_event(struct nvmei_life *l, uint32_t dw0)
{
	if ((dw0 & 7) != NVME_AER_NOTICE)
		return 0;
	switch (dw0 >> 8 & 0xff) {
	case NVME_AER_NS_CHANGED:
		return changed_namespaces(l);
	case NVME_AER_ANA_CHANGED:
		return ana_read(l);
	case NVME_AER_DISCOVERY_CHANGED:
		return l->ctrl->discovery != NULL ? discovery_read(l) : 0;
	case NVME_AER_CCR_COMPLETED: /* fence.c reads the log */
		waitq_wake_all(&l->host->changed);
		return 0;
	default:
		return 0;
	}
}

static void events(void *arg)
{
	struct nvmei_life *l = arg;
	struct nvmei_command c;
	int rc;

	while (!l->dead) {
		c = (struct nvmei_command){};
		c.sqe.opc = NVME_ADMIN_ASYNC_EVENT;
		rc = queue_do(&l->admin, &c, NSEC_NEVER);
		if (rc == 0)
			rc = handle_event(l, c.cqe.dw0);
		if (rc != 0)
			life_fail(l, admin_error(rc));
	}
	life_task_ended(l);
}

int events_start(struct nvmei_life *l)
{
	int rc = life_spawn(l, "nvmei-alive", keep_alive, l);

	return rc < 0 ? rc : life_spawn(l, "nvmei-events", events, l);
}
