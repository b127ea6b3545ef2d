/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a controller says of itself: Identify, features, log pages; and that
 * nonsense gets the error that the specification has for it.
 */
#include "world.h"

enum { DNR = NVME_SC_DNR };

static union {
	uint8_t bytes[NVME_IDENTIFY_SIZE];
	uint16_t cntlids[NVME_IDENTIFY_SIZE / 2];
	uint32_t nsids[NVME_IDENTIFY_SIZE / 4];
	uint64_t combinations[NVME_IDENTIFY_SIZE / 8];
	struct nvme_id_ctrl ctrl;
	struct nvme_id_ns ns;
	struct nvme_id_ns_independent independent;
	struct nvme_id_ctrl_nvm nvm;
	struct nvme_error_entry errors[64];
	struct nvme_smart_log smart;
	struct nvme_firmware_log firmware;
	struct nvme_commands_log commands;
	struct nvme_ana_log ana;
} in;

static int connect_to(struct world *w, struct host *h)
{
	int cntlid = host_admin(h, &w->path[0], SUBNQN, 0);

	require(cntlid > 0);
	return cntlid;
}

static int identify(struct host *h, uint8_t cns, uint32_t nsid)
{
	memset(&in, 0xee, sizeof(in));
	return host_identify(h, cns, nsid, 0, &in);
}

static bool is_zero(const void *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((const uint8_t *)p)[i] != 0)
			return false;
	return true;
}

/* ---------------------------------------------------------------- identify */

static void controller(struct world *w)
{
	struct host h;
	int cntlid = connect_to(w, &h);

	require(identify(&h, NVME_CNS_CONTROLLER, 0) == 0);
	require(in.ctrl.cntlid == cntlid);
	require(in.ctrl.cntrltype == NVME_CNTRLTYPE_IO);
	require(strcmp(in.ctrl.subnqn, SUBNQN) == 0);
	require(memcmp(in.ctrl.mn, "Hawser volume         ", 22) == 0);
	require(in.ctrl.mdts == 5 && in.ctrl.maxcmd == 128);
	/* What Linux's host does not go on without. */
	require(in.ctrl.kas > 0 && in.ctrl.ioccsz == 4 + 256);
	require(in.ctrl.iorcsz == 1 && in.ctrl.icdoff == 0);
	require(in.ctrl.sgls & 3);
	require(in.ctrl.cmic & NVME_CMIC_ANARS);
	require(in.ctrl.mnan > 0 && in.ctrl.mnan <= in.ctrl.nn);
	require(in.ctrl.anagrpmax > 0 && in.ctrl.nanagrpid >= 1);
	/* Safe failover. */
	require(in.ctrl.ciu != 0 && in.ctrl.cirn != 0 && in.ctrl.cqt > 0 &&
		in.ctrl.ccrl > 0);
	host_close(&h);
}

static void identify_tells_of_the_controller(void **state)
{
	in_world(1, NULL, controller);
}

static size_t find_descriptor(uint8_t type, const void *id, size_t len)
{
	size_t at = 0;

	while (at + 4 < sizeof(in) && in.bytes[at + 1] != 0) {
		if (in.bytes[at] == type && in.bytes[at + 1] == len &&
		    memcmp(in.bytes + at + 4, id, len) == 0)
			return at + 1;
		at += 4 + in.bytes[at + 1];
	}
	return 0;
}

