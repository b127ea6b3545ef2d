/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts that have to prove who they are: DH-HMAC-CHAP on every queue, TLS with
 * a key of the host's own; and what becomes of those that can't.
 */
#include "base/addr.h"
#include "nvme/auth/auth.h"
#include "reactor/tls.h"
#include "world.h"

enum { DNR = NVME_SC_DNR, MESSAGE = 4096, SECP = 0xe9 };

static const char key[] =
	"DHHC-1:00:ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8qDMNU:";
static char other_key[NVME_SECRET_TEXT_MAX];
static uint8_t data[4096];

static void make_other_key(void)
{
	struct nvme_secret s;

	nvme_secret_generate(&s, NVME_AUTH_SHA384);
	nvme_secret_format(&s, NVME_SECRET_DHCHAP, other_key);
}

static void only_host(struct world *w, const char *host_key,
		      const char *ctrl_key, const char *psk)
{
	struct nvmet_host h = { .nqn = HOST_NQN,
				.dhchap_key = host_key,
				.dhchap_ctrlr_key = ctrl_key,
				.psk = psk };

	require(nvmet_host_add(w->subsystem, &h, NULL) == 0);
	require(nvmet_subsystem_allow_any_host(w->subsystem, false) == 0);
}

/* ---------------------------------------------------------------- the host */

static void auth_cmd(struct host_op *op, uint8_t type, uint32_t len)
{
	struct nvme_auth_cmd *c = (void *)&op->sqe;

	c->opc = NVME_OPC_FABRICS;
	c->fctype = type;
	c->secp = SECP;
	c->spsp0 = c->spsp1 = 1;
	c->length = len;
	op->len = len;
}

static int send_message(struct host *h, const void *message, size_t len)
{
	struct host_op op = { .out = message };

	auth_cmd(&op, NVME_FCTYPE_AUTH_SEND, len);
	op.capsule = true;
	return host_run(h, &op);
}

static int receive_message(struct host *h, void *message)
{
	struct host_op op = { .in = message };

	auth_cmd(&op, NVME_FCTYPE_AUTH_RECEIVE, MESSAGE);
	return host_run(h, &op);
}

static struct nvme_auth *start(const char *host_key, const char *ctrl_key)
{
	struct nvme_auth_options o = {
		.host_nqn = HOST_NQN,
		.subsystem_nqn = SUBNQN,
		.groups = 1 << NVME_AUTH_DH_NULL | 1 << NVME_AUTH_FFDHE2048,
	};
	struct nvme_auth *a;

	require(nvme_secret_parse(&o.host_secret, NVME_SECRET_DHCHAP,
				  host_key) == 0);
	if (ctrl_key != NULL)
		require(nvme_secret_parse(&o.ctrl_secret, NVME_SECRET_DHCHAP,
					  ctrl_key) == 0);
	require(nvme_auth_create(false, &o, &a) == 0);
	return a;
}

/* True if both are content. */
static bool authenticate(struct host *h, const char *host_key,
			 const char *ctrl_key)
{
	struct nvme_auth *a = start(host_key, ctrl_key);
	static uint8_t message[MESSAGE];
	enum nvme_auth_state state;
	int rc = 0;

	while ((state = nvme_auth_state(a)) < NVME_AUTH_DONE && rc == 0) {
		if (state == NVME_AUTH_SENDS) {
			size_t len = nvme_auth_send(a, message);

			rc = send_message(h, message, len);
		} else {
			rc = receive_message(h, message);
			if (rc == 0)
				nvme_auth_receive(a, message, MESSAGE);
		}
	}
	nvme_auth_destroy(a);
	return state == NVME_AUTH_DONE && rc == 0;
}

/* Connects to a queue; returns dw0. */
static uint32_t connect_to(struct world *w, struct host *h, uint16_t cntlid,
			   uint16_t qid)
{
	struct host_connect c = { .subnqn = SUBNQN,
				  .cntlid = cntlid,
				  .qid = qid };

	require(host_open(h, &w->path[0], 0) == 0);
	require(host_connect(h, &c) == 0);
	return c.dw0;
}

