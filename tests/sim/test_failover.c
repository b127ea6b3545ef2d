/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Failover in the NVMe/TCP host, in virtual time: of several addresses one is
 * connected.  test_handover.c has it among all else that can happen.  And who
 * may say that a lost controller is no more.
 */
#include "nvme_model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

static const struct nvmei_attach failover = {
	.multipath = NVMEI_MULTIPATH_FAILOVER
};

/* The one path there is. */
static struct nvmei_path_info path_now(struct nvme_world *w)
{
	struct nvmei_path_info info;

	CHECK(nvmei_get_paths(w->volume, &info, 1) == 1);
	return info;
}

static bool is_on(struct nvme_world *w, int i)
{
	struct nvmei_path_info info = path_now(w);

	return info.path.state == PATH_LIVE &&
	       addr_equal(&info.addr, &w->addr[i]);
}

static struct nvmei_controller_info controller(struct nvme_world *w)
{
	struct nvmei_controller_info info, none;

	CHECK(nvmei_controller_get(w->host, 0, &info));
	CHECK(!nvmei_controller_get(w->host, 1, &none));
	return info;
}

/* As the target sees it. */
static int connected(struct nvme_world *w)
{
	struct nvmet_controller_info *list = NULL;
	int n = nvmet_controllers(w->subsystem, &list);

	free(list);
	return n;
}

static void one_address_is_connected(struct nvme_world *w)
{
	struct nvmei_controller_info info;
	struct model *m;

	nvme_world_attach(w, 2, &failover);
	AWAIT(connected(w) == 1); /* the look at the other one is over */
	info = controller(w);
	CHECK(addr_equal(&info.addr, &w->addr[0]) && info.n_standbys == 1);
	CHECK(addr_equal(&info.standbys[0], &w->addr[1]));
	m = model_create(w);
	model_start(m, 20);
	nvme_world_join(w, 0);
	CHECK(connected(w) == 1);
	model_end(m);
}

/* Each time the one in use fails, at once; no request does. */
static void the_next_one_takes_over(struct nvme_world *w)
{
	struct model *m;

	nvme_world_attach(w, 2, &failover);
	m = model_create(w);
	m->pause = USEC(200);
	model_start(m, 2000);
	for (int i = 0; i < 6; i++) {
		sim_set_link(&w->addr[i % 2], SIM_LINK_REFUSED);
		AWAIT(is_on(w, (i + 1) % 2));
		sim_set_link(&w->addr[i % 2], SIM_LINK_UP);
		task_sleep(MSEC(150));
		CHECK(is_on(w, (i + 1) % 2)); /* it stays there */
	}
	nvme_world_join(w, 0);
	CHECK(m->longest < MSEC(100));
	model_end(m);
}

/* Whichever comes back first is found, and both are tried. */
static void all_may_be_down(struct nvme_world *w)
{
	static const struct nvmei_attach a = {
		.multipath = NVMEI_MULTIPATH_FAILOVER,
		.ctrlr_loss_timeout_sec = -1,
		.reconnect_delay_sec = 2,
	};

	nvme_world_attach(w, 2, &a);
	for (int i = 0; i < 4; i++) {
		sim_set_link(&w->addr[0], SIM_LINK_REFUSED);
		sim_set_link(&w->addr[1], SIM_LINK_REFUSED);
		task_sleep(rng_below(sim_rng(), SEC(20)));
		CHECK(path_now(w).path.state != PATH_LIVE);
		sim_set_link(&w->addr[i % 2], SIM_LINK_UP);
		task_sleep(SEC(5));
		CHECK(is_on(w, i % 2));
	}
	sim_set_link(&w->addr[0], SIM_LINK_UP);
}

static void an_address_can_be_taken_away(struct nvme_world *w)
{
	struct model *m;

	nvme_world_attach(w, 2, &failover);
	nvme_world_set_delay(w, MSEC(3), MSEC(3)); /* some in flight, ever */
	m = model_create(w);
	model_start(m, 60);
	task_sleep(MSEC(10));
	CHECK_OK(nvmei_detach(w->host, "Nvme0", &w->addr[0])); /* in use */
	AWAIT(is_on(w, 1));
	CHECK(controller(w).n_standbys == 0);
	CHECK(nvmei_detach(w->host, "Nvme0", &w->addr[1]) == -EBUSY);
	nvme_world_join(w, 0);
	model_end(m);
	nvmei_volume_put(w->volume);
	w->volume = NULL;
	nvme_world_attach(w, 1, &failover); /* it is added again … */
	CHECK_OK(nvmei_detach(w->host, "Nvme0", &w->addr[0]));
	CHECK(nvmei_detach(w->host, "Nvme0", &w->addr[0]) == -ENOENT);
	CHECK(is_on(w, 1)); /* … and was never used */
}

static void what_does_not_fit_is_refused(struct nvme_world *w)
{
	struct nvmei_attach a = failover;
	struct nvmet_subsystem_spec spec = { .nqn = "nqn.2026-11.org.example:x",
					     .allow_any_host = true };
	char text[256];

	nvme_world_attach(w, 1, &failover);
	a.name = "Nvme0";
	a.subnqn = NVME_WORLD_SUBNQN;
	a.addr = w->addr[0];
	CHECK(nvmei_attach(w->host, &a, NULL) == -EALREADY);
	a.addr = w->addr[1];
	a.multipath = NVMEI_MULTIPATH;
	CHECK(nvmei_attach(w->host, &a, text) == -EINVAL);
	CHECK(strstr(text, "was attached for failover") != NULL);
	a.multipath = NVMEI_MULTIPATH_FAILOVER;
	a.subnqn = spec.nqn;
	CHECK(nvmei_attach(w->host, &a, NULL) == -EINVAL);
	a.subnqn = NVME_WORLD_SUBNQN;
	sim_set_link(&w->addr[1], SIM_LINK_REFUSED);
	CHECK(nvmei_attach(w->host, &a, NULL) < 0);
	CHECK(controller(w).n_standbys == 0);
	sim_set_link(&w->addr[1], SIM_LINK_UP);
	CHECK_OK(nvmei_attach(w->host, &a, NULL));
	CHECK(nvmei_attach(w->host, &a, NULL) == -EALREADY);
	CHECK(is_on(w, 0));
}

