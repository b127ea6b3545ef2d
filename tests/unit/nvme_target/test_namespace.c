/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces and ANA states that change while hosts are connected: commands get
 * the status of the moment, and a namespace that is removed is not worked on
 * any more when that returns.
 */
#include "world.h"

static uint8_t buffer[4096];

static void connect_io(struct world *w, int path, struct host *admin,
		       struct host *io)
{
	int id = host_admin(admin, &w->path[path], SUBNQN, 0);

	require(id > 0);
	require(host_io(io, &w->path[path], SUBNQN, id, 1, 0) == 0);
}

static void states(struct world *w)
{
	static const struct {
		enum nvmet_ana state;
		int status;
	} cases[] = {
		{ NVMET_ANA_NON_OPTIMIZED, 0 },
		{ NVMET_ANA_INACCESSIBLE, NVME_SC_ANA_INACCESSIBLE },
		{ NVMET_ANA_PERSISTENT_LOSS, NVME_SC_ANA_PERSISTENT_LOSS },
		{ NVMET_ANA_CHANGE, NVME_SC_ANA_TRANSITION },
		{ NVMET_ANA_OPTIMIZED, 0 },
	};
	struct host admin[2], io[2];

	for (int i = 0; i < 2; i++)
		connect_io(w, i, &admin[i], &io[i]);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		require(nvmet_listener_set_ana(w->subsystem, &w->path[0], i % 2,
					       cases[i].state, NULL) == 0);
		require(host_read(&io[0], 1, 0, buffer, 512) ==
			cases[i].status);
		require(host_write(&io[0], 1, 0, buffer, 512) ==
			cases[i].status);
		require(host_read(&io[1], 1, 0, buffer, 512) == 0);
	}
	require(nvmet_listener_set_ana(w->subsystem, &w->path[0], 2,
				       NVMET_ANA_INACCESSIBLE, NULL) == 0);
	require(host_read(&io[0], 1, 0, buffer, 512) == 0);
	require(nvmet_namespace_set_ana_group(w->subsystem, 1, 2) == 0);
	require(host_read(&io[0], 1, 0, buffer, 512) ==
		NVME_SC_ANA_INACCESSIBLE);
	for (int i = 0; i < 2; i++) {
		host_close(&io[i]);
		host_close(&admin[i]);
	}
}

static void ana_states_are_those_of_the_way(void **state)
{
	in_world(1, NULL, states);
}

/* An R2T is out when the way becomes inaccessible: the write is refused. */
static void in_between(struct world *w)
{
	struct host_op op = { .out = buffer, .silent = true };
	struct host admin, io;

	connect_io(w, 0, &admin, &io);
	host_set_rw(&op, NVME_IO_WRITE, 1, 0, 4096);
	op.capsule = false;
	require(host_start(&io, &op) == 0);
	require(host_receive(&io) == 0);
	require(nvmet_listener_set_ana(w->subsystem, &w->path[0], 0,
				       NVMET_ANA_INACCESSIBLE, NULL) == 0);
	require(host_send_data(&io, &op, 4096) == 0);
	require(host_wait(&io, &op) == NVME_SC_ANA_INACCESSIBLE);
	op.sqe.sgl1 = (struct nvme_sgl){};
	require(nvmet_listener_set_ana(w->subsystem, &w->path[0], 0,
				       NVMET_ANA_OPTIMIZED, NULL) == 0);
	require(host_start(&io, &op) == 0);
	require(host_receive(&io) == 0);
	require(nvmet_namespace_remove(w->subsystem, 1) == 0);
	require(host_send_data(&io, &op, 4096) == 0);
	require(host_wait(&io, &op) == (NVME_SC_INVALID_NS | NVME_SC_DNR));
	host_close(&io);
	host_close(&admin);
}

static void the_state_counts_when_the_data_are_there(void **state)
{
	in_world(2, NULL, in_between);
}

/* ------------------------------------------------------------------ removal */

enum { DEPTH = 32 };

struct worker {
	struct world *w;
	bool *stop;
	unsigned done, refused;
	struct completion ended;
};

