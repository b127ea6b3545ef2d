/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Controllers, and their end.
 *
 * A controller begins with a Connect to queue 0 and ends when that connection
 * does, when an I/O queue's connection is lost, when nothing has been heard of
 * the host for the keep alive timeout, when a host resets it by another
 * controller (ccr.c), or when it is taken away (listener, host, subsystem).  It
 * is always the same end:
 *
 *	LIVE     ──▶  state ENDING, fenced: no command begins any more
 *	ENDING   ──▶  each queue, on its reactor: what has not reached a device
 *	              is dropped, what has is asked back and waited for
 *	         ──▶  all queues have gone: state GONE, the identifier is free,
 *	              who waited for it is told
 *
 * So when anything is said about a controller that it was reset
 *(Cross-Controller Reset, CSTS.RDY 0, CSTS.SHST complete, a listener that is
 *removed), none of its commands can have an effect any more.  A host that has
 *lost contact and can't ask knows the same after the keep alive timeout and the
 *Command Quiesce Time (NVMe Base 2.3, 9.6): the fence goes up when the timeout
 *expires, and the rest is what a device may take for the commands that it has.
 *
 * A host that connects again gets a new controller at once; it does not wait
 * for the end of the old one.
 */
#include "base/log.h"
#include "base/rng.h"
#include "nvme/target/internal.h"

struct waiter {
	struct list link; /* ctrl.waiters */
	struct task *task;
};

/* ---------------------------------------------------------------- lifetime */

struct nvmet_ctrl *nvmet_ctrl_ref(struct nvmet_ctrl *ctrl)
{
	MAGIC_CHECK(ctrl, NVMET_CTRL_MAGIC);
	atomic_fetch_add(&ctrl->refs, 1);
	return ctrl;
}

void nvmet_ctrl_put(struct nvmet_ctrl *ctrl)
{
	MAGIC_CHECK(ctrl, NVMET_CTRL_MAGIC);
	if (atomic_fetch_sub(&ctrl->refs, 1) > 1)
		return;
	nvmet_ccr_free(ctrl);
	nvmet_admin_fini(ctrl);
	MAGIC_CLEAR(ctrl);
	free(ctrl);
}

struct nvmet_ctrl *nvmet_ctrl_find_locked(struct nvmet_subsystem *s,
					  uint16_t cntlid)
{
	struct nvmet_ctrl *ctrl;

	list_for_each (ctrl, &s->ctrls, link)
		if (ctrl->cntlid == cntlid)
			return ctrl;
	return NULL;
}

/* The next one that is free, so that an identifier is not used again soon; 0:
 * there is none. */
static uint16_t free_cntlid(struct nvmet_subsystem *s)
{
	unsigned span = s->max_cntlid - s->min_cntlid + 1u;

	for (unsigned i = 0; i < span; i++) {
		uint16_t id = s->last_cntlid >= s->max_cntlid ||
					      s->last_cntlid < s->min_cntlid
				      ? s->min_cntlid
				      : s->last_cntlid + 1;

		s->last_cntlid = id;
		if (nvmet_ctrl_find_locked(s, id) == NULL)
			return id;
	}
	return 0;
}

/* CIU and CIRN tell this instance from others that have the identifier. */
static void name_instance(struct nvmet_ctrl *ctrl)
{
	ctrl->ciu = ++ctrl->t->last_ciu;
	if (ctrl->ciu == 0)
		ctrl->ciu = ++ctrl->t->last_ciu;
	do
		random_bytes(&ctrl->cirn, sizeof(ctrl->cirn));
	while (ctrl->cirn == 0);
}

struct nvmet_ctrl *nvmet_ctrl_create_locked(struct nvmet_queue *q,
					    struct nvmet_subsystem *s,
					    struct nvmet_way *way)
{
	struct nvmet_ctrl *ctrl;
	uint16_t cntlid;

