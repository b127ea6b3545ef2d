/* SPDX-License-Identifier: Apache-2.0 */
/* The host: what is attached to it, and what is found by name. */
#include "nvme/initiator/internal.h"

#include <stdarg.h>

#define ATTACH_TIMEOUT SEC(10)

__attribute__((format(printf, 3, 4))) static int refuse(char *text, int error,
							const char *format, ...)
{
	va_list args;

	if (text == NULL)
		return error;
	va_start(args, format);
	vsnprintf(text, 256, format, args);
	va_end(args);
	return error;
}

/* -------------------------------------------------------------------- tasks */

int life_spawn(struct nvmei_life *l, const char *name, task_fn *fn, void *arg)
{
	int rc = task_spawn(name, fn, arg);

	if (rc < 0)
		return rc;
	life_get(l);
	l->host->tasks++;
	return 0;
}

void life_task_ended(struct nvmei_life *l)
{
	struct nvmei *h = l->host;

	life_put(l);
	h->tasks--;
	waitq_wake_all(&h->changed);
}

/* ----------------------------------------------------------------- the host */

int nvmei_create(const struct nvmei_options *options, struct nvmei **out)
{
	static const uint8_t zero[16];
	struct nvmei *h;
	size_t len = options->nqn != NULL ? strlen(options->nqn) : 0;

	if (len == 0 || len > 223 || memcmp(options->id, zero, 16) == 0)
		return -EINVAL;
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return -ENOMEM;
	h->options = *options;
	strcpy(h->nqn, options->nqn);
	h->options.nqn = h->nqn;
	if (h->options.kato_ms == 0)
		h->options.kato_ms = 10000;
	if (h->options.queue_size == 0)
		h->options.queue_size = 128;
	if (h->options.retry_count == 0)
		h->options.retry_count = 3;
	list_init(&h->ctrls);
	list_init(&h->volumes);
	waitq_init(&h->changed);
	if (h->options.kato_ms < 1000 || h->options.queue_size < 2 ||
	    h->options.queue_size > 1024) {
		free(h);
		return -EINVAL;
	}
	*out = h;
	return 0;
}

static bool is_meant(const struct nvmei_ctrl *c, const char *name,
		     const struct addr *addr)
{
	return !c->closing && (name == NULL || strcmp(c->name, name) == 0) &&
	       (addr == NULL || addr_equal(&c->options.addr, addr));
}

static void ctrl_free(struct nvmei_ctrl *c)
{
	struct nvmei_way *w, *next;

	c->closing = true;
	if (c->life != NULL)
		life_fail(c->life, -ECANCELED);
	reactor_timer_cancel(&c->retry);
	list_for_each_safe (w, next, &c->ways, link)
		way_remove(w);
	while (c->fences > 0)
		waitq_wait(&c->host->changed, NSEC_NEVER);
	assert(c->life == NULL);
	list_del(&c->link);
	if (c->lost != NULL)
		life_put(c->lost);
	waitq_wake_all(&c->host->changed);
	free(c);
}

/* The first that nobody else is closing. */
static struct nvmei_ctrl *first_ctrl(const struct nvmei *h, const char *name,
				     const struct addr *addr)
{
	struct nvmei_ctrl *c;

	list_for_each (c, &h->ctrls, link)
		if (is_meant(c, name, addr))
			return c;
	return NULL;
}

