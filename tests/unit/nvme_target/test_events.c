/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asynchronous events: told at once and to those that they are for, not told
 * again before the host has looked, and never lost.
 */
#include "world.h"

enum {
	DNR = NVME_SC_DNR,
	ALL = NVME_OAES_NSAN | NVME_OAES_ANACN,
	NS_CHANGED = NVME_LOG_CHANGED_NS << 16 | NVME_AER_NS_CHANGED << 8 |
		     NVME_AER_NOTICE,
	ANA_CHANGED = NVME_LOG_ANA << 16 | NVME_AER_ANA_CHANGED << 8 |
		      NVME_AER_NOTICE,
};

/* A log page with one group that has one namespace. */
static _Alignas(
	8) char ana_page[sizeof(struct nvme_ana_log) +
			 sizeof(struct nvme_ana_group) + sizeof(uint32_t)];
static const struct nvme_ana_log *const ana = (void *)ana_page;
static const struct nvme_ana_group *const ana_group =
	(void *)(ana_page + sizeof(*ana));
static uint32_t changed[1024];

static void connect_to(struct host *h, const struct addr *path, uint32_t config)
{
	require(host_admin(h, path, SUBNQN, 0) > 0);
	if (config != 0)
		require(host_set_feature(h, NVME_FEAT_ASYNC_EVENTS, config,
					 NULL) == 0);
}

static void set_ana(struct world *w, int path, enum nvmet_ana state)
{
	require(nvmet_listener_set_ana(w->subsystem, &w->path[path], 0, state,
				       NULL) == 0);
}

static void read_ana(struct host *h, uint32_t flags)
{
	memset(ana_page, 0xee, sizeof(ana_page));
	require(host_log(h, NVME_LOG_ANA | flags, 0, ana_page,
			 sizeof(ana_page)) == 0);
}

/* Nothing comes for 100 ms: an answer to another command is the first. */
static bool is_quiet(struct host *h, const struct host_op *op)
{
	uint64_t csts;

	task_sleep(MSEC(100));
	require(host_property_get(h, NVME_PROP_CSTS, &csts) == 0);
	return !op->done;
}

static void change_ana(struct world *w)
{
	struct host_op op, other;
	struct host h, second;
	nsec start;

	connect_to(&h, &w->path[0], ALL);
	connect_to(&second, &w->path[1], ALL);
	require(host_start_aer(&h, &op) == 0);
	require(host_start_aer(&second, &other) == 0);
	require(is_quiet(&h, &op));
	start = reactor_now_precise();
	set_ana(w, 0, NVMET_ANA_INACCESSIBLE);
	require(host_wait(&h, &op) == 0);
	require(op.cqe.dw0 == ANA_CHANGED);
	require(reactor_now_precise() - start < MSEC(500));
	require(is_quiet(&second, &other)); /* not its way */

	/* Masked until the page is read. */
	require(host_start_aer(&h, &op) == 0);
	set_ana(w, 0, NVMET_ANA_NON_OPTIMIZED);
	require(is_quiet(&h, &op));
	read_ana(&h, NVME_LOG_RAE);
	require(ana->nagd == 1 && ana_group->agid == 1);
	require(ana_group->nnv == 1 && ana_group->nsid[0] == 1);
	require(ana_group->ana_state == NVMET_ANA_NON_OPTIMIZED);
	require(is_quiet(&h, &op));
	read_ana(&h, 0);
	require(is_quiet(&h, &op)); /* it has seen that */
	set_ana(w, 0, NVMET_ANA_OPTIMIZED);
	require(host_wait(&h, &op) == 0);
	read_ana(&h, NVME_ANA_LSP_RGO << 8);
	require(ana_group->nnv == 0 &&
		ana_group->ana_state == NVMET_ANA_OPTIMIZED);
	host_close(&second);
	host_close(&h);
}

static void ana_changes_are_told_to_those_who_came_by_that_way(void **state)
{
	in_world(1, NULL, change_ana);
	in_real_world(2, NULL, change_ana);
}

static void no_request(struct world *w)
{
	struct host_op op;
	struct host h;

	connect_to(&h, &w->path[0], ALL);
	set_ana(w, 0, NVMET_ANA_INACCESSIBLE);
	set_ana(w, 0, NVMET_ANA_OPTIMIZED);
	task_sleep(MSEC(50));
	require(host_start_aer(&h, &op) == 0);
	require(host_wait(&h, &op) == 0);
	require(op.cqe.dw0 == ANA_CHANGED);
	host_close(&h);
}

static void what_happens_without_a_request_is_told_later(void **state)
{
	in_world(2, NULL, no_request);
	in_real_world(2, NULL, no_request);
}

static void not_enabled(struct world *w)
{
	struct host_op op;
	struct host h;
	uint32_t dw0;

	connect_to(&h, &w->path[0], 0);
	require(host_start_aer(&h, &op) == 0);
	set_ana(w, 0, NVMET_ANA_NON_OPTIMIZED);
	require(is_quiet(&h, &op));
	require(host_set_feature(&h, NVME_FEAT_ASYNC_EVENTS, ALL | 1 << 30,
				 NULL) == (NVME_SC_INVALID_FIELD | DNR));
	require(host_set_feature(&h, NVME_FEAT_ASYNC_EVENTS, ALL, NULL) == 0);
	require(host_get_feature(&h, NVME_FEAT_ASYNC_EVENTS, 0, &dw0) == 0);
	require(dw0 == ALL);
	require(is_quiet(&h, &op));
	set_ana(w, 0, NVMET_ANA_OPTIMIZED);
	require(host_wait(&h, &op) == 0);
	host_close(&h);
}

