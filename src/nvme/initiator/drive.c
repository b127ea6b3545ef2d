/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between a volume's path group, which decides, and the controllers, which do.
 * volume_drain() follows every event; a timer tells the group that time passes.
 */
#include "nvme/initiator/internal.h"

/* -------------------------------------------------------------------- probing
 */

static void probe_done(struct nvmei_command *c, int error)
{
	struct nvmei_life *l = container_of(c, struct nvmei_life, probe);
	struct nvmei_way *w;

	l->probing = false;
	if (error < 0)
		return;
	list_for_each (w, &l->ctrl->ways, link) {
		if (w->probing)
			path_probe_answered(w->path, reactor_now());
		w->probing = false;
	}
}

/*
 * Something on the I/O queue's own connection that every controller answers at
 * once and without its medium: a Read of namespace 0, which is never valid.  A
 * full queue has a slot for it; where there is only one slot in all, silence is
 * left to the keep alive.
 */
static void probe(struct nvmei_way *w)
{
	struct nvmei_life *l = w->ctrl->life;

	if (l->io.spare == 0 && l->io.nfree == 0) {
		path_probe_answered(w->path, reactor_now());
		return;
	}
	w->probing = true;
	if (l->probing)
		return;
	l->probing = true;
	l->probe = (struct nvmei_command){ .len = 512, .done = probe_done };
	l->probe.sqe.opc = NVME_IO_READ;
	queue_submit_first(&l->io, &l->probe);
}

/* ------------------------------------------------------------------- actions
 */

static void connect_way(struct nvmei_way *w)
{
	struct nvmei_ctrl *c = w->ctrl;

	if (c->life == NULL && ctrl_connect(c) < 0) {
		path_failed(w->path, reactor_now());
		return;
	}
	if (c->life->up)
		path_connected(w->path, reactor_now());
	else
		w->attempt = true;
}

static void act(const struct path_action *a)
{
	struct nvmei_way *w = a->path != NULL ? path_owner(a->path) : NULL;
	struct nvmei_request *r =
		a->request != NULL
			? container_of(a->request, struct nvmei_request, path)
			: NULL;

	switch (a->kind) {
	case PATH_ACT_CLOSE:
		if (w->ctrl->life != NULL)
			life_fail(w->ctrl->life, -ETIMEDOUT);
		break;
	case PATH_ACT_FENCE:
		fence_start(w);
		break;
	case PATH_ACT_GIVE_UP:
		ctrl_give_up(w->ctrl);
		break;
	case PATH_ACT_CONNECT:
		connect_way(w);
		break;
	case PATH_ACT_PROBE:
		probe(w);
		break;
	case PATH_ACT_SEND:
		request_send_on(w, r);
		break;
	case PATH_ACT_FAIL:
		request_end(r, a->error);
		break;
	}
}

/* Without any path there is nothing to wait for. */
static void fail_waiting(struct nvmei_volume *v)
{
	struct nvmei_request *r, *next;
	struct list failed;

	list_init(&failed);
	list_for_each_safe (r, next, &v->requests, link)
		if (r->path.state == PATH_REQ_WAITING) {
			path_request_cancel(v->group, &r->path);
			list_del(&r->link);
			list_append(&failed, &r->link);
		}
	while ((r = list_first(&failed, struct nvmei_request, link)))
		request_end(r, -ENODEV);
}

void volume_drain(struct nvmei_volume *v)
{
	struct path_action a;

	nvmei_volume_get(v);
	while (path_group_next(v->group, reactor_now(), &a))
		act(&a);
	if (list_empty(&v->ways))
		fail_waiting(v);
	volume_arm(v);
	nvmei_volume_put(v);
}

/* ---------------------------------------------------------------------- time
 */

static void tick(struct timer *t)
{
	struct nvmei_volume *v = container_of(t, struct nvmei_volume, tick);

	path_group_tick(v->group, reactor_now());
	volume_drain(v);
}

/* Only ever earlier: what is due later is found when it fires. */
void volume_arm(struct nvmei_volume *v)
{
	nsec due = path_group_deadline(v->group);

	if (due != NSEC_NEVER && (!v->tick.set || due < v->tick.deadline))
		reactor_timer_set(&v->tick, due);
}

/* ---------------------------------------------------------------- life cycle
 */

static bool can_be_reset(const struct nvmei_ctrl *c)
{
	return c->life != NULL && c->life->ccrl > 0;
}

/* Where a controller can't be reset by another, its loss costs writes in flight
 * half a minute: too much for a target that only pauses.  New requests steer
 * away from a silent path at once, so it is what is in flight that waits; and
 * in that time all other paths show whether they are silent, too.  With no
 * other path nothing is gained by a loss at all. */
static void be_patient(struct path_options *o)
{
	o->probe_min = o->probe_max = MSEC(400);
	o->probe_alone = SEC(5);
}

static struct path_options path_options(const struct nvmei_ctrl *c)
{
	const struct nvmei_options *host = &c->host->options;
	const struct nvmei_attach *a = &c->options;

	/* A probe is answered without the medium, so that 200 ms of silence
	 * are enough to move, however slow the medium is. */
	struct path_options o = { .policy = a->policy,
				  .rr_min_io = a->rr_min_io,
				  .stay = host->no_failback,
				  .suspect_max = MSEC(80),
				  .probe_max = MSEC(110),
				  .probe_alone = MSEC(500),
				  .ctrlr_loss_timeout = -1,
				  .fast_io_fail_timeout = -1 };

	if (!can_be_reset(c))
		be_patient(&o);
	if (a->ctrlr_loss_timeout_sec > 0)
		o.ctrlr_loss_timeout = SEC(a->ctrlr_loss_timeout_sec);
	if (a->fast_io_fail_timeout_sec > 0)
		o.fast_io_fail_timeout = SEC(a->fast_io_fail_timeout_sec);
	if (a->reconnect_delay_sec > 0)
		o.reconnect_delay = o.reconnect_max =
			SEC(a->reconnect_delay_sec);
	return o;
}

int volume_create(struct nvmei_ctrl *c, const struct nvmei_volume_info *info,
		  struct nvmei_volume **out)
{
	struct path_options o = path_options(c);
	struct nvmei_volume *v = calloc(1, sizeof(*v));
	int rc;

	if (v == NULL)
		return -ENOMEM;
	rc = path_group_create(&o, &v->group);
	if (rc < 0) {
		free(v);
		return rc;
	}
	v->host = c->host;
	v->refs = 1;
	v->info = *info;
	snprintf(v->name, sizeof(v->name), "%sn%u", c->name, info->nsid);
	v->info.name = v->name;
	strcpy(v->base, c->name);
	v->info.controller = v->base;
	strcpy(v->subnqn, c->subnqn);
	v->info.subnqn = v->subnqn;
	v->block_shift = __builtin_ctz(info->block_size);
	list_init(&v->ways);
	list_init(&v->requests);
	timer_init(&v->tick, tick);
	list_append(&c->host->volumes, &v->link);
	*out = v;
	return 0;
}

struct nvmei_volume *nvmei_volume_get(struct nvmei_volume *v)
{
	v->refs++;
	return v;
}

void nvmei_volume_put(struct nvmei_volume *v)
{
	if (--v->refs > 0)
		return;
	assert(list_empty(&v->requests) && list_empty(&v->ways));
	reactor_timer_cancel(&v->tick);
	path_group_destroy(v->group);
	list_del(&v->link);
	free(v);
}
