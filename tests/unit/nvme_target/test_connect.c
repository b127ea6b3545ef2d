/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who becomes a queue of what: Connect's checks and their status; properties;
 * controllers that are taken away; the keep alive timeout.
 */
#include <errno.h>

#include "world.h"

#define IN_COMMAND(at) (at)
#define IN_DATA(at)    (NVME_CONNECT_IATTR_DATA | (at))
enum { INVALID = NVME_SC_CONNECT_INVALID_PARAM | NVME_SC_DNR };

static uint8_t back[512];

static int try(struct world *w, int path, struct host_connect c, uint32_t *dw0)
{
	struct host h;
	int rc;

	require(host_open(&h, &w->path[path], 0) == 0);
	rc = host_connect(&h, &c);
	*dw0 = c.dw0;
	host_close(&h);
	return rc;
}

static void refuse(struct world *w, int path, struct host_connect c, int status,
		   uint32_t where)
{
	uint32_t dw0;

	require(try(w, path, c, &dw0) == status);
	require(status != INVALID || dw0 == where);
}

static void admin_checks(struct world *w)
{
	char name[256] = {};
	uint32_t dw0;

	refuse(w, 0,
	       (struct host_connect){ .subnqn = SUBNQN "x", .cntlid = 0xffff },
	       INVALID, IN_DATA(256));
	refuse(w, 0, (struct host_connect){ .subnqn = SUBNQN, .cntlid = 1 },
	       INVALID, IN_DATA(16));
	refuse(w, 0,
	       (struct host_connect){
		       .subnqn = SUBNQN, .cntlid = 0xffff, .entries = 1 },
	       INVALID, IN_COMMAND(44));
	refuse(w, 0,
	       (struct host_connect){
		       .subnqn = SUBNQN, .cntlid = 0xffff, .entries = 129 },
	       INVALID, IN_COMMAND(44));
	memset(name, 'n', 240);
	refuse(w, 0,
	       (struct host_connect){
		       .subnqn = SUBNQN, .cntlid = 0xffff, .hostnqn = name },
	       INVALID, IN_DATA(512));
	require(try(w, 0,
		    (struct host_connect){
			    .subnqn = SUBNQN, .cntlid = 0xffff, .hostnqn = "" },
		    &dw0) == 0);
	require(nvmet_subsystem_allow_any_host(w->subsystem, false) == 0);
	refuse(w, 0,
	       (struct host_connect){
		       .subnqn = SUBNQN, .cntlid = 0xffff, .hostnqn = "" },
	       NVME_SC_CONNECT_INVALID_HOST | NVME_SC_DNR, 0);
	refuse(w, 0,
	       (struct host_connect){ .subnqn = SUBNQN, .cntlid = 0xffff },
	       NVME_SC_CONNECT_INVALID_HOST | NVME_SC_DNR, 0);
	require(nvmet_host_add(w->subsystem,
			       &(struct nvmet_host){ .nqn = HOST_NQN },
			       NULL) == 0);
	require(try(w, 0,
		    (struct host_connect){ .subnqn = SUBNQN, .cntlid = 0xffff },
		    &dw0) == 0);
}

static void a_new_controller_is_for_hosts_that_may(void **state)
{
	in_world(1, NULL, admin_checks);
}

static void io_checks(struct world *w)
{
	struct host admin, io;
	int id = host_admin(&admin, &w->path[0], SUBNQN, 0);
	struct host_connect c = { .subnqn = SUBNQN, .cntlid = id, .qid = 1 };
	struct host_connect bad;

	require(host_io(&io, &w->path[0], SUBNQN, id, 1, 0) == 0);
	refuse(w, 0, c, INVALID, IN_COMMAND(42)); /* the queue exists */
	bad = c;
	bad.qid = 128;
	refuse(w, 0, bad, INVALID, IN_COMMAND(42));
	bad = c;
	bad.qid = 2;
	bad.cntlid = id + 1;
	refuse(w, 0, bad, INVALID, IN_DATA(16));
	bad.cntlid = id;
	refuse(w, 1, bad, INVALID, IN_DATA(16)); /* another way */
	bad.hostnqn = "nqn.2026-11.io.hawser:other";
	refuse(w, 0, bad, INVALID, IN_DATA(512));
	bad.hostnqn = NULL;
	bad.host_id = 1;
	refuse(w, 0, bad, INVALID, IN_DATA(0));
	require(host_read(&io, 1, 0, back, 512) == 0);
	host_close(&io);
	host_close(&admin);
}

static void an_io_queue_is_for_the_host_of_its_controller(void **state)
{
	in_world(2, NULL, io_checks);
}

