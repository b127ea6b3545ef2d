/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The target as a whole: its reactors, its transport, its referrals.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "nvme/target/internal.h"

int nvmet_say(char *text, int rc, const char *format, ...)
{
	va_list ap;

	if (text == NULL)
		return rc;
	va_start(ap, format);
	vsnprintf(text, 256, format, ap);
	va_end(ap);
	return rc;
}

/* ---------------------------------------------------------------- reactors */

struct nvmet_cpu *nvmet_cpu_self(struct nvmet *t)
{
	struct reactor *self = reactor_self();

	for (int i = 0; i < t->ncpus; i++)
		if (t->cpus[i].reactor == self)
			return &t->cpus[i];
	return NULL;
}

struct arrival {
	struct message message;
	struct completion done;
};

static void arrive(struct message *m)
{
	completion_done(&container_of(m, struct arrival, message)->done, 0);
}

void nvmet_barrier(struct nvmet *t)
{
	struct arrival a = { .message.deliver = arrive };

	for (int i = 0; i < t->ncpus; i++) {
		if (t->cpus[i].reactor == reactor_self())
			continue;
		completion_init(&a.done);
		reactor_post(t->cpus[i].reactor, &a.message);
		completion_wait(&a.done);
	}
}

static int create_cpus(struct nvmet *t)
{
	int n = t->set != NULL ? reactor_set_count(t->set) : 1;

	t->cpus = aligned_alloc(64, n * sizeof(t->cpus[0]));
	if (t->cpus == NULL)
		return -ENOMEM;
	memset(t->cpus, 0, n * sizeof(t->cpus[0]));
	t->ncpus = n;
	for (int i = 0; i < n; i++) {
		struct nvmet_cpu *cpu = &t->cpus[i];

		cpu->t = t;
		cpu->index = i;
		cpu->reactor = t->set != NULL ? reactor_set_get(t->set, i)
					      : t->control;
		list_init(&cpu->free_cmds);
	}
	return 0;
}

static void destroy_cpus(struct nvmet *t)
{
	struct nvmet_cmd *cmd, *tmp;

	for (int i = 0; i < t->ncpus; i++)
		list_for_each_safe (cmd, tmp, &t->cpus[i].free_cmds, link)
			free(cmd);
	free(t->cpus);
}

/* ---------------------------------------------------------------- lifetime */

int nvmet_create(struct block_registry *blocks, struct reactor_set *reactors,
		 struct nvmet **out)
{
	struct nvmet *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return -ENOMEM;
	t->blocks = blocks;
	t->set = reactors;
	t->control = reactor_self();
	pthread_mutex_init(&t->lock, NULL);
	list_init(&t->subsystems);
	list_init(&t->ports);
	list_init(&t->referrals);
	t->discovery = nvmet_subsystem_alloc(t, NVMET_DISCOVERY_NQN, 0);
	if (t->discovery == NULL || create_cpus(t) < 0) {
		free(t->discovery);
		free(t);
		return -ENOMEM;
	}
	t->discovery->is_discovery = true;
	MAGIC_SET(t, NVMET_MAGIC);
	*out = t;
	return 0;
}

static void free_referrals(struct nvmet *t)
{
	struct nvmet_referral *r, *tmp;

	list_for_each_safe (r, tmp, &t->referrals, link)
		free(r);
}

/* Tasks of the last connections are at their very end. */
static void wait_for_queues(struct nvmet *t)
{
	unsigned n;

	for (;;) {
		pthread_mutex_lock(&t->lock);
		n = t->nqueues;
		pthread_mutex_unlock(&t->lock);
		if (n == 0)
			return;
		task_sleep(MSEC(1));
	}
}

void nvmet_destroy(struct nvmet *t)
{
	struct nvmet_subsystem *s;

	MAGIC_CHECK(t, NVMET_MAGIC);
	while ((s = nvmet_subsystem_next(t, NULL)) != NULL)
		nvmet_subsystem_delete(s);
	wait_for_queues(t);
	nvmet_subsystem_free(t->discovery);
	free_referrals(t);
	destroy_cpus(t);
	pthread_mutex_destroy(&t->lock);
	MAGIC_CLEAR(t);
	free(t);
}

/* --------------------------------------------------------------- transport */

static void fill_defaults(struct nvmet_transport *c)
{
#define DEFAULT(member, value)                                                 \
	if (c->member == 0)                                                    \
	c->member = (value)
	DEFAULT(max_queue_depth, 128);
	DEFAULT(max_io_qpairs_per_ctrlr, 127);
	DEFAULT(in_capsule_data_size, 4096);
	DEFAULT(max_io_size, 131072);
	DEFAULT(io_unit_size, 131072);
	DEFAULT(max_aq_depth, 128);
	DEFAULT(abort_timeout_sec, 1);
	DEFAULT(kas, 100);
	DEFAULT(min_kato, 10000);
	DEFAULT(max_connections, 4096);
#undef DEFAULT
}