static void worker_main(void *arg)
{
	struct worker *me = arg;
	struct host_op ops[DEPTH] = {};
	struct host admin, io;
	int rc;

	connect_io(me->w, 0, &admin, &io);
	while (!__atomic_load_n(me->stop, __ATOMIC_RELAXED)) {
		for (int i = 0; i < DEPTH; i++) {
			ops[i] = (struct host_op){ .out = buffer };
			host_set_rw(&ops[i], NVME_IO_WRITE, 1, i * 8, 4096);
			require(host_start(&io, &ops[i]) == 0);
		}
		for (int i = 0; i < DEPTH; i++) {
			rc = host_wait(&io, &ops[i]);
			require(rc == 0 ||
				rc == (NVME_SC_INVALID_NS | NVME_SC_DNR));
			me->done++;
			me->refused += rc != 0;
		}
	}
	host_close(&io);
	host_close(&admin);
	completion_done(&me->ended, 0);
}

static void removal(struct world *w)
{
	struct nvmet_namespace ns = { .nsid = 1, .device = "disk" };
	struct worker workers[2] = {};
	bool stop = false;

	for (int i = 0; i < 2; i++) {
		workers[i].w = w;
		workers[i].stop = &stop;
		completion_init(&workers[i].ended);
		require(task_spawn("worker", worker_main, &workers[i]) == 0);
	}
	for (int i = 0; i < 50; i++) {
		task_sleep(USEC(700));
		require(nvmet_namespace_remove(w->subsystem, 1) == 0);
		require(block_claimed_by(w->device) == NULL);
		task_sleep(USEC(300));
		require(nvmet_namespace_add(w->subsystem, &ns, NULL) == 1);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < 2; i++) {
		completion_wait(&workers[i].ended);
		require(workers[i].refused > 0);
		require(workers[i].refused < workers[i].done);
	}
}

static void a_namespace_goes_and_comes_under_load(void **state)
{
	in_world(3, NULL, removal);
	in_real_world(2, NULL, removal);
}

static void device(struct world *w)
{
	struct host admin, io;

	connect_io(w, 0, &admin, &io);
	require(host_read(&io, 1, 0, buffer, 512) == 0);
	require(block_resize(w->device, 16384) == 0);
	require(host_read(&io, 1, 16383, buffer, 512) == 0);
	require(block_destroy(w->device) == 0);
	require(host_read(&io, 1, 0, buffer, 512) ==
		(NVME_SC_INVALID_NS | NVME_SC_DNR));
	w->device = NULL;
	host_close(&io);
	host_close(&admin);
}

static void a_device_that_goes_takes_its_namespace(void **state)
{
	in_world(4, NULL, device);
}

static void visible(struct world *w)
{
	struct nvmet_namespace ns = { .device = "disk",
				      .no_auto_visible = true };
	struct host admin, io;

	connect_io(w, 0, &admin, &io);
	require(nvmet_namespace_remove(w->subsystem, 1) == 0);
	require(nvmet_namespace_add(w->subsystem, &ns, NULL) == 1);
	require(host_read(&io, 1, 0, buffer, 512) ==
		(NVME_SC_INVALID_NS | NVME_SC_DNR));
	require(nvmet_namespace_add_host(w->subsystem, 1, HOST_NQN, NULL) == 0);
	require(host_read(&io, 1, 0, buffer, 512) == 0);
	host_close(&io);
	host_close(&admin);
	connect_io(w, 0, &admin, &io);
	require(host_read(&io, 1, 0, buffer, 512) == 0);
	require(nvmet_namespace_remove_host(w->subsystem, 1, HOST_NQN) == 0);
	require(host_read(&io, 1, 0, buffer, 512) ==
		(NVME_SC_INVALID_NS | NVME_SC_DNR));
	host_close(&io);
	host_close(&admin);
}

static void a_namespace_for_some_hosts(void **state)
{
	in_world(5, NULL, visible);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ana_states_are_those_of_the_way),
		cmocka_unit_test(the_state_counts_when_the_data_are_there),
		cmocka_unit_test(a_namespace_goes_and_comes_under_load),
		cmocka_unit_test(a_device_that_goes_takes_its_namespace),
		cmocka_unit_test(a_namespace_for_some_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