static int enable(struct host *h)
{
	return host_property_set(h, NVME_PROP_CC,
				 NVME_CC_EN | 6 << 16 | 4 << 20);
}

/* The target closes the connection, soon. */
static bool is_ended(struct host *h)
{
	return host_receive(h) < 0;
}

/* --------------------------------------------------------------- with keys */

static void all_queues(struct world *w, const char *ctrl_key)
{
	struct host h, io;
	uint32_t dw0;

	only_host(w, key, ctrl_key, NULL);
	dw0 = connect_to(w, &h, NVME_CNTLID_DYNAMIC, 0);
	require(dw0 & NVME_CONNECT_ATR);
	require(enable(&h) == (NVME_SC_AUTH_REQUIRED | DNR));
	require(host_identify(&h, NVME_CNS_CONTROLLER, 0, 0, data) ==
		(NVME_SC_AUTH_REQUIRED | DNR));
	require(authenticate(&h, key, ctrl_key));
	require(enable(&h) == 0);
	dw0 = connect_to(w, &io, dw0 & 0xffff, 1);
	require(dw0 & NVME_CONNECT_ATR);
	require(host_read(&io, 1, 0, data, 512) ==
		(NVME_SC_AUTH_REQUIRED | DNR));
	require(authenticate(&io, key, ctrl_key));
	require(host_read(&io, 1, 0, data, 512) == 0);
	require(authenticate(&h, key, ctrl_key)); /* again, while it works */
	require(host_identify(&h, NVME_CNS_CONTROLLER, 0, 0, data) == 0);
	host_close(&io);
	host_close(&h);
}

static void one_way(struct world *w)
{
	all_queues(w, NULL);
}

static void both_ways(struct world *w)
{
	make_other_key();
	all_queues(w, other_key);
}

static void every_queue_authenticates(void **state)
{
	in_world(1, NULL, one_way);
	in_world(2, NULL, both_ways);
	in_real_world(2, NULL, both_ways);
}

static void strangers(struct world *w)
{
	struct host h;

	make_other_key();
	only_host(w, key, key, NULL);
	connect_to(w, &h, NVME_CNTLID_DYNAMIC, 0);
	require(!authenticate(&h, other_key, NULL));
	require(enable(&h) == (NVME_SC_AUTH_REQUIRED | DNR));
	require(is_ended(&h));
	host_close(&h);
	/* A controller that can't prove to be the one. */
	connect_to(w, &h, NVME_CNTLID_DYNAMIC, 0);
	require(!authenticate(&h, key, other_key));
	require(is_ended(&h));
	host_close(&h);
	/* Who says nothing. */
	connect_to(w, &h, NVME_CNTLID_DYNAMIC, 0);
	require(is_ended(&h));
	host_close(&h);
}

static void who_does_not_know_the_key_is_disconnected(void **state)
{
	in_world(3, NULL, strangers);
}

static void nonsense(struct world *w)
{
	static uint8_t message[MESSAGE];
	struct host_op op = { .out = message };
	struct host h;

	only_host(w, key, NULL, NULL);
	connect_to(w, &h, NVME_CNTLID_DYNAMIC, 0);
	require(receive_message(&h, message) ==
		(NVME_SC_COMMAND_SEQUENCE | DNR));
	auth_cmd(&op, NVME_FCTYPE_AUTH_SEND, 64);
	((struct nvme_auth_cmd *)&op.sqe)->secp = 0;
	op.capsule = true;
	require(host_run(&h, &op) == (NVME_SC_INVALID_FIELD | DNR));
	require(send_message(&h, message, MESSAGE) ==
		(NVME_SC_INVALID_FIELD | DNR)); /* too long */
	memset(message, 0xff, sizeof(message));
	require(send_message(&h, message, 64) == 0);
	require(send_message(&h, message, 64) ==
		(NVME_SC_COMMAND_SEQUENCE | DNR));
	require(receive_message(&h, message) == 0);
	require(is_ended(&h));
	host_close(&h);
}

static void nonsense_gets_a_failure_message(void **state)
{
	in_world(4, NULL, nonsense);
}

