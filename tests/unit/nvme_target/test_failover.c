/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Safe failover: a write that is held up behind one path never takes effect
 * after a later write that came by another, once the target has said that the
 * first path's controller is gone.  The device is a delay over memory, which
 * holds the first write for seconds and later ones not at all.
 */
#include "world.h"

static uint8_t old[8192], new[8192], back[8192];
static uint64_t seed;

struct hosts {
	struct host a_admin, a, b_admin, b;
	int a_id, b_id;
};

static struct block_device *add_slow(struct world *w, nsec delay)
{
	struct block_spec slow = { .kind = BLOCK_DELAY,
				   .name = "slow",
				   .base = "base",
				   .delay = { delay, delay, delay, delay } };
	struct block_spec base = { .kind = BLOCK_MALLOC,
				   .name = "base",
				   .block_size = 512,
				   .blocks = 64 };
	struct nvmet_namespace ns = { .nsid = 2, .device = "slow" };
	struct block_device *d;

	require(block_create(w->blocks, &base, &d, NULL) == 0);
	require(block_create(w->blocks, &slow, &d, NULL) == 0);
	require(nvmet_namespace_add(w->subsystem, &ns, NULL) == 2);
	return d;
}

static void remove_slow(struct world *w, struct block_device *slow)
{
	require(nvmet_namespace_remove(w->subsystem, 2) == 0);
	require(block_destroy(slow) == 0);
	require(block_destroy(block_find(w->blocks, "base")) == 0);
}

static void connect_both(struct world *w, struct hosts *h, uint32_t kato)
{
	memset(old, 0x11, sizeof(old));
	memset(new, 0x22, sizeof(new));
	h->a_id = host_admin(&h->a_admin, &w->path[0], SUBNQN, kato);
	h->b_id = host_admin(&h->b_admin, &w->path[1], SUBNQN, 0);
	require(h->a_id > 0 && h->b_id > 0);
	require(host_io(&h->a, &w->path[0], SUBNQN, h->a_id, 1, 0) == 0);
	require(host_io(&h->b, &w->path[1], SUBNQN, h->b_id, 1, 0) == 0);
}

static void close_all(struct hosts *h)
{
	host_close(&h->a);
	host_close(&h->a_admin);
	host_close(&h->b);
	host_close(&h->b_admin);
}

static bool is_there(struct world *w, int cntlid)
{
	struct nvmet_controller_info *c;
	int n = nvmet_controllers(w->subsystem, &c);
	bool found = false;

	require(n >= 0);
	for (int i = 0; i < n; i++)
		found |= c[i].cntlid == cntlid;
	free(c);
	return found;
}

static void wait_gone(struct world *w, int cntlid)
{
	while (is_there(w, cntlid))
		task_sleep(MSEC(1));
}

/* What comes from now on is not held. */
static void no_delay(struct block_device *slow)
{
	struct block_spec none = { .kind = BLOCK_DELAY };

	require(block_delay_set(slow, &none) == 0);
}

/* The new data are written by path B, and stay. */
static void overwrite(struct hosts *h, struct block_device *slow)
{
	no_delay(slow);
	require(host_write(&h->b, 2, 0, new, sizeof(new)) == 0);
	task_sleep(SEC(100));
	require(host_read(&h->b, 2, 0, back, sizeof(back)) == 0);
	require(memcmp(back, new, sizeof(new)) == 0);
}

static void start_old_write(struct hosts *h, struct host_op *op, bool silent)
{
	*op = (struct host_op){ .out = old, .silent = silent };
	host_set_rw(op, NVME_IO_WRITE, 2, 0, sizeof(old));
	require(host_start(&h->a, op) == 0);
	require(host_receive(&h->a) == 0); /* its R2T */
	task_sleep(MSEC(10));		   /* the data are there */
}

static void cut(struct world *w)
{
	struct block_device *slow = add_slow(w, SEC(5));
	struct hosts h = {};
	struct host_op op;

	connect_both(w, &h, 0);
	start_old_write(&h, &op, false);
	sim_cut(&w->path[0]);
	wait_gone(w, h.a_id);
	overwrite(&h, slow);
	close_all(&h);
	remove_slow(w, slow);
}

static void a_write_held_on_a_path_that_was_cut(void **state)
{
	in_world(1, NULL, cut);
}

static const struct nvmet_transport quick = { .min_kato = 1, .kas = 1 };

