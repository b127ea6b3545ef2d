/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fence: a command that changes something, and was in flight in a
 *controller that is lost, may still be executed by it.  It must not go again
 *before that is impossible, or it could undo what was written after it (NVMe
 *Base 2.3, 9.6 and 8.3.3).  It is impossible when one of these is so:
 *
 *	- another controller of the subsystem has reset the lost one
 *	  (Cross-Controller Reset), and says that this is complete
 *	- the subsystem has given its identifier to a new one
 *	- the lost one's keep-alive timer has ended for lack of signs of life
 *from us, and the time has passed that it may take to quiesce (CQT)
 *
 *	lost ─▶ wait for a controller that is up ─▶ reset ─▶ IRS ──────▶ fenced
 *	                ▲ not that one, or it is lost  └─▶ log page ──────▶ │
 *	                └───────────────────────────────────────┘          │
 *	     ─▶ the time is over ─────────────────────────────────────────▶ │
 *
 * The new controller on the same address is as good as any other.
 */
#include "nvme/initiator/internal.h"

#define POLL_LOG    MSEC(10)
#define BEGIN_AGAIN SEC(1)

static bool can_reset(const struct nvmei_ctrl *c, const struct nvmei_life *lost)
{
	const struct nvmei_life *l = c->life;

	return l != NULL && l->up && !l->no_reset && l->ccrl > 0 &&
	       strcmp(c->subnqn, lost->ctrl->subnqn) == 0;
}

/* Where controllers can be reset, an identifier is used again when the one that
 * had it has gone.  One that had the same while that one lived is another
 * target's, which should not be. */
static bool is_replaced(const struct nvmei_life *lost)
{
	struct nvmei_ctrl *c;

	list_for_each (c, &lost->host->ctrls, link)
		if (can_reset(c, lost) && c->life->cntlid == lost->cntlid &&
		    c->life->begun >= lost->lost_at)
			return true;
	return false;
}

static struct nvmei_life *find_survivor(const struct nvmei_life *lost)
{
	struct nvmei_ctrl *c;

	list_for_each (c, &lost->host->ctrls, link)
		if (can_reset(c, lost) && c->life->cntlid != lost->cntlid)
			return c->life;
	return NULL;
}

/* The state of a reset by the log page; negative: it does not tell. */
static int find_in_log(const struct nvme_ccr_log *log,
		       const struct nvmei_life *lost)
{
	int state = -ENOENT;

	for (int i = 0; i < MIN(log->ne, NVME_CCR_ENTRIES_MAX); i++) {
		const struct nvme_ccr_entry *e = &log->entries[i];

		if (e->icid == lost->cntlid && e->ciu == lost->ciu)
			state = e->ccrs;
	}
	return state;
}

static int read_log(struct nvmei_life *by, const struct nvmei_life *lost,
		    bool remove_completed)
{
	struct nvme_ccr_log *log = malloc(sizeof(*log));
	int rc;

	if (log == NULL)
		return -ENOMEM;
	rc = admin_log(by, NVME_LOG_CCR,
		       remove_completed ? NVME_CCR_LSP_RMC : 0, log,
		       sizeof(*log));
	rc = rc == 0 ? find_in_log(log, lost) : -EIO;
	free(log);
	return rc;
}

/* Until it is complete (true); false: it will not be, or not by this one, or
 * its entry has gone, and to ask again will tell. */
static bool await_log(struct nvmei_life *by, const struct nvmei_life *lost,
		      nsec deadline)
{
	int state = NVME_CCRS_IN_PROGRESS;

	while (!by->dead && reactor_now() < deadline) {
		state = read_log(by, lost, false);
		if (state != NVME_CCRS_IN_PROGRESS)
			break;
		waitq_wait(&lost->host->changed, reactor_now() + POLL_LOG);
	}
	by->no_reset |= state == NVME_CCRS_FAILED;
	return state == NVME_CCRS_SUCCESS;
}

