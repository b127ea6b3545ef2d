/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reservations as hosts meet them: commands, what they do to the I/O of others
 * on any path, the report, notifications; and that what was preempted and
 * aborted never lands.
 */
#include "nvme/pdu/reservation.h"
#include "nvme/target/internal.h"
#include "world.h"

enum {
	DNR = NVME_SC_DNR,
	CONFLICT = NVME_SC_RESERVATION_CONFLICT | DNR,
	INVALID = NVME_SC_INVALID_FIELD | DNR,
	EVENT = NVME_LOG_RESERVATION << 16 | NVME_AER_RESV_LOG_AVAILABLE << 8 |
		NVME_AER_IO_SPECIFIC,
};

struct node {
	struct host admin, io;
};

static uint8_t data[4096], back[4096];
static struct {
	struct nvme_resv_status status;
	struct nvme_resv_registrant who[4];
} state;

static void node_open(struct world *w, struct node *n, int path, uint8_t id)
{
	struct host_connect admin = { .subnqn = SUBNQN,
				      .cntlid = NVME_CNTLID_DYNAMIC,
				      .host_id = id },
			    io = { .subnqn = SUBNQN, .qid = 1, .host_id = id };

	require(host_open(&n->admin, &w->path[path], 0) == 0);
	require(host_connect(&n->admin, &admin) == 0);
	require(host_property_set(&n->admin, NVME_PROP_CC,
				  NVME_CC_EN | 6 << 16 | 4 << 20) == 0);
	io.cntlid = admin.dw0;
	require(host_open(&n->io, &w->path[path], 0) == 0);
	require(host_connect(&n->io, &io) == 0);
}

static void node_close(struct node *n)
{
	host_close(&n->io);
	host_close(&n->admin);
}

static int resv(struct node *n, uint8_t opc, uint32_t nsid, uint32_t cdw10,
		uint64_t a, uint64_t b)
{
	uint64_t keys[2] = { a, b };
	struct host_op op = { .out = keys, .len = sizeof(keys) };

	if (opc == NVME_IO_RESV_RELEASE)
		op.len = sizeof(keys[0]);
	op.capsule = cdw10 & 1; /* both ways */
	op.sqe.opc = opc;
	op.sqe.nsid = nsid;
	op.sqe.cdw10 = cdw10;
	return host_run(&n->io, &op);
}

static int reg(struct node *n, uint64_t key)
{
	return resv(n, NVME_IO_RESV_REGISTER, 1, NVME_RREGA_REGISTER, 0, key);
}

static int acquire(struct node *n, int type, uint64_t key)
{
	return resv(n, NVME_IO_RESV_ACQUIRE, 1, type << 8, key, 0);
}

static int report(struct node *n, uint32_t len)
{
	struct host_op op = { .in = &state, .len = len };

	op.sqe.opc = NVME_IO_RESV_REPORT;
	op.sqe.nsid = 1;
	op.sqe.cdw10 = len / 4 - 1;
	op.sqe.cdw11 = NVME_RESV_EDS;
	memset(&state, 0xee, sizeof(state));
	return host_run(&n->io, &op);
}

/* --------------------------------------------------------------------- I/O */

static void conflict(struct world *w)
{
	struct node a, b, c;

	node_open(w, &a, 0, 1);
	node_open(w, &b, 1, 2);
	node_open(w, &c, 1, 1); /* host 1 by another path */
	require(reg(&a, 11) == 0);
	require(host_write(&b.io, 1, 0, data, 512) == 0);
	require(acquire(&b, NVME_RTYPE_WE, 11) == CONFLICT);
	require(acquire(&a, NVME_RTYPE_WE, 11) == 0);
	require(host_write(&b.io, 1, 0, data, 512) == CONFLICT);
	require(host_read(&b.io, 1, 0, back, 512) == 0);
	require(host_write(&a.io, 1, 0, data, 512) == 0);
	require(host_write(&c.io, 1, 0, data, 512) == 0);
	require(resv(&c, NVME_IO_RESV_RELEASE, 1, NVME_RTYPE_WE << 8, 11, 0) ==
		0);
	require(acquire(&c, NVME_RTYPE_EA, 11) == 0);
	require(host_read(&b.io, 1, 0, back, 512) == CONFLICT);
	require(reg(&b, 22) == 0);
	require(host_read(&b.io, 1, 0, back, 512) == CONFLICT);
	/* A registration does not need its connection. */
	node_close(&a);
	node_close(&c);
	require(host_read(&b.io, 1, 0, back, 512) == CONFLICT);
	require(resv(&b, NVME_IO_RESV_ACQUIRE, 1,
		     NVME_RTYPE_EA << 8 | NVME_RACQA_PREEMPT, 22, 11) == 0);
	require(host_read(&b.io, 1, 0, back, 512) == 0);
	node_close(&b);
}

