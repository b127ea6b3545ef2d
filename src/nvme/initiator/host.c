/* SPDX-License-Identifier: Apache-2.0 */
/* The host, its tasks, and what is found by name. */
#include "nvme/initiator/internal.h"

/* ------------------------------------------------------------------- tasks */

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

/* ---------------------------------------------------------------- the host */

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
	if (h->options.timeout_ms == 0)
		h->options.timeout_ms = 60000;
	if (h->options.queue_size == 0)
		h->options.queue_size = 128;
	if (h->options.retry_count == 0)
		h->options.retry_count = 3;
	if (h->options.dhchap_groups == 0)
		h->options.dhchap_groups = (2u << NVME_AUTH_FFDHE4096) - 1;
	if (h->options.policy == NULL)
		h->options.policy = "active-passive";
	list_init(&h->ctrls);
	list_init(&h->volumes);
	list_init(&h->discoveries);
	waitq_init(&h->changed);
	if (h->options.kato_ms < 1000 || h->options.queue_size < 2 ||
	    h->options.queue_size > 1024) {
		free(h);
		return -EINVAL;
	}
	*out = h;
	return 0;
}

void nvmei_destroy(struct nvmei *h)
{
	struct nvmei_discovery *d;
	struct nvmei_ctrl *c;

	nvmei_hurry(h);
	while ((d = list_first(&h->discoveries, struct nvmei_discovery, link)))
		discovery_end(d);
	while ((c = ctrl_first(h, NULL, NULL)))
		ctrl_free(c);
	while (h->tasks > 0 || !list_empty(&h->ctrls))
		waitq_wait(&h->changed, NSEC_NEVER);
	assert(list_empty(&h->volumes));
	free(h);
}

/* ----------------------------------------------------------------- reports */

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
	out->rr_min_io = path_group_rr_min_io(v->group);
	out->can_zero = v->oncs & NVME_ONCS_WRITE_ZEROES;
	out->can_deallocate = v->oncs & NVME_ONCS_DSM;
}

int nvmei_set_policy(struct nvmei_volume *v, const char *policy,
		     unsigned rr_min_io)
{
	int rc = path_group_set_policy(v->group, policy);

	if (rc == 0 && rr_min_io > 0)
		rc = path_group_set_rr_min_io(v->group, rr_min_io);
	volume_drain(v);
	return rc;
}

int nvmei_set_preferred(struct nvmei_volume *v, uint16_t cntlid)
{
	struct nvmei_way *w;

	list_for_each (w, &v->ways, in_volume) {
		if (w->ctrl->info.cntlid != cntlid)
			continue;
		path_group_favour(v->group, w->path);
		return 0;
	}
	return -ENXIO;
}

bool nvmei_controller_get(const struct nvmei *h, unsigned i,
			  struct nvmei_controller_info *out)
{
	const struct nvmei_ctrl *c;

	list_for_each (c, &h->ctrls, link) {
		if (c->discovery != NULL || c->standby || i-- > 0)
			continue;
		*out = c->info;
		out->name = c->name;
		out->subnqn = c->subnqn;
		out->addr = c->options.addr;
		out->n_standbys = c->n_standbys;
		for (unsigned n = 0; n < c->n_standbys; n++)
			out->standbys[n] = c->standbys[n].addr;
		out->disabled = c->disabled;
		out->connected = c->life != NULL && c->life->up;
		out->connecting = c->life != NULL && !c->life->up;
		return true;
	}
	return false;
}

unsigned nvmei_get_paths(const struct nvmei_volume *v,
			 struct nvmei_path_info *out, unsigned n)
{
	const struct nvmei_way *w;
	unsigned count = 0;

	list_for_each (w, &v->ways, in_volume) {
		if (count < n) {
			out[count] = (struct nvmei_path_info){
				.way = w->number,
				.addr = w->ctrl->options.addr,
				.subnqn = w->ctrl->subnqn,
				.cntlid = w->ctrl->info.cntlid,
			};
			path_get_info(w->path, &out[count].path);
		}
		count++;
	}
	return count;
}

void nvmei_get_stats(const struct nvmei_volume *v, struct block_stats *out)
{
	*out = v->stats;
}

void nvmei_get_traffic(const struct nvmei *h, struct nvmei_traffic *out)
{
	*out = h->traffic;
}

bool nvmei_get_path_stats(const struct nvmei_volume *v, unsigned i,
			  struct addr *addr, struct block_stats *out)
{
	const struct nvmei_way *w;

	list_for_each (w, &v->ways, in_volume) {
		if (i-- > 0)
			continue;
		*addr = w->ctrl->options.addr;
		*out = w->stats;
		return true;
	}
	return false;
}
