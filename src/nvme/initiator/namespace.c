/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces: what a controller shows becomes ways, and ways to the same
 * namespace a volume.  The same is what has the same UUID, or else NGUID, or
 * else EUI-64 (Base 4.7.1); where a controller gives none of them, what has the
 * same number in the same subsystem.
 */
#include "nvme/initiator/internal.h"

enum { LIST_MAX = NVME_IDENTIFY_SIZE / 4 };

static const uint8_t zero[16];

/* 1: the same; 0: not; -1: this kind of name says nothing. */
static int compare(const uint8_t *a, const uint8_t *b, size_t len)
{
	if (memcmp(a, zero, len) == 0 || memcmp(b, zero, len) == 0)
		return -1;
	return memcmp(a, b, len) == 0;
}

/* 1: the same; 0: not; -1: their names say nothing. */
static int compare_names(const struct nvmei_volume_info *a,
			 const struct nvmei_volume_info *b)
{
	int same = compare(a->uuid, b->uuid, 16);

	if (same < 0)
		same = compare(a->nguid, b->nguid, 16);
	return same < 0 ? compare(a->eui64, b->eui64, 8) : same;
}

static bool is_same(const struct nvmei_volume_info *a,
		    const struct nvmei_volume_info *b)
{
	int same = compare_names(a, b);

	return same < 0 ? a->nsid == b->nsid : same;
}

/* In another subsystem it may have another number; but it has a name. */
static bool is_replica(const struct nvmei_volume_info *a,
		       const struct nvmei_volume_info *b)
{
	return compare_names(a, b) == 1 && a->blocks == b->blocks &&
	       a->block_size == b->block_size;
}

static bool belongs(const struct nvmei_ctrl *c, const struct nvmei_volume *v,
		    const struct nvmei_volume_info *info)
{
	if (strcmp(v->subnqn, c->subnqn) != 0)
		return is_replica(&v->info, info);
	return v->info.nsid == info->nsid && is_same(&v->info, info);
}

/* Of the volumes attached under the controller's name. */
static struct nvmei_volume *find_volume(const struct nvmei_ctrl *c,
					const struct nvmei_volume_info *info)
{
	struct nvmei_volume *v;

	list_for_each (v, &c->host->volumes, link)
		if (strcmp(v->base, c->name) == 0 && belongs(c, v, info))
			return v;
	return NULL;
}

/* Volumes are named after the first subsystem's: of others there is only what
 * that one has, too. */
static bool is_foreign(const struct nvmei_ctrl *c,
		       const struct nvmei_volume_info *info)
{
	const struct nvmei_volume *v;
	bool others = false;

	list_for_each (v, &c->host->volumes, link)
		others |= strcmp(v->base, c->name) == 0 &&
			  strcmp(v->subnqn, c->subnqn) != 0;
	return others && find_volume(c, info) == NULL;
}

static struct nvmei_way *find_way(const struct nvmei_ctrl *c, uint32_t nsid)
{
	struct nvmei_way *w;

	list_for_each (w, &c->ways, link)
		if (w->nsid == nsid)
			return w;
	return NULL;
}

/* ---------------------------------------------------------------- identify */

static void take_names(const uint8_t *page, struct nvmei_volume_info *out)
{
	const struct nvme_ns_descriptor *d;
	size_t at = 0;

	while (at + sizeof(*d) <= NVME_IDENTIFY_SIZE) {
		d = (const void *)(page + at);
		at += sizeof(*d) + d->nidl;
		if (d->nidl == 0 || at > NVME_IDENTIFY_SIZE)
			return;
		if (d->nidt == NVME_NIDT_UUID && d->nidl == 16)
			memcpy(out->uuid, d->nid, 16);
		if (d->nidt == NVME_NIDT_NGUID && d->nidl == 16)
			memcpy(out->nguid, d->nid, 16);
		if (d->nidt == NVME_NIDT_EUI64 && d->nidl == 8)
			memcpy(out->eui64, d->nid, 8);
	}
}