/* Nothing arrives, nothing is reset: the keep alive timeout fences. */
static void silence(struct world *w)
{
	struct block_device *slow = add_slow(w, SEC(60));
	struct hosts h = {};
	struct host_op op;
	nsec began;

	connect_both(w, &h, 1000);
	start_old_write(&h, &op, false);
	sim_set_link(&w->path[0], SIM_LINK_SILENT);
	began = reactor_now();
	wait_gone(w, h.a_id);
	require(reactor_now() - began > MSEC(900));
	require(reactor_now() - began < MSEC(2200));
	overwrite(&h, slow);
	sim_set_link(&w->path[0], SIM_LINK_UP);
	close_all(&h);
	remove_slow(w, slow);
}

static void a_write_held_on_a_path_that_went_silent(void **state)
{
	in_world(2, &quick, silence);
}

/* The data come late, when the path is up again. */
static void late_data(struct world *w)
{
	struct block_device *slow = add_slow(w, MSEC(1));
	struct hosts h = {};
	struct host_op op;

	connect_both(w, &h, 1000);
	start_old_write(&h, &op, true);
	sim_set_link(&w->path[0], SIM_LINK_SILENT);
	require(host_send_data(&h.a, &op, sizeof(old)) == 0);
	wait_gone(w, h.a_id);
	require(host_write(&h.b, 2, 0, new, sizeof(new)) == 0);
	sim_set_link(&w->path[0], SIM_LINK_UP);
	overwrite(&h, slow);
	close_all(&h);
	remove_slow(w, slow);
}

static void data_that_come_after_the_fence(void **state)
{
	in_world(3, &quick, late_data);
}

/* ------------------------------------------------ Cross-Controller Reset */

/* The result of the command, or its status negated. */
static int reset_by(struct host *admin, int icid, uint8_t ciu, uint64_t cirn)
{
	struct host_op op = { .sqe = { .opc = NVME_ADMIN_CROSS_CONTROLLER_RESET,
				       .cdw10 = icid | ciu << 16,
				       .cdw12 = cirn,
				       .cdw13 = cirn >> 32 } };
	int rc = host_run(admin, &op);

	return rc == 0 ? (int)op.cqe.dw0 : -rc;
}

static void identify(struct host *admin, struct nvme_id_ctrl *id)
{
	struct host_op op = { .sqe = { .opc = NVME_ADMIN_IDENTIFY,
				       .cdw10 = NVME_CNS_CONTROLLER },
			      .in = id,
			      .len = sizeof(*id) };

	require(host_run(admin, &op) == 0);
}

static void by_reset(struct world *w)
{
	static struct nvme_id_ctrl id;
	struct block_device *slow = add_slow(w, SEC(5));
	struct hosts h = {};
	struct host_op op;

	connect_both(w, &h, 0);
	identify(&h.a_admin, &id);
	require(id.ciu != 0 && id.cirn != 0);
	start_old_write(&h, &op, false);
	sim_set_link(&w->path[0], SIM_LINK_SILENT);
	require(reset_by(&h.b_admin, h.b_id, id.ciu, id.cirn) ==
		-(NVME_SC_INVALID_FIELD | NVME_SC_DNR));
	/* Another instance of it is gone, and this one stays. */
	require(reset_by(&h.b_admin, h.a_id, id.ciu, id.cirn + 1) ==
		NVME_CCR_IRS);
	require(is_there(w, h.a_id));
	require(reset_by(&h.b_admin, h.a_id, id.ciu, id.cirn) == NVME_CCR_IRS);
	require(!is_there(w, h.a_id));
	overwrite(&h, slow);
	sim_set_link(&w->path[0], SIM_LINK_UP);
	close_all(&h);
	remove_slow(w, slow);
}

static void a_write_held_on_a_controller_that_is_reset(void **state)
{
	in_world(4, NULL, by_reset);
}

static void read_ccr_log(struct host *admin, struct nvme_ccr_log *log)
{
	struct host_op op = { .sqe = { .opc = NVME_ADMIN_GET_LOG_PAGE,
				       .cdw10 = NVME_LOG_CCR |
						(sizeof(*log) / 4 - 1) << 16 },
			      .in = log,
			      .len = sizeof(*log) };

	require(host_run(admin, &op) == 0);
}

static void add_file(struct world *w)
{
	struct block_spec file = { .kind = BLOCK_FILE,
				   .name = "file",
				   .block_size = 512,
				   .blocks = 64,
				   .file = { .path = "/disk",
					     .create = true } };
	struct nvmet_namespace ns = { .nsid = 2, .device = "file" };
	struct block_device *d;

	require(block_create(w->blocks, &file, &d, NULL) == 0);
	require(nvmet_namespace_add(w->subsystem, &ns, NULL) == 2);
}

