/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

struct run {
	const struct nvmet_transport *transport;
	void (*body)(struct world *w);
	struct reactor *reactor;
	struct reactor_set *set;
	bool ended;
};

static void create(struct world *w, const struct run *run)
{
	struct block_spec disk = { .kind = BLOCK_MALLOC,
				   .name = "disk",
				   .block_size = 512,
				   .blocks = 8192 };
	struct nvmet_subsystem_spec spec = { .nqn = SUBNQN,
					     .allow_any_host = true,
					     .ana_reporting = true };
	struct nvmet_namespace ns = { .device = "disk" };
	struct nvmet_transport none = {};
	const char *paths[] = { "127.0.0.1:0", "127.0.0.2:0" };

	require(block_registry_create(&w->blocks) == 0);
	require(block_create(w->blocks, &disk, &w->device, NULL) == 0);
	require(nvmet_create(w->blocks, run->set, &w->target) == 0);
	require(nvmet_set_transport(w->target,
				    run->transport != NULL ? run->transport
							   : &none,
				    NULL) == 0);
	require(nvmet_subsystem_create(w->target, &spec, &w->subsystem, NULL) ==
		0);
	require(nvmet_namespace_add(w->subsystem, &ns, NULL) == 1);
	for (int i = 0; i < 2; i++) {
		struct nvmet_listener l = {};

		require(addr_parse(&l.addr, paths[i], 0) == 0);
		require(nvmet_listener_add(w->subsystem, &l, NULL) == 0);
		w->path[i] = l.addr;
	}
}

static void main_task(void *arg)
{
	struct run *run = arg;
	struct world w = {};

	create(&w, run);
	run->body(&w);
	nvmet_destroy(w.target);
	require(w.device == NULL || block_destroy(w.device) == 0);
	block_registry_destroy(w.blocks);
	run->ended = true;
	if (run->set != NULL)
		reactor_set_stop(run->set);
	else
		reactor_stop(run->reactor);
}

void in_world(uint64_t seed, const struct nvmet_transport *transport,
	      void (*body)(struct world *w))
{
	struct run run = { .transport = transport, .body = body };

	assert_int_equal(reactor_create_sim(seed, &run.reactor), 0);
	assert_int_equal(reactor_spawn(run.reactor, "test", main_task, &run),
			 0);
	reactor_run(run.reactor);
	assert_true(run.ended); /* else all wait for ever */
	reactor_destroy(run.reactor);
}

void in_real_world(int reactors, const struct nvmet_transport *transport,
		   void (*body)(struct world *w))
{
	struct run run = { .transport = transport, .body = body };

	assert_int_equal(reactor_set_create(reactors,
					    &(struct reactor_options){},
					    &run.set),
			 0);
	assert_int_equal(reactor_spawn(reactor_set_get(run.set, 0), "test",
				       main_task, &run),
			 0);
	reactor_set_run(run.set);
	reactor_set_destroy(run.set);
}