void nvmei_destroy(struct nvmei *h)
{
	struct nvmei_ctrl *c;

	while ((c = first_ctrl(h, NULL, NULL)))
		ctrl_free(c);
	while (h->tasks > 0 || !list_empty(&h->ctrls))
		waitq_wait(&h->changed, NSEC_NEVER);
	assert(list_empty(&h->volumes));
	free(h);
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

/* ------------------------------------------------------------------- attach */

/* As SPDK has it: a loss timeout needs a delay within it, and a fast failure
 * lies between the two. */
static bool timeouts_agree(const struct nvmei_attach *a)
{
	int loss = a->ctrlr_loss_timeout_sec, delay = a->reconnect_delay_sec;
	int fast = a->fast_io_fail_timeout_sec;

	if (loss < -1 || delay < 0 || fast < 0)
		return false;
	if (loss == 0)
		return delay == 0 && fast == 0;
	if (delay == 0 || (fast != 0 && fast < delay))
		return false;
	return loss == -1 || (delay <= loss && fast <= loss);
}

static int check(const struct nvmei *h, const struct nvmei_attach *a,
		 char *text)
{
	const struct nvmei_ctrl *c;
	size_t nqn = strlen(a->subnqn), name = strlen(a->name);

	if (name == 0 || name > NVMEI_NAME_MAX)
		return refuse(text, -EINVAL, "the name has 1 to %d bytes",
			      NVMEI_NAME_MAX);
	if (nqn == 0 || nqn > 223)
		return refuse(text, -EINVAL, "an NQN has 1 to 223 bytes");
	if (!timeouts_agree(a))
		return refuse(text, -EINVAL,
			      "ctrlr_loss_timeout_sec (-1: never) needs a "
			      "reconnect_delay_sec up to it, and "
			      "fast_io_fail_timeout_sec lies between them");
	list_for_each (c, &h->ctrls, link) {
		if (!is_meant(c, a->name, NULL))
			continue;
		if (strcmp(c->subnqn, a->subnqn) != 0)
			return refuse(text, -EINVAL,
				      "%s is attached to subsystem %s", a->name,
				      c->subnqn);
		if (addr_equal(&c->options.addr, &a->addr))
			return refuse(text, -EALREADY,
				      "%s has that path already", a->name);
		if (a->multipath == NVMEI_MULTIPATH_DISABLE)
			return refuse(text, -EALREADY,
				      "%s exists, and multipath is disabled",
				      a->name);
	}
	return 0;
}

static struct nvmei_ctrl *ctrl_create(struct nvmei *h,
				      const struct nvmei_attach *a)
{
	struct nvmei_ctrl *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->host = h;
	c->options = *a;
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
	while (!l->dead && !l->up && reactor_now() < deadline)
		waitq_wait(&c->host->changed, deadline);
	if (!l->dead && !l->up)
		life_fail(l, -ETIMEDOUT);
	life_put(l);
	return c->error;
}

int nvmei_attach(struct nvmei *h, const struct nvmei_attach *a, char text[256])
{
	struct nvmei_ctrl *c;
	int rc = check(h, a, text);

	if (rc < 0)
		return rc;
	c = ctrl_create(h, a);
	if (c == NULL)
		return -ENOMEM;
	c->attaching = true;
	rc = ctrl_connect(c);
	if (rc == 0)
		rc = await_up(c);
	c->attaching = false;
	if (rc == 0)
		return 0;
	refuse(text, rc, "%s: no connection: %s", c->label, strerror(-rc));
	ctrl_free(c);
	return rc;
}

/* ------------------------------------------------------------------- detach */

/* A volume with requests would lose all its ways. */
static bool is_needed(const struct nvmei_volume *v, const char *name,
		      const struct addr *addr)
{
	const struct nvmei_way *w;

	if (list_empty(&v->requests) || strcmp(v->base, name) != 0)
		return false;
	list_for_each (w, &v->ways, in_volume)
		if (!is_meant(w->ctrl, name, addr))
			return false;
	return true;
}

int nvmei_detach(struct nvmei *h, const char *name, const struct addr *addr)
{
	const struct nvmei_volume *v;
	struct nvmei_ctrl *c;
	int rc = -ENOENT;

	list_for_each (v, &h->volumes, link)
		if (is_needed(v, name, addr))
			return -EBUSY;
	list_for_each (c, &h->ctrls, link)
		if (is_meant(c, name, addr) && c->attaching)
			return -EBUSY;
	while ((c = first_ctrl(h, name, addr))) {
		ctrl_free(c);
		rc = 0;
	}
	return rc;
}

int nvmei_reset(struct nvmei *h, const char *name)
{
	struct nvmei_ctrl *c;
	int rc = -ENOENT;

	list_for_each (c, &h->ctrls, link) {
		if (!is_meant(c, name, NULL))
			continue;
		if (c->life != NULL)
			life_fail(c->life, -ECONNRESET);
		rc = 0;
	}
	return rc;
}

/* ------------------------------------------------------------------ reports */

struct nvmei_volume *nvmei_next(struct nvmei *h,
				const struct nvmei_volume *after)
{
	const struct list *at = after != NULL ? &after->link : &h->volumes;
	struct nvmei_volume *v;

	for (at = at->next; at != &h->volumes; at = at->next) {
		v = list_entry(at, struct nvmei_volume, link);
		if (!list_empty(&v->ways))
			return v;
	}
	return NULL;
}

struct nvmei_volume *nvmei_find(struct nvmei *h, const char *name)
{
	struct nvmei_volume *v = NULL;

	while ((v = nvmei_next(h, v)))
		if (strcmp(v->name, name) == 0)
			return v;
	return NULL;
}

void nvmei_get_info(const struct nvmei_volume *v, struct nvmei_volume_info *out)
{
	*out = v->info;
	out->policy = path_group_policy(v->group);
}

int nvmei_set_policy(struct nvmei_volume *v, const char *policy)
{
	int rc = path_group_set_policy(v->group, policy);

	volume_drain(v);
	return rc;
}

unsigned nvmei_get_paths(const struct nvmei_volume *v,
			 struct nvmei_path_info *out, unsigned n)
{
	const struct nvmei_way *w;
	unsigned count = 0;

	list_for_each (w, &v->ways, in_volume) {
		if (count < n) {
			const struct nvmei_life *l = w->ctrl->life;

			out[count] = (struct nvmei_path_info){
				.addr = w->ctrl->options.addr,
				.cntlid = l != NULL && l->up ? l->cntlid : 0,
			};
			path_get_info(w->path, &out[count].path);
		}
		count++;
	}
	return count;
}