static void others_meet_a_reservation_on_every_path(void **arg)
{
	in_world(1, NULL, conflict);
	in_real_world(2, NULL, conflict);
}

/* ----------------------------------------------------------------- removal */

/* The next look-up finds it still, and then it is taken out, as removal on
 * another thread does it; the linker puts this in place of the target's. */
static bool taken_out;

struct nvmet_ns *__real_nvmet_ns_of(const struct nvmet_ctrl *ctrl,
				    uint32_t nsid);
struct nvmet_ns *__wrap_nvmet_ns_of(const struct nvmet_ctrl *ctrl,
				    uint32_t nsid);

struct nvmet_ns *__wrap_nvmet_ns_of(const struct nvmet_ctrl *ctrl,
				    uint32_t nsid)
{
	struct nvmet_ns *ns = __real_nvmet_ns_of(ctrl, nsid);

	if (taken_out)
		atomic_store(&ctrl->s->ns[nsid], NULL);
	return ns;
}

/* It was judged when there was no reservation, and has waited for its data. */
static void removal(struct world *w)
{
	struct nvmet_ns *ns = atomic_load(&w->subsystem->ns[1]);
	struct host_op late = { .out = data, .silent = true };
	struct node a, b;

	node_open(w, &a, 0, 1);
	node_open(w, &b, 1, 2);
	memset(data, 0x11, 512);
	require(host_write(&a.io, 1, 0, data, 512) == 0);
	memset(data, 0x22, 512);
	host_set_rw(&late, NVME_IO_WRITE, 1, 0, 512);
	late.capsule = false;
	require(host_start(&b.io, &late) == 0);
	while (late.r2t.length == 0)
		require(host_receive(&b.io) == 0);
	require(reg(&a, 11) == 0);
	require(acquire(&a, NVME_RTYPE_WE, 11) == 0);
	taken_out = true;
	require(host_send_data(&b.io, &late, 512) == 0);
	require(host_wait(&b.io, &late) == CONFLICT);
	taken_out = false;
	atomic_store(&w->subsystem->ns[1], ns);
	require(host_read(&a.io, 1, 0, back, 512) == 0);
	require(back[0] == 0x11);
	node_close(&b);
	node_close(&a);
}

static void a_reservation_holds_while_the_namespace_is_removed(void **arg)
{
	in_world(7, NULL, removal);
}

/* ------------------------------------------------------------------ report */

static void reports(struct world *w)
{
	struct host_op old = { .in = &state, .len = 64 };
	struct node a, b;

	node_open(w, &a, 0, 1);
	node_open(w, &b, 1, 2);
	require(report(&b, sizeof(state)) == 0);
	require(state.status.gen == 0 && state.status.regctl == 0);
	require(reg(&a, 11) == 0);
	require(reg(&b, 22) == 0);
	require(acquire(&b, NVME_RTYPE_EARO, 22) == 0);
	require(report(&b, sizeof(state)) == 0);
	require(state.status.gen == 2 && state.status.regctl == 2);
	require(state.status.rtype == NVME_RTYPE_EARO);
	require(state.status.ptpls == 0);
	require(state.who[0].rkey == 11 && state.who[0].hostid[0] == 1);
	require(state.who[0].rcsts == 0);
	require(state.who[1].rkey == 22 && state.who[1].hostid[0] == 2);
	require(state.who[1].rcsts == NVME_RCSTS_HOLDER);
	require(report(&b, 64) == 0 && state.status.regctl == 2);
	old.sqe.opc = NVME_IO_RESV_REPORT;
	old.sqe.nsid = 1;
	old.sqe.cdw10 = 15;
	require(host_run(&a.io, &old) == (NVME_SC_HOST_ID_INCONSISTENT | DNR));
	node_close(&b);
	node_close(&a);
}

