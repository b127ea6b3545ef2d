/* SPDX-License-Identifier: Apache-2.0 */
/* Controllers that are attached to a host, and taken from it again. */
#include "nvme/initiator/internal.h"

#define ATTACH_TIMEOUT SEC(10)

bool ctrl_is_meant(const struct nvmei_ctrl *c, const char *name,
		   const struct addr *addr)
{
	return !c->closing && !c->standby &&
	       (name == NULL || strcmp(c->name, name) == 0) &&
	       (addr == NULL || addr_equal(&c->options.addr, addr));
}

void ctrl_free(struct nvmei_ctrl *c)
{
	struct nvmei_way *w, *next;

	c->closing = true;
	list_for_each_safe (w, next, &c->ways, link)
		way_remove(w);
	if (c->life != NULL)
		life_fail(c->life, -ECANCELED);
	reactor_timer_cancel(&c->retry);
	while (c->fences > 0)
		waitq_wait(&c->host->changed, NSEC_NEVER);
	assert(c->life == NULL);
	list_del(&c->link);
	if (c->lost != NULL)
		life_put(c->lost);
	waitq_wake_all(&c->host->changed);
	ctrl_wipe_keys(c);
	free(c);
}

struct nvmei_ctrl *ctrl_first(const struct nvmei *h, const char *name,
			      const struct addr *addr)
{
	struct nvmei_ctrl *c;

	list_for_each (c, &h->ctrls, link)
		if (ctrl_is_meant(c, name, addr))
			return c;
	return NULL;
}

struct goner {
	struct nvmei *host;
	struct nvmei_ctrl *ctrl;
};

static void goner_task(void *arg)
{
	struct goner *g = arg;
	struct nvmei *h = g->host;

	ctrl_free(g->ctrl);
	free(g);
	h->tasks--;
	waitq_wake_all(&h->changed);
}

void ctrl_give_up(struct nvmei_ctrl *c)
{
	struct goner *g;

	if (c->closing)
		return;
	log_warn("nvme %s: given up", c->label);
	g = malloc(sizeof(*g));
	if (g == NULL)
		return;
	*g = (struct goner){ c->host, c };
	if (task_spawn("nvmei-goner", goner_task, g) < 0) {
		free(g);
		return; /* it stays, given up */
	}
	c->closing = true;
	c->host->tasks++;
}

/* ------------------------------------------------------------------ attach */

/* As SPDK has it: a loss timeout needs a delay within it, and a fast failure
 * lies between the two. */
static bool timeouts_agree(int loss, int delay, int fast)
{
	if (loss < -1 || delay < 0 || fast < 0)
		return false;
	if (loss == 0)
		return delay == 0 && fast == 0;
	if (delay == 0 || (fast != 0 && fast < delay))
		return false;
	return loss == -1 || (delay <= loss && fast <= loss);
}

int nvmei_check_timeouts(int loss, int delay, int fast, char text[256])
{
	if (timeouts_agree(loss, delay, fast))
		return 0;
	return refuse_with(text, -EINVAL,
			   "ctrlr_loss_timeout_sec (-1: never) needs a "
			   "reconnect_delay_sec up to it, and "
			   "fast_io_fail_timeout_sec lies between them");
}

/* Of a name that was attached so, one address is connected at a time. */
static bool has_one_path(const struct nvmei_attach *a)
{
	return a->multipath != NVMEI_MULTIPATH;
}

static bool same_policy(const struct nvmei_attach *a,
			const struct nvmei_attach *first)
{
	return (a->policy == NULL || strcmp(a->policy, first->policy) == 0) &&
	       (a->rr_min_io == 0 || a->rr_min_io == first->rr_min_io);
}

/* Beside one that is attached under that name; in SPDK's words, which programs
 * compare. */
static int check_with(const struct nvmei_ctrl *c, const struct nvmei_attach *a,
		      char *text)
{
	if (a->multipath == NVMEI_MULTIPATH_DISABLE)
		return refuse_with(text, -EALREADY,
				   "A controller named %s already exists and "
				   "multipath is disabled",
				   a->name);
	if (addr_equal(&c->options.addr, &a->addr) || standby_has(c, &a->addr))
		return refuse_with(text, -EALREADY,
				   "A controller named %s already exists with "
				   "the specified network path",
				   a->name);
	if (strcmp(c->subnqn, a->subnqn) != 0 && !a->replica)
		return refuse_with(text, -EINVAL,
				   "A controller named %s already exists, but "
				   "uses a different subnqn (%.120s)",
				   a->name, c->subnqn);
	if (has_one_path(a) != has_one_path(&c->options))
		return refuse_with(text, -EINVAL,
				   "%s was attached for %s: all addresses of a "
				   "name are for the same",
				   a->name,
				   has_one_path(a) ? "multipath" : "failover");
	if (!same_policy(a, &c->options))
		return refuse_with(text, -EINVAL,
				   "%s was attached with policy %s: all "
				   "addresses of a name have the same",
				   a->name, c->options.policy);
	return 0;
}

