/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A subsystem's listeners: the ways to it, each with the ANA state of every
 * group (NVMe Base 2.3, 8.1.1).
 */
#include <errno.h>

#include "nvme/target/internal.h"

enum nvmet_ana nvmet_ana_of(const struct nvmet_ctrl *ctrl,
			    const struct nvmet_ns *ns)
{
	uint32_t group =
		atomic_load_explicit(&ns->anagrpid, memory_order_relaxed);

	return atomic_load_explicit(&ctrl->way->ana[group],
				    memory_order_relaxed);
}

static struct nvmet_way *find(const struct nvmet_subsystem *s,
			      const struct addr *addr)
{
	struct nvmet_way *way;

	list_for_each (way, &s->listeners, link)
		if (addr_equal(&way->port->addr, addr))
			return way;
	return NULL;
}

static bool is_state(unsigned state)
{
	return (state >= NVMET_ANA_OPTIMIZED &&
		state <= NVMET_ANA_PERSISTENT_LOSS) ||
	       state == NVMET_ANA_CHANGE;
}

/* --------------------------------------------------------------------- add */

static int check(struct nvmet_subsystem *s, const struct nvmet_listener *l,
		 char *text)
{
	char name[ADDR_TEXT_MAX];

	if (!s->t->has_transport)
		return nvmet_say(text, -ENXIO, "there is no transport yet");
	if (l->addr.sa.sa_family == AF_UNIX)
		return nvmet_say(text, -EINVAL, "not an IP address");
	if (l->ana != 0 && !is_state(l->ana))
		return nvmet_say(text, -EINVAL, "ANA state %d", l->ana);
	if (l->ana > NVMET_ANA_OPTIMIZED && !s->ana_reporting)
		return nvmet_say(text, -EINVAL, "%s does not report ANA",
				 s->nqn);
	if (find(s, &l->addr) != NULL)
		return nvmet_say(text, -EEXIST, "%s is at %s already", s->nqn,
				 addr_format(&l->addr, name));
	if (s->nlisteners >= NVMET_LISTENERS_MAX)
		return nvmet_say(text, -ENOSPC, "%s has %u listeners", s->nqn,
				 s->nlisteners);
	return 0;
}

int nvmet_listener_add(struct nvmet_subsystem *s, struct nvmet_listener *l,
		       char text[256])
{
	char name[ADDR_TEXT_MAX];
	struct nvmet_way *way;
	int rc = check(s, l, text);

	if (rc < 0)
		return rc;
	way = calloc(1, sizeof(*way));
	if (way == NULL)
		return nvmet_say(text, -ENOMEM, "out of memory");
	rc = nvmet_port_get(s->t, &l->addr, &way->port);
	if (rc < 0) {
		free(way);
		return nvmet_say(text, rc, "%s: %s",
				 addr_format(&l->addr, name), strerror(-rc));
	}
	l->addr = way->port->addr;
	way->s = s;
	way->secure_channel = l->secure_channel;
	for (size_t i = 0; i < ARRAY_SIZE(way->ana); i++)
		atomic_init(&way->ana[i],
			    l->ana != 0 ? l->ana : NVMET_ANA_OPTIMIZED);
	pthread_mutex_lock(&s->t->lock);
	list_append(&s->listeners, &way->link);
	s->nlisteners++;
	nvmet_event_discovery_changed_locked(s->t);
	pthread_mutex_unlock(&s->t->lock);
	return 0;
}

/* ------------------------------------------------------------------ remove */

static bool by_way(const struct nvmet_ctrl *ctrl, const void *way)
{
	return ctrl->way == way;
}

int nvmet_listener_remove(struct nvmet_subsystem *s, const struct addr *addr)
{
	struct nvmet_way *way = find(s, addr);

	if (way == NULL)
		return -ENOENT;
	pthread_mutex_lock(&s->t->lock);
	list_del(&way->link); /* no more controllers */
	s->nlisteners--;
	nvmet_event_discovery_changed_locked(s->t);
	pthread_mutex_unlock(&s->t->lock);
	nvmet_ctrls_end(s, by_way, way);
	nvmet_port_put(way->port);
	free(way);
	return 0;
}

/* -------------------------------------------------------------------- rest */

bool nvmet_listener_get(const struct nvmet_subsystem *s, size_t i,
			struct nvmet_listener *out)
{
	const struct nvmet_way *way;

	list_for_each (way, &s->listeners, link) {
		if (i-- > 0)
			continue;
		*out = (struct nvmet_listener){
			.addr = way->port->addr,
			.secure_channel = way->secure_channel,
			.ana = atomic_load(&way->ana[1]),
		};
		return true;
	}
	return false;
}

static void set_locked(struct nvmet_way *way, uint32_t group, uint8_t state,
		       uint64_t chgcnt)
{
	if (atomic_load(&way->ana[group]) == state)
		return;
	atomic_store(&way->ana[group], state);
	way->ana_chgcnt[group] = chgcnt;
}

int nvmet_listener_set_ana(struct nvmet_subsystem *s, const struct addr *addr,
			   uint32_t anagrpid, enum nvmet_ana state,
			   char text[256])
{
	struct nvmet_way *way = find(s, addr);
	char name[ADDR_TEXT_MAX];
	uint64_t chgcnt;

	if (way == NULL)
		return nvmet_say(text, -ENOENT, "%s has no listener at %s",
				 s->nqn, addr_format(addr, name));
	if (!s->ana_reporting)
		return nvmet_say(text, -EINVAL, "%s does not report ANA",
				 s->nqn);
	if (anagrpid > NVMET_ANA_GROUP_MAX)
		return nvmet_say(text, -EINVAL,
				 "ANA group %u; 1 to %u are allowed", anagrpid,
				 NVMET_ANA_GROUP_MAX);
	if (!is_state(state))
		return nvmet_say(text, -EINVAL, "ANA state %d", state);
	pthread_mutex_lock(&s->t->lock);
	chgcnt = atomic_fetch_add(&s->ana_chgcnt, 1) + 1;
	if (anagrpid != 0)
		set_locked(way, anagrpid, state, chgcnt);
	for (uint32_t g = 1; anagrpid == 0 && g <= NVMET_ANA_GROUP_MAX; g++)
		set_locked(way, g, state, chgcnt);
	nvmet_event_ana_changed_locked(way);
	pthread_mutex_unlock(&s->t->lock);
	return 0;
}

enum nvmet_ana nvmet_listener_get_ana(const struct nvmet_subsystem *s,
				      const struct addr *addr,
				      uint32_t anagrpid)
{
	struct nvmet_way *way = find(s, addr);

	if (way == NULL || anagrpid > NVMET_ANA_GROUP_MAX)
		return NVMET_ANA_INACCESSIBLE;
	return atomic_load(&way->ana[anagrpid]);
}
