/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The NVMe/TCP host against the target, with everything that can happen to
 * paths, controllers and the target, at any moment, by seed: whatever it is, no
 * request fails, and no write undoes a later one.  With REISSUE_AT_ONCE=1 in
 * the environment the host does as others do, and the model finds what comes of
 * it: some seeds of a hundred fail.
 */
#include <stdlib.h>

#include "base/util.h"
#include "nvme_model.h"

enum { ROUNDS = 15 };

static nsec up_to(nsec most)
{
	return rng_below(sim_rng(), most);
}

/* Mostly short, sometimes longer than any time-out. */
static void a_while(void)
{
	nsec most = rng_chance(sim_rng(), 0.1) ? SEC(20) : MSEC(300);

	task_sleep(up_to(most));
}

static int any_path(void)
{
	return (int)rng_below(sim_rng(), NVME_PATHS);
}

/* ----------------------------------------------------------------- troubles */

static void cut(struct nvme_world *w)
{
	sim_cut(&w->addr[any_path()]);
}

static void break_link(struct nvme_world *w, enum sim_link state)
{
	const struct addr *a = &w->addr[any_path()];

	sim_set_link(a, state);
	a_while();
	sim_set_link(a, SIM_LINK_UP);
}

static void silence(struct nvme_world *w)
{
	break_link(w, SIM_LINK_SILENT);
}

static void refuse(struct nvme_world *w)
{
	break_link(w, SIM_LINK_REFUSED);
}

static void silence_all(struct nvme_world *w)
{
	for (int i = 0; i < NVME_PATHS; i++)
		sim_set_link(&w->addr[i], SIM_LINK_SILENT);
	a_while();
	for (int i = 0; i < NVME_PATHS; i++)
		sim_set_link(&w->addr[i], SIM_LINK_UP);
}

static void change_ana(struct nvme_world *w)
{
	static const enum nvmet_ana states[] = {
		NVMET_ANA_OPTIMIZED,	 NVMET_ANA_OPTIMIZED,
		NVMET_ANA_NON_OPTIMIZED, NVMET_ANA_INACCESSIBLE,
		NVMET_ANA_CHANGE,
	};

	nvme_world_set_ana(w, any_path(),
			   states[rng_below(sim_rng(), ARRAY_SIZE(states))]);
}

/* Most are fast and some are slow, or all are; so that they overtake. */
static void change_delay(struct nvme_world *w)
{
	struct block_spec times = { .kind = BLOCK_DELAY };
	nsec often = up_to(MSEC(2)), seldom = up_to(MSEC(700));

	if (rng_chance(sim_rng(), 0.2))
		often = up_to(MSEC(300));
	times.delay.avg_read = times.delay.avg_write = often;
	times.delay.p99_read = times.delay.p99_write = often + seldom;
	CHECK_OK(block_delay_set(w->slow, &times));
}

/* From now on the disk itself takes that long: what is there can't be called
 * back, and a reset of its controller is not immediate. */
static void change_disk(struct nvme_world *w)
{
	struct sim_faults faults = { .delay_min = USEC(20),
				     .delay_max = USEC(60) };
	nsec most[] = { USEC(100), MSEC(5), MSEC(200), SEC(2) };

	faults.disk_min = USEC(10);
	faults.disk_max = USEC(20) + up_to(most[rng_below(sim_rng(), 4)]);
	sim_set_faults(&faults);
}

/* What SPDK issue 3593 takes: writes are held up in the device, and their path
 * falls silent, so that the target goes on with them. */
static void hold_and_silence(struct nvme_world *w)
{
	const struct addr *a = &w->addr[any_path()];

	nvme_world_set_delay(w, up_to(MSEC(100)), up_to(SEC(1)));
	task_sleep(up_to(MSEC(3)));
	nvme_world_set_delay(w, up_to(MSEC(1)), up_to(MSEC(1)));
	sim_set_link(a, SIM_LINK_SILENT);
	task_sleep(SEC(1));
	sim_set_link(a, SIM_LINK_UP);
}

static void lose_listener(struct nvme_world *w)
{
	int i = any_path();

	nvme_world_remove_listener(w, i);
	a_while();
	nvme_world_add_listener(w, i);
}

static void restart_target(struct nvme_world *w)
{
	nvme_world_end_target(w);
	a_while();
	nvme_world_start_target(w);
}

static void reset(struct nvme_world *w)
{
	CHECK_OK(nvmei_reset(w->host, "Nvme0", NULL));
}

/* With failover there is one controller, and nothing could be done meanwhile.
 */
static void disable_one(struct nvme_world *w)
{
	struct nvmei_controller_info info;
	const struct addr *a = &w->addr[any_path()];

	if (!nvmei_controller_get(w->host, 1, &info))
		return;
	CHECK_OK(nvmei_disable(w->host, "Nvme0", a));
	a_while();
	CHECK_OK(nvmei_enable(w->host, "Nvme0", a));
}

static void change_policy(struct nvme_world *w)
{
	static const char *const names[] = { "active-passive", "round-robin",
					     "queue-depth", "service-time" };

	CHECK_OK(nvmei_set_policy(w->volume, names[rng_below(sim_rng(), 4)],
				  (unsigned)rng_below(sim_rng(), 3)));
}

static void cut_often(struct nvme_world *w)
{
	struct sim_faults faults = { .delay_min = USEC(20),
				     .delay_max = USEC(60),
				     .disk_min = USEC(10),
				     .disk_max = USEC(100) };

	faults.cut = 0.02;
	sim_set_faults(&faults);
	task_sleep(up_to(MSEC(100)));
	change_disk(w);
}

static void trouble(void *arg)
{
	static void (*const troubles[])(struct nvme_world * w) = {
		cut,
		silence,
		silence,
		silence,
		refuse,
		silence_all,
		change_ana,
		change_ana,
		change_delay,
		change_disk,
		change_disk,
		lose_listener,
		restart_target,
		reset,
		disable_one,
		change_policy,
		cut_often,
		hold_and_silence,
		hold_and_silence,
	};
	struct nvme_world *w = arg;

	while (!w->stop) {
		task_sleep(up_to(MSEC(50)));
		troubles[rng_below(sim_rng(), ARRAY_SIZE(troubles))](w);
	}
	for (int i = 0; i < NVME_PATHS; i++)
		nvme_world_set_ana(w, i, NVMET_ANA_OPTIMIZED);
	nvme_world_task_ended(w);
}

static void storm(struct nvme_world *w)
{
	bool failover = rng_chance(sim_rng(), 0.25);
	const struct nvmei_attach how = {
		.multipath =
			failover ? NVMEI_MULTIPATH_FAILOVER : NVMEI_MULTIPATH,
	};
	struct model *m;

	w->reissue_at_once = getenv("REISSUE_AT_ONCE") != NULL;
	nvme_world_new_host(w);
	nvme_world_attach(w, NVME_PATHS, &how);
	m = model_create(w);
	m->pause = MSEC(30);
	change_policy(w);
	change_delay(w);
	model_start(m, ROUNDS);
	nvme_world_spawn(w, trouble, w);
	while (w->busy > 1 && m->done < MODEL_CELLS * 2 * (ROUNDS - 1))
		task_sleep(MSEC(10));
	w->stop = true;
	nvme_world_join(w, 0);
	task_sleep(SEC(30)); /* what was left behind has all the time to land */
	model_end(m);
}

int main(int argc, char **argv)
{
	static const struct nvme_world_test tests[] = {
		{ "storm", storm, 10000 },
		{},
	};

	return nvme_world_main(tests, argc, argv);
}