static int check_transport(const struct nvmet_transport *c, char *text)
{
	if (c->max_queue_depth < 2 || c->max_queue_depth > 1024)
		return nvmet_say(text, -EINVAL,
				 "max_queue_depth is %u, must be 2 to 1024",
				 c->max_queue_depth);
	if (c->max_aq_depth < NVMET_ADMIN_DEPTH_MIN || c->max_aq_depth > 4096)
		return nvmet_say(text, -EINVAL,
				 "max_aq_depth is %u, must be 32 to 4096",
				 c->max_aq_depth);
	if (c->max_io_size < 8192 || c->max_io_size > BLOCK_TRANSFER_MAX ||
	    (c->max_io_size & (c->max_io_size - 1)) != 0)
		return nvmet_say(text, -EINVAL,
				 "max_io_size is %u, must be a power of two "
				 "from 8192 to %u",
				 c->max_io_size, BLOCK_TRANSFER_MAX);
	if (c->in_capsule_data_size > 65536 ||
	    c->in_capsule_data_size % 16 != 0)
		return nvmet_say(text, -EINVAL,
				 "in_capsule_data_size is %u, must be a "
				 "multiple of 16, up to 65536",
				 c->in_capsule_data_size);
	if (c->max_io_qpairs_per_ctrlr > 65535)
		return nvmet_say(text, -EINVAL,
				 "max_io_qpairs_per_ctrlr is %u, must be 1 to "
				 "65535",
				 c->max_io_qpairs_per_ctrlr);
	if (c->kas > 65535)
		return nvmet_say(text, -EINVAL, "kas is %u, must be 1 to 65535",
				 c->kas);
	return 0;
}

int nvmet_set_transport(struct nvmet *t, const struct nvmet_transport *tr,
			char text[256])
{
	struct nvmet_transport conf = *tr;
	int rc;

	if (t->has_transport)
		return nvmet_say(text, -EEXIST,
				 "Transport type 'tcp' already exists");
	fill_defaults(&conf);
	rc = check_transport(&conf, text);
	if (rc < 0)
		return rc;
	t->conf = conf;
	t->has_transport = true;
	return 0;
}

const struct nvmet_transport *nvmet_get_transport(const struct nvmet *t)
{
	return t->has_transport ? &t->conf : NULL;
}

/* --------------------------------------------------------------- referrals */

static struct nvmet_referral *find_referral(struct nvmet *t,
					    const struct addr *addr,
					    const char *subnqn)
{
	struct nvmet_referral *r;

	list_for_each (r, &t->referrals, link)
		if (addr_equal(&r->addr, addr) &&
		    strcmp(r->subnqn, subnqn) == 0)
			return r;
	return NULL;
}

int nvmet_referral_add(struct nvmet *t, const struct addr *addr,
		       const char *subnqn)
{
	struct nvmet_referral *r;

	if (nvmet_check_nqn(subnqn, NULL) < 0)
		return -EINVAL;
	if (find_referral(t, addr, subnqn) != NULL)
		return -EEXIST;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return -ENOMEM;
	r->addr = *addr;
	memcpy(r->subnqn, subnqn, strlen(subnqn) + 1);
	pthread_mutex_lock(&t->lock);
	list_append(&t->referrals, &r->link);
	nvmet_event_discovery_changed_locked(t);
	pthread_mutex_unlock(&t->lock);
	return 0;
}

int nvmet_referral_remove(struct nvmet *t, const struct addr *addr,
			  const char *subnqn)
{
	struct nvmet_referral *r = find_referral(t, addr, subnqn);

	if (r == NULL)
		return -ENOENT;
	pthread_mutex_lock(&t->lock);
	list_del(&r->link);
	nvmet_event_discovery_changed_locked(t);
	pthread_mutex_unlock(&t->lock);
	free(r);
	return 0;
}

bool nvmet_referral_get(const struct nvmet *t, size_t i, struct addr *addr,
			const char **subnqn)
{
	struct nvmet_referral *r;

	list_for_each (r, &t->referrals, link) {
		if (i-- > 0)
			continue;
		*addr = r->addr;
		*subnqn = r->subnqn;
		return true;
	}
	return false;
}

/* ----------------------------------------------------------------- numbers */

void nvmet_get_stats(const struct nvmet *t, int reactor,
		     struct nvmet_stats *out)
{
	const struct nvmet_counters *c = &t->cpus[reactor].stats;

#define COPY(member)                                                           \
	out->member = atomic_load_explicit(&c->member, memory_order_relaxed)
	COPY(admin_queues);
	COPY(io_queues);
	COPY(admin_queues_ever);
	COPY(io_queues_ever);
	COPY(admin_commands);
	COPY(io_commands);
	COPY(pending_data);
	COPY(bytes_read);
	COPY(bytes_written);
	COPY(protocol_errors);
#undef COPY
}
