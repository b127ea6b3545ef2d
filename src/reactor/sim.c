/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulation backend: time.  Everything that happens later (a segment
 * arrives, a disk answers) is a timer of the reactor, so "wait for events" is
 * to set the clock to the next timer; and no timer means that nothing can ever
 * happen again.
 *
 * Network and disk are sim_net.c and sim_disk.c.
 */
#include "reactor/sim.h"

#include <errno.h>

#include "reactor/sim_internal.h"

/* 2027-01-01, so that virtual dates look like dates. */
static const nsec epoch = SEC(1798761600);

static const struct sim_faults no_faults = {
	.delay_min = USEC(20),
	.delay_max = USEC(60),
	.disk_min = USEC(10),
	.disk_max = USEC(100),
};

static const struct backend_ops sim_backend;

struct sim *sim_current(void)
{
	assert(reactor_current != NULL && reactor_current->ops == &sim_backend);
	return reactor_current->backend;
}

struct rng *sim_rng(void)
{
	return &sim_current()->rng;
}

nsec sim_random_delay(nsec min, nsec max)
{
	if (max <= min)
		return min;
	return min + rng_below(sim_rng(), max - min + 1);
}

void *sim_alloc(size_t size)
{
	void *p = calloc(1, size);

	if (p == NULL)
		abort();
	return p;
}

void sim_set_faults(const struct sim_faults *faults)
{
	sim_current()->faults = *faults;
}

bool sim_deadlocked(const struct reactor *r)
{
	assert(r->ops == &sim_backend);
	return ((struct sim *)r->backend)->deadlocked;
}

int reactor_create_sim(uint64_t seed, struct reactor **out)
{
	struct reactor *r = calloc(1, sizeof(*r));
	struct sim *s = calloc(1, sizeof(*s));
	int err = -ENOMEM;

	if (r != NULL && s != NULL)
		err = reactor_init(r, &sim_backend,
				   &(struct reactor_options){});
	if (err != 0) {
		free(r);
		free(s);
		return err;
	}
	rng_init(&s->rng, seed);
	s->faults = no_faults;
	sim_net_init(s);
	sim_disk_init(s);
	r->backend = s;
	r->now = SEC(1);
	r->epoch = epoch;
	*out = r;
	return 0;
}

static int sim_start(struct reactor *r)
{
	((struct sim *)r->backend)->deadlocked = false;
	return 0;
}

static void sim_destroy(struct reactor *r)
{
	struct sim *s = r->backend;

	sim_net_fini(s, &r->timers);
	sim_disk_fini(s);
	free(s);
}

static int sim_wait(struct reactor *r, nsec deadline)
{
	if (deadline == NSEC_NEVER) {
		((struct sim *)r->backend)->deadlocked = true;
		reactor_stop(r);
	} else {
		r->now = MAX(r->now, deadline);
	}
	return 0;
}

static int sim_offload(int (*fn)(void *arg), void *arg)
{
	const struct sim_faults *f = &sim_current()->faults;
	int result = fn(arg);

	task_sleep(sim_random_delay(f->disk_min, f->disk_max));
	return result;
}

static const struct backend_ops sim_backend = {
	.name = "simulation",
	.net = &sim_net,
	.disk = &sim_disk,
	.virtual_time = true,
	.start = sim_start,
	.destroy = sim_destroy,
	.wait = sim_wait,
	.offload = sim_offload,
};
