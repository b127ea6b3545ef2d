/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces: block devices under a number.  How they are taken away while I/O
 * runs: internal.h.
 */
#include <errno.h>

#include "base/log.h"
#include "nvme/target/internal.h"

static const uint8_t zeroes[16];

/* ------------------------------------------------------------------- in I/O */

bool nvmet_ns_seen(const struct nvmet_ctrl *ctrl, const struct nvmet_ns *ns)
{
	uint64_t word = atomic_load_explicit(&ctrl->visible[ns->nsid / 64],
					     memory_order_relaxed);

	return !ns->no_auto_visible || word >> ns->nsid % 64 & 1;
}

/* A namespace that is for some hosts, or the list of them, is new. */
static void show_locked(struct nvmet_ctrl *ctrl, struct nvmet_ns *ns)
{
	_Atomic uint64_t *word = &ctrl->visible[ns->nsid / 64];
	uint64_t bit = 1ull << ns->nsid % 64;

	if (nvmet_find_host_locked(&ns->hosts, ctrl->host_nqn) != NULL)
		atomic_fetch_or(word, bit);
	else
		atomic_fetch_and(word, ~bit);
}

static void show_to_all_locked(struct nvmet_ns *ns)
{
	struct nvmet_ctrl *ctrl;

	list_for_each (ctrl, &ns->s->ctrls, link)
		show_locked(ctrl, ns);
}

void nvmet_ns_show_all_locked(struct nvmet_ctrl *ctrl)
{
	struct nvmet_subsystem *s = ctrl->s;
	struct nvmet_ns *ns;

	for (uint32_t nsid = 1; nsid <= s->max_namespaces; nsid++) {
		ns = atomic_load(&s->ns[nsid]);
		if (ns != NULL)
			show_locked(ctrl, ns);
	}
}

struct nvmet_ns *nvmet_ns_of(const struct nvmet_ctrl *ctrl, uint32_t nsid)
{
	struct nvmet_subsystem *s = ctrl->s;
	struct nvmet_ns *ns;

	if (nsid == 0 || nsid > s->max_namespaces)
		return NULL;
	ns = atomic_load_explicit(&s->ns[nsid], memory_order_acquire);
	return ns != NULL && likely(nvmet_ns_seen(ctrl, ns)) ? ns : NULL;
}

void nvmet_ns_hold(struct nvmet_ns *ns, const struct nvmet_cpu *cpu)
{
	ns->users[cpu->index].n++;
}

void nvmet_ns_drop(struct nvmet_ns *ns, const struct nvmet_cpu *cpu)
{
	struct nvmet_ns_users *u = &ns->users[cpu->index];

	/* In a later turn: the device is still in the middle of something. */
	if (--u->n == 0 && unlikely(u->waiter != NULL))
		reactor_post(cpu->reactor, u->waiter);
}

/* ------------------------------------------------------------------ device */

static void resized(struct block_user *u)
{
	struct nvmet_ns *ns = container_of(u, struct nvmet_ns, user);
	struct nvmet *t = ns->s->t;

	pthread_mutex_lock(&t->lock);
	nvmet_event_ns_changed_locked(ns->s, ns->nsid);
	pthread_mutex_unlock(&t->lock);
}

static void removed(struct block_user *u)
{
	struct nvmet_ns *ns = container_of(u, struct nvmet_ns, user);

	log_info("nvme %s: namespace %u goes with its device", ns->s->nqn,
		 ns->nsid);
	nvmet_namespace_remove(ns->s, ns->nsid);
}

/* --------------------------------------------------------------------- add */

static uint32_t free_nsid(const struct nvmet_subsystem *s)
{
	for (uint32_t nsid = 1; nsid <= s->max_namespaces; nsid++)
		if (atomic_load(&s->ns[nsid]) == NULL)
			return nsid;
	return 0;
}

/* An NGUID that is the same on every path and after each restart: the UUID, as
 * it identifies the same thing. */
static void set_names(struct nvmet_ns *ns, const struct nvmet_namespace *spec)
{
	bool own_uuid = memcmp(spec->uuid, zeroes, 16) != 0;

	memcpy(ns->uuid, own_uuid ? spec->uuid : block_uuid(ns->device), 16);
	if (memcmp(spec->nguid, zeroes, 16) != 0)
		memcpy(ns->nguid, spec->nguid, 16);
	else
		memcpy(ns->nguid, block_uuid(ns->device), 16);
	ns->has_eui64 = memcmp(spec->eui64, zeroes, 8) != 0;
	memcpy(ns->eui64, spec->eui64, 8);
}

