/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Failover: several addresses of which one is connected at a time.
 *
 *	the address in use fails ─▶ it goes to the end of the line, and the
 *	                            first of the line is tried: at once, unless
 *	                            that one failed a moment ago, too
 *
 * So a volume has one path, whose address changes.  What was in flight is
 * fenced as ever, by the controller that comes up at the other address.
 *
 * An address is looked at before it is taken: a controller is brought up there,
 * compared with the one in use, and let go.
 */
#include "nvme/initiator/internal.h"

/* What failed that long ago may be tried without a pause. */
static nsec backoff(const struct nvmei_ctrl *c)
{
	int delay = c->options.reconnect_delay_sec;

	return delay > 0 ? SEC(delay) : MSEC(100);
}

static void use_address(struct nvmei_ctrl *c, const struct addr *a)
{
	struct nvmei_way *w;

	c->options.addr = *a;
	addr_format(a, c->label);
	list_for_each (w, &c->ways, link)
		path_set_label(w->path, c->label);
}

static void drop(struct nvmei_ctrl *c, unsigned i)
{
	c->n_standbys--;
	memmove(&c->standbys[i], &c->standbys[i + 1],
		(c->n_standbys - i) * sizeof(c->standbys[0]));
}

bool standby_next(struct nvmei_ctrl *c)
{
	struct nvmei_standby failed = { c->options.addr, reactor_now() };
	struct nvmei_standby next;

	if (c->n_standbys == 0 || c->closing)
		return false;
	next = c->standbys[0];
	drop(c, 0);
	c->standbys[c->n_standbys++] = failed;
	use_address(c, &next.addr);
	return next.failed_at == 0 ||
	       failed.failed_at - next.failed_at > backoff(c);
}

bool standby_has(const struct nvmei_ctrl *c, const struct addr *a)
{
	for (unsigned i = 0; i < c->n_standbys; i++)
		if (addr_equal(&c->standbys[i].addr, a))
			return true;
	return false;
}

/* Those that failed are behind it. */
static void add(struct nvmei_ctrl *c, const struct addr *a)
{
	unsigned i = 0;

	while (i < c->n_standbys && c->standbys[i].failed_at == 0)
		i++;
	memmove(&c->standbys[i + 1], &c->standbys[i],
		(c->n_standbys - i) * sizeof(c->standbys[0]));
	c->standbys[i] = (struct nvmei_standby){ .addr = *a };
	c->n_standbys++;
}

bool standby_forget(struct nvmei_ctrl *c, const struct addr *a)
{
	for (unsigned i = 0; i < c->n_standbys; i++)
		if (addr_equal(&c->standbys[i].addr, a)) {
			drop(c, i);
			return true;
		}
	if (c->n_standbys == 0 || !addr_equal(&c->options.addr, a))
		return false;
	use_address(c, &c->standbys[0].addr);
	drop(c, 0);
	ctrl_restart(c);
	return true;
}

int standby_attach(struct nvmei *h, const struct nvmei_attach *a, char *text)
{
	struct nvmei_ctrl *c = ctrl_create(h, a), *used;
	int rc;

	if (c == NULL)
		return -ENOMEM;
	c->standby = true;
	rc = ctrl_start(c, a, text);
	if (rc < 0)
		return rc;
	ctrl_free(c);
	used = ctrl_first(h, a->name, NULL);
	if (used == NULL)
		return refuse_with(text, -ENODEV, "%s has gone", a->name);
	if (used->n_standbys == NVMEI_STANDBYS_MAX)
		return refuse_with(text, -ENOSPC,
				   "%s has %d more addresses already", a->name,
				   NVMEI_STANDBYS_MAX);
	add(used, &a->addr);
	return 0;
}