static void events_are_told_to_those_who_asked_for_them(void **state)
{
	in_world(3, NULL, not_enabled);
}

static void change_ns(struct world *w)
{
	struct nvmet_namespace more = { .device = "other" };
	struct block_spec disk = { .kind = BLOCK_MALLOC,
				   .name = "other",
				   .block_size = 4096,
				   .blocks = 16 };
	struct block_device *d;
	struct host_op op;
	struct host h;

	connect_to(&h, &w->path[0], ALL);
	require(host_start_aer(&h, &op) == 0);
	require(block_create(w->blocks, &disk, &d, NULL) == 0);
	require(nvmet_namespace_add(w->subsystem, &more, NULL) == 2);
	require(host_wait(&h, &op) == 0);
	require(op.cqe.dw0 == NS_CHANGED);
	require(block_resize(w->device, 16384) == 0);
	require(host_log(&h, NVME_LOG_CHANGED_NS | NVME_LOG_RAE, 0, changed,
			 sizeof(changed)) == 0);
	require(changed[0] == 1 && changed[1] == 2 && changed[2] == 0);
	require(host_log(&h, NVME_LOG_CHANGED_NS, 0, changed,
			 sizeof(changed)) == 0);
	require(changed[0] == 1 && changed[1] == 2 && changed[2] == 0);
	require(host_log(&h, NVME_LOG_CHANGED_NS, 0, changed,
			 sizeof(changed)) == 0);
	require(changed[0] == 0);
	require(host_start_aer(&h, &op) == 0);
	require(nvmet_namespace_remove(w->subsystem, 2) == 0);
	require(host_wait(&h, &op) == 0);
	require(block_destroy(d) == 0);
	host_close(&h);
}

static void namespaces_that_change_are_told_and_listed(void **state)
{
	in_world(4, NULL, change_ns);
	in_real_world(2, NULL, change_ns);
}

static void limit(struct world *w)
{
	struct host_op ops[4], more, cancel = {};
	struct host h;

	connect_to(&h, &w->path[0], ALL);
	for (int i = 0; i < 4; i++)
		require(host_start_aer(&h, &ops[i]) == 0);
	require(host_start_aer(&h, &more) == 0);
	require(host_wait(&h, &more) == (NVME_SC_ASYNC_LIMIT | DNR));
	cancel.sqe.opc = NVME_ADMIN_ABORT;
	cancel.sqe.cdw10 = (uint32_t)ops[1].sqe.cid << 16;
	require(host_run(&h, &cancel) == 0 && cancel.cqe.dw0 == 0);
	require(host_wait(&h, &ops[1]) == NVME_SC_ABORT_REQUESTED);
	set_ana(w, 0, NVMET_ANA_CHANGE);
	require(host_wait(&h, &ops[0]) == 0); /* the first one first */
	require(!ops[2].done && !ops[3].done);
	host_close(&h);
}

static void four_requests_may_be_outstanding(void **state)
{
	in_world(5, NULL, limit);
}

/* One changes the state again and again; the host looks whenever it is told,
 * and ends up with the last one. */
struct storm {
	struct world *w;
	struct completion done;
};

static void storm_task(void *arg)
{
	struct storm *s = arg;

	for (int i = 0; i < 200; i++) {
		set_ana(s->w, 0,
			i & 1 ? NVMET_ANA_NON_OPTIMIZED
			      : NVMET_ANA_INACCESSIBLE);
		if (i % 7 == 0)
			task_sleep(USEC(50));
		else
			task_yield();
	}
	set_ana(s->w, 0, NVMET_ANA_PERSISTENT_LOSS);
	completion_done(&s->done, 0);
}

static void storm(struct world *w)
{
	struct storm s = { .w = w };
	struct host_op op;
	struct host h;

	connect_to(&h, &w->path[0], ALL);
	require(host_start_aer(&h, &op) == 0);
	completion_init(&s.done);
	require(task_spawn("storm", storm_task, &s) == 0);
	do {
		require(host_wait(&h, &op) == 0);
		require(host_start_aer(&h, &op) == 0);
		read_ana(&h, 0);
	} while (ana_group->ana_state != NVMET_ANA_PERSISTENT_LOSS);
	completion_wait(&s.done);
	host_close(&h);
}

static void the_last_state_is_always_seen(void **state)
{
	for (uint64_t seed = 0; seed < 20; seed++)
		in_world(seed, NULL, storm);
	in_real_world(2, NULL, storm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			ana_changes_are_told_to_those_who_came_by_that_way),
		cmocka_unit_test(what_happens_without_a_request_is_told_later),
		cmocka_unit_test(events_are_told_to_those_who_asked_for_them),
		cmocka_unit_test(namespaces_that_change_are_told_and_listed),
		cmocka_unit_test(four_requests_may_be_outstanding),
		cmocka_unit_test(the_last_state_is_always_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