static void namespaces(struct world *w)
{
	const uint8_t csi = NVME_CSI_NVM;
	struct host h;

	connect_to(w, &h);
	require(identify(&h, NVME_CNS_NAMESPACE, 1) == 0);
	require(in.ns.nsze == 8192 && in.ns.ncap == 8192);
	require(in.ns.nuse == 8192 && in.ns.lbaf[0].lbads == 9);
	require(in.ns.nmic & NVME_NMIC_SHARED && in.ns.anagrpid == 1);
	require(memcmp(in.ns.nguid, block_uuid(w->device), 16) == 0);
	require(identify(&h, NVME_CNS_DESCRIPTORS, 1) == 0);
	require(find_descriptor(NVME_NIDT_UUID, block_uuid(w->device), 16));
	require(find_descriptor(NVME_NIDT_NGUID, block_uuid(w->device), 16));
	require(find_descriptor(NVME_NIDT_CSI, &csi, 1));
	require(identify(&h, NVME_CNS_INDEPENDENT_NAMESPACE, 1) == 0);
	require(in.independent.nstat == NVME_NSTAT_NRDY);
	require(in.independent.anagrpid == 1);
	require(identify(&h, NVME_CNS_CSI_NAMESPACE, 1) == 0);

	/* Inactive, and none at all. */
	require(identify(&h, NVME_CNS_NAMESPACE, 2) == 0);
	require(is_zero(&in, sizeof(in)));
	require(identify(&h, NVME_CNS_NAMESPACE, 0) ==
		(NVME_SC_INVALID_NS | DNR));
	require(identify(&h, NVME_CNS_NAMESPACE, 33) ==
		(NVME_SC_INVALID_NS | DNR));
	require(identify(&h, NVME_CNS_NAMESPACE, NVME_NSID_ALL) ==
		(NVME_SC_INVALID_NS | DNR));
	require(identify(&h, NVME_CNS_DESCRIPTORS, 2) ==
		(NVME_SC_INVALID_NS | DNR));
	host_close(&h);
}

static void identify_tells_of_namespaces(void **state)
{
	in_world(2, NULL, namespaces);
}

static void lists(struct world *w)
{
	struct nvmet_namespace more = { .device = "other",
					.nsid = 7,
					.no_auto_visible = true };
	struct block_spec disk = { .kind = BLOCK_MALLOC,
				   .name = "other",
				   .block_size = 4096,
				   .blocks = 16 };
	struct block_device *d;
	struct host h, second;
	int a = connect_to(w, &h), b = connect_to(w, &second);

	require(block_create(w->blocks, &disk, &d, NULL) == 0);
	require(nvmet_namespace_add(w->subsystem, &more, NULL) == 7);
	require(identify(&h, NVME_CNS_ACTIVE_LIST, 0) == 0);
	require(in.nsids[0] == 1 && in.nsids[1] == 0);
	require(nvmet_namespace_add_host(w->subsystem, 7, HOST_NQN, NULL) == 0);
	require(identify(&h, NVME_CNS_ACTIVE_LIST, 0) == 0);
	require(in.nsids[0] == 1 && in.nsids[1] == 7 && in.nsids[2] == 0);
	require(identify(&h, NVME_CNS_CSI_ACTIVE_LIST, 1) == 0);
	require(in.nsids[0] == 7 && in.nsids[1] == 0);
	require(identify(&h, NVME_CNS_ACTIVE_LIST, NVME_NSID_ALL) ==
		(NVME_SC_INVALID_NS | DNR));
	require(identify(&h, NVME_CNS_CONTROLLER_LIST, 0) == 0);
	require(in.cntlids[0] == 2 && in.cntlids[1] == MIN(a, b));
	require(host_identify(&h, NVME_CNS_NS_CONTROLLER_LIST, 1, MAX(a, b),
			      &in) == 0);
	require(in.cntlids[0] == 1 && in.cntlids[1] == MAX(a, b));
	require(nvmet_namespace_remove(w->subsystem, 7) == 0);
	require(block_destroy(d) == 0);
	host_close(&second);
	host_close(&h);
}

static void lists_have_what_the_host_may_see(void **state)
{
	in_world(3, NULL, lists);
}

static void command_sets(struct world *w)
{
	struct host_op op = { .in = &in, .len = NVME_IDENTIFY_SIZE };
	struct host h;

	connect_to(w, &h);
	require(host_identify(&h, NVME_CNS_IO_COMMAND_SETS, 0, 0xffff, &in) ==
		0);
	require(in.combinations[0] == 1 && in.combinations[1] == 0);
	require(identify(&h, NVME_CNS_CSI_CONTROLLER, 0) == 0);
	require(in.nvm.wzsl == 13);
	op.sqe.opc = NVME_ADMIN_IDENTIFY;
	op.sqe.cdw10 = NVME_CNS_CSI_CONTROLLER;
	op.sqe.cdw11 = 2u << 24; /* zoned namespaces */
	require(host_run(&h, &op) == (NVME_SC_INVALID_IOCS | DNR));
	require(identify(&h, 0x04, 0) == (NVME_SC_INVALID_FIELD | DNR));
	require(identify(&h, 0xff, 0) == (NVME_SC_INVALID_FIELD | DNR));
	host_close(&h);
}