/* The disk takes a second for a write that can't be called back: the reply says
 * that the reset has begun, the log page and an event when it has ended. */
static void busy_disk(struct world *w)
{
	const struct sim_faults slow_disk = { .disk_min = SEC(1),
					      .disk_max = SEC(1) };
	static struct nvme_id_ctrl id;
	static struct nvme_ccr_log log;
	struct host_op op, event = { .sqe = { .opc = NVME_ADMIN_ASYNC_EVENT } };
	struct host_op want = { .sqe = { .opc = NVME_ADMIN_SET_FEATURES,
					 .cdw10 = NVME_FEAT_ASYNC_EVENTS,
					 .cdw11 = NVME_OAES_CCRCN } };
	struct hosts h = {};

	add_file(w);
	connect_both(w, &h, 0);
	identify(&h.a_admin, &id);
	require(host_run(&h.b_admin, &want) == 0);
	require(host_start(&h.b_admin, &event) == 0);
	sim_set_faults(&slow_disk);
	start_old_write(&h, &op, false);
	require(reset_by(&h.b_admin, h.a_id, id.ciu, id.cirn) == 0);
	require(is_there(w, h.a_id));
	require(reset_by(&h.b_admin, h.a_id, id.ciu, id.cirn) ==
		-(NVME_SC_CCR_IN_PROGRESS | NVME_SC_DNR));
	read_ccr_log(&h.b_admin, &log);
	require(log.ne == 1 && log.entries[0].icid == h.a_id &&
		log.entries[0].ccrs == NVME_CCRS_IN_PROGRESS);
	require(host_wait(&h.b_admin, &event) == 0);
	require(event.cqe.dw0 == nvme_aer_result(NVME_AER_NOTICE,
						 NVME_AER_CCR_COMPLETED,
						 NVME_LOG_CCR));
	require(!is_there(w, h.a_id));
	read_ccr_log(&h.b_admin, &log);
	require(log.ne == 1 && log.entries[0].ccrs == NVME_CCRS_SUCCESS);
	close_all(&h);
	require(nvmet_namespace_remove(w->subsystem, 2) == 0);
	require(block_destroy(block_find(w->blocks, "file")) == 0);
}

static void a_reset_that_has_to_wait_for_a_device(void **state)
{
	in_world(5, NULL, busy_disk);
}

/* ------------------------------------------------------------ any history */

/* Path A writes one version after the other; it is cut at any moment; B writes
 * the last one. */
static void any_moment(struct world *w)
{
	struct block_device *slow = add_slow(w, USEC(300));
	struct host_op ops[8] = {};
	static uint8_t versions[8][8192];
	struct hosts h = {};

	connect_both(w, &h, 0);
	for (int i = 0; i < 8; i++) {
		memset(versions[i], i + 1, sizeof(versions[i]));
		ops[i].out = versions[i];
		host_set_rw(&ops[i], NVME_IO_WRITE, 2, 0, 8192);
		ops[i].capsule = false;
		require(host_start(&h.a, &ops[i]) == 0);
	}
	for (uint64_t n = rng_below(sim_rng(), 16); n > 0; n--)
		if (host_receive(&h.a) < 0)
			break;
	task_sleep(rng_below(sim_rng(), MSEC(1)));
	sim_cut(&w->path[0]);
	wait_gone(w, h.a_id);
	no_delay(slow);
	require(host_write(&h.b, 2, 0, new, sizeof(new)) == 0);
	task_sleep(SEC(1));
	require(host_read(&h.b, 2, 0, back, sizeof(back)) == 0);
	if (memcmp(back, new, sizeof(new)) != 0) {
		fprintf(stderr, "SEED=%lu\n", (unsigned long)seed);
		abort();
	}
	close_all(&h);
	remove_slow(w, slow);
}

static void a_cut_at_any_moment(void **state)
{
	const char *text = getenv("SEED");

	if (text != NULL) {
		seed = strtoull(text, NULL, 10);
		in_world(seed, NULL, any_moment);
		return;
	}
	for (seed = 100; seed < 400; seed++)
		in_world(seed, NULL, any_moment);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_write_held_on_a_path_that_was_cut),
		cmocka_unit_test(a_write_held_on_a_path_that_went_silent),
		cmocka_unit_test(data_that_come_after_the_fence),
		cmocka_unit_test(a_cut_at_any_moment),
		cmocka_unit_test(a_write_held_on_a_controller_that_is_reset),
		cmocka_unit_test(a_reset_that_has_to_wait_for_a_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