static void sequence(struct world *w)
{
	struct host_connect c = { .subnqn = SUBNQN, .cntlid = 0xffff };
	struct host h;
	uint64_t value;
	uint16_t id;

	require(host_open(&h, &w->path[0], 0) == 0);
	require(host_property_get(&h, NVME_PROP_VS, &value) ==
		(NVME_SC_COMMAND_SEQUENCE | NVME_SC_DNR));
	require(host_read(&h, 1, 0, back, 512) ==
		(NVME_SC_COMMAND_SEQUENCE | NVME_SC_DNR));
	require(host_connect(&h, &c) == 0);
	id = c.dw0;
	require(host_connect(&h, &c) ==
		(NVME_SC_COMMAND_SEQUENCE | NVME_SC_DNR));
	refuse(w, 0,
	       (struct host_connect){
		       .subnqn = SUBNQN, .cntlid = id, .qid = 1 },
	       NVME_SC_CONNECT_CONTROLLER_BUSY, 0); /* not enabled */
	host_close(&h);
}

static void commands_have_their_order(void **state)
{
	in_world(3, NULL, sequence);
}

/* --------------------------------------------------------------- properties */

static uint64_t get(struct host *h, uint32_t offset)
{
	uint64_t value;

	require(host_property_get(h, offset, &value) == 0);
	return value;
}

static void wait_csts(struct host *h, uint32_t csts)
{
	while (get(h, NVME_PROP_CSTS) != csts)
		task_sleep(MSEC(1));
}

static void reset(struct world *w)
{
	struct host admin, io;
	int id = host_admin(&admin, &w->path[0], SUBNQN, 0);
	uint64_t value;

	require((get(&admin, NVME_PROP_CAP) & 0xffff) == 127);
	require(get(&admin, NVME_PROP_CSTS) == NVME_CSTS_RDY);
	require(host_property_get(&admin, 0x1234, &value) ==
		(NVME_SC_INVALID_FIELD | NVME_SC_DNR));
	require(host_io(&io, &w->path[0], SUBNQN, id, 1, 0) == 0);
	require(host_property_set(&admin, NVME_PROP_CC, 0) == 0);
	wait_csts(&admin, 0);
	require(host_read(&io, 1, 0, back, 512) < 0);
	host_close(&io);
	require(host_property_set(&admin, NVME_PROP_CC, NVME_CC_EN) == 0);
	wait_csts(&admin, NVME_CSTS_RDY);
	require(host_io(&io, &w->path[0], SUBNQN, id, 1, 0) == 0);
	require(host_property_set(&admin, NVME_PROP_CC,
				  NVME_CC_EN | 1 << NVME_CC_SHN_SHIFT) == 0);
	wait_csts(&admin, NVME_CSTS_RDY | NVME_CSTS_SHST_COMPLETE);
	require(host_read(&io, 1, 0, back, 512) < 0);
	host_close(&io);
	host_close(&admin);
}

static void reset_and_shutdown_end_io_queues_first(void **state)
{
	in_world(4, NULL, reset);
	in_real_world(2, NULL, reset);
}

/* ---------------------------------------------------------------- taken away
 */

static int connected(struct world *w)
{
	struct nvmet_controller_info *c;
	int n = nvmet_controllers(w->subsystem, &c);

	free(c);
	return n;
}

static void taken(struct world *w)
{
	struct nvmet_listener l = { .addr = w->path[0] };
	struct host a, a_io, b;
	int id = host_admin(&a, &w->path[0], SUBNQN, 0);

	require(host_io(&a_io, &w->path[0], SUBNQN, id, 1, 0) == 0);
	require(host_admin(&b, &w->path[1], SUBNQN, 0) > 0);
	require(connected(w) == 2);
	require(nvmet_listener_remove(w->subsystem, &w->path[0]) == 0);
	require(connected(w) == 1);
	require(host_read(&a_io, 1, 0, back, 512) < 0);
	host_close(&a_io);
	host_close(&a);
	require(host_open(&a, &w->path[0], 0) < 0);
	require(nvmet_listener_add(w->subsystem, &l, NULL) == 0);
	require(host_admin(&a, &w->path[0], SUBNQN, 0) > 0);
	require(nvmet_host_add(w->subsystem,
			       &(struct nvmet_host){ .nqn = HOST_NQN },
			       NULL) == 0);
	require(nvmet_subsystem_allow_any_host(w->subsystem, false) == 0);
	require(connected(w) == 2);
	require(nvmet_host_remove(w->subsystem, HOST_NQN) == 0);
	require(connected(w) == 0);
	host_close(&a);
	host_close(&b);
}

static void a_listener_or_host_that_goes_takes_its_controllers(void **state)
{
	in_world(5, NULL, taken);
	in_real_world(2, NULL, taken);
}

/* ---------------------------------------------------------------- keep alive
 */