static void there_is_one_command_set(void **state)
{
	in_world(4, NULL, command_sets);
}

/* ---------------------------------------------------------------- features */

static void queues(struct world *w)
{
	struct host h, io;
	int cntlid = connect_to(w, &h);
	uint32_t dw0;

	require(host_get_feature(&h, NVME_FEAT_QUEUES, 0, &dw0) == 0);
	require(dw0 == (126u << 16 | 126));
	require(host_set_feature(&h, NVME_FEAT_QUEUES, 3u << 16 | 7, &dw0) ==
		0);
	require(dw0 == (3u << 16 | 7));
	require(host_set_feature(&h, NVME_FEAT_QUEUES, 999u << 16 | 999,
				 &dw0) == 0);
	require(dw0 == (126u << 16 | 126));
	require(host_set_feature(&h, NVME_FEAT_QUEUES, 0, &dw0) == 0);
	require(host_get_feature(&h, NVME_FEAT_QUEUES, 0, &dw0) == 0);
	require(dw0 == 0);
	require(host_set_feature(&h, NVME_FEAT_QUEUES, 0xffff, &dw0) ==
		(NVME_SC_INVALID_FIELD | DNR));
	require(host_io(&io, &w->path[0], SUBNQN, cntlid, 1, 0) == 0);
	require(host_set_feature(&h, NVME_FEAT_QUEUES, 0, &dw0) ==
		(NVME_SC_COMMAND_SEQUENCE | DNR));
	host_close(&io);
	host_close(&h);
}

static void as_many_queues_as_asked_for_up_to_the_limit(void **state)
{
	in_world(5, NULL, queues);
}

static void selects(struct world *w)
{
	const uint32_t now = NVME_FEAT_SEL_CURRENT << 8,
		       initial = NVME_FEAT_SEL_DEFAULT << 8,
		       saved = NVME_FEAT_SEL_SAVED << 8,
		       supported = NVME_FEAT_SEL_SUPPORTED << 8;
	struct host h;
	uint32_t dw0;

	connect_to(w, &h);
	require(host_set_feature(&h, NVME_FEAT_ARBITRATION, 3, &dw0) == 0);
	require(host_get_feature(&h, NVME_FEAT_ARBITRATION | now, 0, &dw0) ==
			0 &&
		dw0 == 3);
	require(host_get_feature(&h, NVME_FEAT_ARBITRATION | initial, 0,
				 &dw0) == 0 &&
		dw0 == 7);
	require(host_get_feature(&h, NVME_FEAT_ARBITRATION | saved, 0, &dw0) ==
			0 &&
		dw0 == 7);
	require(host_get_feature(&h, NVME_FEAT_ARBITRATION | supported, 0,
				 &dw0) == 0 &&
		dw0 == 4);
	require(host_get_feature(&h, NVME_FEAT_ARBITRATION | 4 << 8, 0, &dw0) ==
		(NVME_SC_INVALID_FIELD | DNR));
	require(host_set_feature(&h, NVME_FEAT_ARBITRATION | NVME_FEAT_SV, 3,
				 &dw0) == (NVME_SC_FEATURE_NOT_SAVEABLE | DNR));
	require(host_set_feature(&h, NVME_FEAT_POWER, 1, &dw0) ==
		(NVME_SC_INVALID_FIELD | DNR));
	require(host_set_feature(&h, NVME_FEAT_IOCS_PROFILE, 1, &dw0) ==
		(NVME_SC_FEATURE_NOT_CHANGEABLE | DNR));
	require(host_get_feature(&h, 0xee, 0, &dw0) ==
		(NVME_SC_INVALID_FIELD | DNR));
	/* A reset brings the defaults back. */
	require(host_property_set(&h, NVME_PROP_CC, 0) == 0);
	require(host_property_set(&h, NVME_PROP_CC,
				  NVME_CC_EN | 6 << 16 | 4 << 20) == 0);
	require(host_get_feature(&h, NVME_FEAT_ARBITRATION, 0, &dw0) == 0);
	require(dw0 == 7);
	host_close(&h);
}