/* Another target that has the same name for something else. */
static void another_namespace_is_refused(struct nvme_world *w)
{
	const struct block_spec disk = { .kind = BLOCK_FILE,
					 .name = "other",
					 .block_size = 512,
					 .blocks = 8192,
					 .file = { .path = "/other",
						   .create = true } };
	struct nvmet_subsystem_spec spec = { .nqn = NVME_WORLD_SUBNQN,
					     .allow_any_host = true };
	struct nvmet_namespace ns = { .device = "other" };
	struct nvmei_attach a = failover;
	struct nvmet_listener l = {};
	struct nvmet_subsystem *subsystem;
	struct block_device *device;
	struct nvmet *target;
	char text[256];

	CHECK_OK(block_create(w->blocks, &disk, &device, NULL));
	CHECK_OK(nvmet_create(w->blocks, NULL, &target));
	CHECK_OK(
		nvmet_set_transport(target, &(struct nvmet_transport){}, NULL));
	CHECK_OK(nvmet_subsystem_create(target, &spec, &subsystem, NULL));
	CHECK(nvmet_namespace_add(subsystem, &ns, NULL) == 1);
	CHECK_OK(addr_parse(&l.addr, "127.102.9.1", 4420));
	CHECK_OK(nvmet_listener_add(subsystem, &l, NULL));
	nvme_world_attach(w, 1, &failover);
	a.name = "Nvme0";
	a.subnqn = NVME_WORLD_SUBNQN;
	a.addr = l.addr;
	CHECK(nvmei_attach(w->host, &a, text) == -EINVAL);
	CHECK(strstr(text, "doesn't show what") != NULL);
	CHECK(controller(w).n_standbys == 0);
	CHECK(is_on(w, 0));
	nvmet_destroy(target);
	CHECK_OK(block_destroy(device));
}

/* ------------------------------------------------------------ who may speak */

static const struct nvmei_attach plain;

/* Another target has the same subsystem and volume, with identifiers of its own
 * for controllers: what it says of those of the first is worth nothing. */
static void another_target_is_no_witness(struct nvme_world *w)
{
	const struct block_spec disk = { .kind = BLOCK_FILE,
					 .name = "twin",
					 .block_size = 512,
					 .blocks = 8192,
					 .file = { .path = "/twin",
						   .create = true } };
	struct nvmet_subsystem_spec spec = { .nqn = NVME_WORLD_SUBNQN,
					     .allow_any_host = true,
					     .min_cntlid = 60001 };
	struct nvmei_attach a = { .name = "Nvme0",
				  .subnqn = NVME_WORLD_SUBNQN };
	struct nvmet_namespace ns = { .device = "twin" };
	struct nvme_world_late late = { .w = w };
	struct nvmet_listener l = {};
	struct nvmei_volume_info info;
	struct nvmet_subsystem *s;
	struct block_device *device;
	struct nvmet *target;

	nvme_world_attach(w, 1, &plain);
	nvmei_get_info(w->volume, &info);
	memcpy(ns.uuid, info.uuid, 16);
	CHECK_OK(block_create(w->blocks, &disk, &device, NULL));
	CHECK_OK(nvmet_create(w->blocks, NULL, &target));
	CHECK_OK(
		nvmet_set_transport(target, &(struct nvmet_transport){}, NULL));
	CHECK_OK(nvmet_subsystem_create(target, &spec, &s, NULL));
	CHECK(nvmet_namespace_add(s, &ns, NULL) == 1);
	CHECK_OK(addr_parse(&l.addr, "127.102.9.1", 4420));
	CHECK_OK(nvmet_listener_add(s, &l, NULL));
	a.addr = l.addr;
	CHECK_OK(nvmei_attach(w->host, &a, NULL));
	CHECK(nvmei_get_paths(w->volume, NULL, 0) == 2);

	nvme_world_set_delay(w, 0, SEC(1));
	nvme_world_spawn(w, nvme_world_write_late, &late);
	task_sleep(MSEC(1));
	nvme_world_set_delay(w, 0, 0);
	sim_set_link(&w->addr[0], SIM_LINK_SILENT);
	task_sleep(SEC(5));
	CHECK(w->busy == 1);
	nvme_world_join(w, 0); /* by time */
	sim_set_link(&w->addr[0], SIM_LINK_UP);
	nvme_world_new_host(w);
	nvmet_destroy(target);
	CHECK_OK(block_destroy(device));
}

int main(int argc, char **argv)
{
#define TEST(fn, seeds)                                                        \
	{                                                                      \
#fn, fn, seeds                                                 \
	}
	static const struct nvme_world_test tests[] = {
		TEST(one_address_is_connected, 20),
		TEST(the_next_one_takes_over, 20),
		TEST(all_may_be_down, 50),
		TEST(an_address_can_be_taken_away, 20),
		TEST(what_does_not_fit_is_refused, 5),
		TEST(another_namespace_is_refused, 5),
		TEST(another_target_is_no_witness, 20),
		{},
	};

	return nvme_world_main(tests, argc, argv);
}