static int take_namespace(const struct nvme_id_ns *id,
			  struct nvmei_volume_info *out, uint32_t *anagrpid)
{
	const struct nvme_lbaf *f = &id->lbaf[id->flbas & 0xf];

	if (f->lbads < 9 || f->lbads > 16 || f->ms != 0)
		return -EOPNOTSUPP;
	out->blocks = id->nsze;
	out->block_size = 1U << f->lbads;
	memcpy(out->nguid, id->nguid, 16);
	memcpy(out->eui64, id->eui64, 8);
	*anagrpid = id->anagrpid;
	return 0;
}

/* `page` has NVME_IDENTIFY_SIZE bytes. */
static int identify(struct nvmei_life *l, uint32_t nsid, void *page,
		    struct nvmei_volume_info *out, uint32_t *anagrpid)
{
	int rc = admin_identify(l, NVME_CNS_NAMESPACE, nsid, page);

	*out = (struct nvmei_volume_info){ .nsid = nsid,
					   .max_transfer = l->max_transfer };
	if (rc == 0)
		rc = take_namespace(page, out, anagrpid);
	if (rc != 0)
		return rc;
	rc = admin_identify(l, NVME_CNS_DESCRIPTORS, nsid, page);
	if (rc == 0)
		take_names(page, out);
	return rc < 0 ? rc : 0; /* before NVMe 1.3 there are none */
}

/* --------------------------------------------------------------------- ways */

/* Its requests go to other ways.  Where some are in flight, it takes the end of
 * the connection to say that their answers don't count any more. */
void way_remove(struct nvmei_way *w)
{
	struct nvmei_volume *v = w->volume;
	struct path_info info;

	path_get_info(w->path, &info);
	if (info.inflight > 0 && w->ctrl->life != NULL)
		life_end(w->ctrl->life, -ESTALE);
	list_del(&w->link);
	list_del(&w->in_volume);
	w->removed = true;
	path_remove(w->path, reactor_now());
	volume_drain(v); /* FENCE, maybe */
	if (w->fencing == NULL)
		way_free(w);
}

void way_free(struct nvmei_way *w)
{
	nvmei_volume_put(w->volume);
	free(w);
}

static int add_way(struct nvmei_ctrl *c, struct nvmei_volume *v, uint32_t nsid,
		   struct nvmei_way **out)
{
	struct nvmei_way *w = calloc(1, sizeof(*w));
	int rc;

	if (w == NULL)
		return -ENOMEM;
	rc = path_add(v->group, c->label, w, reactor_now(), &w->path);
	if (rc < 0) {
		free(w);
		return rc;
	}
	w->ctrl = c;
	w->volume = nvmei_volume_get(v);
	w->number = v->ways_ever++;
	w->nsid = nsid;
	timer_init(&w->fence_again, fence_again);
	list_append(&c->ways, &w->link);
	list_append(&v->ways, &w->in_volume);
	*out = w;
	return 0;
}

/* With a reference. */
static int find_or_create(struct nvmei_ctrl *c,
			  const struct nvmei_volume_info *info,
			  struct nvmei_volume **out)
{
	struct nvmei_volume *v = find_volume(c, info);

	if (v == NULL)
		return volume_create(c, info, out);
	*out = nvmei_volume_get(v);
	return 0;
}