static int check(const struct nvmei *h, const struct nvmei_attach *a,
		 char *text)
{
	const struct nvmei_ctrl *c;
	size_t nqn = strlen(a->subnqn), name = strlen(a->name);
	int rc;

	if (name == 0 || name > NVMEI_NAME_MAX)
		return refuse_with(text, -EINVAL, "the name has 1 to %d bytes",
				   NVMEI_NAME_MAX);
	if (nqn == 0 || nqn > 223)
		return refuse_with(text, -EINVAL, "an NQN has 1 to 223 bytes");
	rc = nvmei_check_timeouts(a->ctrlr_loss_timeout_sec,
				  a->reconnect_delay_sec,
				  a->fast_io_fail_timeout_sec, text);
	if (rc < 0)
		return rc;
	list_for_each (c, &h->ctrls, link) {
		if (!ctrl_is_meant(c, a->name, NULL))
			continue;
		rc = check_with(c, a, text);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static void inherit(struct nvmei_attach *a, const struct nvmei_options *o)
{
	if (a->dhchap_hashes == 0)
		a->dhchap_hashes = o->dhchap_hashes;
	if (a->dhchap_groups == 0)
		a->dhchap_groups = o->dhchap_groups;
	if (a->policy == NULL)
		a->policy = o->policy;
	if (a->rr_min_io == 0)
		a->rr_min_io = o->rr_min_io;
	if (a->ctrlr_loss_timeout_sec != 0 || a->reconnect_delay_sec != 0 ||
	    a->fast_io_fail_timeout_sec != 0)
		return;
	a->ctrlr_loss_timeout_sec = o->ctrlr_loss_timeout_sec;
	a->reconnect_delay_sec = o->reconnect_delay_sec;
	a->fast_io_fail_timeout_sec = o->fast_io_fail_timeout_sec;
}

struct nvmei_ctrl *ctrl_create(struct nvmei *h, const struct nvmei_attach *a)
{
	struct nvmei_ctrl *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->host = h;
	c->options = *a;
	inherit(&c->options, &h->options);
	strcpy(c->name, a->name);
	strcpy(c->subnqn, a->subnqn);
	c->options.name = c->name;
	c->options.subnqn = c->subnqn;
	addr_format(&a->addr, c->label);
	list_init(&c->ways);
	timer_init(&c->retry, ctrl_retry);
	list_append(&h->ctrls, &c->link);
	return c;
}

static int await_up(struct nvmei_ctrl *c)
{
	nsec deadline = reactor_now() + ATTACH_TIMEOUT;
	struct nvmei_life *l = c->life;

	life_get(l);
	while (!l->dead && !l->up && !c->host->hurried &&
	       reactor_now() < deadline)
		waitq_wait(&c->host->changed, deadline);
	if (!l->dead && !l->up)
		life_fail(l, c->host->hurried ? -ECANCELED : -ETIMEDOUT);
	life_put(l);
	return c->error;
}

int ctrl_start(struct nvmei_ctrl *c, const struct nvmei_attach *a, char *text)
{
	int rc = ctrl_take_keys(c, a);

	if (rc < 0) {
		ctrl_free(c);
		return refuse_with(text, rc, "a key that is none");
	}
	c->attaching = true;
	rc = ctrl_connect(c);
	if (rc == 0)
		rc = await_up(c);
	c->attaching = false;
	if (rc == 0)
		return 0;
	refuse_with(text, rc, "%s: no connection: %s", c->label,
		    c->why != NULL ? c->why : strerror(-rc));
	ctrl_free(c);
	return rc;
}

void nvmei_hurry(struct nvmei *h)
{
	h->hurried = true;
	waitq_wake_all(&h->changed);
}

int nvmei_attach(struct nvmei *h, const struct nvmei_attach *a, char text[256])
{
	struct nvmei_ctrl *c;
	int rc = h->hurried ? -ECANCELED : 0;

	if (rc == 0 && discovery_give(h, a))
		return 0;
	if (rc == 0)
		rc = check(h, a, text);
	if (rc < 0)
		return rc;
	if (has_one_path(a) && ctrl_first(h, a->name, NULL) != NULL)
		return standby_attach(h, a, text);
	c = ctrl_create(h, a);
	return c != NULL ? ctrl_start(c, a, text) : -ENOMEM;
}

/* ------------------------------------------------------------------ detach */

/* A volume with requests would lose all its ways. */
static bool is_needed(const struct nvmei_volume *v, const char *name,
		      const struct addr *addr)
{
	const struct nvmei_way *w;

	if (list_empty(&v->requests) || strcmp(v->base, name) != 0)
		return false;
	list_for_each (w, &v->ways, in_volume)
		if (!ctrl_is_meant(w->ctrl, name, addr))
			return false;
	return true;
}

int nvmei_detach(struct nvmei *h, const char *name, const struct addr *addr)
{
	const struct nvmei_volume *v;
	struct nvmei_ctrl *c;
	int rc = -ENOENT;

	list_for_each (c, &h->ctrls, link)
		if (ctrl_is_meant(c, name, addr) && c->attaching)
			return -EBUSY;
	list_for_each (c, &h->ctrls, link)
		if (addr != NULL && ctrl_is_meant(c, name, NULL) &&
		    standby_forget(c, addr))
			return 0;
	list_for_each (v, &h->volumes, link)
		if (is_needed(v, name, addr))
			return -EBUSY;
	while ((c = ctrl_first(h, name, addr))) {
		ctrl_free(c);
		rc = 0;
	}
	return rc;
}