static int check_spec(struct nvmet_subsystem *s,
		      const struct nvmet_namespace *spec, uint32_t nsid,
		      char *text)
{
	if (nsid == 0)
		return nvmet_say(text, -ENOSPC,
				 "%s has the %u namespaces that it may", s->nqn,
				 s->max_namespaces);
	if (nsid > s->max_namespaces)
		return nvmet_say(text, -EINVAL,
				 "namespace %u; %s may have 1 to %u", nsid,
				 s->nqn, s->max_namespaces);
	if (atomic_load(&s->ns[nsid]) != NULL)
		return nvmet_say(text, -EEXIST, "namespace %u of %s exists",
				 nsid, s->nqn);
	if (spec->anagrpid > NVMET_ANA_GROUP_MAX)
		return nvmet_say(text, -EINVAL,
				 "ANA group %u; 1 to %u are allowed",
				 spec->anagrpid, NVMET_ANA_GROUP_MAX);
	return 0;
}

static struct nvmet_ns *alloc_ns(struct nvmet_subsystem *s, uint32_t nsid)
{
	size_t size = sizeof(struct nvmet_ns) +
		      s->t->ncpus * sizeof(struct nvmet_ns_users);
	struct nvmet_ns *ns = aligned_alloc(64, round_up(size, 64));

	if (ns == NULL)
		return NULL;
	memset(ns, 0, size);
	ns->s = s;
	ns->nsid = nsid;
	ns->user.name = s->nqn;
	ns->user.resized = resized;
	ns->user.removed = removed;
	list_init(&ns->hosts);
	return ns;
}

int64_t nvmet_namespace_add(struct nvmet_subsystem *s,
			    const struct nvmet_namespace *spec, char text[256])
{
	uint32_t nsid = spec->nsid != 0 ? spec->nsid : free_nsid(s);
	int rc = check_spec(s, spec, nsid, text);
	struct nvmet_ns *ns;

	if (rc < 0)
		return rc;
	ns = alloc_ns(s, nsid);
	if (ns == NULL)
		return nvmet_say(text, -ENOMEM, "out of memory");
	rc = block_open(s->t->blocks, spec->device, true, &ns->user);
	if (rc < 0) {
		free(ns);
		return nvmet_say(text, rc, "device %s: %s", spec->device,
				 strerror(-rc));
	}
	ns->device = ns->user.device;
	ns->shift = __builtin_ctz(block_size(ns->device));
	ns->no_auto_visible = spec->no_auto_visible;
	atomic_init(&ns->anagrpid, spec->anagrpid != 0 ? spec->anagrpid : nsid);
	set_names(ns, spec);
	pthread_mutex_lock(&s->t->lock);
	show_to_all_locked(ns);
	atomic_store_explicit(&s->ns[nsid], ns, memory_order_release);
	nvmet_event_ns_changed_locked(s, nsid);
	pthread_mutex_unlock(&s->t->lock);
	return nsid;
}

/* ------------------------------------------------------------------ remove */

struct drain {
	struct message message;
	struct nvmet_ns *ns;
	int cpu;
	struct completion done;
};

/* Nobody begins to use it any more: once posted for the last user, n stays 0.
 */
static void drain(struct message *m)
{
	struct drain *d = container_of(m, struct drain, message);
	struct nvmet_ns_users *u = &d->ns->users[d->cpu];

	if (u->n > 0) {
		u->waiter = m;
		return;
	}
	u->waiter = NULL;
	completion_done(&d->done, 0);
}

/* What is delivered to each reactor is the barrier, too. */
static void wait_unused(struct nvmet_ns *ns)
{
	struct nvmet *t = ns->s->t;
	struct drain d = { .message.deliver = drain, .ns = ns };

	for (d.cpu = 0; d.cpu < t->ncpus; d.cpu++) {
		completion_init(&d.done);
		reactor_post(t->cpus[d.cpu].reactor, &d.message);
		completion_wait(&d.done);
	}
}