static int take(struct nvmei_life *l, const struct nvmei_volume_info *info,
		uint32_t anagrpid)
{
	struct nvmei_ctrl *c = l->ctrl;
	struct nvmei_way *w = find_way(c, info->nsid);
	struct nvmei_volume *v;
	int rc;

	if (w != NULL && (!belongs(c, w->volume, info) ||
			  w->volume->info.block_size != info->block_size)) {
		log_warn("nvme %s: namespace %u is another one now", c->label,
			 info->nsid);
		way_remove(w);
		if (l->dead)
			return -ECONNABORTED;
		w = NULL;
	}
	if (w == NULL && is_foreign(c, info)) {
		log_warn("nvme %s: namespace %u of %s is no replica of what is "
			 "attached",
			 c->label, info->nsid, c->subnqn);
		return 0;
	}
	if (w == NULL) {
		rc = find_or_create(c, info, &v);
		if (rc < 0)
			return rc;
		rc = add_way(c, v, info->nsid, &w);
		nvmei_volume_put(v);
		if (rc < 0)
			return rc;
	}
	v = w->volume;
	w->anagrpid = anagrpid;
	w->seen = true;
	v->info.blocks = info->blocks;
	v->info.max_transfer = MIN(v->info.max_transfer, info->max_transfer);
	/* One request may take any way: what all can do. */
	v->oncs = v->ways_ever > 1 && c->options.replica ? v->oncs & l->oncs
							 : l->oncs;
	volume_drain(v); /* CONNECT, if it is new */
	return 0;
}

static int take_all(struct nvmei_life *l, const uint32_t *list, void *page)
{
	struct nvmei_volume_info info;
	uint32_t anagrpid;
	int rc;

	for (unsigned i = 0; i < LIST_MAX && list[i] != 0; i++) {
		rc = identify(l, list[i], page, &info, &anagrpid);
		if (rc == -EOPNOTSUPP || rc > 0) {
			log_warn("nvme %s: namespace %u: can't be used",
				 l->ctrl->label, list[i]);
			continue;
		}
		if (rc == 0)
			rc = take(l, &info, anagrpid);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static void remove_unseen(struct nvmei_life *l)
{
	struct nvmei_way *w, *next;

	list_for_each_safe (w, next, &l->ctrl->ways, link)
		if (!w->seen)
			way_remove(w);
}

int namespaces_read(struct nvmei_life *l)
{
	uint32_t *list = malloc(2 * NVME_IDENTIFY_SIZE);
	struct nvmei_way *w;
	int rc;

	if (list == NULL)
		return -ENOMEM;
	list_for_each (w, &l->ctrl->ways, link)
		w->seen = false;
	rc = admin_identify(l, NVME_CNS_ACTIVE_LIST, 0, list);
	if (rc == 0)
		rc = take_all(l, list, list + LIST_MAX);
	free(list);
	if (rc == 0)
		remove_unseen(l);
	return rc == 0 && l->dead ? -ECONNABORTED : rc;
}

/* ----------------------------------------------------------------- comparing
 */

/* Of the controller in use, the way with the lowest number above that one. */
static struct nvmei_way *way_after(const struct nvmei_life *l, uint32_t nsid)
{
	const struct nvmei_ctrl *used =
		ctrl_first(l->host, l->ctrl->name, NULL);
	struct nvmei_way *w, *best = NULL;

	if (used == NULL)
		return NULL;
	list_for_each (w, &used->ways, link)
		if (w->nsid > nsid && (best == NULL || w->nsid < best->nsid))
			best = w;
	return best;
}

/* Ways come and go while it parks. */
static int compare_one(struct nvmei_life *l, uint32_t nsid, void *page)
{
	struct nvmei_volume_info info;
	struct nvmei_way *w;
	uint32_t anagrpid;
	int rc = identify(l, nsid, page, &info, &anagrpid);

	if (rc < 0)
		return rc;
	w = way_after(l, nsid - 1);
	if (w == NULL || w->nsid != nsid)
		return 0;
	if (rc == 0 && belongs(l->ctrl, w->volume, &info))
		return 0;
	life_reason(l, "it doesn't show what the address in use shows");
	return -EINVAL;
}

int namespaces_compare(struct nvmei_life *l)
{
	void *page = malloc(NVME_IDENTIFY_SIZE);
	const struct nvmei_way *w;
	uint32_t nsid = 0;
	int rc = 0;

	if (page == NULL)
		return -ENOMEM;
	while (rc == 0 && (w = way_after(l, nsid))) {
		nsid = w->nsid;
		rc = compare_one(l, nsid, page);
	}
	free(page);
	return rc;
}