static void features_have_current_default_and_saved_values(void **state)
{
	in_world(6, NULL, selects);
}

static void host_id(struct world *w)
{
	struct host_op op = { .in = &in, .len = 16 };
	struct host h;

	connect_to(w, &h);
	op.sqe.opc = NVME_ADMIN_GET_FEATURES;
	op.sqe.cdw10 = NVME_FEAT_HOST_ID;
	op.sqe.cdw11 = NVME_HOST_ID_EXHID;
	memset(&in, 0xee, sizeof(in));
	require(host_run(&h, &op) == 0);
	require(op.received == 16 && is_zero(&in, 16));
	op.sqe.cdw11 = 0;
	op.sqe.sgl1 = (struct nvme_sgl){};
	require(host_run(&h, &op) == (NVME_SC_INVALID_FIELD | DNR));
	host_close(&h);
}

static void the_host_identifier_has_128_bits(void **state)
{
	in_world(7, NULL, host_id);
}

static void keep_alive(struct world *w)
{
	struct host h;
	uint32_t dw0;
	uint64_t csts;
	nsec start;

	connect_to(w, &h);
	require(host_set_feature(&h, NVME_FEAT_KEEP_ALIVE, 10500, &dw0) == 0);
	require(host_get_feature(&h, NVME_FEAT_KEEP_ALIVE, 0, &dw0) == 0);
	require(dw0 == 20000); /* the next multiple of KAS */
	start = reactor_now();
	require(host_receive(&h) < 0);
	require(reactor_now() - start >= SEC(20));
	require(reactor_now() - start < SEC(23));
	require(host_property_get(&h, NVME_PROP_CSTS, &csts) < 0);
	host_close(&h);
}

static void keep_alive_can_be_set_later(void **state)
{
	in_world(8, NULL, keep_alive);
}

/* --------------------------------------------------------------- log pages */

static void supported(struct world *w)
{
	struct host h;

	connect_to(w, &h);
	require(host_log(&h, NVME_LOG_SUPPORTED, 0, &in, 1024) == 0);
	require(in.nsids[NVME_LOG_SMART] & 1 && in.nsids[NVME_LOG_ANA] & 1);
	require(in.nsids[NVME_LOG_DISCOVERY] == 0);
	/* All that are said to be there can be read; no other can. */
	for (unsigned page = 0; page < 256; page++) {
		uint32_t is_there;
		int rc;

		require(host_log(&h, NVME_LOG_SUPPORTED, page * 4, &is_there,
				 4) == 0);
		rc = host_log(&h, page, 0, &in, 512);
		require(rc ==
			(is_there & 1 ? 0 : (NVME_SC_INVALID_LOG_PAGE | DNR)));
	}
	require(host_log(&h, NVME_LOG_FIRMWARE, 2, &in, 512) ==
		(NVME_SC_INVALID_FIELD | DNR));
	require(host_log(&h, NVME_LOG_FIRMWARE, 516, &in, 512) ==
		(NVME_SC_INVALID_FIELD | DNR));
	require(host_log(&h, NVME_LOG_FIRMWARE, 0, &in, 512) == 0);
	require(in.firmware.afi == 1 && in.firmware.frs[0][0] != 0);
	host_close(&h);
}

static void supported_pages_are_those_that_can_be_read(void **state)
{
	in_world(9, NULL, supported);
}

static void errors(struct world *w)
{
	struct host h, io;
	int cntlid = connect_to(w, &h);

	require(host_io(&io, &w->path[0], SUBNQN, cntlid, 1, 0) == 0);
	require(identify(&h, 0xff, 0) != 0);
	require(host_read(&io, 1, 9999, &in, 512) ==
		(NVME_SC_LBA_OUT_OF_RANGE | DNR));
	require(host_log(&h, NVME_LOG_ERROR, 0, &in, sizeof(in.errors)) == 0);
	require(in.errors[0].error_count == 2 && in.errors[0].sqid == 1);
	require(in.errors[0].opc == NVME_IO_READ && in.errors[0].nsid == 1);
	require(in.errors[0].lba == 9999);
	require(in.errors[0].status == (NVME_SC_LBA_OUT_OF_RANGE | DNR) << 1);
	require(in.errors[1].error_count == 1 && in.errors[1].sqid == 0);
	require(in.errors[2].error_count == 0);
	for (int i = 0; i < 100; i++)
		require(identify(&h, 0xff, 0) != 0);
	require(host_log(&h, NVME_LOG_ERROR, 0, &in, sizeof(in.errors)) == 0);
	require(in.errors[0].error_count == 102);
	require(in.errors[63].error_count == 39);
	host_close(&io);
	host_close(&h);
}