int nvmet_namespace_remove(struct nvmet_subsystem *s, uint32_t nsid)
{
	struct nvmet_ns *ns = NULL;

	pthread_mutex_lock(&s->t->lock);
	if (nsid > 0 && nsid <= s->max_namespaces)
		ns = atomic_exchange(&s->ns[nsid], NULL);
	if (ns != NULL)
		nvmet_event_ns_changed_locked(s, nsid);
	pthread_mutex_unlock(&s->t->lock);
	if (ns == NULL)
		return -ENOENT;
	wait_unused(ns);
	nvmet_reservation_forget(ns);
	block_close(&ns->user);
	nvmet_hosts_free(&ns->hosts);
	free(ns);
	return 0;
}

/* -------------------------------------------------------------------- rest */

static struct nvmet_ns *find(const struct nvmet_subsystem *s, uint32_t nsid)
{
	if (nsid == 0 || nsid > s->max_namespaces)
		return NULL;
	return atomic_load(&s->ns[nsid]);
}

bool nvmet_namespace_next(const struct nvmet_subsystem *s, uint32_t after,
			  struct nvmet_namespace *out)
{
	struct nvmet_ns *ns = NULL;
	uint32_t nsid = after;

	while (ns == NULL && nsid < s->max_namespaces)
		ns = atomic_load(&s->ns[++nsid]);
	if (ns == NULL)
		return false;
	*out = (struct nvmet_namespace){
		.nsid = nsid,
		.device = block_name(ns->device),
		.anagrpid = atomic_load(&ns->anagrpid),
		.no_auto_visible = ns->no_auto_visible,
	};
	memcpy(out->nguid, ns->nguid, sizeof(out->nguid));
	memcpy(out->eui64, ns->eui64, sizeof(out->eui64));
	memcpy(out->uuid, ns->uuid, sizeof(out->uuid));
	return true;
}

int nvmet_namespace_set_ana_group(struct nvmet_subsystem *s, uint32_t nsid,
				  uint32_t anagrpid)
{
	struct nvmet_ns *ns = find(s, nsid);
	struct nvmet_way *way;

	if (ns == NULL)
		return -ENOENT;
	if (anagrpid == 0 || anagrpid > NVMET_ANA_GROUP_MAX)
		return -EINVAL;
	pthread_mutex_lock(&s->t->lock);
	atomic_store(&ns->anagrpid, anagrpid);
	list_for_each (way, &s->listeners, link)
		nvmet_event_ana_changed_locked(way);
	nvmet_event_ns_changed_locked(s, nsid);
	pthread_mutex_unlock(&s->t->lock);
	return 0;
}

int nvmet_namespace_add_host(struct nvmet_subsystem *s, uint32_t nsid,
			     const char *host_nqn, char text[256])
{
	struct nvmet_ns *ns = find(s, nsid);
	struct nvmet_host_entry *h;
	int rc = nvmet_check_nqn(host_nqn, text);

	if (rc < 0)
		return rc;
	if (ns == NULL)
		return nvmet_say(text, -ENOENT, "%s has no namespace %u",
				 s->nqn, nsid);
	if (nvmet_find_host_locked(&ns->hosts, host_nqn) != NULL)
		return nvmet_say(text, -EEXIST, "%s sees namespace %u already",
				 host_nqn, nsid);
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return nvmet_say(text, -ENOMEM, "out of memory");
	memcpy(h->nqn, host_nqn, strlen(host_nqn) + 1);
	pthread_mutex_lock(&s->t->lock);
	list_append(&ns->hosts, &h->link);
	show_to_all_locked(ns);
	nvmet_event_ns_changed_locked(s, nsid);
	pthread_mutex_unlock(&s->t->lock);
	return 0;
}

int nvmet_namespace_remove_host(struct nvmet_subsystem *s, uint32_t nsid,
				const char *host_nqn)
{
	struct nvmet_ns *ns = find(s, nsid);
	struct nvmet_host_entry *h = NULL;

	if (ns == NULL)
		return -ENOENT;
	pthread_mutex_lock(&s->t->lock);
	h = nvmet_find_host_locked(&ns->hosts, host_nqn);
	if (h != NULL) {
		list_del(&h->link);
		show_to_all_locked(ns);
		nvmet_event_ns_changed_locked(s, nsid);
	}
	pthread_mutex_unlock(&s->t->lock);
	free(h);
	return h != NULL ? 0 : -ENOENT;
}