static void the_report_names_hosts_keys_and_holder(void **arg)
{
	in_world(2, NULL, reports);
}

static void refused(struct world *w)
{
	struct node a;

	node_open(w, &a, 0, 1);
	/* Nothing survives the process. */
	require(resv(&a, NVME_IO_RESV_REGISTER, 1,
		     (uint32_t)NVME_CPTPL_PERSIST << NVME_RESV_CPTPL_SHIFT, 0,
		     1) == INVALID);
	require(resv(&a, NVME_IO_RESV_REGISTER, 1,
		     (uint32_t)NVME_CPTPL_RELEASE << NVME_RESV_CPTPL_SHIFT, 0,
		     1) == 0);
	require(resv(&a, NVME_IO_RESV_REGISTER, 7, 0, 0, 1) ==
		(NVME_SC_INVALID_NS | DNR));
	require(resv(&a, NVME_IO_RESV_ACQUIRE, 1, 1 << 8 | NVME_RESV_IEKEY, 1,
		     0) == INVALID);
	require(resv(&a, NVME_IO_RESV_ACQUIRE, 1, 1 << 8 | 3, 1, 0) == INVALID);
	require(resv(&a, NVME_IO_RESV_RELEASE, 1, 1 << 8 | NVME_RESV_IEKEY, 1,
		     0) == INVALID);
	require(resv(&a, NVME_IO_RESV_RELEASE, 1, 1 << 8 | 2, 1, 0) == INVALID);
	node_close(&a);
}

static void what_makes_no_sense_is_refused(void **arg)
{
	in_world(3, NULL, refused);
}

/* ----------------------------------------------------------- notifications */

static struct nvme_resv_log notice;

static void read_notice(struct node *n)
{
	require(host_log(&n->admin, NVME_LOG_RESERVATION, 0, &notice,
			 sizeof(notice)) == 0);
}

static void notifications(struct world *w)
{
	struct host_op aer, mask = {};
	struct node a, b;

	node_open(w, &a, 0, 1);
	node_open(w, &b, 1, 2);
	require(reg(&a, 11) == 0 && reg(&b, 22) == 0);
	require(host_start_aer(&a.admin, &aer) == 0);
	require(acquire(&b, NVME_RTYPE_WERO, 22) == 0);
	require(resv(&b, NVME_IO_RESV_RELEASE, 1, NVME_RTYPE_WERO << 8, 22,
		     0) == 0);
	require(host_wait(&a.admin, &aer) == 0);
	require(aer.cqe.dw0 == EVENT);
	require(host_start_aer(&a.admin, &aer) == 0);
	require(resv(&b, NVME_IO_RESV_RELEASE, 1, NVME_RRELA_CLEAR, 22, 0) ==
		0);
	read_notice(&a);
	require(notice.rnlpt == NVME_RESV_RELEASED && notice.nsid == 1);
	require(notice.lpc == 1 && notice.nalp == 1);
	require(host_wait(&a.admin, &aer) == 0); /* there is another */
	read_notice(&a);
	require(notice.rnlpt == NVME_RESV_PREEMPTED && notice.lpc == 2);
	read_notice(&a);
	require(notice.rnlpt == NVME_RESV_LOG_EMPTY);
	/* Masked. */
	mask.sqe.opc = NVME_ADMIN_SET_FEATURES;
	mask.sqe.nsid = 1;
	mask.sqe.cdw10 = NVME_FEAT_RESV_MASK;
	mask.sqe.cdw11 = 1 << NVME_RESV_REGISTRATION_PREEMPTED;
	require(host_run(&a.admin, &mask) == 0);
	require(reg(&a, 11) == 0 && reg(&b, 22) == 0);
	require(resv(&b, NVME_IO_RESV_ACQUIRE, 1,
		     NVME_RTYPE_EA << 8 | NVME_RACQA_PREEMPT, 22, 11) == 0);
	read_notice(&a);
	require(notice.rnlpt == NVME_RESV_LOG_EMPTY);
	node_close(&b);
	node_close(&a);
}

static void hosts_are_told_what_others_did_to_them(void **arg)
{
	in_world(4, NULL, notifications);
	in_real_world(2, NULL, notifications);
}