static void the_last_errors_are_kept(void **state)
{
	in_world(10, NULL, errors);
	in_real_world(2, NULL, errors);
}

static void smart(struct world *w)
{
	static uint8_t data[65536];
	struct host h, io;
	int cntlid = connect_to(w, &h);

	require(host_io(&io, &w->path[0], SUBNQN, cntlid, 1, 0) == 0);
	for (int i = 0; i < 8; i++)
		require(host_write(&io, 1, i * 128, data, sizeof(data)) == 0);
	for (int i = 0; i < 5; i++)
		require(host_read(&io, 1, 0, data, 512) == 0);
	require(host_log(&h, NVME_LOG_SMART, 0, &in, 512) == 0);
	require(in.smart.hwc[0] == 8 && in.smart.hrc[0] == 5);
	require(in.smart.duw[0] == 2 && in.smart.dur[0] == 1);
	require(in.smart.cw == 0 && in.smart.avsp == 100);
	host_close(&io);
	host_close(&h);
}

static void smart_counts_what_was_read_and_written(void **state)
{
	in_world(11, NULL, smart);
}

static void commands(struct world *w)
{
	struct host h;

	connect_to(w, &h);
	require(host_log(&h, NVME_LOG_COMMANDS, 0, &in, 4096) == 0);
	require(in.commands.acs[NVME_ADMIN_IDENTIFY] == NVME_CSE_CSUPP);
	require(in.commands.acs[NVME_ADMIN_FORMAT_NVM] == 0);
	require(in.commands.iocs[NVME_IO_WRITE] ==
		(NVME_CSE_CSUPP | NVME_CSE_LBCC));
	require(in.commands.iocs[NVME_IO_COPY] == 0);
	host_close(&h);
}

static void commands_have_their_effects_told(void **state)
{
	in_world(12, NULL, commands);
}

/* ------------------------------------------------------------- write cache */

static void write_cache(struct world *w)
{
	struct host h;
	uint32_t dw0;

	connect_to(w, &h);
	require(host_get_feature(&h, NVME_FEAT_WRITE_CACHE, 0, &dw0) == 0);
	require(dw0 == 1);
	require(host_set_feature(&h, NVME_FEAT_WRITE_CACHE, 0, &dw0) == 0);
	require(host_get_feature(&h, NVME_FEAT_WRITE_CACHE, 0, &dw0) == 0);
	require(dw0 == 0);
	require(host_set_feature(&h, NVME_FEAT_WRITE_CACHE, 2, &dw0) ==
		(NVME_SC_INVALID_FIELD | DNR));
	host_close(&h);
}

static void the_write_cache_can_be_turned_off(void **state)
{
	in_world(13, NULL, write_cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identify_tells_of_the_controller),
		cmocka_unit_test(identify_tells_of_namespaces),
		cmocka_unit_test(lists_have_what_the_host_may_see),
		cmocka_unit_test(there_is_one_command_set),
		cmocka_unit_test(as_many_queues_as_asked_for_up_to_the_limit),
		cmocka_unit_test(
			features_have_current_default_and_saved_values),
		cmocka_unit_test(the_host_identifier_has_128_bits),
		cmocka_unit_test(keep_alive_can_be_set_later),
		cmocka_unit_test(supported_pages_are_those_that_can_be_read),
		cmocka_unit_test(the_last_errors_are_kept),
		cmocka_unit_test(smart_counts_what_was_read_and_written),
		cmocka_unit_test(commands_have_their_effects_told),
		cmocka_unit_test(the_write_cache_can_be_turned_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