static int keep_alive(struct host *h)
{
	struct host_op op = { .sqe = { .opc = NVME_ADMIN_KEEP_ALIVE } };

	return host_run(h, &op);
}

static void alive(struct world *w)
{
	struct host admin, io;
	int id = host_admin(&admin, &w->path[0], SUBNQN, 2000);
	nsec began;

	require(host_io(&io, &w->path[0], SUBNQN, id, 1, 0) == 0);
	for (int i = 0; i < 10; i++) {
		task_sleep(MSEC(1500));
		require(keep_alive(&admin) == 0);
	}
	for (int i = 0; i < 10; i++) { /* traffic counts as well */
		task_sleep(MSEC(1500));
		require(host_read(&io, 1, 0, back, 512) == 0);
	}
	began = reactor_now();
	while (connected(w) > 0)
		task_sleep(MSEC(10));
	require(reactor_now() - began > MSEC(1900));
	require(reactor_now() - began < MSEC(3200));
	require(host_read(&io, 1, 0, back, 512) < 0);
	host_close(&io);
	host_close(&admin);
}

static void a_host_that_says_nothing_is_ended(void **state)
{
	const struct nvmet_transport quick = { .min_kato = 1, .kas = 1 };

	in_world(6, &quick, alive);
}

/* --------------------------------------------------------- too many of them */

/* In place of the reactor's. */
static bool no_tasks;

int __real_reactor_spawn(struct reactor *r, const char *name, task_fn *fn,
			 void *arg);
int __wrap_reactor_spawn(struct reactor *r, const char *name, task_fn *fn,
			 void *arg);

int __wrap_reactor_spawn(struct reactor *r, const char *name, task_fn *fn,
			 void *arg)
{
	return no_tasks ? -EAGAIN : __real_reactor_spawn(r, name, fn, arg);
}

/* What was closed takes a moment to be gone. */
static void open_again(struct world *w, struct host *h)
{
	nsec deadline = reactor_now() + SEC(5);

	while (host_open(h, &w->path[0], 0) < 0) {
		require(reactor_now() < deadline);
		task_sleep(MSEC(10));
	}
}

static void crowd(struct world *w)
{
	struct host admin, idle, one_more, io;
	int id = host_admin(&admin, &w->path[0], SUBNQN, 0);

	require(host_open(&idle, &w->path[1], 0) == 0);
	for (int i = 0; i < 10; i++) {
		require(host_open(&one_more, &w->path[i % 2], 0) < 0);
		host_close(&one_more);
	}
	/* Those that are there lack nothing, and room is used again. */
	require(keep_alive(&admin) == 0);
	host_close(&idle);
	open_again(w, &one_more);
	host_close(&one_more);
	do
		task_sleep(MSEC(10));
	while (host_io(&io, &w->path[0], SUBNQN, id, 1, 0) != 0);
	require(host_read(&io, 1, 0, back, 512) == 0);
	host_close(&io);
	host_close(&admin);
}

static void a_connection_too_many_is_closed(void **state)
{
	const struct nvmet_transport small = { .max_connections = 2 };

	in_world(7, &small, crowd);
}

static void poor(struct world *w)
{
	struct host_op aer;
	struct host admin, h;

	require(host_admin(&admin, &w->path[0], SUBNQN, 0) > 0);
	no_tasks = true;
	for (int i = 0; i < 10; i++) {
		require(host_open(&h, &w->path[0], 0) < 0);
		host_close(&h);
	}
	require(keep_alive(&admin) == 0);
	no_tasks = false;
	require(host_open(&h, &w->path[0], 0) == 0);
	host_close(&h);
	/* What ends and what is told needs none. */
	require(host_set_feature(&admin, NVME_FEAT_ASYNC_EVENTS, NVME_OAES_NSAN,
				 NULL) == 0);
	require(host_start_aer(&admin, &aer) == 0);
	require(keep_alive(&admin) == 0);
	no_tasks = true;
	require(nvmet_namespace_remove(w->subsystem, 1) == 0);
	require(host_wait(&admin, &aer) == 0);
	nvmet_subsystem_delete(w->subsystem);
	no_tasks = false;
	require(keep_alive(&admin) < 0);
	host_close(&admin);
}

static void a_connection_without_a_task_is_closed(void **state)
{
	in_world(8, NULL, poor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_controller_is_for_hosts_that_may),
		cmocka_unit_test(an_io_queue_is_for_the_host_of_its_controller),
		cmocka_unit_test(commands_have_their_order),
		cmocka_unit_test(reset_and_shutdown_end_io_queues_first),
		cmocka_unit_test(
			a_listener_or_host_that_goes_takes_its_controllers),
		cmocka_unit_test(a_host_that_says_nothing_is_ended),
		cmocka_unit_test(a_connection_too_many_is_closed),
		cmocka_unit_test(a_connection_without_a_task_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