static void too_many(struct world *w)
{
	struct node a, b;

	node_open(w, &a, 0, 1);
	node_open(w, &b, 1, 2);
	require(reg(&a, 11) == 0 && reg(&b, 22) == 0);
	for (int i = 0; i < 20; i++) {
		require(acquire(&b, NVME_RTYPE_WERO, 22) == 0);
		require(resv(&b, NVME_IO_RESV_RELEASE, 1, NVME_RTYPE_WERO << 8,
			     22, 0) == 0);
	}
	for (int i = 0; i < 16; i++) {
		read_notice(&a);
		require(notice.rnlpt == NVME_RESV_RELEASED);
		require(notice.lpc == 5u + i && notice.nalp == 15 - i);
	}
	read_notice(&a);
	require(notice.rnlpt == NVME_RESV_LOG_EMPTY);
	node_close(&b);
	node_close(&a);
}

static void old_notifications_make_room(void **arg)
{
	in_world(5, NULL, too_many);
}

/* ------------------------------------------------------- preempt and abort */

static void set_delay(struct block_device *d, nsec delay)
{
	struct block_spec times = { .kind = BLOCK_DELAY,
				    .delay = { delay, delay, delay, delay } };

	require(block_delay_set(d, &times) == 0);
}

static void preempt_and_abort(struct world *w)
{
	struct block_spec base = { .kind = BLOCK_MALLOC,
				   .name = "base",
				   .block_size = 512,
				   .blocks = 64 },
			  slow = { .kind = BLOCK_DELAY,
				   .name = "slow",
				   .base = "base" };
	struct nvmet_namespace ns = { .nsid = 2, .device = "slow" };
	struct host_op held = { .out = data };
	struct block_device *lower, *d;
	struct node a, b;

	require(block_create(w->blocks, &base, &lower, NULL) == 0);
	require(block_create(w->blocks, &slow, &d, NULL) == 0);
	require(nvmet_namespace_add(w->subsystem, &ns, NULL) == 2);
	node_open(w, &a, 0, 1);
	node_open(w, &b, 1, 2);
	require(resv(&a, NVME_IO_RESV_REGISTER, 2, 0, 0, 11) == 0);
	require(resv(&b, NVME_IO_RESV_REGISTER, 2, 0, 0, 22) == 0);
	require(resv(&a, NVME_IO_RESV_ACQUIRE, 2, NVME_RTYPE_WE << 8, 11, 0) ==
		0);
	set_delay(d, SEC(1));
	memset(data, 0x11, sizeof(data));
	host_set_rw(&held, NVME_IO_WRITE, 2, 0, 4096);
	require(host_start(&a.io, &held) == 0);
	task_sleep(MSEC(100)); /* it is in the device */
	require(resv(&b, NVME_IO_RESV_ACQUIRE, 2,
		     NVME_RTYPE_WE << 8 | NVME_RACQA_PREEMPT_AND_ABORT, 22,
		     11) == 0);
	set_delay(d, 0);
	memset(back, 0x22, sizeof(back));
	require(host_write(&b.io, 2, 0, back, 4096) == 0);
	require(host_wait(&a.io, &held) == NVME_SC_ABORT_PREEMPT);
	task_sleep(SEC(2));
	require(host_read(&b.io, 2, 0, back, 4096) == 0);
	require(back[0] == 0x22 && back[4095] == 0x22);
	require(host_write(&a.io, 2, 0, data, 4096) == CONFLICT);
	node_close(&b);
	node_close(&a);
	require(nvmet_namespace_remove(w->subsystem, 2) == 0);
	require(block_destroy(d) == 0);
	require(block_destroy(lower) == 0);
}

static void what_was_aborted_never_lands(void **arg)
{
	in_world(6, NULL, preempt_and_abort);
	in_real_world(2, NULL, preempt_and_abort);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(others_meet_a_reservation_on_every_path),
		cmocka_unit_test(
			a_reservation_holds_while_the_namespace_is_removed),
		cmocka_unit_test(the_report_names_hosts_keys_and_holder),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(hosts_are_told_what_others_did_to_them),
		cmocka_unit_test(old_notifications_make_room),
		cmocka_unit_test(what_was_aborted_never_lands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