	if (s->nctrls >= NVMET_CONTROLLERS_MAX)
		return NULL;
	cntlid = free_cntlid(s);
	ctrl = cntlid != 0 ? calloc(1, sizeof(*ctrl)) : NULL;
	if (ctrl == NULL)
		return NULL;
	if (nvmet_admin_init(ctrl) < 0) {
		free(ctrl);
		return NULL;
	}
	MAGIC_SET(ctrl, NVMET_CTRL_MAGIC);
	atomic_init(&ctrl->refs, 2); /* subsystem.ctrls, the admin queue */
	ctrl->t = q->t;
	ctrl->s = s;
	ctrl->way = way;
	ctrl->cpu = q->cpu;
	ctrl->cntlid = cntlid;
	ctrl->local = q->local;
	ctrl->peer = q->peer;
	ctrl->since = reactor_now();
	ctrl->admin = q;
	atomic_init(&ctrl->fenced, true);
	list_init(&ctrl->queues);
	list_init(&ctrl->waiters);
	list_init(&ctrl->ccrs);
	name_instance(ctrl);
	list_append(&s->ctrls, &ctrl->link);
	s->nctrls++;
	return ctrl;
}

/* ----------------------------------------------------------------- waiting */

static void wake_locked(struct nvmet_ctrl *ctrl)
{
	struct waiter *w;

	list_for_each (w, &ctrl->waiters, link)
		task_wake(w->task);
}

static bool is_gone(const struct nvmet_ctrl *ctrl)
{
	return ctrl->state == NVMET_CTRL_GONE;
}

static bool has_no_io_queues(const struct nvmet_ctrl *ctrl)
{
	return list_empty(&ctrl->queues);
}

static bool wait_until(struct nvmet_ctrl *ctrl,
		       bool (*condition)(const struct nvmet_ctrl *ctrl),
		       nsec deadline)
{
	struct waiter w = { .task = task_self() };
	pthread_mutex_t *lock = &ctrl->t->lock;
	bool so;

	pthread_mutex_lock(lock);
	list_append(&ctrl->waiters, &w.link);
	while (!(so = condition(ctrl)) && reactor_now() < deadline) {
		pthread_mutex_unlock(lock);
		task_park(deadline);
		pthread_mutex_lock(lock);
	}
	list_del(&w.link);
	pthread_mutex_unlock(lock);
	return so;
}

bool nvmet_ctrl_wait_gone(struct nvmet_ctrl *ctrl, nsec deadline)
{
	return wait_until(ctrl, is_gone, deadline);
}

/* --------------------------------------------------------------------- end */

static void end_io_queues_locked(struct nvmet_ctrl *ctrl)
{
	struct nvmet_queue *q;

	atomic_store(&ctrl->fenced, true);
	list_for_each (q, &ctrl->queues, in_ctrl)
		nvmet_queue_end_later(q);
}

static void end_locked(struct nvmet_ctrl *ctrl)
{
	if (ctrl->state != NVMET_CTRL_LIVE)
		return;
	ctrl->state = NVMET_CTRL_ENDING;
	end_io_queues_locked(ctrl);
	if (ctrl->admin != NULL)
		nvmet_queue_end_later(ctrl->admin);
}

void nvmet_ctrl_end(struct nvmet_ctrl *ctrl)
{
	pthread_mutex_lock(&ctrl->t->lock);
	end_locked(ctrl);
	pthread_mutex_unlock(&ctrl->t->lock);
}

/* Ends all that match, and one of those that have not gone; with a reference.
 */
static struct nvmet_ctrl *end_matching(struct nvmet_subsystem *s,
				       nvmet_ctrl_match_fn *match,
				       const void *arg)
{
	struct nvmet_ctrl *ctrl, *found = NULL;

	pthread_mutex_lock(&s->t->lock);
	list_for_each (ctrl, &s->ctrls, link) {
		if (!match(ctrl, arg))
			continue;
		end_locked(ctrl);
		found = ctrl;
	}
	if (found != NULL)
		nvmet_ctrl_ref(found);
	pthread_mutex_unlock(&s->t->lock);
	return found;
}

void nvmet_ctrls_end(struct nvmet_subsystem *s, nvmet_ctrl_match_fn *match,
		     const void *arg)
{
	struct nvmet_ctrl *ctrl;

	while ((ctrl = end_matching(s, match, arg)) != NULL) {
		nvmet_ctrl_wait_gone(ctrl, NSEC_NEVER);
		nvmet_ctrl_put(ctrl);
	}
}