static bool reset_by(struct nvmei_life *by, const struct nvmei_life *lost,
		     nsec deadline)
{
	struct nvmei_command c = {};
	int rc;

	c.sqe.opc = NVME_ADMIN_CROSS_CONTROLLER_RESET;
	c.sqe.cdw10 = (uint32_t)lost->ciu << 16 | lost->cntlid;
	c.sqe.cdw12 = (uint32_t)lost->cirn;
	c.sqe.cdw13 = (uint32_t)(lost->cirn >> 32);
	rc = queue_do(&by->admin, &c, NSEC_NEVER);
	if (rc < 0)
		return false;
	switch (rc & NVME_SC_MASK) {
	case NVME_SC_SUCCESS:
		if (c.cqe.dw0 & NVME_CCR_IRS)
			return true;
		return await_log(by, lost, deadline);
	case NVME_SC_CCR_IN_PROGRESS:
		return await_log(by, lost, deadline);
	case NVME_SC_CCR_LOG_FULL:
		read_log(by, lost, true);
		return false;
	case NVME_SC_CCR_LIMIT_EXCEEDED:
		return false;
	default:
		log_warn("nvme %s: controller %u can't be reset by %u: "
			 "status %#x",
			 lost->ctrl->label, lost->cntlid, by->cntlid, rc);
		by->no_reset = true;
		return false;
	}
}

static void make_sure(struct nvmei_life *lost)
{
	nsec deadline = nsec_after(lost->lost_at, lost->quiesce);
	struct nvmei_life *by;

	while (reactor_now() < deadline) {
		lost->fenced = lost->ccrl > 0 && is_replaced(lost);
		if (lost->fenced)
			break;
		by = lost->ccrl > 0 ? find_survivor(lost) : NULL;
		if (by == NULL) {
			waitq_wait(&lost->host->changed, deadline);
			continue;
		}
		life_get(by);
		lost->fenced = reset_by(by, lost, deadline);
		life_put(by);
		if (lost->fenced)
			break;
		task_sleep(POLL_LOG);
	}
	log_info("nvme %s: controller %u is fenced%s after %lld ms",
		 lost->ctrl->label, lost->cntlid,
		 lost->fenced ? "" : " by time",
		 (long long)((reactor_now() - lost->lost_at) / MSEC(1)));
	lost->fenced = true;
}

/* The ways of one controller ask each for itself; it is done once. */
static void fence(struct nvmei_life *lost)
{
	if (lost->before != NULL)
		fence(lost->before);
	queue_wait_ended(&lost->io);
	while (lost->fencing)
		waitq_wait(&lost->host->changed, NSEC_NEVER);
	if (lost->fenced)
		return;
	lost->fencing = true;
	make_sure(lost);
	lost->fencing = false;
}

static void fencer(void *arg)
{
	struct nvmei_way *w = arg;
	struct nvmei_life *lost = w->fencing;
	struct nvmei_volume *v = w->volume;

	fence(lost);
	w->fencing = NULL;
	w->ctrl->fences--;
	path_fenced(w->path, reactor_now());
	volume_drain(v); /* FENCE once more, maybe */
	if (w->removed && w->fencing == NULL)
		way_free(w);
	waitq_wake_all(&lost->host->changed);
	life_put(lost);
	life_task_ended(lost);
}

/* Without memory for the task, what waits for it waits longer. */
static void begin(struct nvmei_way *w)
{
	if (life_spawn(w->fencing, "nvmei-fence", fencer, w) == 0)
		return;
	log_warn("nvme %s: no memory for a fence; it is tried again",
		 w->ctrl->label);
	reactor_timer_set(&w->fence_again, reactor_now() + BEGIN_AGAIN);
}

void fence_again(struct timer *t)
{
	begin(container_of(t, struct nvmei_way, fence_again));
}

void fence_start(struct nvmei_way *w)
{
	struct nvmei_life *lost = w->ctrl->lost;

	/* Nothing was ever sent on a path that was not up; and the group asks
	 * again only when it was answered. */
	assert(lost != NULL && w->fencing == NULL);
	w->fencing = life_get(lost);
	w->ctrl->fences++;
	begin(w);
}
