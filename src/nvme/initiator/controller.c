/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A controller's life, from Connect to loss.
 *
 *	ctrl_connect()          connector task                  life_fail()
 *	──────────────▶ queue 0 ▶ Connect ▶ enable ▶ identify    life_kill()
 *	                ▶ features ▶ queue 1 ▶ namespaces, ANA  ──────────▶ dead
 *	                ▶ up: paths are connected
 *
 * A life that was up is kept as ctrl->lost, because what was in flight in it
 * may have to be fenced.
 */
#include "nvme/initiator/internal.h"

enum { ADMIN_QUEUE_SIZE = 32 };
#define RETRY SEC(3)

struct nvmei_life *life_get(struct nvmei_life *l)
{
	l->refs++;
	return l;
}

void life_put(struct nvmei_life *l)
{
	if (--l->refs > 0)
		return;
	assert(l->dead);
	queue_free(&l->admin);
	queue_free(&l->io);
	if (l->before != NULL)
		life_put(l->before);
	free(l);
}

/* ----------------------------------------------------------------- the end */

/* What may have to be fenced: this one, and those before it whose time is not
 * over.  That bounds the chain: a path comes up less and less often. */
static void remember(struct nvmei_ctrl *c, struct nvmei_life *l)
{
	struct nvmei_life *old = c->lost;

	c->lost = life_get(l);
	if (old == NULL)
		return;
	if (old->fenced || reactor_now() - old->lost_at > old->quiesce)
		life_put(old);
	else
		l->before = old;
}

void life_kill(struct nvmei_life *l)
{
	struct nvmei_ctrl *c = l->ctrl;

	if (l->dead)
		return;
	l->dead = true;
	l->lost_at = reactor_now();
	c->life = NULL;
	queue_kill(&l->io);
	queue_kill(&l->admin);
	waitq_wake_all(&l->end);
	waitq_wake_all(&l->host->changed);
	if (l->up)
		remember(c, l);
	life_put(l);
}

void life_reason(struct nvmei_life *l, const char *literal)
{
	if (!l->dead)
		l->ctrl->why = literal;
}

static void report(struct nvmei_ctrl *c, bool up, int error)
{
	c->error = error;
	if (up)
		log_info("nvme %s: %s", c->label, strerror(-error));
	else if (!c->reported)
		log_warn("nvme %s: no connection: %s", c->label,
			 c->why != NULL ? c->why : strerror(-error));
	c->reported = true;
}

/* A controller that shows no namespace is in nobody's path group; it is tried
 * again all the same, as it may show some later. */
static void await_retry(struct nvmei_ctrl *c)
{
	if (list_empty(&c->ways) && !c->attaching && !c->closing &&
	    !c->disabled)
		reactor_timer_set(&c->retry, reactor_now() + RETRY);
}

void ctrl_retry(struct timer *t)
{
	struct nvmei_ctrl *c = container_of(t, struct nvmei_ctrl, retry);

	if (c->life == NULL && ctrl_connect(c) == 0)
		await_retry(c); /* that is how long it may take */
	else if (c->life != NULL && !c->life->up)
		life_fail(c->life, -ETIMEDOUT);
}

static void end(struct nvmei_life *l, int error, bool elsewhere)
{
	struct nvmei_ctrl *c = l->ctrl;
	struct nvmei_way *w;
	bool at_once;

	if (l->dead)
		return;
	report(c, l->up, error);
	life_get(l);
	life_kill(l);
	list_for_each (w, &c->ways, link) {
		w->attempt = w->probing = false;
		path_failed(w->path, reactor_now());
	}
	at_once = elsewhere && standby_next(c);
	list_for_each (w, &c->ways, link) {
		if (at_once)
			path_retry(w->path, reactor_now());
		volume_drain(w->volume);
	}
	await_retry(c);
	life_put(l);
}

void life_fail(struct nvmei_life *l, int error)
{
	end(l, error, true);
}

void life_end(struct nvmei_life *l, int error)
{
	end(l, error, false);
}

/* --------------------------------------------------------------- coming up */

/* Text is padded with spaces. */
static void take_text(char *to, const char *from, size_t len)
{
	while (len > 0 && (from[len - 1] == ' ' || from[len - 1] == '\0'))
		len--;
	memcpy(to, from, len);
	to[len] = '\0';
}

static void remember_names(struct nvmei_life *l, const struct nvme_id_ctrl *id)
{
	struct nvmei_controller_info *info = &l->ctrl->info;

	info->cntlid = l->cntlid;
	info->vendor = id->vid;
	info->version = id->ver;
	info->ana = id->cmic & NVME_CMIC_ANARS;
	take_text(info->serial, id->sn, sizeof(id->sn));
	take_text(info->model, id->mn, sizeof(id->mn));
	take_text(info->firmware, id->fr, sizeof(id->fr));
}