void nvmet_ctrl_queue_ends(struct nvmet_queue *q)
{
	struct nvmet_ctrl *ctrl = q->ctrl;

	if (q->qid == 0) {
		nvmet_ctrl_end(ctrl);
		nvmet_aer_drop(ctrl);
	} else if (!q->clean && !q->must_auth && !atomic_load(&ctrl->fenced)) {
		/* A stranger who pretends to be the host ends only its own
		 * connection. */
		nvmet_ctrl_end(ctrl);
	}
}

static void io_queue_gone(struct nvmet_queue *q)
{
	struct nvmet_ctrl *ctrl = q->ctrl;

	pthread_mutex_lock(&ctrl->t->lock);
	list_del(&q->in_ctrl);
	wake_locked(ctrl);
	pthread_mutex_unlock(&ctrl->t->lock);
	nvmet_count(q->cpu, io_queues, -1);
	nvmet_ctrl_put(ctrl);
}

static void admin_queue_gone(struct nvmet_queue *q)
{
	struct nvmet_ctrl *ctrl = q->ctrl;

	wait_until(ctrl, has_no_io_queues, NSEC_NEVER);
	log_info("nvme %s: controller %u of %s has ended", ctrl->s->nqn,
		 ctrl->cntlid, ctrl->host_nqn);
	pthread_mutex_lock(&ctrl->t->lock);
	ctrl->state = NVMET_CTRL_GONE;
	ctrl->admin = NULL;
	list_del(&ctrl->link);
	ctrl->s->nctrls--;
	wake_locked(ctrl);
	pthread_mutex_unlock(&ctrl->t->lock);
	nvmet_count(q->cpu, admin_queues, -1);
	nvmet_ctrl_put(ctrl);
	nvmet_ctrl_put(ctrl);
}

void nvmet_ctrl_queue_gone(struct nvmet_queue *q)
{
	if (q->qid == 0)
		admin_queue_gone(q);
	else
		io_queue_gone(q);
}

/* ------------------------------------------------------- enable, keep alive */

void nvmet_ctrl_enable(struct nvmet_ctrl *ctrl)
{
	pthread_mutex_lock(&ctrl->t->lock);
	if (ctrl->state == NVMET_CTRL_LIVE)
		atomic_store(&ctrl->fenced, false);
	pthread_mutex_unlock(&ctrl->t->lock);
}

void nvmet_ctrl_quiesce(struct nvmet_ctrl *ctrl)
{
	pthread_mutex_lock(&ctrl->t->lock);
	end_io_queues_locked(ctrl);
	pthread_mutex_unlock(&ctrl->t->lock);
	wait_until(ctrl, has_no_io_queues, NSEC_NEVER);
}

bool nvmet_ctrl_has_io_queues(struct nvmet_ctrl *ctrl)
{
	bool has;

	pthread_mutex_lock(&ctrl->t->lock);
	has = !has_no_io_queues(ctrl);
	pthread_mutex_unlock(&ctrl->t->lock);
	return has;
}

static nsec last_sign(const struct nvmet_queue *q)
{
	return atomic_load_explicit(&q->alive, memory_order_relaxed);
}

/* A host that reads the discovery log and goes asks for no keep alive; if it
 * goes without a word its controller must not stay for ever. */
static uint32_t patience_ms(struct nvmet_ctrl *ctrl)
{
	uint32_t kato = atomic_load(&ctrl->kato_ms);

	return kato == 0 && ctrl->s->is_discovery ? NVMET_DISCOVERY_IDLE_MS
						  : kato;
}

/* Traffic of any kind is a sign of life (TBKAS). */
nsec nvmet_ctrl_expires(struct nvmet_ctrl *ctrl)
{
	uint32_t patience = patience_ms(ctrl);
	struct nvmet_queue *q;
	nsec last;

	if (patience == 0)
		return NSEC_NEVER;
	pthread_mutex_lock(&ctrl->t->lock);
	last = MAX(ctrl->since, last_sign(ctrl->admin));
	list_for_each (q, &ctrl->queues, in_ctrl)
		last = MAX(last, last_sign(q));
	pthread_mutex_unlock(&ctrl->t->lock);
	return last + MSEC(patience);
}
