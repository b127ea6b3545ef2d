/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What users order of controllers that are attached.
 *
 *	          disable                    enable
 *	(any) ──────────────▶ (disabled) ──────────────▶ connecting
 *	          reset
 *	(any) ───────────────────────────────────────────▶ connecting
 */
#include "nvme/initiator/internal.h"

void ctrl_restart(struct nvmei_ctrl *c)
{
	struct nvmei_way *w;

	if (c->life != NULL)
		life_end(c->life, -ECONNRESET);
	list_for_each (w, &c->ways, link) {
		path_retry(w->path, reactor_now());
		volume_drain(w->volume);
	}
}

static void set_disabled(struct nvmei_ctrl *c, bool disabled)
{
	struct nvmei_way *w;

	if (c->disabled == disabled)
		return;
	c->disabled = disabled;
	reactor_timer_cancel(&c->retry);
	if (c->life != NULL)
		life_end(c->life, -ESHUTDOWN);
	if (list_empty(&c->ways) && !disabled)
		ctrl_retry(&c->retry);
	list_for_each (w, &c->ways, link) {
		path_disable(w->path, disabled, reactor_now());
		volume_drain(w->volume);
	}
}

static void disable(struct nvmei_ctrl *c)
{
	set_disabled(c, true);
}

static void enable(struct nvmei_ctrl *c)
{
	set_disabled(c, false);
}

static int for_each_meant(struct nvmei *h, const char *name,
			  const struct addr *addr,
			  void (*fn)(struct nvmei_ctrl *c))
{
	struct nvmei_ctrl *c;
	int rc = -ENOENT;

	list_for_each (c, &h->ctrls, link) {
		if (!ctrl_is_meant(c, name, addr))
			continue;
		fn(c);
		rc = 0;
	}
	return rc;
}

int nvmei_reset(struct nvmei *h, const char *name, const struct addr *addr)
{
	return for_each_meant(h, name, addr, ctrl_restart);
}

int nvmei_disable(struct nvmei *h, const char *name, const struct addr *addr)
{
	return for_each_meant(h, name, addr, disable);
}

int nvmei_enable(struct nvmei *h, const char *name, const struct addr *addr)
{
	return for_each_meant(h, name, addr, enable);
}

static bool is_connecting(const struct nvmei *h, const char *name,
			  const struct addr *addr)
{
	const struct nvmei_ctrl *c;

	list_for_each (c, &h->ctrls, link)
		if (ctrl_is_meant(c, name, addr) && c->life != NULL &&
		    !c->life->up)
			return true;
	return false;
}

int nvmei_await(struct nvmei *h, const char *name, const struct addr *addr,
		char text[256])
{
	nsec deadline = reactor_now() + SEC(10);
	const struct nvmei_ctrl *c;

	while (is_connecting(h, name, addr) && reactor_now() < deadline)
		waitq_wait(&h->changed, deadline);
	list_for_each (c, &h->ctrls, link) {
		if (!ctrl_is_meant(c, name, addr) || c->disabled ||
		    (c->life != NULL && c->life->up))
			continue;
		return refuse_with(
			text, -EIO, "%s: no connection: %s", c->label,
			c->why != NULL ? c->why : strerror(-c->error));
	}
	return 0;
}

int nvmei_get_health(struct nvmei *h, const char *name,
		     struct nvme_smart_log *out)
{
	struct nvmei_life *l = NULL;
	struct nvmei_ctrl *c;
	int rc;

	if (ctrl_first(h, name, NULL) == NULL)
		return -ENOENT;
	list_for_each (c, &h->ctrls, link)
		if (ctrl_is_meant(c, name, NULL) && c->life != NULL &&
		    c->life->up && l == NULL)
			l = c->life;
	if (l == NULL)
		return -ENOTCONN;
	life_get(l);
	rc = admin_error(admin_log(l, NVME_LOG_SMART, 0, out, sizeof(*out)));
	life_put(l);
	return rc;
}