/* `kato_ms` as it is in force: a controller may have rounded it up. */
static void learn(struct nvmei_life *l, const struct nvme_id_ctrl *id,
		  uint32_t kato_ms)
{
	nsec kato = MSEC(MAX(kato_ms, l->host->options.kato_ms));

	remember_names(l, id);
	l->ciu = id->ciu;
	l->cirn = id->cirn;
	l->ccrl = id->ccrl;
	l->oaes = id->oaes;
	l->oncs = id->oncs;
	l->nn = id->nn;
	l->nanagrpid = id->nanagrpid;
	l->ana_patience = id->anatt > 0 ? SEC(id->anatt) : NSEC_NEVER;
	l->ana = id->cmic & NVME_CMIC_ANARS;
	l->max_transfer = BLOCK_TRANSFER_MAX;
	if (id->mdts > 0 && id->mdts < 8)
		l->max_transfer = 4096U << id->mdts;
	l->io.in_capsule =
		id->ioccsz > 4 ? id->ioccsz * 16 - sizeof(struct nvme_sqe) : 0;
	/* Base 9.6.2: its keep-alive timer ends, then it quiesces.  With
	 * traffic based keep alive it looks at whole intervals, so it may take
	 * two.  One that doesn't say how long it quiesces gets an interval. */
	l->quiesce = kato + (id->ctratt & NVME_CTRATT_TBKAS ? kato : 0) +
		     (id->cqt > 0 ? MSEC(id->cqt) : kato);
}

static int identify(struct nvmei_life *l)
{
	struct nvme_id_ctrl *id = malloc(sizeof(*id));
	uint32_t kato_ms;
	int rc;

	if (id == NULL)
		return -ENOMEM;
	rc = admin_identify(l, NVME_CNS_CONTROLLER, 0, id);
	if (rc == 0)
		rc = admin_get_feature(l, NVME_FEAT_KEEP_ALIVE, &kato_ms);
	if (rc == 0)
		learn(l, id, kato_ms);
	free(id);
	return rc;
}

static int open_admin(struct nvmei_life *l)
{
	uint32_t events = NVME_OAES_NSAN | NVME_OAES_ANACN | NVME_OAES_CCRCN |
			  NVME_OAES_DLPCN;
	int rc = queue_open(&l->admin, l, 0, ADMIN_QUEUE_SIZE);

	if (rc == 0)
		rc = admin_connect(&l->admin);
	if (rc == 0)
		rc = admin_enable(l);
	if (rc == 0)
		rc = identify(l);
	if (rc == 0)
		rc = admin_set_feature(l, NVME_FEAT_ASYNC_EVENTS,
				       l->oaes & events);
	return rc;
}

static int open_io(struct nvmei_life *l)
{
	uint32_t in_capsule = l->io.in_capsule;
	int rc = queue_open(&l->io, l, 1, l->io.size);

	if (rc == 0)
		rc = admin_connect(&l->io);
	l->io.in_capsule = in_capsule;
	return rc;
}

static int come_up_for_io(struct nvmei_life *l)
{
	int rc = admin_set_feature(l, NVME_FEAT_QUEUES, 0); /* one each */

	if (rc == 0)
		rc = open_io(l);
	if (rc == 0)
		rc = namespaces_read(l);
	return rc == 0 ? ana_read(l) : rc;
}

static int come_up(struct nvmei_life *l)
{
	int rc = open_admin(l);

	if (rc == 0 && l->ctrl->standby)
		rc = namespaces_compare(l);
	else if (rc == 0)
		rc = l->ctrl->discovery != NULL ? discovery_read(l)
						: come_up_for_io(l);
	if (rc == 0)
		rc = events_start(l);
	return admin_error(rc);
}

static void is_up(struct nvmei_life *l)
{
	struct nvmei_ctrl *c = l->ctrl;
	struct nvmei_way *w;

	l->up = true;
	c->reported = false;
	c->error = 0;
	waitq_wake_all(&l->host->changed);
	list_for_each (w, &c->ways, link) {
		if (w->attempt)
			path_connected(w->path, reactor_now());
		w->attempt = false;
	}
	life_drain(l);
}

static void connector(void *arg)
{
	struct nvmei_life *l = arg;
	int rc = come_up(l);

	if (rc < 0)
		life_fail(l, rc);
	else if (!l->dead)
		is_up(l);
	life_task_ended(l);
}

int ctrl_connect(struct nvmei_ctrl *c)
{
	struct nvmei_life *l = calloc(1, sizeof(*l));
	int rc;

	assert(c->life == NULL);
	if (l == NULL)
		return -ENOMEM;
	c->why = NULL;
	l->ctrl = c;
	l->host = c->host;
	l->refs = 1;
	l->begun = reactor_now();
	waitq_init(&l->end);
	for (int i = 0; i < 2; i++) {
		struct nvmei_queue *q = i == 0 ? &l->admin : &l->io;

		q->life = l;
		list_init(&q->sends);
		list_init(&q->waiting);
	}
	c->life = l;
	rc = life_spawn(l, "nvmei-connect", connector, l);
	if (rc < 0)
		life_kill(l);
	return rc;
}

/* ----------------------------------------------------------- signs of life */

void life_heard(struct nvmei_life *l)
{
	struct nvmei_way *w;

	list_for_each (w, &l->ctrl->ways, link)
		path_heard(w->path, reactor_now());
}

void life_drain(struct nvmei_life *l)
{
	struct nvmei_way *w;

	list_for_each (w, &l->ctrl->ways, link)
		volume_drain(w->volume);
}
