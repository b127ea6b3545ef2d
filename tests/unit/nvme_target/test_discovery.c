/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The discovery service: a host is told of what it may connect to, where, and
 * when that changes.
 */
#include "world.h"

enum {
	DNR = NVME_SC_DNR,
	CHANGED = (int)((uint32_t)NVME_LOG_DISCOVERY << 16 |
			NVME_AER_DISCOVERY_CHANGED << 8 | NVME_AER_NOTICE),
};

static struct {
	struct nvme_discovery_log log;
	struct nvme_discovery_entry entries[15];
} page;
static struct nvme_id_ctrl id;

static void connect_to(struct world *w, struct host *h, uint32_t kato)
{
	require(host_admin(h, &w->path[1], NVMET_DISCOVERY_NQN, kato) > 0);
}

static void read_page(struct host *h)
{
	memset(&page, 0xee, sizeof(page));
	require(host_log(h, NVME_LOG_DISCOVERY, 0, &page, sizeof(page)) == 0);
}

static bool has_text(const char *field, size_t size, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = len; i < size; i++)
		if (field[i] != ' ')
			return false;
	return memcmp(field, text, len) == 0;
}

static void entries(struct world *w)
{
	struct nvme_discovery_entry *e = page.entries, second;
	char port[8];
	struct host h;

	connect_to(w, &h, 0);
	require(host_identify(&h, NVME_CNS_CONTROLLER, 0, 0, &id) == 0);
	require(id.cntrltype == NVME_CNTRLTYPE_DISCOVERY);
	require(id.oaes == NVME_OAES_DLPCN && id.nn == 0);
	require(strcmp(id.subnqn, NVMET_DISCOVERY_NQN) == 0);
	require(host_identify(&h, NVME_CNS_ACTIVE_LIST, 0, 0, &id) ==
		(NVME_SC_INVALID_FIELD | DNR));
	read_page(&h);
	require(page.log.numrec == 3 && page.log.recfmt == 0);
	require(e[0].subtype == NVME_SUBTYPE_CURRENT_DISCOVERY);
	require(has_text(e[0].traddr, 256, "127.0.0.2"));
	require(e[0].eflags & NVME_EFLAGS_DUPRETINFO);
	for (int i = 0; i < 2; i++) {
		e++;
		require(e->trtype == NVME_TRTYPE_TCP);
		require(e->adrfam == NVME_ADRFAM_IPV4);
		require(e->subtype == NVME_SUBTYPE_NVM);
		require(e->cntlid == NVME_CNTLID_DYNAMIC && e->asqsz >= 32);
		require(strcmp(e->subnqn, SUBNQN) == 0);
		require(has_text(e->traddr, 256,
				 i == 0 ? "127.0.0.1" : "127.0.0.2"));
		snprintf(port, sizeof(port), "%u", addr_port(&w->path[i]));
		require(has_text(e->trsvcid, 32, port));
		require((e->treq & 3) == NVME_TREQ_SECURE_NOT_SPECIFIED);
	}
	require(page.entries[1].portid != page.entries[2].portid);
	/* In pieces. */
	require(host_log(&h, NVME_LOG_DISCOVERY, 3 * 1024, &second, 1024) == 0);
	require(memcmp(&second, &page.entries[2], 1024) == 0);
	require(host_log(&h, NVME_LOG_DISCOVERY, 4 * 1024 + 4, &second, 4) ==
		(NVME_SC_INVALID_FIELD | DNR));
	host_close(&h);
}

static void a_host_is_told_where_it_may_connect(void **state)
{
	in_world(1, NULL, entries);
}

static void filter(struct world *w)
{
	struct nvmet_host stranger = { .nqn = "nqn.2026-11.io.hawser:other" },
			  me = { .nqn = HOST_NQN };
	struct host h;

	connect_to(w, &h, 0);
	require(nvmet_subsystem_allow_any_host(w->subsystem, false) == 0);
	require(nvmet_host_add(w->subsystem, &stranger, NULL) == 0);
	read_page(&h);
	require(page.log.numrec == 1);
	require(nvmet_host_add(w->subsystem, &me, NULL) == 0);
	read_page(&h);
	require(page.log.numrec == 3);
	host_close(&h);
}

static void a_host_is_told_of_nothing_else(void **state)
{
	in_world(2, NULL, filter);
}

static void secure_and_any(struct world *w)
{
	struct nvmet_listener any = {}, tls = { .secure_channel = true };
	struct nvme_discovery_entry *e = page.entries;
	struct host h;

	require(addr_parse(&any.addr, "0.0.0.0:0", 0) == 0);
	require(nvmet_listener_add(w->subsystem, &any, NULL) == 0);
	require(addr_parse(&tls.addr, "127.0.0.3:0", 0) == 0);
	require(nvmet_listener_add(w->subsystem, &tls, NULL) == 0);
	connect_to(w, &h, 0);
	read_page(&h);
	require(page.log.numrec == 5);
	require(has_text(e[3].traddr, 256, "127.0.0.2")); /* as asked */
	require((e[4].treq & 3) == NVME_TREQ_SECURE_REQUIRED);
	require(e[4].tsas[0] == NVME_TSAS_TCP_TLS13);
	host_close(&h);
}

static void entries_say_how_to_connect(void **state)
{
	in_world(3, NULL, secure_and_any);
}

static void changes(struct world *w)
{
	struct addr elsewhere;
	struct host_op op;
	uint64_t genctr;
	struct host h;

	connect_to(w, &h, 30000);
	require(host_set_feature(&h, NVME_FEAT_ASYNC_EVENTS, NVME_OAES_DLPCN,
				 NULL) == 0);
	require(host_start_aer(&h, &op) == 0);
	read_page(&h);
	genctr = page.log.genctr;
	require(nvmet_listener_remove(w->subsystem, &w->path[0]) == 0);
	require(host_wait(&h, &op) == 0);
	require(op.cqe.dw0 == (uint32_t)CHANGED);
	read_page(&h);
	require(page.log.genctr > genctr && page.log.numrec == 2);

	require(host_start_aer(&h, &op) == 0);
	require(addr_parse(&elsewhere, "192.0.2.7:8009", 0) == 0);
	require(nvmet_referral_add(w->target, &elsewhere,
				   NVMET_DISCOVERY_NQN) == 0);
	require(host_wait(&h, &op) == 0);
	read_page(&h);
	require(page.log.numrec == 3);
	require(page.entries[2].subtype == NVME_SUBTYPE_REFERRAL);
	require(has_text(page.entries[2].traddr, 256, "192.0.2.7"));
	require(has_text(page.entries[2].trsvcid, 32, "8009"));
	host_close(&h);
}

static void a_host_that_stays_is_told_of_changes(void **state)
{
	in_world(4, NULL, changes);
	in_real_world(2, NULL, changes);
}

static void silence(struct world *w)
{
	nsec start = reactor_now();
	struct host h;

	connect_to(w, &h, 0);
	task_sleep(SEC(100));
	read_page(&h);
	task_sleep(SEC(100));
	read_page(&h);
	require(host_receive(&h) < 0);
	require(reactor_now() - start >= SEC(320));
	require(reactor_now() - start < SEC(330));
	host_close(&h);
}

static void a_host_that_is_silent_is_forgotten(void **state)
{
	in_world(5, NULL, silence);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_is_told_where_it_may_connect),
		cmocka_unit_test(a_host_is_told_of_nothing_else),
		cmocka_unit_test(entries_say_how_to_connect),
		cmocka_unit_test(a_host_that_stays_is_told_of_changes),
		cmocka_unit_test(a_host_that_is_silent_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