static void no_key(struct world *w)
{
	static uint8_t message[64];
	struct host h;
	uint32_t dw0;

	dw0 = connect_to(w, &h, NVME_CNTLID_DYNAMIC, 0);
	require(!(dw0 & NVME_CONNECT_ATR));
	require(enable(&h) == 0);
	require(send_message(&h, message, sizeof(message)) ==
		(NVME_SC_COMMAND_SEQUENCE | DNR));
	host_close(&h);
}

static void without_a_key_nothing_is_asked(void **state)
{
	in_world(5, NULL, no_key);
}

/* --------------------------------------------------------------------- TLS */

static char psk_text[NVME_SECRET_TEXT_MAX];
static struct nvme_secret psk_secret;

static void make_psk(void)
{
	nvme_secret_generate(&psk_secret, NVME_AUTH_SHA256);
	nvme_secret_format(&psk_secret, NVME_SECRET_TLS, psk_text);
}

/* As `host`, over TLS. */
static int open_secure(struct host *h, const struct addr *to, const char *nqn)
{
	struct stream *plain, *tls;
	struct tls_key k = {};
	struct nvme_psk psk;
	int rc;

	*h = (struct host){};
	require(nvme_psk_derive(&psk, &psk_secret, nqn, SUBNQN) == 0);
	k.identity = psk.identity;
	memcpy(k.key, psk.key, psk.len);
	k.len = psk.len;
	k.sha384 = psk.hash == NVME_AUTH_SHA384;
	rc = stream_connect(to, NULL, &plain);
	if (rc == 0)
		rc = tls_connect(plain, &k, reactor_now() + SEC(30), &tls);
	return rc < 0 ? rc : host_open_on(h, tls, 0);
}

static void secure(struct world *w)
{
	struct nvmet_listener l = { .secure_channel = true };
	struct host_connect c = { .subnqn = SUBNQN,
				  .cntlid = NVME_CNTLID_DYNAMIC },
			    other = c, io = { .subnqn = SUBNQN, .qid = 1 };
	struct host h, q;

	make_psk();
	only_host(w, NULL, NULL, psk_text);
	require(addr_parse(&l.addr, "127.0.0.3:0", 0) == 0);
	require(nvmet_listener_add(w->subsystem, &l, NULL) == 0);
	/* Not in the clear. */
	require(host_open(&h, &l.addr, 0) == 0);
	require(host_connect(&h, &c) == (NVME_SC_CONNECT_INVALID_HOST | DNR));
	host_close(&h);
	/* As itself, on both queues. */
	require(open_secure(&h, &l.addr, HOST_NQN) == 0);
	require(host_connect(&h, &c) == 0);
	require(enable(&h) == 0);
	io.cntlid = c.dw0;
	require(open_secure(&q, &l.addr, HOST_NQN) == 0);
	require(host_connect(&q, &io) == 0);
	memset(data, 0x5a, sizeof(data));
	require(host_write(&q, 1, 0, data, sizeof(data)) == 0);
	memset(data, 0, sizeof(data));
	require(host_read(&q, 1, 0, data, sizeof(data)) == 0);
	require(data[0] == 0x5a && data[4095] == 0x5a);
	host_close(&q);
	host_close(&h);
	/* As somebody else, once the channel is there. */
	other.hostnqn = "nqn.2026-11.io.hawser:other";
	require(open_secure(&h, &l.addr, HOST_NQN) == 0);
	require(host_connect(&h, &other) ==
		(NVME_SC_CONNECT_INVALID_HOST | DNR));
	host_close(&h);
	/* Keys that are not known, or not the same. */
	require(open_secure(&h, &l.addr, other.hostnqn) < 0);
	nvme_secret_generate(&psk_secret, NVME_AUTH_SHA256);
	require(open_secure(&h, &l.addr, HOST_NQN) < 0);
}

static void a_secure_listener_takes_hosts_with_their_key(void **state)
{
	in_world(6, NULL, secure);
	in_real_world(2, NULL, secure);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_queue_authenticates),
		cmocka_unit_test(who_does_not_know_the_key_is_disconnected),
		cmocka_unit_test(nonsense_gets_a_failure_message),
		cmocka_unit_test(without_a_key_nothing_is_asked),
		cmocka_unit_test(a_secure_listener_takes_hosts_with_their_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
